"""Structs of generated types, read and written in blocks, against the library."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from both_ways import options, same
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from thrift_structs import Generated, as_given, structs

from tailrace.formats.base import Decoded, Rows
from tailrace.formats.thrift import OPTIONS
from tailrace.formats.thrift.decoder import ThriftDecoder
from tailrace.formats.thrift.encoder import ThriftEncoder
from tailrace.formats.thrift.program import Program
from tailrace.schema import Schema

many = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
protocols = pytest.mark.parametrize("protocol", ["binary", "compact"])


def frame_of(case: Generated, schema: Schema) -> pl.DataFrame:
    """Give the rows of a case as columns."""
    return pl.DataFrame(
        [pl.Series(f.name, [as_given(r[f.name], f.type) for r in case.rows], dtype=f.type.polars) for f in schema]
    )


def encoders(case: Generated, protocol: str) -> tuple[ThriftEncoder, ThriftEncoder]:
    values = options(OPTIONS, {"protocol": protocol})
    fast, slow = (ThriftEncoder(case.struct, case.known, case.whole, values, fast=f) for f in (True, False))
    return fast, slow


def both(case: Generated, rows: list[bytes | None], protocol: str) -> Decoded:
    """Read rows in a block and by the library, and insist that both give the same."""
    values = options(OPTIONS, {"protocol": protocol})
    fast, slow = (
        ThriftDecoder(case.struct, case.known, case.schema, values, fast=f).decode(Rows.of(rows)) for f in (True, False)
    )
    return same(fast, slow)


def list_of(rows: Rows) -> list[bytes | None]:
    return [rows.row(n) for n in range(len(rows))]


@protocols
@many
@given(case=structs())
def test_what_the_library_writes_is_read(protocol: str, case: Generated) -> None:
    written = encoders(case, protocol)[1].encode(frame_of(case, case.whole))
    decoder = ThriftDecoder(case.struct, case.known, case.schema, options(OPTIONS, {"protocol": protocol}))
    assert not decoder._block(written)[1].any()  # the kernel has read them all
    decoded = both(case, list_of(written), protocol)
    assert decoded.frame.to_dicts() == frame_of(case, case.schema).to_dicts()
    assert decoded.rejects == []


@protocols
@many
@given(case=structs())
def test_what_is_written_is_what_the_library_writes(protocol: str, case: Generated) -> None:
    fast, slow = encoders(case, protocol)
    frame = frame_of(case, case.whole)
    rows = Program().run(fast._fields, frame, compact=protocol == "compact")
    assert list_of(rows) == list_of(slow.encode(frame))


@protocols
@many
@given(case=structs(rows=2), data=st.data())
def test_changed_bytes_never_part_the_two_ways(protocol: str, case: Generated, data: st.DataObject) -> None:
    written: Any = list_of(encoders(case, protocol)[0].encode(frame_of(case, case.whole)))
    whole: bytes = written[0]
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    twice = whole[:-1] + written[-1]
    both(case, [whole, bytes(changed), cut, twice, whole + b"\0", data.draw(st.binary(max_size=30)), whole], protocol)
