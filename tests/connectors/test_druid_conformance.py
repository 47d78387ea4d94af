"""Datasources of Druid through the conformance suites, on a real server."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("httpx", reason="Druid: the extra tailrace[druid] is not installed")
pytest.importorskip("confluent_kafka", reason="Druid: the extra tailrace[kafka] is not installed")

import httpx
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from http_kit import Api, Asked, Said
from server_kit import ByRecipe, Recipe, free_ports, running

from tailrace.connectors import memory
from tailrace.testing.connectors import Got, SinkConformance, SourceConformance, System, assert_delivered
from tailrace.testing.connectors.sinks import COLUMNS, sent
from tailrace.testing.connectors.system import ddl
from tailrace.testing.connectors.trials import check, run

pytestmark = [pytest.mark.integration, pytest.mark.slow]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGS = ("BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "TIMESTAMP(3)", "TIMESTAMP_LTZ(3)")
DIMENSIONS: dict[str, dict[str, str]] = {
    **{t: {"type": "long"} for t in LONGS},
    "FLOAT": {"type": "float"},
    "DOUBLE": {"type": "double"},
    "DECIMAL(10, 2)": {"type": "double"},
    "ARRAY<INT>": {"type": "auto", "castToType": "ARRAY<LONG>"},
    "ARRAY<STRING>": {"type": "auto", "castToType": "ARRAY<STRING>"},
    "MAP<STRING, INT>": {"type": "json"},
    "ROW<a INT, b STRING>": {"type": "json"},
}
SEEN_SECONDS = 180.0


@pytest.fixture(scope="module")
def druid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Recipe, str]]:
    """Give a server of the module's own, and the address of its router."""
    with running("druid", tmp_path_factory.mktemp("druid"), {"DRUID_PORT": str(free_ports(7))}) as given:
        yield given


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the brokers of a Kafka of the module's own."""
    port = free_ports(8)
    with running("kafka", tmp_path_factory.mktemp("kafka"), {"KAFKA_PORT": str(port), "KAFKA_HEAP": "256m"}):
        yield f"127.0.0.1:{port}"


