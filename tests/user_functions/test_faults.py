"""Functions that go wrong in every way: what is a row's fault leaves its neighbours alone, all else stops the job and names the function."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from function_kit import Row, World, ordered
from script_kit import RowsSink

from tailrace.engine.operator import Outbox, Times
from tailrace.engine.operators.window_aggregate import WindowAggregateOperator
from tailrace.errors import DataError, TailraceError, TerminalError
from tailrace.plan.nodes import WindowAggregate, walk
from tailrace.runtime.script import Script
from tailrace.sql.session import Session

MODULE = """
@tr.udf(result_type="BIGINT")
def whole(x: pl.Series) -> pl.Series:
    if (x == 13).any():
        raise ValueError("unlucky")
    return x + 1

@tr.udf(scalar=True)
def by_row(x: int) -> int:
    if x == 13:
        sys.exit(3)
    return x + 1

@tr.udf
async def awaited(x: int) -> int:
    if x == 13:
        raise ValueError("unlucky")
    return x + 1

@tr.udf(scalar=True)
def wrong_value(x: int) -> int:
    return "thirteen" if x == 13 else x + 1

@tr.udf(result_type="TINYINT", input_types=["BIGINT"])
def too_big(x: pl.Series) -> pl.Series:
    return pl.select(pl.when(x == 13).then(1000).otherwise(x + 1)).to_series()

@tr.udf(scalar=True)
def no_null(x: int) -> int:
    return None if x == 13 else x + 1

@tr.udf(scalar=True)
def ends_iteration(x: int) -> int:
    return next(iter([])) if x == 13 else x + 1

@tr.udf(timeout="30 ms", concurrency=50)
async def late(x: int) -> int:
    await asyncio.sleep(60 if x == 13 else 0)
    return x + 1

@tr.udtf(result_type="BIGINT")
def rows_of(x: int) -> Iterator[int]:
    yield x + 1
    if x == 13:
        raise ValueError("unlucky")
"""
ROWS = [{"n": n} for n in range(20)]
BY_ROW = ["whole", "by_row", "awaited", "wrong_value", "too_big", "no_null", "ends_iteration", "late"]


AWAITED = """
@tr.udf
async def awaited(x: int) -> int:
    ...
    return x
