"""Tables of HBase through the conformance suites."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest

pytest.importorskip("happybase", reason="HBase: the extra tailrace[hbase] is not installed")

import happybase
from server_kit import Recipe, free_ports, running

from tailrace.connectors import memory
from tailrace.testing.connectors import Got, LookupConformance, SinkConformance, SourceConformance, System
from tailrace.testing.connectors.system import ddl
from tailrace.testing.connectors.trials import run

pytestmark = [pytest.mark.integration, pytest.mark.slow]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NUMBERS = {"TINYINT": ">b", "SMALLINT": ">h", "INT": ">i", "BIGINT": ">q", "FLOAT": ">f", "DOUBLE": ">d"}


@pytest.fixture(scope="module")
def hbase(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Recipe, str]]:
    """Give a server of the module's own, and the address of its Thrift server."""
    folder = tmp_path_factory.mktemp("hbase")
    with running("hbase", folder, {"HBASE_PORT": str(free_ports(2))}) as given:
        yield given


class Tables(System):
    """A table for each table, with one family."""

    connector = "hbase"
    title = "Apache HBase"
    remote = keyed = True
    many = 4000
    refused_types = ("TIMESTAMP(6)", "ARRAY<INT>", "ARRAY<STRING>", "MAP<STRING, INT>")

    @pytest.fixture(autouse=True)
    def _server(self, hbase: tuple[Recipe, str]) -> Iterator[None]:
        self.recipe, self.at = hbase
        self.client = self._connect()
        yield
        self.client.close()

    def _connect(self) -> Any:
        host, _, port = self.at.partition(":")
        return happybase.Connection(host, int(port), timeout=60_000)

    def options(self, table: str, at: str | None = None) -> dict[str, str]:
        given = {"connector": "hbase", "thrift-address": at or self.at, "table-name": table}
        return given | {"request-timeout": "5 s"}

    def make(self, table: str, columns: Mapping[str, str], key: Sequence[str]) -> None:
        families: dict[str, dict[str, Any]] = {n: {} for n, t in columns.items() if t.startswith("ROW")}
        self.client.create_table(table, {"cf": {}, **families})

    def put(self, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        with self.client.table(table).batch(batch_size=1000) as batch:
            for row in rows:
                cells = {b"cf:_": b""}
                for name, type_ in columns.items():
                    if name != "id" and row[name] is not None:
                        cells |= _cells(name, type_, row[name])
                batch.put(struct.pack(">q", row["id"]), cells)

    def read(self, table: str, columns: Mapping[str, str]) -> list[dict[str, Any]]:
        (key, *_) = columns
        found = []
        for row, cells in self.client.table(table).scan():
            values = {n: _value(n, t, cells) for n, t in columns.items() if n != key}
            found.append({key: struct.unpack(">q", row)[0], **values})
        return found

    def address(self) -> str:
        return self.at

    def missing(self, table: str) -> dict[str, str]:
        return self.options(table)

    def version(self) -> str:
        return "2.6.1"


def _cells(name: str, type_: str, value: Any) -> dict[bytes, bytes]:
    if type_.startswith("ROW"):
        return {f"{name}:a".encode(): struct.pack(">i", value["a"]), f"{name}:b".encode(): value["b"].encode()}
    return {f"cf:{name}".encode(): _bytes(type_.partition("(")[0], value)}


def _bytes(kind: str, value: Any) -> bytes:
    if kind in NUMBERS:
        return struct.pack(NUMBERS[kind], value)
    if kind == "DECIMAL":
        number = int(value.scaleb(scale := -value.as_tuple().exponent))
        return struct.pack(">i", scale) + number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)
    if isinstance(value, bool):
        return b"\xff" if value else b"\0"
    if isinstance(value, datetime):
        return struct.pack(">q", (value.replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1))
    if isinstance(value, date):
        return struct.pack(">i", (value - EPOCH.date()).days)
    if isinstance(value, clock):
        of_day = timedelta(hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond)
        return struct.pack(">i", of_day // timedelta(milliseconds=1))
    return value.encode() if isinstance(value, str) else bytes(value)


def _value(name: str, type_: str, cells: Mapping[bytes, bytes]) -> Any:
    if type_.startswith("ROW"):
        a, b = cells.get(f"{name}:a".encode()), cells.get(f"{name}:b".encode())
        return None if a is None or b is None else {"a": struct.unpack(">i", a)[0], "b": b.decode()}
    data = cells.get(f"cf:{name}".encode())
    return None if data is None else _read(type_.partition("(")[0], data)


def _read(kind: str, data: bytes) -> Any:
    if kind in NUMBERS:
        return struct.unpack(NUMBERS[kind], data)[0]
    if kind == "DECIMAL":
        return Decimal(int.from_bytes(data[4:], "big", signed=True)).scaleb(-struct.unpack(">i", data[:4])[0])
    if kind == "BOOLEAN":
        return data != b"\0"
    if kind.startswith("TIMESTAMP"):
        moment = EPOCH + timedelta(milliseconds=struct.unpack(">q", data)[0])
        return moment if kind.endswith("LTZ") else moment.replace(tzinfo=None)
    if kind == "DATE":
        return EPOCH.date() + timedelta(days=struct.unpack(">i", data)[0])
    if kind == "TIME":
        return (EPOCH + timedelta(milliseconds=struct.unpack(">i", data)[0])).time()
    return data.decode() if kind == "STRING" else data


class TestSource(Tables, SourceConformance):
    """A table is read once."""

    part = "scan"
    small: ClassVar = {"scan.fetch-size": "500"}

    def read_plainly(self, table: str, count: int) -> None:
        assert sum(1 for _ in self.client.table(table).scan(limit=count)) == count


class TestSink(Tables, SinkConformance):
    """Rows by their key."""

    guarantee = "effectively-once"
    upserts = True

    def make_refusing(self, table: str) -> dict[str, Any]:
        self.make(table, {}, ())
        return {"name": "x" * 11_000_000}

    def kill(self) -> None:
        self.recipe.stop()  # on a local disk it keeps what it has confirmed only when it ends in good order

    def start(self) -> None:
        self.recipe.start()
        self.client = self._connect()

    def write_plainly(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        writing = self.client.table(table)
        for row in rows:
            writing.put(struct.pack(">q", row["id"]), {b"cf:name": row["name"].encode()})

    def test_older_rows_change_nothing(self, tmp_path: Path) -> None:
        """With the time of the event as the version, a replay and a second pipeline with older rows are harmless."""
        columns = {"id": "BIGINT", "name": "STRING", "seen": "TIMESTAMP(3)"}
        table = self.new_table(columns)
        for minute, name in ((5, "new"), (3, "old"), (5, "new")):
            row = {"id": 1, "name": name, "seen": datetime(2026, 1, 1, 0, minute)}
            run(self.from_memory(table, columns, [row], write_timestamp_column="seen"), tmp_path / f"{name}{minute}")
            memory.drop(f"given-{table}")
        assert [r["name"] for r in self.read(table, columns)] == ["new"]

    def test_a_row_key_of_several_columns(self, tmp_path: Path) -> None:
        """Their texts with a delimiter, which is escaped within a value; a scan takes them apart again."""
        columns = {"shop": "STRING", "day": "DATE", "n": "INT"}
        rows = [{"shop": "a:b", "day": date(2026, 1, 2), "n": 7}, {"shop": "", "day": date(1969, 1, 1), "n": None}]
        table = self.new_table(columns)
        source = self.from_memory(table, columns, rows).replace("PRIMARY KEY (`id`)", "PRIMARY KEY (`shop`, `day`)")
        run(source, tmp_path)
        assert sorted(key for key, _ in self.client.table(table).scan()) == [b":1969-01-01", b"a\\:b:2026-01-02"]
        into = ddl("got", columns, Got(tmp_path).options)
        scan = ddl(table, columns, self.options(table), ("shop", "day"))
        run(f"{scan}\n{into}\nINSERT INTO got SELECT * FROM `{table}`;", tmp_path / "scan")
        got = [(r["shop"], r["day"], r["n"]) for r in Got(tmp_path).rows()]
        assert sorted(got) == [("", "1969-01-01", None), ("a:b", "2026-01-02", 7)]

    def test_a_table_that_is_made(self, tmp_path: Path) -> None:
        """With its families; a ROW is one."""
        table = f"made{time.monotonic_ns()}"
        columns = {"id": "BIGINT", "name": "STRING", "more": "ROW<a INT, b STRING>"}
        rows = [{"id": 1, "name": "a", "more": {"a": 1, "b": "x"}}]
        run(self.from_memory(table, columns, rows, tailrace__create_table="true"), tmp_path)
        assert set(self.client.table(table).families()) == {b"cf", b"more"}
        assert self.read(table, columns) == rows


class TestLookup(Tables, LookupConformance):
    """Rows by their whole key."""

    def look_up_plainly(self, table: str, ids: Sequence[int]) -> None:
        reading = self.client.table(table)
        for i in ids:
            assert reading.row(struct.pack(">q", i))
