"""JSON texts as Flink reads, searches and writes them: `text.py`, paths of JSON functions: `path.py` and `steps.py`."""

from __future__ import annotations

from tailrace.expressions.json.path import Path, compiled
from tailrace.expressions.json.steps import PathError
from tailrace.expressions.json.text import NotJsonError, read, write

__all__ = ["NotJsonError", "Path", "PathError", "compiled", "read", "write"]
