"""The families of functions; importing this fills the registry."""

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

__all__ = ["arithmetic", "collections", "comparison", "conditional", "json", "math", "strings", "temporal"]
