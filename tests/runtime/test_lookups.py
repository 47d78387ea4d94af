"""Requests in flight, tries, time-outs and tables that are away; caches of whole tables."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from tailrace.clock import ManualClock, SystemClock
from tailrace.connectors import memory
from tailrace.connectors.base import Context, Lookup, Report
from tailrace.engine.lookups import Asker
from tailrace.errors import ConfigError, DataError, TailraceError, TerminalError, TransientError
from tailrace.plan.nodes import LookupJoin, LookupRetry, Sink, walk
from tailrace.plan.rewrite import optimize
from tailrace.runtime.halt import Halt
from tailrace.runtime.job import Job
from tailrace.runtime.lookups import Lookups, RequestAsker, Terms
from tailrace.sql.session import Session
from tailrace.sql.statements import Insert

SCRIPT = """
CREATE TABLE t (id BIGINT, k BIGINT, p AS PROCTIME()) WITH ('connector' = 'memory' {left});
CREATE TABLE dim (k BIGINT, v STRING) WITH ({dim});
CREATE TABLE found (id BIGINT, v STRING) WITH ('connector' = 'memory');
INSERT INTO found SELECT t.id, d.v FROM t LEFT JOIN dim FOR SYSTEM_TIME AS OF t.p AS d ON t.k = d.k;
"""


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    memory.clear()
    yield
    memory.clear()


def bound(dim: str, left: str = "") -> tuple[Session, tuple[Sink, ...]]:
    """Bind the script."""
    session = Session()
    (insert,) = (s for s in session.bind(SCRIPT.format(dim=dim, left=left), "s.sql") if isinstance(s, Insert))
    return session, optimize(insert.sinks)


def join(dim: str = "'connector' = 'memory'") -> LookupJoin:
    """Give the join of the script."""
    return next(n for n in walk(bound(dim)[1][0]) if isinstance(n, LookupJoin))


class Fake(Lookup):
    """Answers after a while, or fails as told; counts what is asked and how much at a time."""

    keys_per_request = 2

    def __init__(self, failures: int = 0, seconds: float = 0.0, error: TailraceError | None = None) -> None:
        self.failures = failures
        self.seconds = seconds
        self.error = error or TransientError("away")
        self.questions: list[list[int]] = []
        self.opened = self.closed = self.now = self.most = 0

    async def open(self) -> None:
        self.opened += 1

    async def get(self, keys: pl.DataFrame) -> pl.DataFrame:
        self.questions.append(keys["k"].to_list())
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(self.seconds)
            if self.failures:
                self.failures -= 1
                raise self.error
            return keys.with_columns(pl.col("k").cast(pl.String).alias("v"))
        finally:
            self.now -= 1

    def check(self) -> Report:
        return Report(True, "")

    async def close(self) -> None:
        self.closed += 1


@pytest.fixture
def lookups() -> Iterator[Lookups]:
    """Give what runs requests."""
    clock = SystemClock()
    made = Lookups({}, clock, lambda _, name: Context(name, Path(), clock))
    yield made
    made.close()


def asker(lookups: Lookups, fake: Fake, **terms: object) -> RequestAsker:
    """Make an asker of a fake table."""
    given = {"timeout": 5.0, "in_flight": 3, "retries": 2, "on_away": "wait", "wait_limit": 20.0} | terms
    return RequestAsker(join(), fake, Terms(**given), lookups)  # type: ignore[arg-type]


KEYS = pl.DataFrame({"k": [1, 2, 3, 4, 5, 6, 7, 8, 9]})


def test_many_keys_go_in_several_requests(lookups: Lookups) -> None:
    """Requests are no larger than the table takes, and no more at a time than told."""
    fake = Fake(seconds=0.02)
    answer = asker(lookups, fake).get(KEYS)
    assert sorted(answer.rows.rows()) == [(n, str(n)) for n in range(1, 10)]
    assert answer.lost is None
    assert [len(q) for q in fake.questions] == [2, 2, 2, 2, 1]
    assert (fake.most, fake.opened) == (3, 1)


class Late(Fake):
    """Has no rows of some keys before it was asked so often."""

    def __init__(self, misses: dict[int, int], failures: int = 0) -> None:
        super().__init__()
        self.misses = misses
        self.left = failures

    async def get(self, keys: pl.DataFrame) -> pl.DataFrame:
        if len(self.questions) >= 2 and self.left:
            self.left -= 1
            raise self.error
        found = await super().get(keys)
        gone = [k for k in keys["k"].to_list() if self.misses.get(k, 0) > 0]
        self.misses.update({k: self.misses[k] - 1 for k in gone})
        return found.filter(~pl.col("k").is_in(gone))


def retrying(lookups: Lookups, fake: Fake, attempts: int, **terms: object) -> RequestAsker:
    """Make an asker that asks again for keys without rows."""
    given = {"timeout": 5.0, "in_flight": 3, "retries": 0, "on_away": "wait", "wait_limit": 20.0} | terms
    return RequestAsker(replace(join(), retry=LookupRetry(attempts, 1)), fake, Terms(**given), lookups)  # type: ignore[arg-type]


def test_keys_without_rows_are_asked_for_again(lookups: Lookups) -> None:
    """So often as the hint says, and only these; one that has no rows after that has none."""
    fake = Late({1: 2, 2: 9})
    answer = retrying(lookups, fake, 2).get(KEYS[:4])
    assert sorted(answer.rows["k"].to_list()) == [1, 3, 4]
    assert answer.lost is None
    assert sorted(fake.questions) == [[1, 2], [1, 2], [1, 2], [3, 4]]
    late = Late({1: 1, 2: 2})
    assert len(retrying(lookups, late, 5).get(KEYS[:2]).rows) == 2
    assert late.questions == [[1, 2], [1, 2], [2]]


def test_a_key_that_was_answered_is_not_lost_when_it_is_asked_for_again(lookups: Lookups) -> None:
    """The table was there for it; that it is away later changes nothing."""
    answer = retrying(lookups, Late({2: 9}, failures=9), 2, on_away="reject").get(KEYS[:2])
    assert answer.rows["k"].to_list() == [1]
    assert answer.lost is None


def test_a_table_that_is_away_is_waited_for(lookups: Lookups) -> None:
    """It is asked again until it is there."""
    fake = Fake(failures=4)
    assert len(asker(lookups, fake, retries=0).get(KEYS[:2]).rows) == 2
    assert len(fake.questions) == 5


def test_a_table_that_stays_away_ends_the_job(lookups: Lookups) -> None:
    """After the limit the error says so."""
    with pytest.raises(TerminalError, match="table 'dim', which is looked up in, has been away"):
        asker(lookups, Fake(failures=10**6), wait_limit=0.3).get(KEYS[:2])


@pytest.mark.parametrize("policy", ["null", "reject"])
def test_keys_are_lost_after_all_tries(lookups: Lookups, policy: str) -> None:
    """Where it is not waited for, the keys of a request that failed each time are told."""
    fake = Fake(failures=3)
    made = asker(lookups, fake, on_away=policy, in_flight=1)
    answer = made.get(KEYS[:2])
    assert answer.lost is not None
    assert answer.lost.tolist() == [True, True]
    assert len(answer.rows) == 0
    assert len(fake.questions) == 3
    assert made.rejects is (policy == "reject")
    assert made.get(KEYS[:2]).lost is None


def test_a_request_that_takes_too_long_has_failed(lookups: Lookups) -> None:
    """A time-out counts as away."""
    fake = Fake(seconds=30)
    began = time.monotonic()
    answer = asker(lookups, fake, timeout=0.1, retries=1, on_away="null").get(KEYS[:2])
    assert answer.lost is not None
    assert len(fake.questions) == 2
    assert time.monotonic() - began < 10


def test_an_error_that_stays_is_not_tried_again(lookups: Lookups) -> None:
    """A table that refuses ends the job, at the place of the query."""
    fake = Fake(failures=10, error=TerminalError("no such table"))
    with pytest.raises(TerminalError, match="no such table") as caught:
        asker(lookups, fake).get(KEYS[:2])
    assert len(fake.questions) == 1
    assert caught.value.location is not None


def test_a_job_that_halts_waits_no_longer() -> None:
    """Nobody hangs on a table that does not answer."""
    clock, halt = SystemClock(), Halt()
    lookups = Lookups({}, clock, lambda _, name: Context(name, Path(), clock))
    lookups.obey(halt)
    made = asker(lookups, Fake(seconds=600), timeout=600.0)
    halt.set()
    began = time.monotonic()
    with pytest.raises(TerminalError, match="stopped"):
        made.get(KEYS[:2])
    assert time.monotonic() - began < 5
    lookups.close()


def test_an_answer_that_comes_while_one_looks_is_taken(lookups: Lookups, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer right after the wait for it has ended is no time-out."""

    class Late(Future[int]):
        def result(self, timeout: float | None = None) -> int:
            if timeout is None:
                return super().result()
            self.set_result(7)
            raise TimeoutError

    def late(work: Coroutine[object, object, int], _: object) -> Future[int]:
        work.close()
        return Late()

    async def work() -> int:
        return 7

    monkeypatch.setattr("tailrace.runtime.lookups.asyncio.run_coroutine_threadsafe", late)
    answer = lookups.wait(work())
    monkeypatch.undo()
    assert answer == 7


