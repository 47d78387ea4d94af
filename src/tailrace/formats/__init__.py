"""Formats: bytes to columns and back, in whole blocks."""
