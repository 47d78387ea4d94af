"""Process functions on whole batches: the same rows as row by row, timers, and what becomes of wrong ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from function_kit import WAYS, World, numbers, ordered

import tailrace as tr
from tailrace.errors import ConfigError, TerminalError
from tailrace.testing import Drive

MODULE = """
@tr.process(result_type={"id": "BIGINT", "total": "BIGINT", "before": "STRING", "seen": "BIGINT"})
class Totals:
    total: pl.Series = tr.value_state(0, type="BIGINT")
    last: pl.Series = tr.value_state(type="STRING")
    seen: pl.Series = tr.list_state(type="ARRAY<BIGINT>")

    def on_batch(self, rows: pl.DataFrame, ctx: tr.BatchContext) -> pl.DataFrame:
        first = pl.int_range(pl.len()).over("$key") == 0
        old = pl.DataFrame({"total_": self.total, "last_": self.last, "seen_": self.seen})
        out = rows.hstack(old[ctx.key]).with_columns(
            total=pl.col("v").cum_sum().over("$key") + pl.col("total_"),
            before=pl.when(first).then("last_").otherwise(pl.col("s").shift(1)),
            seen=pl.int_range(1, pl.len() + 1).over("$key") + pl.col("seen_").list.len(),
        )
        ends = out[ctx.ends - 1]
        self.total, self.last = ends["total"], ends["s"]
        new = rows.group_by("$key", maintain_order=True).agg("v")
        self.seen = old.select(pl.col("seen_").list.concat(new["v"])).to_series()
        return out.filter(pl.col("v") != 3)
