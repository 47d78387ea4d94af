"""Tailrace: real-time data processing for Python, in streaming SQL."""

from pathlib import Path

from tailrace import kernel_cache

__version__ = "0.1.0"

kernel_cache.prepare(Path(__file__).parent)
