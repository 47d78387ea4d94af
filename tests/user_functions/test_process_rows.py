"""Process functions row by row: states, timers, side outputs, and what becomes of wrong ones."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from threading import Event
from types import SimpleNamespace
from typing import Any, cast

import polars as pl
import pytest
from function_kit import WAYS, World, numbers, ordered

import tailrace as tr
from tailrace.engine.keyed_slots import KeyedSlots
from tailrace.errors import ConfigError, TerminalError
from tailrace.runtime.script import Script
from tailrace.sql.session import Session
from tailrace.testing import Drive

MODULE = """
from datetime import timedelta

@tr.process(result_type={"what": "STRING", "n": "BIGINT", "total": "BIGINT"})
class Watched:
    least: int = 3
    n: int = tr.value_state(0)
    recent: list[tuple[datetime, int]] = tr.list_state()
    by_size: dict[str, int] = tr.map_state()

    def on_row(self, row, ctx):
        since = row.ts - timedelta(seconds=20)
        self.n += 1
        self.recent = [(at, v) for at, v in self.recent if at > since]
        self.recent.append((row.ts, row.v))
        size = "big" if row.v > 5 else "small"
        self.by_size[size] = self.by_size.get(size, 0) + 1
        ctx.set_timer(row.ts + timedelta(seconds=15), "silent")
        if len(self.recent) >= self.least:
            yield "busy", len(self.recent), sum(v for _, v in self.recent)
        if ctx.late:
            yield "late", self.n, 0

    def on_timer(self, timer, ctx):
        yield {"what": timer.name, "n": self.n, "total": self.by_size.get("big", 0)}
        if self.n > 8:
            ctx.clear()
        elif timer.name == "silent":
            ctx.set_timer("10s", "still silent")
"""
START = datetime(2026, 1, 1)
COLUMNS = "k STRING, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND"
CALL = "SELECT * FROM watched(input => TABLE t PARTITION BY k, on_time => DESCRIPTOR(ts), uid => 'w');"


def rows(count: int) -> list[dict[str, Any]]:
    """Give rows of five keys, one of them NULL, out of order by up to 9 seconds, with gaps."""
    found, second = [], 20
    for v in numbers(count):
        second += v % 4 + (40 if v % 23 == 0 else 0)
        at = START + timedelta(seconds=second - v % 10)
        found.append({"k": (None, "a", "b", "c", "d")[v // 10 % 5], "v": v % 9, "ts": str(at)})
    return found


def in_order() -> list[dict[str, Any]]:
    """Give what `Watched` must give of rows in order, those that the watermark has passed left out."""
    taken: list[dict[str, Any]] = []
    highest = START
    for row in rows(120):
        time = datetime.fromisoformat(row["ts"])
        if time > highest - timedelta(seconds=5):
            taken.append(row)
        highest = max(highest, time)
    model = Model()
    for row in sorted(taken, key=lambda r: datetime.fromisoformat(r["ts"])):
        time = datetime.fromisoformat(row["ts"])
        model.fire(time - timedelta(milliseconds=1))
        model.row(row, time, late=False)
    model.fire(None)
    return model.out


class Model:
    """What `Watched` must give, computed with the watermark after each row, and by time alone."""

    def __init__(self) -> None:
        self.out: list[dict[str, Any]] = []
        self.marks: list[datetime | None] = []
        self.mark: datetime | None = None
        self.kept: dict[Any, tuple[list[tuple[datetime, int]], list[int]]] = {}
        self.timers: dict[tuple[Any, str], datetime] = {}

    def run(self, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Go through the rows."""
        highest: datetime | None = None
        for row in given:
            at = datetime.fromisoformat(row["ts"])
            mark = None if highest is None else highest - timedelta(seconds=5)
            if mark is not None:
                self.fire(mark)
            self.mark = mark
            self.row(row, at, late=mark is not None and at <= mark)
            highest = at if highest is None else max(highest, at)
        self.fire(None)
        return self.out

    def row(self, row: dict[str, Any], at: datetime, *, late: bool) -> None:
        """Take a row."""
        recent, seen = self.kept.get(row["k"], ([], []))
        recent = [*(x for x in recent if x[0] > at - timedelta(seconds=20)), (at, row["v"])]
        self.kept[row["k"]] = recent, [*seen, row["v"]]
        self.timers[row["k"], "silent"] = at + timedelta(seconds=15)
        if len(recent) >= 4:
            self.put(row["k"], "busy", len(recent), sum(v for _, v in recent), at)
        if late:
            self.put(row["k"], "late", len(seen) + 1, 0, at)

    def fire(self, mark: datetime | None) -> None:
        """Call the timers up to a watermark; at the end those that are there."""
        while due := sorted(
            (at, str(k), k, name) for (k, name), at in self.timers.items() if mark is None or at <= mark
        ):
            at, _, key, name = due[0]
            del self.timers[key, name]
            seen = self.kept.get(key, ([], []))[1]
            self.put(key, name, len(seen), sum(v > 5 for v in seen), at)
            if len(seen) > 8:
                del self.kept[key]
                self.timers = {k: t for k, t in self.timers.items() if k[0] != key}
            elif name == "silent" and mark is not None:
                self.timers[key, "still silent"] = at + timedelta(seconds=10)

    def put(self, k: Any, what: str, n: int, total: int, at: datetime) -> None:
        """Give a row."""
        self.marks.append(self.mark)
        self.out.append({"k": k, "what": what, "n": n, "total": total, "rowtime": f"{at}"})


