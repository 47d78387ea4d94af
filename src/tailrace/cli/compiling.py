"""Telling that kernels are compiled: on the first run that takes seconds in which nothing else is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from numba.core import event

NOTE = "compiling kernels: only now, they are kept for the next runs"


class _FirstCompilation(event.Listener):  # type: ignore[misc]  # numba has no types
    """Hears of compilations (not of kernels that were kept) and tells of the first."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell: Callable[[str], None] | None = tell

    def on_start(self, event: object) -> None:
        if self._tell is not None:
            tell, self._tell = self._tell, None
            tell(NOTE)

    def on_end(self, event: object) -> None:
        """Nothing is told of it."""


@contextmanager
def told_of_compiling(tell: Callable[[str], None]) -> Iterator[None]:
    """Tell once if a kernel is compiled meanwhile."""
    with event.install_listener("numba:compile", _FirstCompilation(tell)):
        yield
