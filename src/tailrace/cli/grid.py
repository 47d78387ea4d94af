"""Tables on the terminal: nothing is cut off where that is narrow."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Sequence

from rich.console import Console
from rich.table import Table


def print_grid(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, whole: Collection[str] = (), numbers: Collection[str] = ()
) -> None:
    """
    Print rows of texts below the names of their columns.

    Texts in the columns of `whole` stay in one line, as do `numbers`, which stand to the right; others go on in the next line.

    >>> print_grid(["name", "rows"], [["a", "12"]], numbers=["rows"])
    name  rows
    a       12
    """
    grid = Table(box=None, pad_edge=False)
    for column in columns:
        # no least width: a table that is wider than the terminal is cut off
        grid.add_column(
            column,
            overflow="fold",
            justify="right" if column in numbers else "left",
            no_wrap=column in whole or column in numbers,
        )
    for row in rows:
        grid.add_row(*row)
    Console(file=sys.stdout, markup=False, highlight=False).print(grid)
