"""A sink that keeps nothing."""

from __future__ import annotations

import polars as pl
from connector_kit import sink, table

from tailrace.connectors.base import AtLeastOnceSink
from tailrace.schema import INT


def test_all_rows_are_taken() -> None:
    """Rows of any kind are taken, and the sink is always ready."""
    target = sink(table("blackhole", {"a": INT}))
    assert isinstance(target, AtLeastOnceSink)
    target.open()
    target.write(pl.DataFrame({"a": [1]}))
    target.prepare(1)
    target.close()

    assert target.check().ok