"""


def in_a_running_loop(work: Callable[[], list[Row]]) -> list[Row]:
    """Do the work on a thread that is inside an event loop, as in a notebook."""

    async def main() -> list[Row]:
        return work()

    return asyncio.run(main())


AWAITED_IN: dict[str, Callable[[Callable[[], list[Row]]], list[Row]]] = {
    "alone": lambda work: work(),
    "in a running loop": in_a_running_loop,
}


def run(world: World, query: str, options: str = "", rows: list[Row] | None = None) -> None:
    """Run a script that writes its rows into `out`; dead letters go to `dead`."""
    names = [n for n in (*BY_ROW, "rows_of", "total", "grid") if f"{n}(" in query or f"{n} (" in query]
    sql = world.functions(*names) + world.table("n BIGINT", ROWS if rows is None else rows, options=options)
    sql += f"CREATE TABLE o (n BIGINT, x BIGINT) WITH ('connector' = 'filesystem', 'path' = '{world.folder}/out', 'format' = 'json');\n"
    sql += f"""CREATE TABLE dead (`source` STRING, `offset` BIGINT, stage STRING, code STRING, reason STRING, payload STRING)
      WITH ('connector' = 'filesystem', 'path' = '{world.folder}/dead', 'format' = 'json');\n"""
    session = Session()
    statements = session.bind(sql + query, str(world.folder / "script.sql"))
    Script("job", statements, session.tables, session.settings, state=world.folder / "state").run()


def written(folder: Path) -> list[Row]:
    """Read what was written into a table of files."""
    files = [f for f in folder.rglob("*") if f.is_file() and not f.name.startswith((".", "_"))]
    return ordered([json.loads(line) for f in files for line in f.read_text().splitlines()])


@pytest.mark.parametrize("name", BY_ROW)
def test_a_failing_row_is_found_and_goes_to_dead_letters(world: World, name: str) -> None:
    """The others go on; the letter says which function, where, and what."""
    world.module(MODULE)
    options = ", 'tailrace.on-error' = 'dead-letter', 'tailrace.dead-letter.table' = 'dead'"
    run(world, f"INSERT INTO o SELECT n, {name}(n) FROM t;", options)

    assert written(world.folder / "out") == ordered([{"n": n, "x": n + 1} for n in range(20) if n != 13])
    (letter,) = written(world.folder / "dead")
    assert (letter["source"], letter["stage"], letter["code"]) == ("t", "udf", "TR221")
    assert json.loads(letter["payload"]) == {"n": 13}
    assert letter["offset"] == len("".join(json.dumps(r) + "\n" for r in ROWS[:13]))
    assert letter["reason"].startswith(f"the function {name} ({world.folder}/mine.py:")


@pytest.mark.parametrize("name", BY_ROW)
def test_by_default_it_stops_the_job(world: World, name: str) -> None:
    """And points at the call, too."""
    world.module(MODULE)
    with pytest.raises(DataError) as caught:
        run(world, f"INSERT INTO o SELECT n, {name}(n) FROM t;")
    assert f"the function {name} ({world.folder}/mine.py:" in caught.value.message
    assert caught.value.location is not None
    assert caught.value.location.text[caught.value.location.column - 1 :].startswith(f"{name}(n)")


def test_in_conditions_and_joined_rows_too(world: World) -> None:
    """A condition that fails rejects its row, and so does a table function."""
    world.module(MODULE)
    run(world, "INSERT INTO o SELECT n, n FROM t WHERE whole(n) > 3;", ", 'tailrace.on-error' = 'drop'")
    assert written(world.folder / "out") == ordered([{"n": n, "x": n} for n in range(3, 20) if n != 13])


def test_rows_of_a_failing_row_are_not_put_out(world: World) -> None:
    """Neither are those that came before the failure."""
    world.module(MODULE)
    run(world, "INSERT INTO o SELECT n, x FROM t, LATERAL TABLE(rows_of(n)) AS r(x);", ", 'tailrace.on-error' = 'drop'")
    assert written(world.folder / "out") == ordered([{"n": n, "x": n + 1} for n in range(20) if n != 13])


def test_the_line_is_that_of_the_failure(world: World) -> None:
    """Not that of the definition, where the user's own code raised."""
    world.module(MODULE)
    with pytest.raises(DataError) as caught:
        run(world, "INSERT INTO o SELECT n, whole(n) FROM t;")
    text = (world.folder / "mine.py").read_text().splitlines()
    line = next(i for i, t in enumerate(text, 1) if "unlucky" in t)
    assert f"mine.py:{line}) raised ValueError: unlucky" in caught.value.message


WRONG = [
    ("return x[:-1]", "returned 19 values for 20 rows"),
    ("return pl.Series([1])", "returned 1 values for 20 rows"),
    ("return x.cast(pl.String)", "returned String, but its result is BIGINT"),
    ("return x / 2", "returned Float64, but its result is BIGINT"),
    ("return 5", "returned int, not a column"),
    ("return pl.col('x')", "returned Expr, not a column"),
    ("return None", "returned NoneType, not a column"),
    ("return pl.DataFrame({'x': x})", "returned DataFrame, not a column"),
]


@pytest.mark.parametrize(("body", "message"), WRONG)
def test_a_wrong_column_stops_the_job(world: World, body: str, message: str) -> None:
    """Whatever the policy: it is the function that is wrong, not a row."""
    world.module(f"""
@tr.udf(result_type="BIGINT")
def whole(x: pl.Series) -> Any:
    {body}
""")
    with pytest.raises(TerminalError) as caught:
        run(world, "INSERT INTO o SELECT n, whole(n) FROM t;", ", 'tailrace.on-error' = 'drop'")
    assert message in caught.value.message
    assert caught.value.message.startswith(f"the function whole ({world.folder}/mine.py:")
    assert caught.value.hint
    assert caught.value.location is not None


def test_a_call_that_hangs_stops_the_job_and_names_the_line(world: World) -> None:
    """The thread can't be ended, but the job can."""
    world.module("""
@tr.udf(result_type="BIGINT", timeout=0.2)
def whole(x: pl.Series) -> pl.Series:
    time.sleep(5)
    return x
""")
    with pytest.raises(TerminalError) as caught:
        run(world, "INSERT INTO o SELECT n, whole(n) FROM t;", ", 'tailrace.on-error' = 'drop'")
    text = (world.folder / "mine.py").read_text().splitlines()
    line = next(i for i, t in enumerate(text, 1) if "sleep" in t)
    assert f"mine.py:{line}) took longer than 0.2 s" in caught.value.message


