"""What a lookup join needs of the world outside: somebody who answers, and how long answers hold."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from tailrace.plan.nodes import LookupJoin


@dataclass(frozen=True, slots=True)
class CacheRules:
    """
    What is kept of answers: nothing, unless `keeps`.

    `max_rows` bounds it (0: nothing does), `after_write` and `after_access` are times to live in ms (0: for ever), and
    `missing` tells whether keys without rows are kept too.
    """

    keeps: bool = False
    max_rows: int = 0
    after_write: int = 0
    after_access: int = 0
    missing: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of some keys, and which of the keys could not be asked for (None: all could)."""

    rows: pl.DataFrame
    lost: np.ndarray | None = None


class Asker(ABC):
    """Answers the lookups of one join; its calls wait, within the bounds that the table's options set."""

    rules: CacheRules
    rejects: bool = False
    """Whether rows whose keys are lost are rejected; else nothing was found for them."""
    whole: bool = False
    """Whether the table comes as a whole, by `table`; `get` is not called then."""

    @abstractmethod
    def get(self, keys: pl.DataFrame) -> Answer:
        """
        Give the rows of keys, which are distinct and without NULL.

        Raises:
            TerminalError: the table can't be asked, or was away for too long.
        """

    @abstractmethod
    def table(self) -> pl.DataFrame | None:
        """Give the whole table, if it has not been given yet or was read again since; else None."""


Askers = Callable[[LookupJoin], Asker]
"""Makes the asker of a join."""
