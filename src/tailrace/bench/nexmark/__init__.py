"""Nexmark, the benchmark of streaming SQL: its queries, and their measurement."""
