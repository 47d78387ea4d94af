"""How much state there is may be asked from another thread at any moment, as the dashboard does each second."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tailrace.engine.operator import Operator
from tailrace.engine.window_store import WindowStore
from tailrace.expressions.nodes import AggregateCall
from tailrace.schema import BIGINT
from tailrace.state.row_store import RowStore


def test_windows_are_counted_while_they_are_compacted(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of it the count may be wrong, but not less than none."""
    store = WindowStore(["k"], {"k": pl.Int64()}, (AggregateCall("COUNT", BIGINT),))
    keys = pl.DataFrame({"k": np.arange(100_000)})
    store.add(keys, np.where(np.arange(100_000) < 99_900, 10, 20), Operator())
    seen: list[int] = []
    whole = store.accumulators[0].keep

    def keep(live: np.ndarray) -> None:
        whole(live)
        seen.append(len(store))

    monkeypatch.setattr(store.accumulators[0], "keep", keep)
    store.drop_until(10)
    assert len(seen) == 1
    assert seen[0] >= 0
    assert len(store) == 100


def test_rows_are_counted_while_they_are_compacted(monkeypatch: pytest.MonkeyPatch) -> None:
    store = RowStore({"k": pl.Int64()})
    slots = np.zeros(100, dtype=np.int64)
    store.reserve(100, 1)
    numbers = store.append(pl.DataFrame({"k": np.arange(100)}), slots, 0)
    store.drop(numbers[:90])
    seen: list[int] = []
    whole = store._relink

    def relink(new: np.ndarray) -> None:
        seen.append(len(store))
        whole(new)

    monkeypatch.setattr(store, "_relink", relink)
    store.compact(np.zeros(1, dtype=np.int64))
    assert len(seen) == 1
    assert seen[0] >= 0
    assert len(store) == 10
