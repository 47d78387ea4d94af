"""Typed expressions, the catalogue of functions, and their lowering to Polars."""
