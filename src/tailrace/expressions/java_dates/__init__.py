"""Java's patterns of dates: those of `DateTimeFormatter`, and those of the older `SimpleDateFormat`."""

from __future__ import annotations

from tailrace.expressions.java_dates.pattern import Pattern, PatternError, formatter, simple
from tailrace.expressions.java_dates.read import lenient_millis, strict_timestamps
from tailrace.expressions.java_dates.write import written

__all__ = ["Pattern", "PatternError", "formatter", "lenient_millis", "simple", "strict_timestamps", "written"]
