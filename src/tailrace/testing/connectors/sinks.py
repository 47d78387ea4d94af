"""What every sink must show: types, checks, and its guarantee through crashes of both sides and a bad network."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tailrace.clock import SystemClock
from tailrace.connectors import memory, registry
from tailrace.connectors.base import Context, Report
from tailrace.errors import DataError, TailraceError, TerminalError
from tailrace.sql.session import Session
from tailrace.testing.connectors.delivery import Verdict, assert_delivered
from tailrace.testing.connectors.results import record, seconds_of
from tailrace.testing.connectors.system import NOWHERE, System, ddl, gone, hook, needs
from tailrace.testing.connectors.trials import Got, Trial, Victim, check, refused, run
from tailrace.testing.connectors.values import TYPES, columns_of, frame_of, rows_of
from tailrace.testing.fault_proxy import FaultProxy

COLUMNS = {"id": "BIGINT", "name": "STRING"}
STATE = {"k": "BIGINT", "n": "BIGINT", "top": "BIGINT"}
CHECK_SECONDS = 30.0
"""So long a check may take, and a job that can't begin."""

_BEGIN = """SET 'execution.checkpointing.interval' = '100 ms';
SET 'tailrace.tick.rows' = '1000';
SET 'tailrace.sink.queue-size' = '16 kb';
"""


def numbers(count: int, rate: int) -> str:
    """Declare a table of the numbers from 1, so many a second (0: at once)."""
    options = {"connector": "datagen", "rows-per-second": str(rate), "number-of-rows": str(count)}
    options |= {"fields.id.kind": "sequence", "fields.id.start": "1", "fields.id.end": str(count)}
    return ddl("numbers", {"id": "BIGINT"}, options)


def sent(count: int) -> list[dict[str, Any]]:
    """Give the rows that the scripts of the suite write."""
    return [{"id": i, "name": f"name {i}"} for i in range(1, count + 1)]


def final(count: int, *, deletes: bool = True) -> list[dict[str, Any]]:
    """Compute what stands at each key after all updates and deletes."""
    keys = {k: [i for i in range(1, count + 1) if i % 7 == k] for k in range(7)}
    return [{"k": k, "n": len(ids), "top": max(ids)} for k, ids in keys.items() if len(ids) % 3 or not deletes]


