"""What every source must show: types, checks, and that nothing is lost through crashes of both sides and a bad network."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from tailrace.connectors import memory
from tailrace.connectors.base import Report
from tailrace.errors import TailraceError
from tailrace.testing.connectors.delivery import Verdict, assert_delivered
from tailrace.testing.connectors.results import record, seconds_of
from tailrace.testing.connectors.sinks import CHECK_SECONDS, COLUMNS, sent
from tailrace.testing.connectors.system import NOWHERE, System, ddl, gone, hook, needs
from tailrace.testing.connectors.trials import Got, Trial, Victim, check, run
from tailrace.testing.connectors.values import TYPES, columns_of, python_rows, rows_of
from tailrace.testing.fault_proxy import FaultProxy

_BEGIN = """SET 'execution.checkpointing.interval' = '50 ms';
SET 'tailrace.source.queue-size' = '8 kb';
SET 'tailrace.tick.rows' = '20';
"""
_HALF = 500
_TRIES = 3


class SourceConformance(System):
    """
    Tests of a source; a test class of a connector inherits them and gives the hooks of `System`, with `put`.

    What is read goes into a SQLite file, exactly once; so what is missing or there twice is the source's.
    """

    source_guarantee: ClassVar[Verdict] = "exactly-once"
    """What arrives at a sink that is exactly-once: `exactly-once` where the source can be read again from a position."""
    ends: ClassVar[bool] = True
    """Whether it can be read to its end."""
    endless: ClassVar[bool] = False
    """Whether it can be read on for ever."""
    got_key: ClassVar[tuple[str, ...]] = ()
    """The key of the table that it is copied into, for a source whose rows may replace others."""
    small: ClassVar[Mapping[str, str]] = {}
    """Options to read few rows at a time, so that faults find it at work; speed is measured without them."""

    def source_options(self, table: str, at: str | None = None, *, endless: bool = False) -> dict[str, str]:
        """Give the options to read a table from its beginning, to its end or for ever."""
        return self.options(table, at)

    @hook
    def put_unreadable(self, table: str) -> None:
        """Write a row that can't be read as `id BIGINT, name STRING`."""
        raise NotImplementedError

    @hook
    def read_plainly(self, table: str, count: int) -> None:
        """Read so many rows as one would by the plain client, in a loop; for the comparison of speed."""
        raise NotImplementedError

    # -- scripts

    def reading(self, table: str, folder: Path, at: str | None = None, *, begin: str = "", **more: str) -> str:
        """
        Write the script that copies a table into a SQLite file, a few rows at a time.

        `more` are options, `_` for `-` and `__` for `.`.
        """
        given = {k.replace("__", ".").replace("_", "-"): v for k, v in more.items()}
        options = {**self.source_options(table, at, endless=self.endless), **self.small, **given}
        return f"{_BEGIN}{begin}{self.copying(table, options, Got(folder).options)}"

    def copying(self, table: str, options: Mapping[str, str], into: Mapping[str, str]) -> str:
        """Write the statements that copy a table with these options into another."""
        source, target = ddl(table, COLUMNS, options, self.key), ddl("got", COLUMNS, into, self.got_key)
        return f"{source}\n{target}\nINSERT INTO got SELECT id, name FROM `{table}`;"

    def fill(self, first: int, last: int, table: str) -> None:
        """Put the rows of these numbers."""
        self.put(table, COLUMNS, sent(last)[first - 1 :])

    def read_to_the_end(self, sql: str, folder: Path, count: int, got: Callable[[], int]) -> None:
        """Run a script until it ends, or has got so many rows and then stops."""
        trial = Trial(sql, folder)
        if self.endless or not self.ends:
            trial.until(lambda: got() >= count, f"{count} rows")
            trial.halt()
        else:
            trial.finish()

    def check(self, table: str, options: Mapping[str, str], folder: Path) -> Report:
        """Ask what `check` says of a table with these options."""
        began = time.monotonic()
        report = check(ddl(table, COLUMNS, options, self.key), table, "source", folder)
        if (took := time.monotonic() - began) > CHECK_SECONDS:
            raise AssertionError(f"a check took {took:.0f} s")
        return report

    # -- what it gives

    @needs("put")
    def test_source_gives_every_type(self, tmp_path: Path) -> None:
        """All values of all types that are not refused, NULLs and unicode among them, come as the plain client wrote them."""
        types = self.types(TYPES)
        columns, rows = columns_of(list(types)), rows_of(list(types), types)
        table = self.new_table(columns)
        self.put(table, columns, rows)
        name = f"got-{table}"
        source = ddl(table, columns, self.source_options(table, endless=not self.ends), self.key)
        into = ddl("got", columns, {"connector": "memory", "name": name})
        script = f"{source}\n{into}\nINSERT INTO got SELECT * FROM `{table}`;"
        trial = Trial(script, tmp_path)
        if not self.ends:
            trial.until(lambda: len(memory.table(name)) >= len(rows), "all rows")
            trial.stop()
        trial.finish()
        got = [row for frame in memory.table(name).frames() for row in python_rows(columns, frame)]
        memory.drop(name)
        assert_delivered(got, rows, "exactly-once")

    @needs("ends")
    def test_source_without_rows(self, tmp_path: Path) -> None:
        """An empty table is read to its end."""
        table = self.new_table(COLUMNS)
        sql = self.copying(table, self.source_options(table), Got(tmp_path).options)
        assert run(sql, tmp_path).rows_in == 0

    @needs("put")
    def test_source_gives_many_rows(self, tmp_path: Path) -> None:
        """A large run without faults gives each row once."""
        table, got = self.new_table(COLUMNS), Got(tmp_path)
        self.fill(1, self.many, table)
        begin = "SET 'tailrace.source.queue-size' = '8 mb';\nSET 'tailrace.tick.rows' = '100000';\n"
        self.read_to_the_end(self.reading(table, tmp_path, begin=begin), tmp_path, self.many, lambda: len(got))
        assert_delivered(got.rows(), sent(self.many), "exactly-once")

    # -- what is said of it

    def test_source_check_of_a_good_table(self, tmp_path: Path) -> None:
        """A table that can be used is reported so."""
        table = self.new_table(COLUMNS)
        report = self.check(table, self.source_options(table), tmp_path)
        assert report.ok, report.message

    @needs("remote")
    def test_source_check_of_a_server_that_is_away(self, tmp_path: Path) -> None:
        """It is told, with the address, within a bounded time."""
        report = self.check("t", self.source_options("t", NOWHERE), tmp_path)
        assert not report.ok
        assert NOWHERE.rpartition(":")[0] in report.message, report.message

    @needs("wrong_login")
    def test_source_check_of_a_wrong_login(self, tmp_path: Path) -> None:
        """It is told, and no secret with it."""
        table = self.new_table(COLUMNS)
        report = self.check(table, self.source_options(table) | self.wrong_login(table), tmp_path)
        assert not report.ok
        assert "wrong-secret" not in report.message

    @needs("missing")
    def test_source_check_of_a_missing_table(self, tmp_path: Path) -> None:
        """It is told, with the name."""
        report = self.check("nowhere", self.source_options("nowhere") | self.missing("nowhere"), tmp_path)
        assert not report.ok
        assert "nowhere" in report.message, report.message

    # -- crashes

    @needs("put")
    def test_source_after_kill_9(self, tmp_path: Path) -> None:
        """P1: killed in the middle, the next run goes on from the checkpoint, and each row counts as promised."""
        folders = (tmp_path / str(number) for number in range(_TRIES))
        assert any(map(self._killed_in_the_middle, folders)), "each time all was read before the kill"

    def _killed_in_the_middle(self, folder: Path) -> bool:
        """Kill a job and run it again; give false if it has read all before it was met."""
        folder.mkdir()
        table, got, count = self.new_table(COLUMNS), Got(folder), self.many
        self.fill(1, count // 2, table)
        if not self.endless:
            self.fill(count // 2 + 1, count, table)
        script = self.reading(table, folder)
        victim = Victim(script, folder)
        victim.until(lambda: victim.epoch, "a checkpoint")
        if not victim.killed() or len(got) == count:
            return False
        if self.endless:
            self.fill(count // 2 + 1, count, table)
        self.read_to_the_end(script.removeprefix(_BEGIN), folder, count, lambda: len(got))
        assert_delivered(got.rows(), sent(count), self.source_guarantee)
        return True

    def _broken(self, fault: Callable[[Trial], None], at: str | None, folder: Path) -> None:
        """Let a fault meet a job that has read a half, put the other half, and see what arrived."""
        table, got, count = self.new_table(COLUMNS), Got(folder), 2 * _HALF
        self.fill(1, _HALF, table)
        trial = Trial(self.reading(table, folder, at), folder)
        trial.until(lambda: len(got) >= _HALF, "a half of the rows")
        fault(trial)
        assert not trial.over
        self.fill(_HALF + 1, count, table)
        trial.until(lambda: len(got) >= count, "the other half")
        trial.halt()
        assert_delivered(got.rows(), sent(count), self.source_guarantee)

    @needs("put", "kill", "start", "address", "endless")
    def test_source_while_its_server_is_killed(self, tmp_path: Path) -> None:
        """N2: it waits for the server and reads on where it was."""

        def killed(trial: Trial) -> None:
            self.settle()
            self.kill()
            assert gone(self.address()), "the server was not killed"
            trial.until(lambda: trial.status and any(s.waiting for s in trial.status.sources), "the source waits")
            self.start()

        self._broken(killed, None, tmp_path)

    @needs("put", "remote", "ends")
    def test_source_whose_server_is_away_at_the_start(self, tmp_path: Path) -> None:
        """N1: the job says so within its limit, and ends; with the server there, the next run loses nothing."""
        table, got = self.new_table(COLUMNS), Got(tmp_path)
        self.fill(1, 100, table)
        limit = "SET 'tailrace.source.start-limit' = '1 s';\n"
        began = time.monotonic()
        with pytest.raises(TailraceError):
            run(self.reading(table, tmp_path, NOWHERE, begin=limit), tmp_path)
        assert time.monotonic() - began < CHECK_SECONDS
        self.read_to_the_end(self.reading(table, tmp_path), tmp_path, 100, lambda: len(got))
        assert_delivered(got.rows(), sent(100), self.source_guarantee)

    # -- the network

    @needs("put", "address", "endless")
    def test_source_whose_connection_is_cut(self, tmp_path: Path) -> None:
        """N3: connections that are reset; it comes back by itself and loses nothing."""
        with FaultProxy(self.address()) as proxy:

            def cut(_: Trial) -> None:
                assert proxy.counts.to_client, "nobody speaks through the proxy"
                proxy.cut()
                proxy.until(cut=1)

            self._broken(cut, proxy.address, tmp_path)

    @needs("put", "address", "endless")
    def test_source_whose_server_answers_nothing(self, tmp_path: Path) -> None:
        """N3: a network that swallows everything for a while, and one that refuses."""
        with FaultProxy(self.address()) as proxy:

            def hole(_: Trial) -> None:
                before = proxy.counts.connections
                proxy.black_hole()
                time.sleep(0.5)
                proxy.heal()
                proxy.refuse()
                time.sleep(0.5)
                proxy.heal()
                proxy.until(60.0, connections=before + 1)

            self._broken(hole, proxy.address, tmp_path)

    # -- rows that can't be read

    @needs("put", "put_unreadable")
    def test_source_with_a_row_that_cannot_be_read(self, tmp_path: Path) -> None:
        """The row goes alone to the dead letters; its neighbours are read."""
        table, got, dead = self.new_table(COLUMNS), Got(tmp_path), Got(tmp_path, "dead")
        self.fill(1, 10, table)
        self.put_unreadable(table)
        self.fill(11, 20, table)
        letters = ddl("dead", {"stage": "STRING", "reason": "STRING", "payload": "STRING"}, dead.options)
        policy = {"tailrace__on_error": "dead-letter", "tailrace__dead_letter__table": "dead"}
        script = letters + self.reading(table, tmp_path, **policy)
        self.read_to_the_end(script, tmp_path, 21, lambda: len(got) + len(dead))
        assert_delivered(got.rows(), sent(20), self.source_guarantee)
        assert [r["stage"] for r in dead.rows()] == ["decode"]

    # -- speed

    @needs("recording", "put", "read_plainly")
    def test_source_speed(self, tmp_path: Path) -> None:
        """Rows a second, beside those of the plain client in a loop; kept for the table of the documentation."""
        table, count = self.new_table(COLUMNS), self.timed_rows
        self.fill(1, count, table)
        options = self.source_options(table, endless=not self.ends)
        trial = Trial(self.copying(table, options, {"connector": "blackhole"}), tmp_path)
        if not self.ends:
            trial.until(lambda: trial.read >= count, f"{count} rows")
            trial.stop()
        summary = trial.finish()
        assert summary.rows_in == count
        least = min(count, 2000)
        plain = least / seconds_of(lambda: self.read_plainly(table, least))
        record(self, "source", self.source_guarantee, count / summary.seconds, plain)
