"""How fast rows become columns and columns rows, in each format beside the usual way in Python, on one thread."""

from __future__ import annotations

import csv
import datetime as dt
import importlib
import io
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from tailrace.errors import ConfigError, TerminalError
from tailrace.formats import registry
from tailrace.formats.base import Decoder, Encoder, Rows
from tailrace.options import OptionText
from tailrace.schema import BIGINT, BOOLEAN, DOUBLE, INT, STRING, Field, Schema, timestamp

WHOLE = Schema(
    (
        Field("id", BIGINT), Field("card", STRING), Field("amount", DOUBLE), Field("country", STRING),
        Field("ts", timestamp(3)), Field("approved", BOOLEAN), Field("note", STRING), Field("tries", INT),
    )
)  # fmt: skip
USED = Schema(tuple(f for f in WHOLE if f.name in ("id", "card", "amount", "ts")))
"""The columns that are read and written; four of eight."""

_PROTO = """
syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
message Payment {
  int64 id = 1; string card = 2; double amount = 3; string country = 4; google.protobuf.Timestamp ts = 5;
  bool approved = 6; string note = 7; int32 tries = 8;
}
"""
_THRIFT = """
struct Payment {
  1: i64 id, 2: string card, 3: double amount, 4: string country, 5: i64 ts, 6: bool approved, 7: string note, 8: i32 tries
}
"""
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001  as the columns have it

Read = Callable[[list[bytes]], Iterable[tuple[Any, ...]]]
"""Gives `id`, `card`, `amount` and `ts` of rows."""
Write = Callable[[Iterable[tuple[Any, ...]]], list[bytes]]


@dataclass(frozen=True, slots=True)
class Way:
    """A usual way in Python: the library's name, and how it reads and writes rows."""

    name: str
    read: Read
    write: Write


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured of a format: rows a second, of one thread's CPU time, the best of some rounds; `bytes` is the mean size."""

    format: str
    way: str
    bytes: float
    read: float
    written: float

    def as_json(self) -> dict[str, object]:
        """Give all figures by name."""
        return asdict(self)


def names() -> tuple[str, ...]:
    """Give the formats that can be measured."""
    return tuple(_WAYS)


def measure(name: str, rows: int, rounds: int) -> list[Figures]:
    """
    Measure a format, then the usual ways with the same rows.

    Raises:
        TerminalError: they do not read the same.
        ConfigError: the format's library is not installed.
    """
    frame = payments(rows, _NOTES[name])
    with _options(name) as (given, way_of):
        made = registry.get(name.partition(" ")[0])
        options = made.options.parse({k: OptionText(v) for k, v in given.items()})
        block = made.encoder(WHOLE, options).encode(frame)
        decoder, encoder = made.decoder(USED, options, WHOLE), made.encoder(USED, options)
        size = float((block.ends - block.starts).mean())
        used = frame.select(USED.names)
        own = _measured(name, "Tailrace", size, _ours(block, decoder, encoder, used), rows, rounds)
        return [own, *(_beside(name, way, block, used, size) for way in way_of())]


_NOTES = {"json": 4, "csv": 76, "avro": 93, "protobuf": 85, "thrift binary": 58, "thrift compact": 93}
"""How long a text is beside the other fields, so that rows have about 150 bytes in each format."""


def payments(count: int, note: int) -> pl.DataFrame:
    """Give so many payments, with a note of about so many characters."""
    number = pl.int_range(count, dtype=pl.Int64, eager=True).alias("id")
    digits = (number % 10_000).cast(pl.String).str.zfill(4)
    return number.to_frame().with_columns(
        card="4000-" + digits,
        amount=(number * 37 % 100_000) / 100,
        country=pl.lit("DE"),
        ts=(1_700_000_000_000 + number * 205).cast(pl.Datetime("ms")),
        approved=pl.lit(value=True),
        note="order " + number.cast(pl.String).str.zfill(8) + " " + "x" * note,
        tries=(number % 100).cast(pl.Int32),
    )


def _ours(
    block: Rows, decoder: Decoder, encoder: Encoder, frame: pl.DataFrame
) -> tuple[Callable[[], Any], Callable[[], Any]]:
    if not decoder.decode(block).frame.equals(frame):
        raise TerminalError("the rows that were read are not those that were written", hint="please report this")
    return lambda: decoder.decode(block), lambda: encoder.encode(frame)


def _beside(name: str, way: Way, block: Rows, frame: pl.DataFrame, size: float) -> Figures:
    """Measure a usual way: rows of bytes to a frame, and rows of a frame to bytes."""
    rows = [row for n in range(len(block)) if (row := block.row(n)) is not None]

    def read() -> pl.DataFrame:
        return pl.DataFrame(list(way.read(rows)), schema=USED.polars, orient="row")

    if not read().equals(frame):
        raise TerminalError(f"'{way.name}' reads other rows than were written", hint="please report this")
    return _measured(name, way.name, size, (read, lambda: way.write(frame.iter_rows())), len(rows), 2)


def _measured(
    name: str, way: str, size: float, work: tuple[Callable[[], Any], Callable[[], Any]], rows: int, rounds: int
) -> Figures:
    read, written = (rows / min(_seconds(one) for _ in range(rounds)) for one in work)
    return Figures(name, way, round(size, 1), read, written)