class SinkConformance(System):
    """
    Tests of a sink; a test class of a connector inherits them and gives the hooks of `System`, with `read`.

    `guarantee` is the one that the sink declares. Faults in the middle are proved: a run that was over before, or a proxy that
    nobody spoke through, fails.
    """

    guarantee: ClassVar[Verdict]
    upserts: ClassVar[bool] = False
    """Whether a table with a PRIMARY KEY takes updates and deletes by it."""

    crash_rows: ClassVar[int] = 30_000
    """How many rows a run has that is killed after two checkpoints: more than it can have written until then."""
    keeps_epochs: ClassVar[bool] = False
    """Whether it keeps the rows of an epoch, in files too, so that a slow system holds up checkpoints, and not each batch."""

    @hook
    def make_refusing(self, table: str) -> dict[str, Any]:
        """Make a table of `id BIGINT, name STRING` that refuses some rows, and give the values of one that it refuses."""
        raise NotImplementedError

    @hook
    def write_plainly(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write rows of `id BIGINT, name STRING` as one would by the plain client, in a loop; for the comparison of speed."""
        raise NotImplementedError

    # -- scripts

    def script(self, table: str, count: int, rate: int = 0, at: str | None = None, begin: str = "") -> str:
        """Write the script that fills a table with numbered rows."""
        into = ddl(table, COLUMNS, self.options(table, at), self.key)
        query = "SELECT id, CONCAT('name ', CAST(id AS STRING)) FROM numbers"
        return f"{_BEGIN}{begin}{numbers(count, rate)}\n{into}\nINSERT INTO `{table}` {query};"

    def changing(self, table: str, count: int, rate: int = 0, *, deletes: bool = True) -> str:
        """Write the script that keeps a count by key in a table, where each third update deletes the row."""
        into = ddl(table, STATE, self.options(table), ("k",))
        query = "SELECT MOD(id, 7) AS k, COUNT(*) AS n, MAX(id) AS top FROM numbers GROUP BY MOD(id, 7)"
        if deletes:
            query = f"SELECT k, n, top FROM ({query}) WHERE MOD(n, 3) <> 0"
        begin = _BEGIN.replace("'1000'", "'10'")
        return f"{begin}{numbers(count, rate)}\n{into}\nINSERT INTO `{table}` {query};"

    def from_memory(
        self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]], **more: str
    ) -> str:
        """Write the script that fills a table with these rows; `more` are options, `_` for `-` and `__` for `.`."""
        given = {k.replace("__", ".").replace("_", "-"): v for k, v in more.items()}
        source = ddl("given", columns, {"connector": "memory", "name": f"given-{table}"})
        into = ddl(table, columns, self.options(table) | given, self.key)
        memory.table(f"given-{table}").append(frame_of(columns, rows))
        names = ", ".join(f"`{c}`" for c in columns)
        return f"{_BEGIN}{source}\n{into}\nINSERT INTO `{table}` SELECT {names} FROM given;"

    def check(self, table: str, options: Mapping[str, str], folder: Path) -> Report:
        """Ask what `check` says of a table with these options."""
        began = time.monotonic()
        report = check(ddl(table, COLUMNS, options, self.key), table, "sink", folder)
        if (took := time.monotonic() - began) > CHECK_SECONDS:
            raise AssertionError(f"a check took {took:.0f} s")
        return report

    # -- what it carries

    @needs("read")
    def test_sink_carries_every_type(self, tmp_path: Path) -> None:
        """All values of all types that are not refused, NULLs and unicode among them, are what the plain client reads."""
        types = self.types(TYPES)
        columns, rows = columns_of(list(types)), rows_of(list(types), types)
        table = self.new_table(columns)
        run(self.from_memory(table, columns, rows), tmp_path)
        assert_delivered(self.read(table, columns), rows, "exactly-once")

    @needs("refused_types")
    def test_sink_refuses_other_types(self, tmp_path: Path) -> None:
        """A type that it can't carry is refused before anything is reached, and the column is named."""
        for refused_type in self.refused_types:
            columns = {"id": "BIGINT", "odd": refused_type}
            rows = [{"id": 1, "odd": None}]
            error = refused(self.from_memory("t", columns, rows))
            assert error is not None, f"{refused_type} is not refused"
            assert "odd" in str(error), f"{refused_type}: the error does not name the column: {error}"
            memory.drop("given-t")

    @needs("read")
    def test_sink_without_rows(self, tmp_path: Path) -> None:
        """A job whose source is empty ends well, and the table is empty."""
        table = self.new_table(COLUMNS)
        summary = run(self.from_memory(table, COLUMNS, []), tmp_path)
        assert (summary.finished, self.read(table, COLUMNS)) == (True, [])

    @needs("read")
    def test_sink_takes_many_rows(self, tmp_path: Path) -> None:
        """A large run without faults gives each row once, whatever the guarantee."""
        table = self.new_table(COLUMNS)
        summary = run(self.script(table, self.many, begin="SET 'tailrace.tick.rows' = '100000';\n"), tmp_path)
        assert summary.rows_out == self.many
        assert_delivered(self.read(table, COLUMNS), sent(self.many), "exactly-once")

    # -- what is said of it

    def test_sink_declares_its_guarantee(self, tmp_path: Path) -> None:
        """What `check` shows is what the suite tests."""
        table = self.new_table(COLUMNS)
        session = Session()
        session.bind(ddl(table, COLUMNS, self.options(table), self.key), "job.sql")
        sink = registry.sink(session.tables[table], Context("check", tmp_path, SystemClock()))
        assert sink.guarantee.value == self.guarantee

    def test_sink_check_of_a_good_table(self, tmp_path: Path) -> None:
        """A table that can be used is reported so."""
        table = self.new_table(COLUMNS)
        report = self.check(table, self.options(table), tmp_path)
        assert report.ok, report.message

    @needs("remote")
    def test_sink_check_of_a_server_that_is_away(self, tmp_path: Path) -> None:
        """It is told, with the address, within a bounded time."""
        report = self.check("t", self.options("t", NOWHERE), tmp_path)
        assert not report.ok
        assert NOWHERE.rpartition(":")[0] in report.message, report.message

    @needs("wrong_login")
    def test_sink_check_of_a_wrong_login(self, tmp_path: Path) -> None:
        """It is told, and no secret with it."""
        table = self.new_table(COLUMNS)
        report = self.check(table, self.wrong_login(table), tmp_path)
        assert not report.ok
        assert "wrong-secret" not in report.message

    @needs("missing")
    def test_sink_check_of_a_missing_table(self, tmp_path: Path) -> None:
        """It is told, with the name."""
        report = self.check("nowhere", self.missing("nowhere"), tmp_path)
        assert not report.ok
        assert "nowhere" in report.message, report.message

    # -- crashes

    @needs("read")
    def test_sink_after_kill_9(self, tmp_path: Path) -> None:
        """P1: killed in the middle, the next run goes on from the checkpoint, and the guarantee holds."""
        table, count = self.new_table(COLUMNS), self.crash_rows
        victim = Victim(self.script(table, count, 2000), tmp_path)
        victim.until(lambda: victim.epoch >= 2, "two checkpoints")
        victim.kill()
        summary = run(self.script(table, count), tmp_path)
        assert summary.restored_epoch
        assert_delivered(self.read(table, COLUMNS), sent(count), self.guarantee)

    @needs("read", "kill", "start", "address")
    def test_sink_while_its_server_is_killed(self, tmp_path: Path) -> None:
        """N2: the job waits for the server, or goes on from its checkpoint by itself; nothing is lost."""
        table, count = self.new_table(COLUMNS), 4000
        self.settle()
        trial = Trial(self.script(table, count, 500), tmp_path)
        trial.until(lambda: trial.read > 200 and trial.epoch, "a checkpoint")
        self.kill()
        assert gone(self.address()), "the server was not killed"
        assert not trial.over
        time.sleep(0.5)
        self.start()
        trial.finish()
        assert_delivered(self.read(table, COLUMNS), sent(count), self.guarantee)

    @needs("read", "remote")
    def test_sink_whose_server_is_away_at_the_start(self, tmp_path: Path) -> None:
        """N1: the job says so within its limit, and ends; with the server there, the next run loses nothing."""
        table = self.new_table(COLUMNS)
        limit = "SET 'tailrace.source.start-limit' = '1 s';\nSET 'tailrace.restart.attempts' = '0';\n"
        began = time.monotonic()
        with pytest.raises(TailraceError):
            run(self.script(table, 100, at=NOWHERE, begin=limit), tmp_path)
        assert time.monotonic() - began < CHECK_SECONDS
        run(self.script(table, 100), tmp_path)
        assert_delivered(self.read(table, COLUMNS), sent(100), "exactly-once")

    # -- the network

    @contextmanager
    def through_a_proxy(self, table: str, count: int, folder: Path) -> Iterator[tuple[FaultProxy, Trial]]:
        """Run a script whose client speaks through a proxy; give both when rows have arrived."""
        with FaultProxy(self.address()) as proxy:
            trial = Trial(self.script(table, count, 1000, proxy.address), folder)
            trial.until(lambda: trial.read > 200 and trial.epoch, "a checkpoint")
            assert proxy.counts.to_server, "nobody speaks through the proxy"
            yield proxy, trial
            proxy.heal()
            trial.finish()

    def _broken(self, fault: Callable[[FaultProxy], None], folder: Path) -> None:
        """Let a fault meet a job in the middle, and see what arrived."""
        table, count = self.new_table(COLUMNS), 3000
        with self.through_a_proxy(table, count, folder) as (proxy, trial):
            fault(proxy)
            assert not trial.over or trial.finish().rows_in == count
        assert_delivered(self.read(table, COLUMNS), sent(count), self.guarantee)

    @needs("read", "address")
    def test_sink_whose_connection_is_cut(self, tmp_path: Path) -> None:
        """N3: connections that are reset, also in mid-request, and answers that are lost."""

        def cut(proxy: FaultProxy) -> None:
            proxy.cut_after(10)
            proxy.until(cut=1)
            proxy.cut_after(0, to="client")
            proxy.until(cut=2)
            proxy.cut()

        self._broken(cut, tmp_path)

    @needs("read", "address")
    def test_sink_whose_server_answers_nothing(self, tmp_path: Path) -> None:
        """N3, N4: a network that swallows everything for a while, and one that refuses."""

        def hole(proxy: FaultProxy) -> None:
            proxy.black_hole()
            proxy.until(held=1)
            time.sleep(0.5)
            proxy.heal()
            proxy.refuse()
            time.sleep(0.5)

        self._broken(hole, tmp_path)

    @needs("read", "address")
    def test_sink_that_is_slow(self, tmp_path: Path) -> None:
        """N18: a slow server makes the source wait; nothing is lost, and the job ends."""
        table, count = self.new_table(COLUMNS), 6000
        with FaultProxy(self.address()) as proxy:
            proxy.slow(0.1)
            trial = Trial(self.script(table, count, 5000, proxy.address), tmp_path)
            trial.finish()
            counts = proxy.counts
        assert counts.delayed, "nothing was slowed"
        status = trial.status
        assert status is not None
        waited = sum(s.waited for s in status.sinks)
        assert waited or self.keeps_epochs, "the engine never waited for the sink"
        assert_delivered(self.read(table, COLUMNS), sent(count), self.guarantee)

    # -- rows that it refuses

    @needs("read", "make_refusing")
    def test_sink_refuses_a_row(self, tmp_path: Path) -> None:
        """N16: the row goes alone to the dead letters, with its payload; its neighbours are written."""
        table = f"refusing{time.monotonic_ns()}"
        bad = {"id": 7} | self.make_refusing(table)
        rows = [bad if i == 7 else {"id": i, "name": f"name {i}"} for i in range(1, 21)]
        dead = Got(tmp_path, "dead")
        letters = ddl(
            "dead", {"stage": "STRING", "code": "STRING", "reason": "STRING", "payload": "STRING"}, dead.options
        )
        policy = {"tailrace__on_error": "dead-letter", "tailrace__dead_letter__table": "dead"}
        summary = run(letters + self.from_memory(table, COLUMNS, rows, **policy), tmp_path)
        assert_delivered(self.read(table, COLUMNS), [r for r in rows if r is not bad], self.guarantee)
        assert [(r["stage"], '"id":7' in r["payload"]) for r in dead.rows()] == [("sink", True)], dead.rows()
        assert sum(s.dead_letters for s in summary.sinks) == 1

    @needs("read", "make_refusing")
    def test_sink_stops_at_a_refused_row(self, tmp_path: Path) -> None:
        """Without a policy the first refused row ends the job, as an error of the row."""
        table = f"refusing{time.monotonic_ns()}"
        bad = {"id": 7} | self.make_refusing(table)
        with pytest.raises((DataError, TerminalError)):
            run(self.from_memory(table, COLUMNS, [bad]), tmp_path)
        assert self.read(table, COLUMNS) == []

    # -- speed

    @needs("recording", "write_plainly")
    def test_sink_speed(self, tmp_path: Path) -> None:
        """Rows a second, beside those of the plain client in a loop; kept for the table of the documentation."""
        table, plain, count = self.new_table(COLUMNS), self.new_table(COLUMNS), self.timed_rows
        script = self.script(table, count).removeprefix(_BEGIN)
        summary = run(script, tmp_path)
        rows = sent(min(self.many, 2000))
        record(
            self,
            "sink",
            self.guarantee,
            count / summary.seconds,
            len(rows) / seconds_of(lambda: self.write_plainly(plain, rows)),
        )

    # -- updates

    @needs("read", "upserts")
    def test_sink_updates_and_deletes(self, tmp_path: Path) -> None:
        """What stands at each key at last is what a batch computation gives."""
        table = self.new_table(STATE, ("k",))
        run(self.changing(table, 400), tmp_path)
        assert len(final(400)) < 7, "no key was deleted at last"
        assert_delivered(self.read(table, STATE), final(400), "exactly-once")

    @needs("read", "upserts")
    def test_sink_keeps_the_last_row_of_a_key(self, tmp_path: Path) -> None:
        """Many rows of a key in one batch: the last one stands."""
        table = self.new_table(STATE, ("k",))
        into = ddl(table, STATE, self.options(table), ("k",))
        begin = "SET 'table.exec.sink.upsert-materialize' = 'none';\n"
        query = "SELECT MOD(id, 7) AS k, id AS n, id AS top FROM numbers"
        run(f"{begin}{numbers(1000, 0)}\n{into}\nINSERT INTO `{table}` {query};", tmp_path)
        last = {i % 7: i for i in range(1, 1001)}
        assert_delivered(self.read(table, STATE), [{"k": k, "n": i, "top": i} for k, i in last.items()], "exactly-once")

    @needs("read", "upserts")
    def test_sink_updates_after_kill_9(self, tmp_path: Path) -> None:
        """Updates that come again after a crash change nothing at last; rows that come and go are the gap that the docs name."""
        table, count = self.new_table(STATE, ("k",)), 8000
        victim = Victim(self.changing(table, count, 1000, deletes=False), tmp_path)
        victim.until(lambda: victim.epoch >= 2, "two checkpoints")
        victim.kill()
        assert run(self.changing(table, count, deletes=False), tmp_path).restored_epoch
        assert_delivered(self.read(table, STATE), final(count, deletes=False), "effectively-once")