def test_within_its_time_it_is_as_without(world: World) -> None:
    """A time-out changes nothing, and a failing row is found in it too."""
    world.module("""
@tr.udf(result_type="BIGINT", timeout="10 s")
def whole(x: pl.Series) -> pl.Series:
    if (x == 13).any():
        raise ValueError("unlucky")
    return x + 1
""")
    run(world, "INSERT INTO o SELECT n, whole(n) FROM t;", ", 'tailrace.on-error' = 'drop'")
    assert written(world.folder / "out") == ordered([{"n": n, "x": n + 1} for n in range(20) if n != 13])


def test_what_a_function_prints_goes_to_standard_error(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output is for rows."""
    world.module("""
@tr.udf(scalar=True)
def by_row(x: int) -> int:
    print("row", x)
    return x
""")
    run(world, "INSERT INTO o SELECT n, by_row(n) FROM t;", rows=[{"n": 1}, {"n": 2}])
    out = capsys.readouterr()
    assert out.err.count("row ") == 2
    assert "row" not in out.out


@pytest.mark.parametrize("way", ["alone", "in a running loop"])
def test_what_an_async_function_prints_goes_to_standard_error(
    world: World, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    """In a loop of its own, and in a thread where the caller is inside a loop."""
    world.module(AWAITED.replace("...", "print('row', x)"))
    sql = world.functions("awaited") + world.table("n BIGINT", [{"n": 1}, {"n": 2}])
    assert AWAITED_IN[way](lambda: world.rows(f"{sql}SELECT awaited(n) AS x FROM t;")) == [{"x": 1}, {"x": 2}]
    out = capsys.readouterr()
    assert out.err.count("row ") == 2
    assert "row" not in out.out


@pytest.mark.parametrize("way", ["alone", "in a running loop"])
def test_an_async_function_without_memory_stops_the_job(world: World, way: str) -> None:
    """With the error itself: no row is to blame."""
    world.module(AWAITED.replace("...", "raise MemoryError('all gone')"))
    sql = world.functions("awaited") + world.table("n BIGINT", [{"n": 1}])
    with pytest.raises(MemoryError, match="all gone"):
        AWAITED_IN[way](lambda: world.rows(f"{sql}SELECT awaited(n) AS x FROM t;"))


def test_a_function_that_changes_its_input_changes_nothing_else(world: World) -> None:
    """It has a series of its own."""
    world.module("""
@tr.udf(result_type="BIGINT")
def whole(x: pl.Series) -> pl.Series:
    x[0] = 99
    return x
""")
    run(world, "INSERT INTO o SELECT n, whole(n) + n FROM t;", rows=[{"n": 1}, {"n": 2}])
    assert written(world.folder / "out") == [{"n": 1, "x": 100}, {"n": 2, "x": 4}]


POLICY = """
@tr.udaf(scalar=True)
class total:
    def create(self) -> list[int]:
        return [0]

    def accumulate(self, acc: list[int], x: int) -> None:
        acc[0] += x
        if x == 13:
            raise ValueError("unlucky")

    def merge(self, acc: list[int], others: list[list[int]]) -> None:
        acc[0] += sum(o[0] for o in others)

    def result(self, acc: list[int]) -> int:
        return acc[0]

@tr.udaf(result_type="BIGINT")
class most:
    def create(self):
        return 0

    def accumulate(self, acc: int, x: pl.Series):
        if (x == 15).any():
            raise ValueError("too many")
        return max(acc, x.max())

    def merge(self, acc, others):
        return max([acc, *others])

    def result(self, acc: int):
        return acc
"""
GOOD = [n for n in range(40) if n % 20 not in (13, 15)]
GROUPED = [
    ("SELECT k, total(v), most(v), COUNT(*) FROM t GROUP BY k", lambda: {n: [n % 20] for n in GOOD}),
    (
        "SELECT k / 10, total(v), most(v), COUNT(*) FROM t GROUP BY k / 10",
        lambda: {g: [n % 20 for n in GOOD if n // 10 == g] for g in range(4)},
    ),
    (
        """SELECT EXTRACT(SECOND FROM window_start), total(v), most(v), COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' SECOND))
          GROUP BY window_start, window_end""",
        lambda: {n: [n % 20] for n in GOOD},
    ),
    (
        """SELECT EXTRACT(SECOND FROM window_end), total(v), most(v), COUNT(*) FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '4' SECOND))
          GROUP BY window_start, window_end""",
        lambda: {e: found for e in range(2, 44, 2) if (found := [n % 20 for n in GOOD if e - 4 <= n < e])},
    ),
]


@pytest.mark.parametrize(("query", "groups"), GROUPED)
@pytest.mark.parametrize("way", ["whole", "one by one"])
def test_a_row_for_which_an_aggregate_fails_counts_nowhere(
    world: World, query: str, groups: Callable[[], dict[int, list[int]]], way: str
) -> None:
    """Neither in other aggregates of its group, nor as a group of its own; it goes to dead letters, once."""
    world.module(POLICY)
    rows = [{"k": n, "v": n % 20, "ts": f"2026-01-01 00:00:{n:02d}"} for n in range(40)]
    options = ", 'tailrace.on-error' = 'dead-letter', 'tailrace.dead-letter.table' = 'dead'"
    sql = world.functions("total", "most")
    sql += world.table("k BIGINT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts", rows, options=options)
    sql += f"CREATE TABLE dead (payload STRING) WITH ('connector' = 'filesystem', 'path' = '{world.folder}/dead', 'format' = 'json');"
    sql += (
        "SET 'pipeline.auto-watermark-interval' = '0'; SET 'tailrace.tick.rows' = '1';" if way == "one by one" else ""
    )
    session, sink = Session(), RowsSink()
    statements = session.bind(f"{sql}{query};", str(world.folder / "script.sql"))
    Script("job", statements, session.tables, session.settings, query_sink=lambda _: sink).run()

    last: dict[int, list[int]] = {}
    for batch in sink.batches:
        for row in batch.select([c for c in batch.columns if c != "$kind"]).iter_rows():
            last[int(row[0])] = list(row[1:])
    assert last == {key: [sum(values), max(values), len(values)] for key, values in groups().items()}
    assert [json.loads(x["payload"])["k"] for x in written(world.folder / "dead")] == [13, 15, 33, 35]


def windows(world: World, *, retract: bool = False) -> WindowAggregateOperator:
    """Make the operator of a window of ten seconds by key."""
    world.module(POLICY)
    sql = world.functions("total")
    sql += world.table("k STRING, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts", [])
    sql += """SELECT k, total(v) AS x, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND))
      GROUP BY k, window_start, window_end;"""
    (job,) = world.jobs(sql)
    (node,) = (n for n in walk(job.sinks[0]) if isinstance(n, WindowAggregate))
    operator = WindowAggregateOperator(node, "UTC", retract=retract)
    operator.outbox = Outbox()
    return operator


def given(operator: WindowAggregateOperator, *rows: tuple[str, int, int], watermark: int) -> list[tuple[object, ...]]:
    """Hand it rows of key, value and second, and let time go on to a second; give what is put out."""
    columns = zip(*rows, strict=True)
    names = operator._node.input.schema.names
    frame = pl.DataFrame({n: list(c) for n, c in zip(names, columns, strict=True)})
    frame = frame.with_columns((pl.col(names[2]) * 1000).cast(pl.Datetime("ms")))
    assert operator.process(0, frame, Times()) == []
    return sorted(row for batch in operator.advance(Times(watermark=watermark * 1000)) for row in batch.rows())


@pytest.mark.parametrize("restored", [False, True])
def test_a_window_whose_first_row_fails_has_the_later_ones(world: World, *, restored: bool) -> None:
    """Though a window behind it stays open when time goes on in between; a checkpoint has them too."""
    running = windows(world)
    assert given(running, ("k1", 13, 15), ("k2", 1, 25), watermark=5) == []
    assert running.state_rows == 1
    assert given(running, ("k1", 2, 16), ("k2", 3, 26), watermark=6) == []
    assert running.state_rows == 2
    if restored:
        delta = running.snapshot()
        running = windows(world)
        running.restore([delta])
    assert given(running, ("k2", 0, 27), watermark=30) == [("k1", 2, 1), ("k2", 4, 3)]


def test_where_rows_of_windows_are_taken_back_the_job_stops(world: World) -> None:
    """Whatever the policy: the row that failed could be taken back later."""
    running = windows(world, retract=True)
    with pytest.raises(DataError, match="raised ValueError: unlucky"):
        given(running, ("k1", 13, 15), watermark=5)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT total(v) FROM TABLE(SESSION(TABLE t, DESCRIPTOR(ts), INTERVAL '2' SECOND)) GROUP BY window_start, window_end",
        "SELECT total(v) OVER (ORDER BY ts) FROM t",
        "SELECT total(v) OVER (ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM t",
        "SELECT total(DISTINCT v) FROM t",
    ],
)
def test_where_a_row_can_not_be_taken_out_the_job_stops(world: World, query: str) -> None:
    """And names the aggregate, with its line, and the call."""
    world.module(POLICY)
    rows = [{"v": n, "ts": f"2026-01-01 00:00:{n:02d}"} for n in range(20)]
    table = world.table("v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND", rows)
    with pytest.raises(DataError) as caught:
        world.rows(world.functions("total") + table + query + ";", "sevens")
    line = next(i for i, t in enumerate((world.folder / "mine.py").read_text().splitlines(), 1) if "unlucky" in t)
    assert caught.value.message == f"the function total ({world.folder}/mine.py:{line}) raised ValueError: unlucky"
    assert caught.value.location is not None
    assert caught.value.location.text[caught.value.location.column - 1 :].startswith("total(")


AGGREGATE = """
@tr.udaf(scalar=True)
class total:
    def create(self) -> int:
        return 0

    def accumulate(self, acc: int, x: int) -> int:
        if x == 13:
            raise ValueError("unlucky")
        return acc + x

    def result(self, acc: int) -> int:
        return acc
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("return 0", "return None", "created no accumulator"),
        (
            "return 0",
            "return {1.5: 2}",
            "keeps what can't be written into a checkpoint: the key 1.5 of a dict is float",
        ),
        ("return 0", "return {1, 2}", "keeps what can't be written into a checkpoint: {1, 2} is builtins.set"),
        ("return acc\n", "return 'a'\n", "gave str, but its result is BIGINT"),
        ("return acc\n", "raise KeyError('b')\n", "raised KeyError: 'b'"),
        ("acc + x", "acc + x * 10**30", "gave int, but its result is BIGINT"),
    ],
)
def test_an_aggregate_that_fails_stops_the_job(world: World, old: str, new: str, message: str) -> None:
    """Whatever the policy: no row is to blame."""
    world.module(AGGREGATE.replace(old, new).replace("x == 13", "False"))
    with pytest.raises(TailraceError) as caught:
        world.rows(world.functions("total") + world.table("n BIGINT", ROWS) + "SELECT total(n) AS x FROM t;", "sevens")
    assert isinstance(caught.value, DataError | TerminalError)
    assert f"the function total ({world.folder}/mine.py:" in caught.value.message
    assert message in caught.value.message
    assert caught.value.location is not None


