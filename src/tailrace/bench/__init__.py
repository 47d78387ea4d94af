"""Benchmarks of the product, each with an independent check of its rows; `tailrace bench` runs them."""
