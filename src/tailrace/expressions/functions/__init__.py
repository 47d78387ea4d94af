"""All functions: importing this module loads every family, each of which adds its entries."""

from __future__ import annotations

from tailrace.expressions.functions import (
    arithmetic,
    arrays,
    clock,
    codes,
    collections,
    comparison,
    conditional,
    json,
    maps,
    math,
    printf,
    randoms,
    rounding,
    searching,
    strings,
    time_parts,
    time_steps,
    time_texts,
    trimming,
    types,
    urls,
)
from tailrace.expressions.registry import FUNCTIONS

__all__ = [
    "FUNCTIONS",
    "arithmetic",
    "arrays",
    "clock",
    "codes",
    "collections",
    "comparison",
    "conditional",
    "json",
    "maps",
    "math",
    "printf",
    "randoms",
    "rounding",
    "searching",
    "strings",
    "time_parts",
    "time_steps",
    "time_texts",
    "trimming",
    "types",
    "urls",
]
