"""Flink's dialect on sqlglot: tokenizer, syntax tree, parser and generator."""

from tailrace.sql.dialect.cursor import too_deep
from tailrace.sql.dialect.flink import (
    Flink,
    generate,
    parse,
    parse_expression,
    parse_pattern,
    parse_skip,
    parse_type,
)

__all__ = [
    "Flink",
    "generate",
    "parse",
    "parse_expression",
    "parse_pattern",
    "parse_skip",
    "parse_type",
    "too_deep",
]