@pytest.mark.parametrize("method", ["accumulate", "result", "create"])
def test_an_aggregate_that_hangs_stops_the_job(world: World, method: str) -> None:
    """In whichever method it is."""
    body = AGGREGATE.replace("x == 13", "False").replace("scalar=True", "scalar=True, timeout='200 ms'")
    head = next(line for line in body.splitlines() if f"def {method}(" in line)
    world.module(body.replace(head, f"{head}\n        time.sleep(5)"))
    with pytest.raises(TerminalError, match=r"took longer than 0\.2 s") as caught:
        world.rows(world.functions("total") + world.table("n BIGINT", ROWS) + "SELECT total(n) AS x FROM t;")
    line = next(i for i, t in enumerate((world.folder / "mine.py").read_text().splitlines(), 1) if "sleep(5)" in t)
    assert f"mine.py:{line})" in caught.value.message
    assert caught.value.location is not None


def test_what_an_aggregate_prints_is_not_among_the_rows(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """It goes to standard error."""
    world.module(AGGREGATE.replace("x == 13", "print('seen', x) or False"))
    world.rows(world.functions("total") + world.table("n BIGINT", ROWS[:3]) + "SELECT total(n) AS x FROM t;")
    out = capsys.readouterr()
    assert out.err.count("seen") == 3
    assert "seen" not in out.out


def test_the_rows_before_a_failing_one_are_taken_once(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the job stops, none is handed to the aggregate again to find the one that is bad."""
    world.module(AGGREGATE.replace("if x == 13", "print('seen', x)\n        if x == 13"))
    table = world.table("n BIGINT", ROWS)
    with pytest.raises(DataError, match="unlucky"):
        world.rows(world.functions("total") + table + "SELECT total(DISTINCT n) AS x FROM t;")
    assert capsys.readouterr().err.count("seen") == 14


def test_an_accumulator_that_can_not_be_written_stops_the_job_before_a_checkpoint(world: World) -> None:
    """With the first group, and also where rows can't be taken out one by one."""
    world.module(AGGREGATE.replace("return 0", "return {1.5: 2}").replace("return acc + x", "return acc"))
    table = world.table("n BIGINT", ROWS)
    with pytest.raises(TerminalError, match="keeps what can't be written into a checkpoint") as caught:
        world.rows(world.functions("total") + table + "SELECT total(DISTINCT n) AS x FROM t;")
    assert caught.value.location is not None
