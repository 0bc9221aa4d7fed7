"""Runs read back from their work dirs."""
