"""
How fast messages of Protobuf become columns and columns messages, beside the usual ways in Python.

    python benchmarks/protobuf_format.py [--rows 65536] [--rounds 5]

Messages of about 150 bytes with eight fields, four of which are read. CPU time of one thread; the best of some rounds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
from google.protobuf import message_factory

from tailrace.formats.base import Rows
from tailrace.formats.protobuf import OPTIONS
from tailrace.formats.protobuf.decoder import ProtobufDecoder
from tailrace.formats.protobuf.descriptors import message_of
from tailrace.formats.protobuf.encoder import ProtobufEncoder
from tailrace.options import OptionText, Values
from tailrace.schema import BIGINT, DOUBLE, STRING, Field, Schema, timestamp

PROTO = """
syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
message Payment {
  int64 id = 1;
  string card = 2;
  double amount = 3;
  string country = 4;
  google.protobuf.Timestamp ts = 5;
  bool approved = 6;
  string note = 7;
  int32 tries = 8;
}
"""
SCHEMA = Schema(
    (Field("id", BIGINT), Field("card", STRING), Field("amount", DOUBLE), Field("ts", timestamp(3))),
)


def described() -> tuple[Any, Values]:
    """Give the descriptor of the message, and the options that name it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "payments.proto")
        path.write_text(PROTO)
        options = OPTIONS.parse({"proto-file": OptionText(str(path))})
        return message_of(options), options


def messages(kind: Any, count: int) -> list[bytes | None]:
    """Give messages of about 150 bytes."""
    made: list[bytes | None] = []
    for i in range(count):
        message = kind(id=i, card=f"4000-1234-5678-{i % 10_000:04d}", amount=i * 0.37, country="DE", approved=True)
        message.note, message.tries = f"order {i:08d} " + "x" * 80, i % 100
        message.ts.seconds, message.ts.nanos = 1_700_000_000 + i, 5_000_000 * (i % 200)
        made.append(message.SerializeToString())
    return made


def by_library(kind: Any, rows: list[bytes | None]) -> pl.DataFrame:
    """Read messages as one does in Python: parse, take the fields, make a frame."""
    ids, cards, amounts, times = [], [], [], []
    for row in rows:
        message = kind.FromString(row)
        ids.append(message.id)
        cards.append(message.card)
        amounts.append(message.amount)
        times.append(message.ts.ToDatetime())
    return pl.DataFrame({"id": ids, "card": cards, "amount": amounts, "ts": times})


def written_by_library(kind: Any, frame: pl.DataFrame) -> list[bytes]:
    """Write messages as one does in Python."""
    out = []
    for number, card, amount, time_of in frame.iter_rows():
        message = kind(id=number, card=card, amount=amount)
        message.ts.FromDatetime(time_of)
        out.append(message.SerializeToString())
    return out


def measure(what: str, count: int, rounds: int, work: Callable[[], object]) -> None:
    """Print one line."""
    work()
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    print(f"{what:<34} {count / best:>12,.0f} rows/s")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=65_536)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    message, options = described()
    kind = message_factory.GetMessageClass(message)
    rows = messages(kind, given.rows)
    print(f"{given.rows} messages of {sum(len(r or b'') for r in rows) / len(rows):.0f} bytes, 4 of 8 fields")
    block = Rows.of(rows)
    decoder, plain = (ProtobufDecoder(message, SCHEMA, options, fast=fast) for fast in (True, False))
    frame = decoder.decode(block).frame
    assert frame.equals(plain.decode(block).frame)
    measure("decode", given.rows, given.rounds, lambda: decoder.decode(block))
    measure("decode, row by row", given.rows, 1, lambda: plain.decode(block))
    measure("protobuf, fields into a frame", given.rows, 1, lambda: by_library(kind, rows))
    encoder, by_row = (ProtobufEncoder(message, SCHEMA, options, fast=fast) for fast in (True, False))
    assert encoder.encode(frame).row(7) == by_row.encode(frame).row(7)
    measure("encode", given.rows, given.rounds, lambda: encoder.encode(frame))
    measure("encode, row by row", given.rows, 1, lambda: by_row.encode(frame))
    measure("protobuf, rows of a frame", given.rows, 1, lambda: written_by_library(kind, frame))


if __name__ == "__main__":
    main()
