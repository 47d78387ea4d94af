"""Columns by row number against Polars' own."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from tailrace.state.chunks import RowLog

VALUES: dict[str, tuple[pl.DataType, list[object]]] = {
    "int": (pl.Int32(), [1, -5, 2**31 - 1]),
    "long": (pl.Int64(), [1, -(2**63), 2**63 - 1]),
    "byte": (pl.Int8(), [-128, 0, 127]),
    "bool": (pl.Boolean(), [True, False]),
    "float": (pl.Float32(), [1.5, -0.25]),
    "double": (pl.Float64(), [0.1, -1e300, float("inf")]),
    "date": (pl.Date(), [date(1969, 1, 1), date(2024, 2, 29)]),
    "time": (pl.Time(), [time(0, 0), time(23, 59, 59, 999999)]),
    "ms": (pl.Datetime("ms"), [datetime(2024, 1, 1, 12), datetime(1960, 1, 1)]),
    "us": (pl.Datetime("us", "UTC"), [datetime(2024, 1, 1, 12)]),
    "span": (pl.Duration("ms"), [timedelta(days=-1), timedelta(milliseconds=5)]),
    "decimal": (pl.Decimal(20, 4), [Decimal("-0.0001"), Decimal("1234567890123456.7891")]),
    "text": (pl.String(), ["", "a", "twelve bytes", "thirteen bytes", "ü" * 30, "x" * 500]),
    "bytes": (pl.Binary(), [b"", b"\x00\xff", b"y" * 40]),
    "list": (pl.List(pl.Int64()), [[], [1, 2], [None]]),
    "map": (pl.List(pl.Struct({"key": pl.String(), "value": pl.Int64()})), [[], [{"key": "a", "value": 1}]]),
    "row": (pl.Struct({"a": pl.Int64(), "b": pl.String()}), [{"a": 1, "b": "x"}, {"a": None, "b": None}]),
}


def series(rng: random.Random, name: str, count: int, *, nulls: bool) -> pl.Series:
    """Make values of a type."""
    dtype, values = VALUES[name]
    given = [None if nulls and rng.random() < 0.3 else rng.choice(values) for _ in range(count)]
    return pl.Series(name, given, dtype=dtype, strict=False)


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("nulls", [False, True])
def test_rows_come_back_as_they_went_in(name: str, *, nulls: bool) -> None:
    """In any order, as often as asked, from slices and chunks, with NULLs from the start or later, after rows were dropped."""
    rng = random.Random(name)  # noqa: S311 - test data
    log = RowLog({name: VALUES[name][0]})
    known = series(rng, name, 0, nulls=False)
    for step in range(20):
        more = series(rng, name, rng.choice([0, 1, 5, 200]), nulls=nulls and step > 3)
        more = rng.choice([more, more[1:], pl.concat([more, more[:3]], rechunk=False)])
        log.append(more.to_frame())
        known = pl.concat([known, more])
        chosen = np.array([rng.randrange(len(known)) for _ in range(50 if len(known) else 0)], dtype=np.int64)
        got = log.gather(chosen)[name]
        assert got.dtype == known.dtype
        assert got.to_list() == known.gather(chosen).to_list()
        if step == 12:
            kept = np.arange(0, len(known), 3)
            log.keep(kept)
            known = known.gather(kept)
    assert len(log) == len(known) > 100
    assert log.nbytes > 0
