"""Java's regular expressions, on the engines of Polars and Python."""

from __future__ import annotations

from tailrace.expressions.regex.matcher import Matcher, matcher
from tailrace.expressions.regex.translate import UnsupportedPatternError

__all__ = ["Matcher", "UnsupportedPatternError", "matcher"]
