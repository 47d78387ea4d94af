"""Casts to Polars expressions, by Flink's rules."""

from __future__ import annotations

from tailrace.expressions.casts.convert import cast, lost
from tailrace.expressions.casts.matrix import can_cast, may_fail
from tailrace.expressions.casts.times import to_timestamp
from tailrace.expressions.casts.writing import java_double, to_text

__all__ = ["can_cast", "cast", "java_double", "lost", "may_fail", "to_text", "to_timestamp"]