class Datasources(ByRecipe, System):
    """A datasource for each table; the `id` is the time of a row, in milliseconds."""

    connector = "druid"
    title = "Apache Druid"
    remote = True
    many = 4000
    refused_types = ("TIMESTAMP(6)",)

    @pytest.fixture(autouse=True)
    def _server(self, druid: tuple[Recipe, str]) -> Iterator[None]:
        self.recipe, self.url = druid
        with httpx.Client(base_url=self.url, timeout=30) as self.client, Api(_guarded) as self.api:
            yield

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        url = f"http://{at}" if at else self.url
        given = {"connector": "druid", "url": url, "datasource": table, "time-column": "id"}
        return given | {"request-timeout": "10 s"}

    def address(self) -> str:
        return self.url.removeprefix("http://")

    def version(self) -> str:
        return "33.0.0"

    def wrong_login(self, table: str) -> dict[str, str]:
        """Give the login to a router that wants one: the server's takes all."""
        return self.options(table) | {"url": self.api.url, "username": "me", "password": "wrong-secret"}

    def sql(self, query: str) -> list[dict[str, Any]]:
        """Ask Druid; nothing of a datasource that is not there."""
        body = {"query": query, "resultFormat": "object", "context": {"sqlStringifyArrays": False}}
        answer = self.client.post("/druid/v2/sql", json=body)
        if answer.status_code == 400 and "not found" in answer.text:
            return []
        if answer.status_code >= 500:
            return [{"away": answer.text}]
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        return found

    def settled(self, table: str) -> None:
        """Wait until all that was ingested is seen: no task runs, no segment waits, and counts stay as they are."""
        end = time.monotonic() + SEEN_SECONDS
        before: Any = ...
        same = 0
        while same < 4:
            assert time.monotonic() < end, f"{table} does not settle: {before}"
            time.sleep(1)
            segments = f"SELECT segment_id FROM sys.segments WHERE datasource = '{table}' AND is_active = 1 AND is_available = 0"
            tasks = f"SELECT task_id FROM sys.tasks WHERE datasource = '{table}' AND status = 'RUNNING' AND type = 'index_parallel'"
            now = (self.sql(segments), self.sql(tasks), self.sql(f'SELECT COUNT(*) AS n FROM "{table}"'))
            quiet = now[0] == now[1] == [] and self.caught_up(table)
            same = same + 1 if quiet and now == before else 0
            before = now

    def caught_up(self, table: str) -> bool:
        """Tell whether Druid has read all that it is to read."""
        return True

    def read(self, table: str, columns: Mapping[str, str]) -> list[dict[str, Any]]:
        self.settled(table)
        return [
            {n: _value(t, row["__time"] if n == "id" else row[n]) for n, t in columns.items()}
            for row in self.sql(f'SELECT * FROM "{table}"')
        ]

    def put(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        self.task(table, columns, [{n: _written(t, row[n]) for n, t in columns.items()} for row in rows])

    def task(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        """Have a task ingest rows, and wait until they are seen."""
        before = sum(r["n"] for r in self.sql(f'SELECT COUNT(*) AS n FROM "{table}"'))
        dimensions = [{"name": n, **DIMENSIONS.get(t, {"type": "string"})} for n, t in columns.items() if n != "id"]
        spec = {
            "dataSchema": {
                "dataSource": table,
                "timestampSpec": {"column": "id", "format": "millis"},
                "dimensionsSpec": {"dimensions": dimensions},
                "granularitySpec": {"segmentGranularity": "DAY", "queryGranularity": "NONE", "rollup": False},
            },
            "ioConfig": {
                "type": "index_parallel",
                "appendToExisting": True,
                "inputSource": {"type": "inline", "data": "\n".join(map(json.dumps, rows))},
                "inputFormat": {"type": "json"},
            },
        }
        task = self.client.post("/druid/indexer/v1/task", json={"type": "index_parallel", "spec": spec}).json()["task"]
        end = time.monotonic() + SEEN_SECONDS
        while sum(r["n"] for r in self.sql(f'SELECT COUNT(*) AS n FROM "{table}"')) != before + len(rows):
            status = self.client.get(f"/druid/indexer/v1/task/{task}/status").json()["status"]
            assert status["statusCode"] != "FAILED", status
            assert time.monotonic() < end, f"rows of {task} are not seen: {status}"
            time.sleep(0.3)


def _written(type_: str, value: Any) -> Any:
    """Give a value as Druid is to ingest it."""
    if value is None or isinstance(value, str | list | dict | float):
        return value
    if isinstance(value, datetime):
        return (value.replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
    if isinstance(value, date | clock):
        return value.isoformat(*(["milliseconds"] if isinstance(value, clock) else []))
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal):
        return float(value) if type_ == "DECIMAL(10, 2)" else f"{value:f}"
    return int(value)


def _value(type_: str, value: Any) -> Any:
    """Give what Druid keeps as the value that was written."""
    kind = type_.partition("(")[0]
    if value is None:
        return None
    if kind == "BIGINT" and isinstance(value, str):
        return (datetime.fromisoformat(value) - EPOCH) // timedelta(milliseconds=1)
    if kind in ("TIMESTAMP", "TIMESTAMP_LTZ"):
        moment = EPOCH + timedelta(milliseconds=value)
        return moment if kind.endswith("LTZ") else moment.replace(tzinfo=None)
    if kind == "BOOLEAN":
        return bool(value)
    if kind == "DECIMAL":
        return (
            Decimal(value)
            if isinstance(value, str)
            else Decimal(str(value)).quantize(Decimal(1).scaleb(-int(type_.rpartition(",")[2].strip(" )"))))
        )
    if kind == "DATE":
        return date.fromisoformat(value)
    if kind == "TIME":
        return clock.fromisoformat(value)
    if kind == "BYTES":
        return base64.b64decode(value)
    return json.loads(value) if kind.startswith(("MAP", "ROW")) else value


class TestSource(Datasources, SourceConformance):
    """A datasource is read by SQL, in the order of time."""

    endless = True

    def make(self, table: str, columns: Mapping[str, str], key: Sequence[str]) -> None:
        """Make it with one row of a time that is not read: a datasource without rows is none."""
        self.task(table, columns, [dict.fromkeys(columns, None) | {"id": -1}])

    def source_options(self, table: str, at: str | None = None, *, endless: bool = False) -> dict[str, str]:
        polled = {"scan.poll.interval": "300 ms"} if endless else {}
        return self.options(table, at) | polled | {"scan.time-start": "1970-01-01 00:00:00"}

    def missing(self, table: str) -> dict[str, str]:
        return self.options(table)

    def read_plainly(self, table: str, count: int) -> None:
        assert len(self.sql(f'SELECT * FROM "{table}" LIMIT {count}')) == count

    def test_a_column_that_is_missing(self, tmp_path: Path) -> None:
        """`check` names it, and one that is meant."""
        table = self.new_table(COLUMNS)
        options = self.source_options(table)
        report = check(ddl(table, {"id": "BIGINT", "nam": "STRING"}, options), table, "source", tmp_path)
        assert not report.ok
        assert "has no column 'nam'" in report.message
        assert "name" in report.message.partition("(")[2]

    def test_a_query(self, tmp_path: Path) -> None:
        """The SELECT of the table's option is asked, with columns by their names."""
        table = self.new_table(COLUMNS)
        self.put(table, COLUMNS, sent(100))
        query = f'SELECT name, COUNT(*) AS n, MIN("__time") AS first FROM "{table}" WHERE name LIKE \'%7\' GROUP BY 1'
        columns = {"n": "BIGINT", "first": "TIMESTAMP(3)", "name": "STRING"}
        options = {"connector": "druid", "url": self.url, "query": query}
        name = f"got-{table}"
        into = ddl("got", columns, {"connector": "memory", "name": name})
        run(f"{ddl('asked', columns, options)}{into}INSERT INTO got SELECT * FROM asked;", tmp_path)
        got = [row for frame in memory.table(name).frames() for row in frame.iter_rows(named=True)]
        memory.drop(name)
        assert sorted(r["name"] for r in got) == sorted(f"name {i}" for i in range(7, 101, 10))
        assert {(r["n"], r["first"]) for r in got if r["name"] == "name 7"} == {
            (1, datetime(1970, 1, 1, 0, 0, 0, 7000))
        }

    def test_time_is_pushed_down(self, tmp_path: Path) -> None:
        """Rows outside of the bounds do not come."""
        table = self.new_table(COLUMNS)
        self.put(table, COLUMNS, sent(2500))
        options = self.options(table) | {
            "scan.time-start": "1970-01-01 00:00:01",
            "scan.time-end": "1970-01-01T00:00:02",
        }
        got = Got(tmp_path)
        into = ddl("got", COLUMNS, got.options)
        run(f"{ddl(table, COLUMNS, options)}{into}INSERT INTO got SELECT * FROM `{table}`;", tmp_path)
        assert_delivered(got.rows(), sent(2500)[999:1999], "exactly-once")


class TestStreaming(Datasources, SinkConformance):
    """Rows by way of a topic."""

    part = "streaming"
    guarantee = "exactly-once"
    keeps_epochs = True  # what Druid can't take for now waits in the topic

    @pytest.fixture(autouse=True)
    def _brokers(self, brokers: str) -> None:
        self.brokers = brokers

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        topic = {"topic": table, "properties.bootstrap.servers": self.brokers}
        return super().options(table, at) | topic | {"supervisor.watch-interval": "200 ms"}

    def make(self, table: str, columns: Mapping[str, str], key: Sequence[str]) -> None:
        """Make the topic; the supervisor makes the rest."""
        admin = AdminClient({"bootstrap.servers": self.brokers})
        admin.create_topics([NewTopic(table, 1)])[table].result(30)

    def caught_up(self, table: str) -> bool:
        status = self.client.get(f"/druid/indexer/v1/supervisor/{table}/status")
        if status.status_code == 404:
            return True  # nobody has made it
        return status.status_code == 200 and status.json()["payload"]["state"] == "RUNNING"

    def settled(self, table: str) -> None:
        """A supervisor needs some seconds until its first task reads."""
        end = time.monotonic() + 20
        while not self.sql(f'SELECT COUNT(*) AS n FROM "{table}"') and time.monotonic() < end:
            time.sleep(1)
        super().settled(table)

    @pytest.fixture(autouse=True)
    def _ended(self, _server: None) -> Iterator[None]:
        """End the supervisors of the test, which would keep all workers busy."""
        yield
        found = self.client.get("/druid/indexer/v1/supervisor")
        for name in found.json() if found.status_code == 200 else ():
            self.client.post(f"/druid/indexer/v1/supervisor/{name}/terminate")

    def write_plainly(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        producer = Producer({"bootstrap.servers": self.brokers})
        for row in rows:
            producer.produce(table, json.dumps(row))
            producer.poll(0)
        producer.flush()

    def test_rows_without_a_time(self, tmp_path: Path) -> None:
        """They go to the dead letters; the others are ingested."""
        _without_a_time(self, tmp_path)


class TestBatch(Datasources, SinkConformance):
    """Rows by tasks."""

    part = "batch"
    guarantee = "exactly-once"
    keeps_epochs = True

    def make(self, table: str, columns: Mapping[str, str], key: Sequence[str]) -> None:
        """Nothing: the first task makes it."""

    def write_plainly(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        self.put(table, COLUMNS, rows)

    def test_rows_without_a_time(self, tmp_path: Path) -> None:
        """They go to the dead letters; the others are ingested."""
        _without_a_time(self, tmp_path)

    def test_a_folder_that_druid_reads(self, tmp_path: Path) -> None:
        """One task for each checkpoint; its files are gone when it is done."""
        table, folder = self.new_table(COLUMNS), tmp_path / "staging"
        run(
            self.from_memory(
                table, COLUMNS, sent(3000), sink__staging_folder=str(folder), sink__task__max_size="20 kb"
            ),
            tmp_path,
        )
        assert_delivered(self.read(table, COLUMNS), sent(3000), "exactly-once")
        tasks = self.sql(f"SELECT task_id FROM sys.tasks WHERE datasource = '{table}'")
        assert all(t["task_id"].startswith("tailrace-") for t in tasks)
        assert list(folder.iterdir()) == []

    def test_rollup(self, tmp_path: Path) -> None:
        """Rows of a minute become one, with what was computed."""
        columns = {"id": "BIGINT", "shop": "STRING", "amount": "DECIMAL(10, 2)"}
        rows = [{"id": i * 1000, "shop": "ab"[i % 2], "amount": Decimal("0.25")} for i in range(120)]
        table = self.new_table(columns)
        more = {"rollup": "true", "query_granularity": "minute", "metrics": "n = count; total = doubleSum(amount)"}
        run(self.from_memory(table, columns, rows, **more), tmp_path)
        self.settled(table)
        got = self.sql(
            f'SELECT shop, SUM("n") AS n, SUM(total) AS total, COUNT(*) AS "rows" FROM "{table}" GROUP BY shop ORDER BY shop'
        )
        assert [(r["shop"], r["n"], r["total"]) for r in got] == [("a", 60, 15.0), ("b", 60, 15.0)]
        assert sum(r["rows"] for r in got) < len(rows)


def _guarded(asked: Asked) -> Said:
    """Answer as a router behind basic authentication."""
    right = "Basic " + base64.b64encode(b"me:right").decode()
    return Said(200, b'{"version": "33"}') if asked.headers.get("authorization") == right else Said(401)


def _without_a_time(of: Any, folder: Path) -> None:
    table, dead = of.new_table(COLUMNS), Got(folder, "dead")
    rows = [r if r["id"] != 7 else {"id": None, "name": "odd"} for r in sent(20)]
    letters = ddl("dead", {"stage": "STRING", "code": "STRING", "reason": "STRING", "payload": "STRING"}, dead.options)
    policy = {"tailrace__on_error": "dead-letter", "tailrace__dead_letter__table": "dead"}
    run(letters + of.from_memory(table, COLUMNS, rows, **policy), folder)
    assert_delivered(of.read(table, COLUMNS), [r for r in rows if r["id"]], "exactly-once")
    assert [(r["stage"], r["code"], '"name":"odd"' in r["payload"]) for r in dead.rows()] == [("sink", "no-time", True)]