def test_tables_are_closed(lookups: Lookups, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was opened is let go of."""
    fake = Fake()
    monkeypatch.setattr("tailrace.runtime.lookups.registry.lookup", lambda *_: fake)
    lookups.asker(join()).get(KEYS[:2])
    lookups.close()
    assert fake.closed == 1


def run(
    dim: str, rows: list[tuple[int, int | None]], left: str = "", settings: dict[str, str] | None = None
) -> list[tuple[object, ...]]:
    """Run the script as a job over some rows."""
    table = memory.table("t")
    table.append(pl.DataFrame(rows, schema={"id": pl.Int64, "k": pl.Int64}, orient="row"))
    table.end()
    session, sinks = bound(dim, left)
    Job("lookups", sinks, {**session.settings, **(settings or {})}, tables=session.tables).run()
    return sorted(memory.table("found").rows())


ROWS = [(1, 10), (2, 20), (3, None), (4, 99), (5, 10)]
FOUND = [(1, "ten"), (2, "twenty"), (3, None), (4, None), (5, "ten")]


@pytest.mark.parametrize("cache", ["", ", 'lookup.cache' = 'PARTIAL'", ", 'lookup.cache' = 'full'"])
def test_memory(cache: str) -> None:
    """Rows are found in a table of this process, whatever is kept of it."""
    memory.table("dim").append(pl.DataFrame({"k": [10, 20], "v": ["ten", "twenty"]}))
    assert run(f"'connector' = 'memory'{cache}", ROWS) == FOUND


@pytest.mark.parametrize("cache", ["", ", 'lookup.cache' = 'FULL'"])
def test_files(tmp_path: Path, cache: str) -> None:
    """A folder of files is read as a whole."""
    for key, word in ((10, "ten"), (20, "twenty")):
        (tmp_path / f"{key}.json").write_text(json.dumps({"k": key, "v": word}) + "\n")
    assert run(f"'connector' = 'filesystem', 'format' = 'json', 'path' = '{tmp_path}'{cache}", ROWS) == FOUND


def test_a_file_with_a_bad_row(tmp_path: Path) -> None:
    """A table that can't be read as a whole ends the job."""
    (tmp_path / "a.json").write_text('{"k": 1, "v": "one"}\n{"k": "many"}\n')
    with pytest.raises(DataError, match="looked up in, partition"):
        run(f"'connector' = 'filesystem', 'format' = 'json', 'path' = '{tmp_path}'", ROWS)


@pytest.mark.parametrize(
    ("dim", "words"),
    [
        ("'connector' = 'print'", "'dim' of connector 'print' can't be looked up in"),
        ("'connector' = 'memory', 'bounded' = 'false', 'lookup.cache' = 'FULL'", "does not end"),
        ("'connector' = 'memory', 'lookup.cache' = 'HALF'", "HALF"),
        ("'connector' = 'memory', 'lookup.max-retries' = '-1'", "from 0"),
        ("'connector' = 'filesystem', 'format' = 'json', 'path' = 'x', 'lookup.cache' = 'NONE'", "as a whole"),
        ("'connector' = 'blackhole'", "can't be looked up in"),
    ],
)
def test_tables_that_can_not_be_looked_up_in(dim: str, words: str) -> None:
    """What does not go is said before anything runs."""
    with pytest.raises(ConfigError, match=words) as caught:
        run(dim, ROWS)
    assert caught.value.location is not None
    if "connector 'print'" in words:
        named = caught.value.hint.partition(":")[2].partition(";")[0]
        assert {"filesystem", "memory", "sqlite"} <= {name.strip() for name in named.split(",")}


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """It is missed before anything is read."""
    with pytest.raises(ConfigError, match=r"nothing\.json"):
        run(f"'connector' = 'filesystem', 'format' = 'json', 'path' = '{tmp_path / 'nothing.json'}'", ROWS)
    assert len(memory.table("found")) == 0


def test_rejected_rows_become_dead_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the policy `reject` the error policy of the row's own table decides."""
    monkeypatch.setattr("tailrace.runtime.lookups.registry.lookup", lambda *_: Fake(failures=1))
    dim = "'connector' = 'memory', 'tailrace.lookup.on-away' = 'reject', 'lookup.max-retries' = '0'"
    left = ", 'tailrace.on-error' = 'drop'"
    assert run(dim, [(1, 10), (2, 10), (3, None)], left) == [(3, None)]


def test_a_full_cache_is_read_again() -> None:
    """After the interval the table is read anew, beside the rows that go on."""
    clock = ManualClock()
    lookups = Lookups({}, clock, lambda _, name: Context(name, Path(), clock))
    dim = "'connector' = 'memory', 'lookup.cache' = 'FULL', 'lookup.full-cache.periodic-reload.interval' = '1 min'"
    memory.table("dim").append(pl.DataFrame({"k": [1], "v": ["one"]}))
    made: Asker = lookups.asker(join(dim))
    assert made.whole
    first = made.table()
    assert first is not None
    assert first.rows() == [(1, "one")]
    memory.table("dim").append(pl.DataFrame({"k": [2], "v": ["two"]}))
    assert made.table() is None
    clock.advance(60_000)
    again = _within(made.table)
    assert again.sort("k").rows() == [(1, "one"), (2, "two")]
    assert made.table() is None


def _within(get: Callable[[], pl.DataFrame | None]) -> pl.DataFrame:
    for _ in range(200):
        found = get()
        if found is not None:
            return found
        time.sleep(0.02)
    raise AssertionError("it was not read again")