def _seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _load(name: str, extra: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ConfigError(f"to measure this needs '{error.name}'", hint=f"pip install 'tailrace[{extra}]'") from None


Prepared = tuple[dict[str, str], Callable[[], list[Way]]]


@contextmanager
def _options(name: str) -> Iterator[Prepared]:
    """Give the options of a format, and its usual ways; files that they name are there meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        yield _WAYS[name](Path(folder))


def _parsed_time(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def _json(folder: Path) -> Prepared:
    del folder

    class Payment(msgspec.Struct):
        id: int
        card: str
        amount: float
        ts: dt.datetime

    read_one, write_one = msgspec.json.Decoder(Payment).decode, msgspec.json.Encoder().encode

    def read(rows: list[bytes]) -> Iterator[tuple[Any, ...]]:
        for row in rows:
            made = json.loads(row)
            yield made["id"], made["card"], made["amount"], _parsed_time(made["ts"])

    def write(rows: Iterable[tuple[Any, ...]]) -> list[bytes]:
        return [
            json.dumps({"id": i, "card": c, "amount": a, "ts": t.isoformat(" ", "milliseconds")}).encode()
            for i, c, a, t in rows
        ]

    def typed(rows: list[bytes]) -> Iterator[tuple[Any, ...]]:
        for row in rows:
            made = read_one(row)
            yield made.id, made.card, made.amount, made.ts

    def structs(rows: Iterable[tuple[Any, ...]]) -> list[bytes]:
        return [write_one(Payment(*row)) for row in rows]

    return {}, lambda: [Way("json", read, write), Way("msgspec", typed, structs)]


def _csv(folder: Path) -> Prepared:
    del folder

    def read(rows: list[bytes]) -> Iterator[tuple[Any, ...]]:
        for row in csv.reader(io.StringIO(b"\n".join(rows).decode())):
            yield int(row[0]), row[1], float(row[2]), _parsed_time(row[4])

    def write(rows: Iterable[tuple[Any, ...]]) -> list[bytes]:
        out = io.StringIO()
        csv.writer(out).writerows((i, c, a, t.isoformat(" ", "milliseconds")) for i, c, a, t in rows)
        return out.getvalue().encode().splitlines()

    return {}, lambda: [Way("csv", read, write)]


def _avro(folder: Path) -> Prepared:
    del folder

    def ways() -> list[Way]:
        fastavro = _load("fastavro", "avro")
        deriving = importlib.import_module("tailrace.formats.avro.deriving")
        whole, used = (fastavro.parse_schema(json.loads(deriving.derived(s, legacy=True))) for s in (WHOLE, USED))

        def read(rows: list[bytes]) -> Iterator[tuple[Any, ...]]:
            for row in rows:
                made = fastavro.schemaless_reader(io.BytesIO(row), whole, None)
                yield made["id"], made["card"], made["amount"], made["ts"].replace(tzinfo=None)

        def write(rows: Iterable[tuple[Any, ...]]) -> list[bytes]:
            out = []
            for i, c, a, t in rows:
                buffer = io.BytesIO()
                made = {"id": i, "card": c, "amount": a, "ts": t.replace(tzinfo=dt.UTC)}
                fastavro.schemaless_writer(buffer, used, made)
                out.append(buffer.getvalue())
            return out

        return [Way("fastavro", read, write)]

    return {}, ways


def _protobuf(folder: Path) -> Prepared:
    path = folder / "payment.proto"
    path.write_text(_PROTO)
    given = {"proto-file": str(path)}

    def ways() -> list[Way]:
        factory = _load("google.protobuf.message_factory", "protobuf")
        descriptors = importlib.import_module("tailrace.formats.protobuf.descriptors")
        kind = factory.GetMessageClass(descriptors.message_of_file(path, "shop.Payment", None))

        def read(rows: list[bytes]) -> Iterator[tuple[Any, ...]]:
            for row in rows:
                made = kind.FromString(row)
                yield made.id, made.card, made.amount, made.ts.ToDatetime()

        def write(rows: Iterable[tuple[Any, ...]]) -> list[bytes]:
            out = []
            for i, c, a, t in rows:
                made = kind(id=i, card=c, amount=a)
                made.ts.FromDatetime(t)
                out.append(made.SerializeToString())
            return out

        return [Way("protobuf", read, write)]

    return given, ways


def _thrift(protocol: str) -> Callable[[Path], Prepared]:
    def prepared(folder: Path) -> Prepared:
        path = folder / "payment.thrift"
        path.write_text(_THRIFT)

        def ways() -> list[Way]:
            library = _load("thriftpy2", "thrift")
            kind = library.load(str(path), module_name="payment_thrift").Payment
            module = importlib.import_module(f"thriftpy2.protocol.{'cybin' if protocol == 'binary' else 'compact'}")
            factory = getattr(module, "TCyBinaryProtocolFactory" if protocol == "binary" else "TCompactProtocolFactory")
            utils = importlib.import_module("thriftpy2.utils")

            def read(rows: list[bytes]) -> Iterator[tuple[Any, ...]]:
                for row in rows:
                    made = utils.deserialize(kind(), row, factory())
                    yield made.id, made.card, made.amount, _EPOCH + dt.timedelta(milliseconds=made.ts)

            def write(rows: Iterable[tuple[Any, ...]]) -> list[bytes]:
                one = dt.timedelta(milliseconds=1)
                made = (kind(id=i, card=c, amount=a, ts=(t - _EPOCH) // one) for i, c, a, t in rows)
                return [utils.serialize(m, factory()) for m in made]

            return [Way("thriftpy2", read, write)]

        return {"thrift-file": str(path), "protocol": protocol}, ways

    return prepared


_WAYS: dict[str, Callable[[Path], Prepared]] = {
    "json": _json,
    "csv": _csv,
    "avro": _avro,
    "protobuf": _protobuf,
    "thrift binary": _thrift("binary"),
    "thrift compact": _thrift("compact"),
}