@pytest.mark.parametrize("way", WAYS)
def test_all_ways(world: World, way: str) -> None:
    """States, timers in the order of time, late rows, keys that are forgotten: in batches of all sizes and with restarts."""
    world.module(MODULE)
    given = rows(120)
    expected = Model().run(given)
    assert {r["what"] for r in expected} == {"busy", "late", "silent", "still silent"}
    call = CALL.replace("PARTITION BY k,", "PARTITION BY k, least => 4,")
    found = world.rows(
        "CREATE FUNCTION watched AS 'mine:Watched' LANGUAGE PYTHON;" + world.table(COLUMNS, given) + call, way
    )
    assert ordered([json.loads(json.dumps(r, default=str)) for r in found]) == ordered(expected)


@pytest.mark.parametrize("way", WAYS)
def test_windows_of_what_comes_out(world: World, way: str) -> None:
    """The time of rows and timers goes on: what a timer gives is never late, what a late row gives may be."""
    world.module(MODULE)
    call = CALL.replace("PARTITION BY k,", "PARTITION BY k, least => 4,").rstrip(";")
    sql = "CREATE FUNCTION watched AS 'mine:Watched' LANGUAGE PYTHON;" + world.table(COLUMNS, rows(120))
    sql += f"SELECT k, CAST(window_end AS STRING) AS e, COUNT(*) AS n FROM TUMBLE(({call}), DESCRIPTOR(rowtime), INTERVAL '5' SECOND)"
    sql += " GROUP BY k, window_start, window_end;"
    model = Model()
    counted: Counter[tuple[Any, str]] = Counter()
    for row, mark in zip(model.run(rows(120)), model.marks, strict=True):
        since = datetime.fromisoformat(row["rowtime"]) - START
        end = START + (since // timedelta(seconds=5) + 1) * timedelta(seconds=5)
        if mark is None or end - timedelta(milliseconds=1) > mark:
            counted[row["k"], f"{end}.000"] += 1
    assert sum(counted.values()) < len(model.out)
    assert world.rows(sql, way) == ordered([{"k": k, "e": e, "n": n} for (k, e), n in counted.items()])


@pytest.mark.parametrize("way", WAYS)
def test_in_order(world: World, way: str) -> None:
    """Rows that wait for the watermark come in the order of their times, and timers among them."""
    world.module(MODULE)
    call = CALL.replace("PARTITION BY k,", "PARTITION BY k ORDER BY ts, least => 4,")
    sql = "CREATE FUNCTION watched AS 'mine:Watched' LANGUAGE PYTHON;" + world.table(COLUMNS, rows(120)) + call
    expected = in_order()
    assert len({r["what"] for r in expected}) == 3
    assert ordered([json.loads(json.dumps(r, default=str)) for r in world.rows(sql, way)]) == ordered(expected)


# driven step by step


@tr.process(result_type={"n": "BIGINT"}, side_outputs={"odd": {"v": "BIGINT", "why": "STRING"}, "keys": "STRING"})
class Split:
    """Counts even values, and gives odd ones to a side output."""

    n: int = tr.value_state(0)

    def on_row(self, row: Any, ctx: tr.Context) -> Iterator[int]:
        """Take a row."""
        if row.v % 2:
            ctx.side("odd", {"v": row.v, "why": f"of {ctx.key}"})
            return
        self.n += 1
        if self.n == 1:
            ctx.side("keys", str(ctx.key))
        yield self.n


@tr.process(result_type={"what": "STRING", "n": "BIGINT"})
class ByClock:
    """Tells of keys that were silent for 30 s of the wall clock; its count lives for a minute."""

    n: int = tr.value_state(0, ttl="60s")
    last: int | None = tr.value_state(ttl="1h")

    def on_row(self, row: Any, ctx: tr.Context) -> None:
        """Take a row."""
        self.n += 1
        self.last = row.v
        if row.v == 0:
            ctx.clear_timer("quiet", clock=True)
        else:
            ctx.set_timer("30s", "quiet", clock=True)

    def on_timer(self, timer: tr.Timer, ctx: tr.Context) -> tuple[str, int]:
        """Tell of silence."""
        assert timer.clock
        if self.n == 2:
            ctx.set_timer(timedelta(seconds=70), "later", clock=True)
        return f"{ctx.key} {timer.name} {self.last} {ctx.now:%H:%M:%S}", self.n


@tr.process(result_type={"k": "STRING"})
class Forgetful:
    """Keeps nothing: gives each row whose key comes again within 10 seconds the name of its timer."""

    def on_row(self, row: Any, ctx: tr.Context) -> None:
        """Take a row."""
        ctx.set_timer("10s", f"timer of {row.v}")

    def on_timer(self, timer: tr.Timer, ctx: tr.Context) -> str:
        """Give the name."""
        return timer.name


def table(*, timed: bool = True) -> tr.Table:
    """Give a table of values by key."""
    time = tr.event_time("ts", delay="5s") if timed else None
    return tr.read("datagen", {"k": str, "v": int, "ts": "TIMESTAMP(3)"}, name="t", time=time)


def at(second: int, v: int = 1, k: str = "a") -> dict[str, Any]:
    """Give a row."""
    return {"k": k, "v": v, "ts": str(START + timedelta(seconds=second))}


def kept_keys(drive: Drive) -> int:
    """Give how many keys the function keeps."""
    (found,) = (s.state_rows for s in drive._executor.statistics() if s.name.startswith("process"))
    return found


def test_side_outputs_are_tables_of_one_call() -> None:
    """Each output has columns and types of its own, and the function is called once for each row."""
    t = table()
    own = t.process(Split, by="k")
    odd = t.process(Split, by="k", side_output="odd")
    keys = t.process(Split, by="k", side_output="keys")
    assert own.columns == ("k", "n", "rowtime")
    assert odd.columns == ("k", "v", "why", "rowtime")
    pipeline = own.to("print", name="own") + odd.to("print", name="odds") + keys.to("print", name="keys")
    assert pipeline.explain().count("Process Split") == 1
    drive = Drive(pipeline)
    drive.push("t", [at(0, 2), at(1, 3), at(2, 4), at(3, 6, "b")])
    drive.checkpoint()
    drive.crash()
    drive.push("t", [at(4, 8), at(5, 1, "b")])
    assert [(r["k"], r["n"]) for r in drive.rows("own")] == [("a", 1), ("a", 2), ("b", 1), ("a", 3)]
    assert [(r["v"], r["why"]) for r in drive.rows("odds")] == [(3, "of a"), (1, "of b")]
    assert [(r["k"], r["f0"], r["rowtime"]) for r in drive.rows("keys")] == [
        ("a", "a", START), ("b", "b", START + timedelta(seconds=3)),
    ]  # fmt: skip


def test_timers_of_the_wall_clock_and_times_to_live() -> None:
    """A state is dropped when its key was silent for so long; timers come all the same, also behind a crash."""
    drive = Drive(table().process(ByClock, by="k"))
    drive.push("t", [at(0, 5), at(1, 6), at(1, 7, "b"), at(2, 0, "b")])
    drive.checkpoint()
    assert drive.advance("29s") == []
    drive.crash()
    assert [c.row["what"] for c in drive.advance("1s")] == ["a quiet 6 00:00:30"]
    assert drive.changes[0].row["n"] == 2
    assert drive.changes[0].row["rowtime"] == START + timedelta(seconds=2, milliseconds=-4999)
    drive.checkpoint()
    drive.crash()
    drive.advance("69s")
    (change,) = drive.advance("1s")
    assert change.row["what"] == "a later 6 00:01:40"
    assert change.row["n"] == 0
    drive.push("t", [at(3, 0)])
    drive.advance("2h")
    assert kept_keys(drive) == 0


def test_in_order_a_silence_is_told_of_within_one_batch() -> None:
    """A timer comes before the row that ends the silence, whatever the watermark of the batch."""
    drive = Drive(table().process(Silence, by="k", order_by="ts"))
    drive.push("t", [at(0), at(200), at(50), at(65), at(300)])
    drive.end()
    told = [(r["f0"], (r["rowtime"] - START).total_seconds()) for r in drive.rows()]
    assert told == [("silent", 125), ("silent", 260), ("silent", 360)]
    assert "ORDER BY (`ts`)" in table().process(Silence, by="k", order_by="ts").sql()


@tr.process(result_type="STRING")
class Silence:
    """Tells that a key was silent for a minute."""

    def on_row(self, row: Any, ctx: tr.Context) -> None:
        """Take a row."""
        ctx.set_timer("1 min", "silent")

    def on_timer(self, timer: tr.Timer, ctx: tr.Context) -> str:
        """Tell."""
        return timer.name


def test_a_function_without_states_keeps_keys_only_while_they_have_timers() -> None:
    """Keys do not pile up."""
    drive = Drive(table().process(Forgetful, by="v"))
    drive.push("t", [at(0, n) for n in range(10)])
    assert kept_keys(drive) == 10
    assert len(drive.push("t", [at(20, 99)])) == 10
    assert kept_keys(drive) == 1


def test_without_keys_and_without_time() -> None:
    """All rows are of one key; there is no rowtime, and timers by event time are refused."""
    drive = Drive(table(timed=False).process(Split))
    drive.push("t", [at(0, 2), at(1, 4, "b")])
    drive.checkpoint()
    drive.crash()
    drive.push("t", [at(1, 6, "b")])
    assert drive.rows() == [{"n": 1}, {"n": 2}, {"n": 3}]
    timed = Drive(table(timed=False).process(Forgetful, by="v"))
    timed.push("t", [at(0)])
    assert "needs a table with a time column" in timed.refused[0].reason


# what is wrong


_WAYS: dict[int, Callable[[Any, tr.Context], Any]] = {
    1: lambda _, ctx: ctx.side("none", 1),
    2: lambda *_: (1, 2.0, 3),
    3: lambda *_: {"m": 1},
    4: lambda *_: ((1, 1.0) for _ in range(1 // 0)),
    5: lambda *_: 1,
    6: lambda *_: sys.exit(),
    7: lambda *_: ("x", 1.0),
    8: lambda *_: (None, 1.0),
    9: lambda held, _: setattr(held, "other", "text"),
    10: lambda held, _: held.seen.append(object()),
    11: lambda _, ctx: ctx.set_timer("1s"),
    12: lambda _, ctx: ctx.set_timer("9999999 days"),
}


@tr.process(result_type={"n": "BIGINT NOT NULL", "d": "DOUBLE"})
class Wrong:
    """Is wrong in the way that `v` says."""

    n: int = tr.value_state(0)
    seen: list[int] = tr.list_state()
    other: Any = tr.value_state(type="BIGINT")

    def on_row(self, row: Any, ctx: tr.Context) -> Any:
        """Take a row."""
        self.n += 1
        self.seen.append(row.v)
        if row.v in _WAYS:
            return _WAYS[row.v](self, ctx)
        return self.n + len(self.seen), 0.5


def test_a_row_that_fails_changes_nothing() -> None:
    """It is refused by itself, with a reason that names the function and its line."""
    drive = Drive(table().process(Wrong, by="k"))
    drive.push("t", [at(v, v) for v in (0, 1, 2, 3, 4, 5, 6, 12, 0)])
    assert [r["n"] for r in drive.rows()] == [2, 4]
    reasons = [r.reason for r in drive.refused]
    assert all("the function Wrong (" in r and "test_process_rows.py:" in r for r in reasons)
    for reason, part in zip(
        reasons,
        [
            "there is no side output 'none'",
            "a row of 3 values where 2 are wanted: n, d",
            "a row has no column 'm'; columns: n, d",
            "ZeroDivisionError",
            "int where a row is wanted: n, d",
            "SystemExit",
            "is set for a time that no calendar has",
        ],
        strict=True,
    ):
        assert part in reason


@pytest.mark.parametrize(
    ("v", "message"),
    [
        (7, "gave str for its column 'n', which is BIGINT"),
        (8, "gave NULL for its column 'n', which is NOT NULL"),
        (9, "keeps str in its state 'other', which is BIGINT"),
        (10, "keeps in its state 'seen' what can't be written into a checkpoint: <object"),
        (11, "sets a timer, but has no method on_timer"),
    ],
)
def test_what_is_wrong_for_all_rows_stops_the_job(v: int, message: str) -> None:
    """The error names the function, and the state or column."""
    drive = Drive(table().process(Wrong, by="k"))

    def go() -> None:
        drive.push("t", [at(0, v)])
        drive.checkpoint()

    with pytest.raises(TerminalError) as error:
        go()
    assert "the function Wrong (" in error.value.message
    assert message in error.value.message


@tr.process(result_type="BIGINT")
class BadTimers:
    """Its timers fail, or set themselves again."""

    def on_row(self, row: Any, ctx: tr.Context) -> None:
        """Take a row."""
        ctx.set_timer("1s", "again" if row.v else "raises")

    def on_timer(self, timer: tr.Timer, ctx: tr.Context) -> None:
        """Fail."""
        if timer.name == "raises":
            raise RuntimeError("no")
        ctx.set_timer("0s", timer.name)


def test_a_timer_that_fails_is_refused() -> None:
    """It tells of its key and time."""
    drive = Drive(table().process(BadTimers, by="k"))
    drive.push("t", [at(0, 0), at(0, 1, "b"), at(60, 1, "c")])
    first, second = drive.refused
    assert "RuntimeError: no" in first.reason
    assert first.rows == [{"k": "a", "timer": "raises", "at": START + timedelta(seconds=1)}]
    assert "on_timer sets the timer 'again' for a time that is not after its own" in second.reason


def test_declarations_that_can_not_be() -> None:
    """Each error says what to write."""

    def declared(body: dict[str, Any], **options: Any) -> str:
        with pytest.raises(ConfigError) as error:
            tr.process(**({"result_type": "BIGINT"} | options))(type("Made", (), body))
        return error.value.message

    row = lambda _self, _row, _ctx: None  # noqa: E731
    assert "has no method on_row or on_batch" in declared({})
    assert "on_row of Made takes other arguments than" in declared({"on_row": lambda _self, _row: None})
    assert "on_timer of Made takes other arguments than" in declared({"on_row": row, "on_timer": lambda _self: None})

    async def waits(_self: Any, _row: Any, _ctx: Any) -> None: ...

    assert "on_row of Made is async" in declared({"on_row": waits})
    assert "has both on_row and on_batch" in declared({"on_row": row, "on_batch": row})
    assert "the type of the state 'x' is not known" in declared({"on_row": row, "x": tr.value_state()})
    hinted = {"on_row": row, "x": tr.value_state(), "__annotations__": {"x": set}}
    assert "the hint set of the state 'x' has no type" in declared(hinted)
    assert "the state 'x' has one of save and load" in declared({"on_row": row, "x": tr.value_state(save=list)})
    assert "ttl='soon'" in declared({"on_row": row, "x": tr.value_state(0, ttl="soon")})
    assert "can keep no attributes" in declared({"on_row": row, "__slots__": ()})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("f(TABLE t PARTITION BY k, 3)", "f needs DESCRIPTOR(column) as its argument on_time"),
        ("f(input => TABLE t PARTITION BY k, odd => 1)", "f has no argument odd"),
        ("f(input => TABLE t PARTITION BY k, input => TABLE t)", "the argument input is given twice"),
        ("f(input => 1)", "f needs TABLE t PARTITION BY k as its argument input"),
        ("f(input => TABLE t PARTITION BY v + 1)", "PARTITION BY of a process function names columns"),
        ("f(input => TABLE t PARTITION BY k, on_time => DESCRIPTOR(tss))", "there is no column 'tss'"),
        ("f(input => TABLE t PARTITION BY k, on_time => DESCRIPTOR(v))", "on_time needs a column with a watermark"),
        ("f(input => TABLE t PARTITION BY k ORDER BY ts)", "ORDER BY of a table argument is the column of on_time"),
        (
            "f(input => TABLE t PARTITION BY k ORDER BY ts DESC, on_time => DESCRIPTOR(ts))",
            "ORDER BY of a table argument is the column of on_time",
        ),
        ("f(input => TABLE t PARTITION BY k, uid => 3)", "the argument uid is a text"),
        ("f(input => TABLE t PARTITION BY k, uid => '../x')", "a uid is made of letters, digits, - and _"),
        (
            "t, LATERAL TABLE(f(input => TABLE t PARTITION BY k))",
            "f takes a whole table, and can't stand behind LATERAL",
        ),
        ("LATERAL TABLE(f(input => TABLE t PARTITION BY k))", "f takes a whole table, and can't stand behind LATERAL"),
        ("t WHERE f(v) > 1", "f is a process function: it stands in FROM"),
        (
            "f(input => TABLE t PARTITION BY k) UNION ALL SELECT * FROM f(input => (SELECT * FROM t WHERE v > 1) PARTITION BY k)",
            "two calls of process functions have the uid 'f', but are not the same",
        ),
        ("f(input => TABLE t PARTITION BY k, side_output => 'od')", "f has no side output 'od'"),
        ("g(input => TABLE t PARTITION BY k, least => 'x')", "the argument least is BIGINT, not CHAR(1)"),
        ("g(input => TABLE t PARTITION BY k, least => k)", "there is no column 'k'"),
        ("h(input => TABLE t PARTITION BY k)", "the column 'k' is there twice"),
        (
            "f(input => (SELECT k, COUNT(*) AS v FROM t GROUP BY k) PARTITION BY k)",
            "Process can't take rows that are updated",
        ),
    ],
)
def test_calls_that_can_not_be(world: World, call: str, message: str) -> None:
    """Each is refused where it is written."""
    world.module(MODULE)
    here = "test_process_rows"
    script = f"""
CREATE FUNCTION f AS '{here}:Split' LANGUAGE PYTHON;
CREATE FUNCTION g AS 'mine:Watched' LANGUAGE PYTHON;
CREATE FUNCTION h AS '{here}:Forgetful' LANGUAGE PYTHON;
""" + world.table(COLUMNS, [])
    with pytest.raises(ConfigError) as error:
        world.jobs(f"{script}SELECT * FROM {call};")[0].executor()
    assert message in error.value.message
    assert error.value.location is not None


def test_an_object_of_another_library_is_kept_with_save_and_load() -> None:
    """What `save` gives is what the checkpoint has."""
    drive = Drive(table().process(Means, by="k"))
    drive.push("t", [at(0, 4), at(1, 8)])
    drive.checkpoint()
    drive.push("t", [at(2, -1)])
    drive.crash()
    drive.push("t", [at(3, 3)])
    assert [r["mean"] for r in drive.rows()] == [4.0, 6.0, 5.0]
    assert "no value below 0" in drive.refused[0].reason


class RunningMean:
    """A mean, as a class of another library may be."""

    def __init__(self) -> None:
        self.n, self.mean = 0, 0.0

    def learn(self, v: float) -> None:
        """Take a value."""
        self.n += 1
        self.mean += (v - self.mean) / self.n
        if v < 0:
            raise ValueError("no value below 0")


def _loaded(given: list[Any]) -> RunningMean:
    made = RunningMean()
    made.n, made.mean = given
    return made


@tr.process(result_type={"mean": "DOUBLE"})
class Means:
    """The mean so far."""

    model: RunningMean = tr.value_state(RunningMean, save=lambda m: [m.n, m.mean], load=_loaded)

    def on_row(self, row: Any, ctx: tr.Context) -> float:
        """Learn a value."""
        self.model.learn(row.v)
        return self.model.mean


JOB = """
@tr.process(result_type={"n": "BIGINT"})
class Picky:
    n: int = tr.value_state(0, ttl="1 day")

    def on_row(self, row, ctx):
        print("seen", row.v)
        self.n += 1
        ctx.set_timer("10s", "bad" if row.v == 5 else "good")
        if row.v == 13:
            raise ValueError("unlucky")
        yield self.n

    def on_timer(self, timer, ctx):
        if timer.name == "bad":
            raise ValueError("a bad timer")
"""


def test_dead_letters_of_a_job(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A row and a timer that fail are written with their reason; what the function prints is not among the rows."""
    world.module(JOB)
    given = [at(i, v) for i, v in enumerate((4, 13, 5, 6))]
    options = ", 'tailrace.on-error' = 'dead-letter', 'tailrace.dead-letter.table' = 'dead'"
    files = "WITH ('connector' = 'filesystem', 'format' = 'json', 'path' = '{}')"
    sql = world.functions("Picky") + world.table(COLUMNS, given, options=options)
    sql += f"CREATE TABLE o (k STRING, n BIGINT) {files.format(world.folder / 'out')};"
    sql += f"CREATE TABLE dead (stage STRING, code STRING, reason STRING, payload STRING) {files.format(world.folder / 'dead')};"
    sql += "INSERT INTO o SELECT k, n FROM Picky(input => TABLE t PARTITION BY k, on_time => DESCRIPTOR(ts));"
    session = Session()
    statements = session.bind(sql, str(world.folder / "script.sql"))
    Script("job", statements, session.tables, session.settings, state=world.folder / "state").run()
    out = [json.loads(line)["n"] for f in (world.folder / "out").glob("*.json") for line in f.read_text().splitlines()]
    assert out == [1, 2, 3]
    dead = [json.loads(line) for f in (world.folder / "dead").glob("*.json") for line in f.read_text().splitlines()]
    assert [(d["stage"], d["code"]) for d in dead] == [("udf", "TR221")] * 2
    assert json.loads(dead[0]["payload"])["v"] == 13
    assert "raised ValueError: unlucky" in dead[0]["reason"]
    assert "raised ValueError: a bad timer" in dead[1]["reason"]
    assert "a" in dead[1]["payload"]
    printed = capsys.readouterr()
    assert "seen 13" in printed.err
    assert "seen" not in printed.out


def test_the_time_to_live_of_the_job_and_state_of_more_than_one_call() -> None:
    """A state without one of its own lives as long as the job says; calls with different uids have states of their own."""
    t = table()
    both = t.process(Split, by="k", uid="one").union(t.filter(tr.col("v") > 2).process(Split, by="k", uid="two"))
    drive = Drive(both, settings={"table.exec.state.ttl": "1 min"})
    drive.push("t", [at(0, 2), at(1, 4)])
    drive.checkpoint()
    drive.crash()
    drive.push("t", [at(2, 6)])
    assert sorted(r["n"] for r in drive.rows()) == [1, 1, 2, 2, 3]
    drive.advance("61s")
    drive.push("t", [at(3, 8)])
    assert sorted(r["n"] for r in drive.rows()) == [1, 1, 1, 1, 2, 2, 3]


def test_an_object_is_made_with_its_states_and_arguments() -> None:
    """For a test of the class alone; a list that begins a state is that of no other key."""

    @tr.process(result_type="BIGINT")
    class Kept:
        least: int = 3
        n: int = tr.value_state(1)
        seen: list[int] = tr.value_state([])

        def on_row(self, row: Any, ctx: tr.Context) -> int:
            """Take a row."""
            self.seen.append(row.v)
            return self.n + self.least + len(self.seen)

    made = cast("Any", Kept)(least=5)
    assert made.on_row(SimpleNamespace(v=1), None) == 7
    assert (made.least, made.n, cast("Any", Kept)().seen) == (5, 1, [])
    drive = Drive(table().process(Kept, by="k"))
    drive.push("t", [at(0), at(1, 1, "b"), at(2)])
    assert [r["f0"] for r in drive.rows()] == [5, 5, 6]


@pytest.mark.parametrize("method", ["on_row", "on_batch"])
def test_a_call_that_hangs_stops_the_job(method: str) -> None:
    """The error names the function and the line."""

    def hangs(_self: Any, _rows: Any, _ctx: Any) -> None:
        Event().wait()

    made = tr.process(result_type="BIGINT", timeout="50 ms")(type("Hangs", (), {method: hangs}))
    drive = Drive(table().process(made, by="k"))
    with pytest.raises(TerminalError, match=r"the function Hangs .* took longer than 0.05 s for one batch of rows"):
        drive.push("t", [at(0)])


def test_collect_and_script() -> None:
    """It runs to its end as a job, and its script names the module."""
    frame = pl.DataFrame({"k": ["a", "b", "a"], "v": [2, 4, 6]})
    made = tr.from_polars(frame, name="frame").process(Split, by="k")
    assert sorted(made.collect().rows()) == [("a", 1), ("a", 2), ("b", 1)]
    assert "CREATE TEMPORARY FUNCTION `Split` AS " in made.script()
    assert "test_process_rows:Split' LANGUAGE PYTHON" in made.script()


@tr.process(result_type={"n": "BIGINT", "v": "BIGINT"})
class Visits:
    """Counts the rows of each key; a key that is silent for 10 seconds is told of and forgotten."""

    n: int = tr.value_state(0)
    v: int = tr.value_state(0)

    def on_row(self, row: Any, ctx: tr.Context) -> None:
        """Take a row."""
        self.n += 1
        self.v = row.v
        ctx.set_timer("10s", "silent")

    def on_timer(self, timer: tr.Timer, ctx: tr.Context) -> tuple[int, int]:
        """Tell of a key, and forget it."""
        assert ctx.key == f"key {self.v}"
        ctx.clear()
        return self.n, self.v


@tr.process(result_type={"n": "BIGINT", "v": "BIGINT"})
class VisitsByBatch:
    """The same, on whole batches."""

    n: pl.Series = tr.value_state(0, type="BIGINT")
    v: pl.Series = tr.value_state(0, type="BIGINT")
    text: pl.Series = tr.value_state("", type="STRING")

    def on_batch(self, rows: pl.DataFrame, ctx: tr.BatchContext) -> None:
        """Take rows."""
        self.n = self.n + (ctx.ends - ctx.starts)
        self.v = rows["v"].gather(ctx.starts)
        self.text = ctx.keys["k"]
        ctx.set_timer("10s", "silent")

    def on_timer(self, timers: pl.DataFrame, ctx: tr.BatchContext) -> pl.DataFrame:
        """Tell of keys, and forget them."""
        assert timers["k"].equals(self.text, check_names=False)
        ctx.clear()
        return pl.DataFrame({"n": self.n, "v": self.v})


@pytest.mark.parametrize("function", [Visits, VisitsByBatch])
@pytest.mark.parametrize("crashes", [False, True])
def test_forgotten_keys_leave_room_for_others(function: Any, monkeypatch: pytest.MonkeyPatch, *, crashes: bool) -> None:
    """Slots are numbered anew while keys are alive, and what is told stays right."""
    monkeypatch.setattr("tailrace.engine.keyed_slots._FEW", 4)
    compact, numbered = KeyedSlots.compact, list[int]()

    def counted(slots: KeyedSlots) -> Any:
        numbered.append(len(slots))
        return compact(slots)

    monkeypatch.setattr(KeyedSlots, "compact", counted)
    drive = Drive(table().process(function, by="k"))
    given = list(numbers(200))
    for second, v in enumerate(given):
        drive.push("t", [at(second, v % 30, f"key {v % 30}")])
        if crashes and v % 3 == 0:
            drive.checkpoint()
        if crashes and v % 5 == 0:
            drive.crash()
    drive.end()
    assert kept_keys(drive) == 0
    assert numbered
    # with the watermark 5 s behind, a key is forgotten when none of its rows came for 15 s
    expected, seen = [], dict[int, list[int]]()
    for second, v in enumerate(given):
        for key, times in list(seen.items()):
            if times[-1] + 10 <= second - 1 - 5:
                expected.append((len(seen.pop(key)), key))
        seen.setdefault(v % 30, []).append(second)
    expected += [(len(times), key) for key, times in seen.items()]
    assert len(expected) > 100
    assert sorted((r["n"], r["v"]) for r in drive.rows()) == sorted(expected)
