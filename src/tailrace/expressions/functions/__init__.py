"""All functions: importing this module loads every family, each of which adds its entries."""

from __future__ import annotations

from tailrace.expressions.functions import (
    arithmetic,
    collections,
    comparison,
    conditional,
    json,
    math,
    strings,
    temporal,
)
from tailrace.expressions.registry import FUNCTIONS

__all__ = [
    "FUNCTIONS",
    "arithmetic",
    "collections",
    "comparison",
    "conditional",
    "json",
    "math",
    "strings",
    "temporal",
]
