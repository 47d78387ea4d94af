"""The test kit: pipelines that a test drives."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

import tailrace as tr
from tailrace.errors import ConfigError
from tailrace.testing import Change, Drive


def clicks() -> tr.Table:
    """Give clicks with a time."""
    columns = {"user": str, "ts": "TIMESTAMP(3)", "price": "DECIMAL(10, 2)", "day": "DATE"}
    return tr.read("datagen", columns, name="clicks", time=tr.event_time("ts", delay="5s"))


def a_minute() -> Drive:
    """Drive counts by user and minute."""
    return Drive(clicks().window(tr.tumble("1m")).group_by("user").agg(n=tr.count()).select("user", "n"))


def click(user: str, time: str) -> dict[str, str]:
    """Give a click within the hour."""
    return {"user": user, "ts": f"2026-01-01 00:{time}"}


def test_a_window_closes_when_the_watermark_passes_it() -> None:
    """Not before: the watermark is five seconds behind."""
    drive = a_minute()

    assert drive.push("clicks", [click("ann", "00:10"), click("ann", "00:20"), click("bob", "01:04")]) == []
    assert drive.push("clicks", [click("bob", "01:06")]) == [Change("+I", {"user": "ann", "n": 2})]
    assert drive.watermark("clicks") == datetime(2026, 1, 1, 0, 1, 1, tzinfo=UTC)
    assert drive.end() == [Change("+I", {"user": "bob", "n": 2})]


def test_late_rows() -> None:
    """They are told apart from those that count."""
    drive = a_minute()
    drive.push("clicks", [click("ann", "01:30")])
    drive.push("clicks", [click("bob", "00:10")])

    assert [row["user"] for row in drive.late] == ["bob"]
    assert [r.stage for r in drive.refused] == ["late"]


def test_two_partitions() -> None:
    """The slower one holds the watermark, until it is idle for so long that it does not count."""
    drive = a_minute()
    drive.push("clicks", [click("ann", "00:10")], partition="slow")

    assert drive.push("clicks", [click("bob", "02:00")], partition="fast") == []
    assert drive.advance("1h") == []
    assert drive.push("clicks", [click("bob", "02:01")], partition="fast") == [Change("+I", {"user": "ann", "n": 1})]


def test_crash_without_a_checkpoint() -> None:
    """All rows come again."""
    drive = a_minute()
    drive.push("clicks", [click("ann", "00:10")])
    drive.push("clicks", [click("bob", "02:00")])

    assert drive.crash() == [Change("+I", {"user": "ann", "n": 1})]
    assert drive.rows() == [{"user": "ann", "n": 1}]


def test_crash_after_a_checkpoint() -> None:
    """What came before it is kept, and does not come out twice."""
    drive = a_minute()
    drive.push("clicks", [click("ann", "00:10"), click("bob", "00:20")])
    drive.push("clicks", [click("bob", "01:10")])
    drive.checkpoint()
    drive.push("clicks", [click("bob", "02:10")])
    drive.crash()
    drive.end()
    drive.crash()

    assert sorted((r["user"], r["n"]) for r in drive.rows()) == [("ann", 1), ("bob", 1), ("bob", 1), ("bob", 1)]


def test_rows_of_any_time() -> None:
    """They need not be near the clock of the test, unless their table asks for it."""
    times = ["2031-05-01 12:00:00", "2031-05-01 12:02:00"]
    rows = [{"user": "ann", "ts": time} for time in times]
    drive = a_minute()
    drive.push("clicks", rows)
    assert drive.rows() == [{"user": "ann", "n": 1}]

    options = {"tailrace.watermark.max-future": "1 d"}
    guarded = tr.read("datagen", {"ts": "TIMESTAMP(3)"}, name="clicks", time=tr.event_time("ts"), options=options)
    drive = Drive(guarded)
    drive.push("clicks", [{"ts": time} for time in times])
    assert [r.stage for r in drive.refused] == ["future"]


def test_changes_of_a_table_that_updates() -> None:
    """Each change is there, and the rows that stand."""
    drive = Drive(clicks().group_by("user").agg(total=tr.col("price").sum()))
    drive.push("clicks", [{**click("ann", "00:01"), "price": "1.50"}])
    drive.push("clicks", [{**click("ann", "00:02"), "price": "2.25"}])

    assert [c.op for c in drive.changes] == ["+I", "-U", "+U"]
    assert [str(row["total"]) for row in drive.rows()] == ["3.75"]
    assert drive.frame().schema == {"user": pl.String, "total": pl.Decimal(38, 2)}


def test_windows_of_processing_time() -> None:
    """They close when the clock says so."""
    table = tr.read("datagen", {"v": int}, name="rows", time=tr.processing_time("seen"))
    drive = Drive(table.window(tr.tumble("10s")).agg(n=tr.count()).select("n"), at=datetime(2026, 1, 1, tzinfo=UTC))
    drive.push("rows", [{"v": 1}, {"v": 2}])

    assert drive.advance("9s") == []
    assert drive.advance("2s") == [Change("+I", {"n": 2})]


SCRIPT = """
CREATE TABLE amounts (v INT) WITH ('connector' = 'kafka', 'topic' = 't', 'properties.bootstrap.servers' = 'nowhere:1', 'format' = 'json');
CREATE TABLE small (v INT) WITH ('connector' = 'print');
CREATE TABLE big (v INT) WITH ('connector' = 'print');
INSERT INTO small SELECT v FROM amounts WHERE v < 5;
INSERT INTO big SELECT v FROM amounts WHERE v >= 5;
"""


def test_script() -> None:
    """A script is driven without its servers; each table has its rows."""
    drive = Drive(SCRIPT)
    drive.push("amounts", [{"v": 3}, {"v": 7}])

    assert drive.rows("small") == [{"v": 3}]
    assert drive.rows("big") == [{"v": 7}]
    assert {c.table for c in drive.changes} == {"small", "big"}


def test_pipeline() -> None:
    """A pipeline of the API is driven as a script is."""
    drive = Drive(clicks().select("user", "day").to("print", name="out"))
    drive.push("clicks", [{**click("ann", "00:01"), "day": "2026-02-03"}])

    assert str(drive.rows()[0]["day"]) == "2026-02-03"


@pytest.mark.parametrize(
    ("table", "row", "message"),
    [
        ("click", {"user": "a"}, "did you mean 'clicks'"),
        ("clicks", {"usr": "a"}, "did you mean 'user'"),
        ("clicks", {"user": "a", "ts": "soon"}, "column 'ts' of table 'clicks' is TIMESTAMP"),
    ],
)
def test_wrong_input(table: str, row: dict[str, object], message: str) -> None:
    """The error says what is wrong with the test."""
    with pytest.raises(ConfigError, match=message):
        a_minute().push(table, [row])


def test_rows_without_a_time() -> None:
    """What the engine can't take is told with its reason."""
    drive = a_minute()
    drive.push("clicks", [{"user": "ann"}])

    assert [(r.stage, r.rows[0]["user"]) for r in drive.refused] == [("time", "ann")]


