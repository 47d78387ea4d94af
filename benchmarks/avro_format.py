"""
How fast rows of Avro become columns and columns rows, beside the usual way in Python.

    python benchmarks/avro_format.py [--rows 65536] [--rounds 5]

Rows of about 150 bytes with eight fields, four of which are read. CPU time of one thread; the best of some rounds.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from collections.abc import Callable
from typing import Any

import fastavro
import polars as pl

from tailrace.formats.avro.decoder import AvroDecoder
from tailrace.formats.avro.encoder import AvroEncoder
from tailrace.formats.avro.types import parse
from tailrace.formats.base import Rows
from tailrace.schema import BIGINT, STRING, Field, Schema, decimal, timestamp

PAYMENT = {
    "type": "record",
    "name": "Payment",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "card", "type": "string"},
        {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}},
        {"name": "country", "type": ["null", "string"], "default": None},
        {"name": "ts", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "approved", "type": "boolean"},
        {"name": "note", "type": "string"},
        {"name": "score", "type": "double"},
    ],
}
SCHEMA = Schema(
    (Field("id", BIGINT), Field("card", STRING), Field("amount", decimal(12, 2)), Field("ts", timestamp(3))),
)


def payments(count: int) -> list[dict[str, Any]]:
    """Give the values of rows of about 150 bytes, times and decimals as their plain numbers and bytes."""
    return [
        {
            "id": i,
            "card": f"4000-1234-5678-{i % 10_000:04d}",
            "amount": (i * 37 % 1_000_000).to_bytes(4, "big", signed=True),
            "country": "DE" if i % 3 else None,
            "ts": 1_700_000_000_000 + i,
            "approved": True,
            "note": f"order {i:08d} " + "x" * 80,
            "score": i * 0.37,
        }
        for i in range(count)
    ]


def written(values: list[dict[str, Any]]) -> list[bytes | None]:
    """Let fastavro write rows."""
    schema = fastavro.parse_schema(json.loads(json.dumps(PAYMENT)))
    for field in schema["fields"]:
        if isinstance(field["type"], dict):
            field["type"] = field["type"]["type"]
    out: list[bytes | None] = []
    for value in values:
        buffer = io.BytesIO()
        fastavro.schemaless_writer(buffer, schema, value)
        out.append(buffer.getvalue())
    return out


def by_library(rows: list[bytes | None]) -> pl.DataFrame:
    """Read rows as one does in Python: row by row with fastavro, then a frame."""
    schema = fastavro.parse_schema(PAYMENT)
    read = [fastavro.schemaless_reader(io.BytesIO(row or b""), schema, None) for row in rows]
    return pl.DataFrame({name: [r[name] for r in read] for name in SCHEMA.names})


def best(rounds: int, work: Callable[[], object]) -> float:
    """Give the least CPU seconds that some work took."""
    found = []
    for _ in range(rounds):
        start = time.thread_time()
        work()
        found.append(time.thread_time() - start)
    return min(found)


def main() -> None:
    """Measure and print millions of rows a second."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=65_536)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    values = payments(arguments.rows)
    raw = written(values)
    rows = Rows.of(raw)
    writer = parse(json.dumps(PAYMENT))
    decoder = AvroDecoder(writer, SCHEMA)
    frame = decoder.decode(rows).frame
    narrow = parse(json.dumps(PAYMENT | {"fields": [f for f in PAYMENT["fields"] if f["name"] in SCHEMA.names]}))  # type: ignore[attr-defined]
    encoder = AvroEncoder(SCHEMA, narrow)
    encoder.encode(frame)
    print(f"{arguments.rows} rows of {len(rows.data) // len(rows)} bytes")
    for name, rounds, work in (
        ("decode, whole blocks", arguments.rounds, lambda: decoder.decode(rows)),
        ("encode, whole columns", arguments.rounds, lambda: encoder.encode(frame)),
        ("decode, fastavro and a frame", 1, lambda: by_library(raw)),
        ("encode, fastavro", 1, lambda: written(values)),
    ):
        print(f"{name:30} {arguments.rows / best(rounds, work) / 1e6:8.3f} M rows/s")


if __name__ == "__main__":
    main()