"""
START = datetime(2026, 1, 1)
ROWS: list[dict[str, Any]] = [
    {"id": i, "k": (None, "a", "b", "c")[v // 7 % 4], "v": v % 5, "s": None if v % 3 == 0 else f"s{v % 11}"}
    for i, v in enumerate(numbers(60))
]


def running() -> list[dict[str, Any]]:
    """Give what `Totals` must give, row by row."""
    kept: dict[Any, tuple[int, Any, int]] = {}
    out = []
    for row in ROWS:
        total, last, seen = kept.get(row["k"], (0, None, 0))
        kept[row["k"]] = total + row["v"], row["s"], seen + 1
        if row["v"] != 3:
            found = {"k": row["k"], "id": row["id"], "total": total + row["v"], "before": last, "seen": seen + 1}
            out.append(found)
    return out


@pytest.mark.parametrize("way", WAYS)
def test_all_ways(world: World, way: str) -> None:
    """Columns of states by key, in batches of all sizes and with restarts; rows may be left out."""
    world.module(MODULE)
    script = world.functions("Totals") + world.table("id BIGINT, k STRING, v BIGINT, s STRING", ROWS)
    found = world.rows(script + "SELECT * FROM Totals(input => TABLE t PARTITION BY k);", way)
    assert found == ordered(running())


# driven step by step


@tr.process(result_type={"what": "STRING", "n": "BIGINT"}, side_outputs={"big": {"v": "BIGINT"}, "ids": "BIGINT"})
class Watched:
    """Tells of keys that are silent by event time or by the clock, and forgets those that say 0."""

    far: int = 5
    n: pl.Series = tr.value_state(0, type="BIGINT")
    at: pl.Series = tr.value_state(None, type="TIMESTAMP(3)", ttl="1h")

    def on_batch(self, rows: pl.DataFrame, ctx: tr.BatchContext) -> None:
        """Take rows."""
        assert ctx.keys.columns == ["k"]
        assert rows["$key"].to_list() == ctx.key.tolist()
        self.n = self.n + (ctx.ends - ctx.starts)
        self.at = rows["ts"].gather(ctx.ends - 1)
        last = rows["v"].gather(ctx.ends - 1)
        ctx.set_timer(self.at + timedelta(seconds=10), "silent")
        ctx.set_timer(pl.Series([ctx.now + timedelta(seconds=30)]).new_from_index(0, len(last)), "quiet", clock=True)
        ctx.clear_timer("quiet", where=last == 1, clock=True)
        ctx.clear(last == 0)
        ctx.side("big", rows.filter(pl.col("v") > self.far))
        ctx.side("ids", rows["v"])

    def on_timer(self, timers: pl.DataFrame, ctx: tr.BatchContext) -> pl.DataFrame:
        """Tell of silence."""
        again = (timers["$timer"] == "silent") & (self.n > 1)
        ctx.set_timer(
            pl.Series(
                [timers["$time"][i] + timedelta(seconds=60) if a else None for i, a in enumerate(again)],
                dtype=pl.Datetime("ms"),
            ),
            "still",
        )
        return timers.with_columns(what=pl.format("{} of {}", "$timer", "k"), n=self.n)


def table() -> tr.Table:
    """Give a table of values by key."""
    return tr.read(
        "datagen", {"k": str, "v": int, "ts": "TIMESTAMP(3)"}, name="t", time=tr.event_time("ts", delay="5s")
    )


def at(second: int, v: int = 1, k: str = "a") -> dict[str, Any]:
    """Give a row."""
    return {"k": k, "v": v, "ts": str(START + timedelta(seconds=second))}


def test_timers_and_side_outputs() -> None:
    """Timers come in the order of their times, once for each name, also behind a crash."""
    t = table()
    outputs = {name: t.process(Watched, by="k", side_output=name, far=6) for name in ("", "big", "ids")}
    pipeline = outputs[""].to("print", name="own") + outputs["big"].to("print", name="bigs")
    drive = Drive(pipeline + outputs["ids"].to("print", name="ids"))
    drive.push("t", [at(2, 7, "b"), at(0, 3), at(1, 1), at(3, 9, "c"), at(3, 0, "c"), at(1, 7, "b")])
    drive.checkpoint()
    drive.crash()
    assert [(r["k"], r["v"]) for r in drive.rows("bigs")] == [("b", 7), ("c", 9), ("b", 7)]
    assert [r["f0"] for r in drive.rows("ids")] == [7, 3, 1, 9, 0, 7]
    drive.push("t", [at(17, 1, "d")])
    told = [(r["what"], r["n"], r["rowtime"] - START) for r in drive.rows("own")]
    assert told == [("silent of b", 2, timedelta(seconds=11)), ("silent of a", 2, timedelta(seconds=11))]
    drive.checkpoint()
    drive.crash()
    drive.advance("30s")
    assert [r["what"] for r in drive.rows("own")][2:] == ["quiet of b"]
    assert drive.rows("own")[-1]["rowtime"] - START == timedelta(seconds=12, milliseconds=1)
    drive.push("t", [at(90, 1, "e")])
    assert sorted(r["what"] for r in drive.rows("own")[3:]) == ["silent of d", "still of a", "still of b"]
    drive.end()
    assert [r["what"] for r in drive.rows("own")[6:]] == ["silent of e"]


@tr.process(result_type={"n": "BIGINT"})
class Counted:
    """Counts, for an hour of the clock."""

    n: pl.Series = tr.value_state(0, type="BIGINT", ttl="1h")

    def on_batch(self, rows: pl.DataFrame, ctx: tr.BatchContext) -> pl.Series:
        """Take rows; those of 13 fail."""
        if rows["v"].is_in([13]).any():
            raise ValueError("unlucky")
        if rows["v"].is_in([14]).any():
            ctx.side("none", rows)
        found = self.n.gather(ctx.key) + (np.arange(len(rows)) - ctx.starts[ctx.key] + 1)
        self.n = found.gather(ctx.ends - 1)
        return found


def test_rows_that_fail_are_found() -> None:
    """The others count, each once, in order."""
    drive = Drive(table().process(Counted, by="k"))
    values = [1, 13, 2, 3, 13, 14, 4, 5, 13]
    drive.push("t", [at(i, v, "ab"[i % 2]) for i, v in enumerate(values)])
    assert drive.rows() == expected(values)
    reasons = [r.reason for r in drive.refused for _ in r.rows]
    assert len(reasons) == 4
    assert sum("ValueError: unlucky" in r for r in reasons) == 3
    assert all("the function Counted (" in r for r in reasons)


def expected(values: list[int]) -> list[dict[str, Any]]:
    """Give the count of each row that does not fail."""
    count = {"a": 0, "b": 0}
    out = []
    for i, v in enumerate(values):
        key = "ab"[i % 2]
        if v < 13:
            count[key] += 1
            out.append({"k": key, "n": count[key], "rowtime": START + timedelta(seconds=i)})
    return out


def test_times_to_live() -> None:
    """A key that was silent for so long is as in the beginning."""
    drive = Drive(table().process(Counted, by="k"))
    drive.push("t", [at(0), at(1)])
    drive.advance("59m")
    drive.push("t", [at(2)])
    drive.checkpoint()
    drive.crash()
    drive.advance("61m")
    drive.push("t", [at(3)])
    assert [r["n"] for r in drive.rows()] == [1, 2, 3, 1]


# what is wrong

WRONG: dict[str, tuple[Callable[[Any, pl.DataFrame, Any], Any], str]] = {
    "length": (lambda *_: pl.DataFrame({"n": [1, 2]}), "returned 2 rows for 1 rows"),
    "column": (lambda *_: pl.DataFrame({"m": [1]}), "gave no column 'n' as its rows"),
    "type": (lambda *_: pl.DataFrame({"n": ["x"]}), "gave String for its column 'n', which is BIGINT (Int64)"),
    "null": (lambda *_: pl.DataFrame({"n": pl.Series([None], dtype=pl.Int64)}), "gave NULL for its column 'n'"),
    "dict": (lambda *_: {"n": [1]}, "returned dict, not a frame"),
    "row": (lambda *_: pl.DataFrame({"n": [1], "$row": [1]}), "gave rows in $row that the batch has not"),
    "range": (lambda *_: pl.DataFrame({"n": [2.0**70]}), "gave Float64 for its column 'n'"),
    "state": (lambda held, *_: setattr(held, "n", 1), "left int in the state 'n', not a column"),
    "states": (lambda held, *_: setattr(held, "n", pl.Series([1, 2])), "left 2 values for 1 keys in the state 'n'"),
    "text": (lambda held, *_: setattr(held, "n", pl.Series(["x"])), "gave String for the state 'n', which is INT"),
    "wide": (lambda held, *_: setattr(held, "n", pl.Series([2**40])), "gave a value for the state 'n' that INT can't hold"),
    "side": (lambda _, rows, ctx: ctx.side("s", rows.drop("v")), "gave no column 'v' for the side output 's'"),
    "timer": (lambda _, __, ctx: ctx.set_timer("1s"), "sets a timer, but has no method on_timer"),
}  # fmt: skip


@pytest.mark.parametrize("way", WRONG)
def test_what_is_wrong_for_all_rows_stops_the_job(way: str) -> None:
    """The error names the function, and what is wrong."""
    act, message = WRONG[way]

    @tr.process(result_type={"n": "BIGINT NOT NULL"}, side_outputs={"s": {"v": "BIGINT"}})
    class Wrong:
        n: pl.Series = tr.value_state(0, type="INT")

        def on_batch(self, rows: pl.DataFrame, ctx: tr.BatchContext) -> Any:
            return act(self, rows, ctx)

    drive = Drive(table().process(Wrong, by="k"))
    with pytest.raises(TerminalError) as error:
        drive.push("t", [at(0)])
    assert "the function Wrong (" in error.value.message
    assert message in error.value.message


@tr.process(result_type={"n": "BIGINT"})
class BadTimers:
    """Its timers fail for one key."""

    def on_batch(self, rows: pl.DataFrame, ctx: tr.BatchContext) -> None:
        """Set a timer."""
        ctx.set_timer("1s", "once")
        with pytest.raises(TypeError, match="set_timer takes a time for each of"):
            ctx.set_timer(pl.Series([1]))
        with pytest.raises(TypeError, match="where takes a truth value for each of"):
            ctx.clear(pl.Series([1]))

    def on_timer(self, timers: pl.DataFrame, ctx: tr.BatchContext) -> pl.DataFrame:
        """Fail for one key."""
        if timers["k"].is_in(["a"]).any():
            ctx.set_timer("0s", "once")
        return timers.with_columns(n=1)


def test_a_timer_that_fails_is_refused() -> None:
    """It tells of its key and time; the others come."""
    drive = Drive(table().process(BadTimers, by="k"))
    drive.push("t", [at(i, 1, k) for i, k in enumerate("bacd")])
    drive.push("t", [at(60, 1, "e")])
    assert sorted(r["k"] for r in drive.rows()) == ["b", "c", "d"]
    (refused,) = drive.refused
    assert "on_timer sets the timer 'once' for a time that is not after its own" in refused.reason
    assert refused.rows == [{"k": "a", "timer": "once", "at": START + timedelta(seconds=2)}]


def test_declarations_that_can_not_be() -> None:
    """Each error says what to write."""

    def declared(body: dict[str, Any], **options: Any) -> str:
        with pytest.raises(ConfigError) as error:
            tr.process(**({"result_type": "BIGINT"} | options))(type("Made", (), body | {"on_batch": lambda *_: None}))
        return error.value.message

    assert "the type of the result of Made is not known" in declared({}, result_type=None)
    assert "the type of the state 'x' is not known" in declared({"x": tr.value_state(0)})
    hinted = {"x": tr.value_state(0), "__annotations__": {"x": int}}
    assert "the hint of the state 'x' is a single value" in declared(hinted)
    assert "the state 'x' has save, but is a column" in declared({"x": tr.value_state(0, save=list, load=list)})


def test_a_state_that_begins_with_what_it_can_not_hold() -> None:
    """It is found before the job runs."""

    @tr.process(result_type={"n": "BIGINT"})
    class Begins:
        n: pl.Series = tr.value_state("x", type="INT")

        def on_batch(self, rows: pl.DataFrame, ctx: tr.BatchContext) -> None:
            """Take rows."""

    with pytest.raises(TerminalError, match="begins its state 'n', which is INT, with str"):
        Drive(table().process(Begins, by="k"))
