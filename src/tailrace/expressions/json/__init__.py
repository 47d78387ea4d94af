"""JSON texts as Flink reads, searches and writes them: `text.py`, paths of JSON functions: `path.py` and `steps.py`, VARIANT: `variants.py`."""

from __future__ import annotations

from tailrace.expressions.json.path import Path, compiled
from tailrace.expressions.json.steps import PathError
from tailrace.expressions.json.text import NotJsonError, read, write
from tailrace.expressions.json.variants import variant

__all__ = ["NotJsonError", "Path", "PathError", "compiled", "read", "variant", "write"]
