"""The two ways in which kernels are compiled."""

from __future__ import annotations

from numba import njit

kernel = njit(nogil=True, cache=True, error_model="numpy")
"""Called from Python: kept on disk, with all that it calls."""

part = njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
"""Called from kernels only: not kept by itself, which makes a cold start shorter."""
