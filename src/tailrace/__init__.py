"""Tailrace: real-time data processing for Python, in streaming SQL."""

__version__ = "0.1.0"
