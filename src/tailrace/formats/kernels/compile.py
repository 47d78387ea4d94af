"""The two ways in which kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile what is called from Python; kept on disk, with all that it calls."""
    return cast("Function", njit(nogil=True, cache=True, error_model="numpy")(function))


def part(function: Function) -> Function:
    """Compile what is called from kernels only; not kept by itself, which makes a cold start shorter."""
    compiled = njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
    return cast("Function", compiled)
