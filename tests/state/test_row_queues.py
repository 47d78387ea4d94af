"""Rows are known again by what tells them apart, also after they were numbered anew."""

import numpy as np
import polars as pl
import pytest

from tailrace.state.row_queues import RowQueues

SLOTS = np.arange(4, dtype=np.int64)
ROWS = pl.DataFrame({"k": ["a", "b", None, "c"]})


@pytest.mark.parametrize("columns", [(), ("k",)])
def test_rows_are_known_after_they_were_numbered_anew(columns: tuple[str, ...]) -> None:
    """Each row that is taken back is found, also where the partition alone tells rows apart and there are no columns."""
    queues = RowQueues(columns, unique=True)
    queues.rebuild(ROWS.select(columns), SLOTS)
    gone = queues.change(ROWS, SLOTS, np.ones(len(ROWS), dtype=np.bool_), len(ROWS))
    assert gone.tolist() == [0, 1, 2, 3]
