"""Flink's dialect on sqlglot: tokenizer, syntax tree, parser and generator."""

from tailrace.sql.dialect.cursor import too_deep
from tailrace.sql.dialect.flink import Flink, generate, parse

__all__ = ["Flink", "generate", "parse", "too_deep"]