def test_nothing_to_drive() -> None:
    """A script without a query is refused."""
    with pytest.raises(ConfigError, match="nothing to run"):
        Drive("CREATE TABLE t (a INT) WITH ('connector' = 'print')")


def stock() -> tr.Table:
    """Give a table of changes."""
    options = {"topic": "stock", "properties.bootstrap.servers": "nowhere:1", "format": "debezium-json"}
    return tr.read("kafka", {"sku": str, "units": int}, name="stock", primary_key="sku", options=options)


def test_changes_of_a_source() -> None:
    """A table of changes takes rows back."""
    drive = Drive(stock().agg(units=tr.col("units").sum()))
    drive.push("stock", [{"sku": "a", "units": 5}, {"sku": "b", "units": 7}])
    drive.push("stock", [Change("-U", {"sku": "a", "units": 5}), Change("+U", {"sku": "a", "units": 1})])
    drive.push("stock", [Change("-D", {"sku": "b", "units": 7})])

    assert [row["units"] for row in drive.rows()] == [1]
    assert [c.row["units"] for c in drive.changes if c.op == "+U"] == [8, 1]


def test_rows_by_key_of_a_source() -> None:
    """A table by key has the row before an update itself."""
    options = {"topic": "t", "properties.bootstrap.servers": "nowhere:1", "key.format": "raw", "value.format": "json"}
    table = tr.read("upsert-kafka", {"sku": str, "units": int}, name="stock", primary_key="sku", options=options)
    drive = Drive(table.agg(units=tr.col("units").sum()))
    drive.push("stock", [{"sku": "a", "units": 5}, {"sku": "b", "units": 7}, {"sku": "a", "units": 1}])
    drive.push("stock", [Change("-D", {"sku": "b"})])

    assert [row["units"] for row in drive.rows()] == [1]
    with pytest.raises(ConfigError, match=r"no rows of the kind '-U'\nhint: as it is declared it has \+I, \+U, -D"):
        drive.push("stock", [Change("-U", {"sku": "a"})])


