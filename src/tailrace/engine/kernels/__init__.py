"""Numba kernels: typed loops over whole columns, compiled when first needed and cached on disk."""
