"""Aligning faces and converting face data, for the tools."""
