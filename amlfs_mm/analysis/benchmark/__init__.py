"""Configs trained over seeds, and compared fairly."""
