"""Made-up rows: a function of the seed and the row's number."""

from __future__ import annotations

import time
from decimal import Decimal

import polars as pl
import pytest
from connector_kit import context, drain, source, table

from tailrace import schema as t
from tailrace.clock import ManualClock, SystemClock
from tailrace.connectors.base import Assigned, Ended, Limit, Reader
from tailrace.errors import ConfigError
from tailrace.schema import BIGINT, BOOLEAN, BYTES, DOUBLE, INT, STRING, DataType, timestamp

START = "2026-01-01 00:00:00"
FAST = {"rows-per-second": "unlimited", "tailrace.start-time": START}


def frame(columns: dict[str, DataType], options: dict[str, str], rows: int = 65_536) -> pl.DataFrame:
    """Make all rows of a bounded table."""
    reader = source(table("datagen", columns, FAST | options)).open({})
    return pl.concat([b.values for b in drain(reader, rows) if isinstance(b.values, pl.DataFrame)])


MANY: dict[str, DataType] = {
    "i": INT,
    "x": DOUBLE,
    "d": t.decimal(10, 2),
    "w": t.decimal(38, 6),
    "s": STRING,
    "b": BYTES,
    "ts": timestamp(3),
    "r": t.row({"a": INT, "b": STRING}),
    "l": t.array(INT),
    "m": t.map_type(INT, BOOLEAN),
}


def test_the_same_seed_gives_the_same_rows_however_they_are_cut() -> None:
    """Rows do not depend on the batches they were made in."""
    count = {"number-of-rows": "500"}

    assert frame(MANY, count).equals(frame(MANY, count, rows=7))


def test_a_restart_goes_on_with_the_same_rows() -> None:
    """From any position the rest is what it would have been."""
    of = table("datagen", MANY, FAST | {"number-of-rows": "100"})
    reader = source(of).open({})
    reader.changes()
    first = reader.poll(Limit(rows=33))[0]
    rest = drain(source(of).open({"0": first.position}))
    both = pl.concat([b.values for b in (first, *rest) if isinstance(b.values, pl.DataFrame)])

    assert both.equals(frame(MANY, {"number-of-rows": "100"}))


def test_another_seed_and_another_column_give_other_rows() -> None:
    """Seeds and columns are unrelated; a column is the same whichever others are asked for."""
    columns = {"a": BIGINT, "b": BIGINT}
    rows = frame(columns, {"number-of-rows": "1000"})
    other = frame(columns, {"number-of-rows": "1000", "tailrace.seed": "1"})
    of = table("datagen", columns, FAST | {"number-of-rows": "1000"})
    alone = drain(source(of, ("b",)).open({}))[0].values

    assert (rows["a"] != rows["b"]).all()
    assert (rows["a"] != other["a"]).all()
    assert isinstance(alone, pl.DataFrame)
    assert alone["b"].equals(rows["b"])


def test_random_numbers_fill_their_bounds() -> None:
    """All values between min and max come, about equally often, and no others."""
    options = {
        "number-of-rows": "20000",
        "fields.i.min": "-2",
        "fields.i.max": "2",
        "fields.d.min": "0.10",
        "fields.d.max": "0.19",
        "fields.x.min": "1.5",
        "fields.x.max": "2.5",
    }
    rows = frame({"i": INT, "d": t.decimal(10, 2), "x": DOUBLE}, options)
    counts = rows["i"].value_counts().sort("i")

    assert counts["i"].to_list() == [-2, -1, 0, 1, 2]
    assert counts["count"].min() > 3700  # type: ignore[operator]
    assert sorted(rows["d"].unique()) == [Decimal(n).scaleb(-2) for n in range(10, 20)]
    assert 1.5 <= float(rows["x"].min()) < 1.51  # type: ignore[arg-type]
    assert 2.49 < float(rows["x"].max()) < 2.5  # type: ignore[arg-type]


def test_a_sequence_ends_the_source() -> None:
    """The shortest sequence, or number-of-rows, says how many rows there are."""
    options = {f"fields.{c}.kind": "sequence" for c in "ab"} | {"fields.a.start": "3", "fields.a.end": "5"}
    options |= {"fields.b.start": "1", "fields.b.end": "100"}

    assert frame({"a": INT, "b": STRING}, options).rows() == [(3, "1"), (4, "2"), (5, "3")]
    assert frame({"a": INT, "b": STRING}, options | {"number-of-rows": "2"}).height == 2


def test_texts_have_the_given_length() -> None:
    """`length` and `var-len` bound texts; VARCHAR(n) is as long as declared."""
    options = {
        "number-of-rows": "200",
        "fields.s.length": "7",
        "fields.v.length": "4",
        "fields.v.var-len": "true",
        "fields.b.length": "5",
    }
    rows = frame({"s": STRING, "v": STRING, "c": t.char(3), "d": t.varchar(9), "b": BYTES}, options)

    assert rows["s"].str.len_bytes().unique().to_list() == [7]
    assert rows["v"].str.len_bytes().unique().sort().to_list() == [1, 2, 3, 4]
    assert rows["c"].str.len_bytes().unique().to_list() == [3]
    assert rows["d"].str.len_bytes().unique().to_list() == [9]
    assert rows["b"].bin.size().unique().to_list() == [5]
    assert rows["s"].str.contains("^[0-9a-f]+$").all()


