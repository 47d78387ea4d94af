"""How long things took, counted in classes: what a histogram metric shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
"""The upper ends of the classes, in seconds; above the last comes one class more."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A histogram at one moment: how many fell in each class (one more than `BOUNDS`), and the sum of all, in seconds."""

    counts: tuple[int, ...] = (0,) * (len(BOUNDS) + 1)
    total: float = 0.0

    @property
    def count(self) -> int:
        """How many there are in all."""
        return sum(self.counts)

    def quantile(self, share: float) -> float | None:
        """
        Give the upper end of the class in which a share of all has come, or None if there is nothing (or no end).

        >>> Counted((0, 8, 0, 2, *(0,) * 14)).quantile(0.5), Counted((0, 8, 0, 2, *(0,) * 14)).quantile(0.99)
        (0.0025, 0.01)
        """
        reached = np.cumsum(self.counts)
        place = int(np.searchsorted(reached, share * reached[-1])) if reached[-1] else len(BOUNDS)
        return BOUNDS[place] if place < len(BOUNDS) else None


class Histogram:
    """
    Counts lengths of time. One thread adds, any thread looks.

    >>> taken = Histogram()
    >>> taken.add([0.002, 0.004], rows=[10, 30])
    >>> taken.counted().count, taken.counted().quantile(0.5)
    (40, 0.005)
    """

    def __init__(self) -> None:
        self._counts = np.zeros(len(BOUNDS) + 1, dtype=np.int64)
        self._total = 0.0

    def add(self, seconds: Sequence[float] | npt.NDArray[np.float64], rows: Sequence[int] | None = None) -> None:
        """Count lengths of time (below zero: as zero), each for so many rows (one, if not given)."""
        taken = np.maximum(np.asarray(seconds, dtype=np.float64), 0.0)
        weights = np.ones(len(taken)) if rows is None else np.asarray(rows, dtype=np.float64)
        classes = np.searchsorted(BOUNDS, taken)
        self._counts += np.bincount(classes, weights, len(self._counts)).astype(np.int64)
        self._total += float(taken @ weights)

    def counted(self) -> Counted:
        """Give what was counted so far."""
        return Counted(tuple(self._counts.tolist()), self._total)
