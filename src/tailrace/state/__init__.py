"""Keyed state as arrays, and the checkpoint store."""