def test_no_changes_of_a_table_of_inserts() -> None:
    """A row can't be taken back that its table would not take back."""
    with pytest.raises(ConfigError, match="table 'clicks' has no rows of the kind '-D'"):
        a_minute().push("clicks", [Change("-D", click("ann", "00:01"))])


def looked_up(primary_key: str | tuple[str, ...] = ()) -> Drive:
    """Drive clicks that look up their user."""
    options = {"path": "nowhere.db"}
    users = tr.read("sqlite", {"name": str, "user": str}, name="users", primary_key=primary_key, options=options)
    seen = tr.read("datagen", {"user": str}, name="clicks", time=tr.processing_time("seen"))
    return Drive(seen.join(users, "user", how="left", as_of="seen").select("user", "name"))


def test_rows_that_are_looked_up() -> None:
    """A table that is looked up in has what was pushed before, also after a crash."""
    drive = looked_up(primary_key="user")
    drive.push("clicks", [{"user": "a"}])
    drive.push("users", [{"user": "a", "name": "Ann"}, {"user": "b", "name": "Bob"}])
    drive.push("clicks", [{"user": "a"}])
    drive.checkpoint()
    drive.push("users", iter([{"user": "a", "name": "Anna"}]))
    drive.push("clicks", [{"user": "a"}, {"user": "b"}, {"user": "c"}])
    drive.crash()

    assert [row["name"] for row in drive.rows()] == [None, "Ann", "Anna", "Bob", None]


def test_several_rows_that_are_looked_up() -> None:
    """Without a key a row meets all of them."""
    drive = looked_up()
    drive.push("users", [{"user": "a", "name": "Ann"}, {"user": "a", "name": "Anna"}])
    drive.push("clicks", [{"user": "a"}])

    assert sorted(row["name"] for row in drive.rows()) == ["Ann", "Anna"]


def test_no_table_that_is_looked_up() -> None:
    """The error knows its name."""
    with pytest.raises(ConfigError, match="did you mean 'users'"):
        looked_up().push("user", [])


@pytest.mark.parametrize(
    "rows", [[("ann", 1)], {"user": "ann"}, None, ["ann"], b"ann"], ids=["tuples", "one", "none", "texts", "bytes"]
)
def test_what_are_no_rows(rows: Any) -> None:
    """The error says how rows are written."""
    with pytest.raises(ConfigError, match=r"table 'clicks' takes rows, not .*\n?.*give a list of dictionaries"):
        a_minute().push("clicks", rows)


@pytest.mark.parametrize("what", [None, pl.DataFrame()], ids=["none", "frame"])
def test_what_can_not_be_driven(what: Any) -> None:
    """The error says what can."""
    with pytest.raises(ConfigError, match=r"can't be driven\n?.*give a table, a pipeline, or a script"):
        Drive(what)


def test_rows_of_a_query_by_name() -> None:
    """A query writes into no table."""
    with pytest.raises(ConfigError, match="leave the name out"):
        a_minute().rows("clicks")
