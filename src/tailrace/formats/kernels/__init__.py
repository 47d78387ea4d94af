"""Loops over bytes, compiled: no schema is compiled in, it comes as arrays."""
