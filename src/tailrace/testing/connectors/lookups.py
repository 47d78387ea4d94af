"""What every lookup must show: what is found and what is not, many keys, types, caches, and a store that is away."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tailrace.connectors import memory
from tailrace.connectors.base import Report
from tailrace.testing.connectors.delivery import assert_delivered
from tailrace.testing.connectors.results import record, seconds_of
from tailrace.testing.connectors.sinks import CHECK_SECONDS, COLUMNS
from tailrace.testing.connectors.system import NOWHERE, System, ddl, hook, needs
from tailrace.testing.connectors.trials import Got, Trial, check, run
from tailrace.testing.connectors.values import TYPES, columns_of, frame_of, python_rows, rows_of
from tailrace.testing.fault_proxy import FaultProxy

PROBES = {"n": "BIGINT", "k": "BIGINT"}
FOUND = {"n": "BIGINT", "name": "STRING"}


class LookupConformance(System):
    """Tests of a lookup; a test class of a connector inherits them and gives the hooks of `System`, with `put`."""

    def lookup_options(self, table: str, at: str | None = None) -> dict[str, str]:
        """Give the options to look up in a table."""
        return self.options(table, at)

    @hook
    def make_several(self, table: str) -> tuple[dict[str, str], tuple[str, ...]]:
        """Make a table in which `k BIGINT` may have several rows that `id BIGINT` tells apart; give its columns and key."""
        raise NotImplementedError

    @hook
    def look_up_plainly(self, table: str, ids: Sequence[int]) -> None:
        """Look up ids one after another as one would by the plain client; for the comparison of speed."""
        raise NotImplementedError

    # -- scripts

    def joining(self, table: str, folder: Path, at: str | None = None, *, probes: str = "", **more: str) -> str:
        """Write the script that joins probes with a table; `more` are options of it, `_` for `-` and `__` for `.`."""
        given = {k.replace("__", ".").replace("_", "-"): v for k, v in more.items()}
        options = self.lookup_options(table, at) | given
        left = probes or ddl("probes", PROBES, {"connector": "memory", "name": f"probes-{table}"})
        left = left.replace("`k` BIGINT", "`k` BIGINT, p AS PROCTIME()")
        right, into = ddl(table, COLUMNS, options, self.key), ddl("got", FOUND, Got(folder).options)
        join = f"probes AS l LEFT JOIN `{table}` FOR SYSTEM_TIME AS OF l.p AS r ON l.k = r.id"
        begin = "SET 'execution.checkpointing.interval' = '50 ms';\n"
        return f"{begin}{left}\n{right}\n{into}\nINSERT INTO got SELECT l.n, r.name FROM {join};"

    def paced(self, count: int, rate: int) -> str:
        """Declare probes of the keys from 0 to 9 that come one after another."""
        options = {"connector": "datagen", "rows-per-second": str(rate), "number-of-rows": str(count)}
        options |= {"fields.n.kind": "sequence", "fields.n.start": "0", "fields.n.end": str(count - 1)}
        return ddl("probes", {"n": "BIGINT"}, options).replace(
            "`n` BIGINT", "`n` BIGINT, `k` AS MOD(n, 10), p AS PROCTIME()"
        )

    def ask(self, table: str, keys: Sequence[int | None]) -> None:
        """Put probes, numbered from 0."""
        rows = [{"n": n, "k": k} for n, k in enumerate(keys)]
        memory.table(f"probes-{table}").append(frame_of(PROBES, rows))

    def filled(self, ids: Sequence[int]) -> str:
        """Make a table that has these ids, each with a name."""
        table = self.new_table(COLUMNS)
        self.put(table, COLUMNS, [{"id": i, "name": f"name {i}"} for i in ids])
        return table

    def check(self, table: str, options: Mapping[str, str], folder: Path) -> Report:
        """Ask what `check` says of a table with these options."""
        began = time.monotonic()
        sql = self.joining(table, folder).replace(
            ddl(table, COLUMNS, self.lookup_options(table), self.key), ddl(table, COLUMNS, options, self.key)
        )
        report = check(sql, table, "lookup", folder)
        if (took := time.monotonic() - began) > CHECK_SECONDS:
            raise AssertionError(f"a check took {took:.0f} s")
        return report

    # -- what is found

    @needs("put")
    def test_lookup_finds_rows(self, tmp_path: Path) -> None:
        """A key that is there, one that is not, NULL, and a key that comes twice."""
        table, got = self.filled([1, 2, -3]), Got(tmp_path)
        keys = [1, 9, None, 2, 1, -3]
        self.ask(table, keys)
        run(self.joining(table, tmp_path), tmp_path)
        wanted = [{"n": n, "name": f"name {k}" if k in {1, 2, -3} else None} for n, k in enumerate(keys)]
        assert_delivered(got.rows(), wanted, "exactly-once")

    @needs("put")
    def test_lookup_in_an_empty_table(self, tmp_path: Path) -> None:
        """Nothing is found, and nothing fails."""
        table = self.new_table(COLUMNS)
        self.ask(table, [1, 2])
        run(self.joining(table, tmp_path), tmp_path)
        assert_delivered(Got(tmp_path).rows(), [{"n": 0, "name": None}, {"n": 1, "name": None}], "exactly-once")

    @needs("put", "make_several")
    def test_lookup_finds_several_rows_of_a_key(self, tmp_path: Path) -> None:
        """A key with several rows gives each of them."""
        table = f"several{time.monotonic_ns()}"
        columns, key = self.make_several(table)
        rows = [{"id": i, "k": i % 3, "name": f"name {i}"} for i in range(30)]
        self.put(table, columns, [{c: r[c] for c in columns} for r in rows])
        self.ask(table, [0, 2, 5])
        script = self.joining(table, tmp_path).replace(
            ddl(table, COLUMNS, self.lookup_options(table), self.key),
            ddl(table, columns, self.lookup_options(table), key),
        )
        run(script.replace("l.k = r.id", "l.k = r.k"), tmp_path)
        wanted = [{"n": n, "name": r["name"]} for n, k in ((0, 0), (1, 2)) for r in rows if r["k"] == k]
        assert_delivered(Got(tmp_path).rows(), [*wanted, {"n": 2, "name": None}], "exactly-once")

    @needs("put")
    def test_lookup_of_many_keys(self, tmp_path: Path) -> None:
        """Thousands of keys in one batch, half of them missing."""
        count = min(self.many, 5000)
        table = self.filled(range(0, count, 2))
        self.ask(table, [*range(count), 2, 3])
        run(self.joining(table, tmp_path), tmp_path)
        wanted = [{"n": n, "name": None if k % 2 else f"name {k}"} for n, k in enumerate([*range(count), 2, 3])]
        assert_delivered(Got(tmp_path).rows(), wanted, "exactly-once")

    @needs("put")
    def test_lookup_gives_every_type(self, tmp_path: Path) -> None:
        """All values of all types that are not refused come as the plain client wrote them."""
        types = self.types(TYPES)
        columns, rows = columns_of(list(types)), rows_of(list(types), types)
        table = self.new_table(columns)
        self.put(table, columns, rows)
        self.ask(table, [r["id"] for r in rows])
        left = ddl("probes", PROBES, {"connector": "memory", "name": f"probes-{table}"})
        left = left.replace("`k` BIGINT", "`k` BIGINT, p AS PROCTIME()")
        right = ddl(table, columns, self.lookup_options(table), self.key)
        into = ddl("got", columns, {"connector": "memory", "name": f"got-{table}"})
        query = f"SELECT r.* FROM probes AS l JOIN `{table}` FOR SYSTEM_TIME AS OF l.p AS r ON l.k = r.id"
        run(f"{left}\n{right}\n{into}\nINSERT INTO got {query};", tmp_path)
        got = [row for frame in memory.table(f"got-{table}").frames() for row in python_rows(columns, frame)]
        memory.drop(f"got-{table}")
        assert_delivered(got, rows, "exactly-once")

    # -- what is said of it

    def test_lookup_check_of_a_good_table(self, tmp_path: Path) -> None:
        """A table that can be used is reported so."""
        table = self.new_table(COLUMNS)
        report = self.check(table, self.lookup_options(table), tmp_path)
        assert report.ok, report.message

    @needs("remote")
    def test_lookup_check_of_a_server_that_is_away(self, tmp_path: Path) -> None:
        """It is told, with the address, within a bounded time."""
        report = self.check("t", self.lookup_options("t", NOWHERE), tmp_path)
        assert not report.ok
        assert NOWHERE.rpartition(":")[0] in report.message, report.message

    @needs("wrong_login")
    def test_lookup_check_of_a_wrong_login(self, tmp_path: Path) -> None:
        """It is told, and no secret with it."""
        table = self.new_table(COLUMNS)
        report = self.check(table, self.wrong_login(table), tmp_path)
        assert not report.ok
        assert "wrong-secret" not in report.message

    @needs("missing")
    def test_lookup_check_of_a_missing_table(self, tmp_path: Path) -> None:
        """It is told, with the name."""
        report = self.check("nowhere", self.missing("nowhere"), tmp_path)
        assert not report.ok
        assert "nowhere" in report.message, report.message

    # -- a store that is away

    def _away(self, folder: Path, **options: str) -> tuple[Trial, FaultProxy, list[dict[str, Any]]]:
        """Run paced probes through a proxy and, when some were answered, let the store go away."""
        table = self.filled(range(10))
        proxy = FaultProxy(self.address())
        given = {"lookup__max_retries": "0", "tailrace__lookup__timeout": "500 ms"} | options
        policy = {"tailrace.on-error": "dead-letter", "tailrace.dead-letter.table": "dead"}
        probes = self.paced(300, 100).replace(
            "'connector'", ", ".join(f"'{k}' = '{v}'" for k, v in policy.items()) + ", 'connector'"
        )
        dead = ddl("dead", {"reason": "STRING", "payload": "STRING"}, Got(folder, "dead").options)
        trial = Trial(dead + self.joining(table, folder, proxy.address, probes=probes, **given), folder)
        trial.until(lambda: len(Got(folder)) > 30, "some answers")
        assert proxy.counts.to_client, "nobody speaks through the proxy"
        proxy.refuse()
        return trial, proxy, [{"n": n, "name": f"name {n % 10}"} for n in range(300)]

    @needs("put", "address")
    def test_lookup_waits_for_a_store_that_is_away(self, tmp_path: Path) -> None:
        """The job stands still and goes on when the store is back; every row has its answer."""
        trial, proxy, wanted = self._away(tmp_path)
        with proxy:
            time.sleep(1.0)
            stood = len(Got(tmp_path))
            time.sleep(0.5)
            assert len(Got(tmp_path)) == stood < 300, "it did not wait"
            proxy.heal()
            trial.finish()
        assert_delivered(Got(tmp_path).rows(), wanted, "exactly-once")

    @needs("put", "address")
    def test_lookup_gives_null_while_a_store_is_away(self, tmp_path: Path) -> None:
        """With `null` it is as if nothing was found."""
        trial, proxy, wanted = self._away(tmp_path, tailrace__lookup__on_away="null")
        with proxy:
            trial.finish()
        got = Got(tmp_path).rows()
        nulls = sum(r["name"] is None for r in got)
        assert 0 < nulls < 300, "the store was never away"
        assert_delivered([r for r in got if r["name"]], wanted[: 300 - nulls], "exactly-once")

    @needs("put", "address")
    def test_lookup_rejects_rows_while_a_store_is_away(self, tmp_path: Path) -> None:
        """With `reject` the rows go to the dead letters of their source."""
        trial, proxy, wanted = self._away(tmp_path, tailrace__lookup__on_away="reject")
        with proxy:
            trial.finish()
        dead = len(Got(tmp_path, "dead"))
        assert 0 < dead < 300, "the store was never away"
        assert_delivered(Got(tmp_path).rows(), wanted[: 300 - dead], "exactly-once")

    @needs("put", "address")
    def test_lookup_answers_from_its_cache(self, tmp_path: Path) -> None:
        """What was found before is known while the store is away."""
        trial, proxy, wanted = self._away(tmp_path, tailrace__lookup__on_away="reject", lookup__cache="PARTIAL")
        with proxy:
            trial.finish()
        assert len(Got(tmp_path, "dead")) == 0
        assert_delivered(Got(tmp_path).rows(), wanted, "exactly-once")

    # -- speed

    @needs("recording", "put", "look_up_plainly")
    def test_lookup_speed(self, tmp_path: Path) -> None:
        """Keys a second without a cache, beside those of the plain client in a loop; kept for the table of the documentation."""
        count = self.many
        table = self.filled(range(count))
        self.ask(table, list(range(count)))
        summary = run(self.joining(table, tmp_path), tmp_path)
        least = range(min(count, 1000))
        plain = len(least) / seconds_of(lambda: self.look_up_plainly(table, least))
        record(self, "lookup", "", count / summary.seconds, plain)