def test_null_rate() -> None:
    """About the given share is NULL, also in all (1) or none (0) of the rows."""
    options = {"number-of-rows": "10000", "fields.a.null-rate": "0.25", "fields.b.null-rate": "1"}
    rows = frame({"a": INT, "b": STRING}, options)

    assert 2300 < rows["a"].null_count() < 2700
    assert rows["b"].null_count() == 10_000


def test_nested_columns() -> None:
    """Parts of ROW, ARRAY and MAP take options by their path; a map has each key once."""
    options = {
        "number-of-rows": "50",
        "fields.r.a.min": "1",
        "fields.r.a.max": "1",
        "fields.l.length": "2",
        "fields.l.element.min": "5",
        "fields.l.element.max": "5",
        "fields.m.key.min": "0",
        "fields.m.key.max": "1",
    }
    rows = frame({k: MANY[k] for k in "rlm"}, options)

    assert {r["a"] for r in rows["r"]} == {1}
    assert rows["l"].to_list() == [[5, 5]] * 50
    for entries in rows["m"].to_list():
        keys = [e["key"] for e in entries]
        assert len(keys) == len(set(keys)) > 0


def test_times_follow_the_rate() -> None:
    """With a rate row n is n / rate after the start; `max-past` moves it back by up to that."""
    of = table("datagen", {"ts": timestamp(3)}, {"rows-per-second": "3", "tailrace.start-time": START})
    clock = ManualClock()
    reader = source(of, where=context(clock=clock)).open({})
    reader.changes()
    clock.advance(2000)
    values = reader.poll(Limit(wait_seconds=0))[0].values
    past = frame({"ts": timestamp(3)}, {"number-of-rows": "1000", "fields.ts.max-past": "10 s"})
    since = past["ts"].to_physical() - 1_767_225_600_000
    beyond = pl.int_range(1000, eager=True) - since

    assert isinstance(values, pl.DataFrame)
    assert [v.isoformat(timespec="milliseconds")[17:] for v in values["ts"]] == [
        "00.000", "00.333", "00.666", "01.000", "01.333", "01.666",
    ]  # fmt: skip
    assert beyond.is_between(0, 10_000).all()
    assert (beyond > 9000).any()


def test_the_rate_is_kept() -> None:
    """No more rows come than are due by the clock."""
    clock = ManualClock()
    of = table("datagen", {"a": INT}, {"rows-per-second": "1000"})
    reader = source(of, where=context(clock=clock)).open({})
    reader.changes()
    given = 0
    for _ in range(10):
        clock.advance(100)
        given += sum(map(len, reader.poll(Limit(wait_seconds=0))))
        assert reader.poll(Limit(wait_seconds=0)) == []

    assert given == 1000


def test_a_poll_waits_at_most_as_long_as_it_may() -> None:
    """A slow source does not hold its thread, and does not spin either."""
    of = table("datagen", {"a": INT}, {"rows-per-second": "1"})
    reader = source(of, where=context(clock=SystemClock())).open({})
    reader.changes()
    began = time.monotonic()

    assert reader.poll(Limit(wait_seconds=0.05)) == []
    assert 0.04 < time.monotonic() - began < 0.5


def test_changes_announce_and_end_the_partition() -> None:
    """The one partition is assigned before its rows, and ends after them."""
    reader: Reader = source(table("datagen", {"a": INT}, FAST | {"number-of-rows": "1"})).open({})

    assert reader.poll(Limit(wait_seconds=0)) == []
    assert reader.changes() == [Assigned("0")]
    assert len(reader.poll(Limit(wait_seconds=0))) == 1
    assert reader.changes() == [Ended("0")]
    assert reader.changes() == []


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("fields.amuont.min", "1", "fields.amount.min"),
        ("fields.amount.mni", "1", "fields.amount.min"),
        ("fields.amount.min", "1.5", "does not fit INT"),
        ("fields.amount.max", "3000000000", "does not fit INT"),
        ("fields.amount.min", "x", "expected a number"),
        ("fields.amount.kind", "sequence", "fields.amount.start"),
        ("fields.amount.null-rate", "2", "from 0 to 1"),
        ("fields.s.length", "9", "VARCHAR(5)"),
        ("rows-per-second", "fast", "unlimited"),
        ("fields.at.kind", "sequence", "TIMESTAMP(3)"),
    ],
)
def test_wrong_options_are_pointed_to(option: str, value: str, words: str) -> None:
    """Options of columns are checked by column and type, with what was likely meant."""
    columns = {"amount": INT, "s": t.varchar(5), "at": timestamp(3)}
    with pytest.raises(ConfigError) as caught:
        source(table("datagen", columns, {option: value}))

    assert words in str(caught.value)
    assert "job.sql:7:" in str(caught.value)


def test_full_speed() -> None:
    """Five million rows a second of (BIGINT, DOUBLE, TIMESTAMP) at least; here a quarter of that, on a busy machine."""
    of = table("datagen", {"a": BIGINT, "b": DOUBLE, "c": timestamp(3)}, FAST | {"number-of-rows": "2000000"})
    began = time.process_time()
    rows = sum(map(len, drain(source(of).open({}))))

    assert rows == 2_000_000
    assert time.process_time() - began < 1.6
