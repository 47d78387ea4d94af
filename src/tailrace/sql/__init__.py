"""Flink's SQL: dialect, parser and binder."""
