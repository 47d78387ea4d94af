"""Messages of generated types, read and written, against the library."""

from __future__ import annotations

from typing import Any

import polars as pl
from google.protobuf import message_factory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from protobuf_messages import Generated, messages, plain, plain_rows

from tailrace.formats import protobuf
from tailrace.formats.base import Decoded, Rows
from tailrace.formats.protobuf.decoder import ProtobufDecoder
from tailrace.formats.protobuf.encoder import ProtobufEncoder
from tailrace.formats.protobuf.program import Program
from tailrace.options import OptionText

many = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def options(**given: str) -> Any:
    return protobuf.OPTIONS.parse({key.replace("_", "-"): OptionText(text) for key, text in given.items()})


def both(case: Generated, rows: list[bytes | None], **given: str) -> Decoded:
    """Read rows in a block and by the library, and insist that both give the same."""
    values = options(**given)
    fast, slow = (
        ProtobufDecoder(case.message, case.schema, values, fast=f).decode(Rows.of(rows)) for f in (True, False)
    )
    assert plain_rows(fast.frame, case.schema) == plain_rows(slow.frame, case.schema)
    assert fast.frame.schema == slow.frame.schema == case.schema.polars
    assert fast.rejects == slow.rejects
    assert (fast.kept is None) is (slow.kept is None)
    assert fast.kept is None or list(fast.kept) == list(slow.kept if slow.kept is not None else [])
    return fast


@many
@given(messages())
def test_what_the_library_writes_is_read(case: Generated) -> None:
    decoded = both(case, [case.bytes_of(values) for values in case.rows])
    slow = ProtobufDecoder(case.message, case.schema, options())._block(
        Rows.of([case.bytes_of(values) for values in case.rows])
    )[1]
    assert not slow.any()  # the kernel has read them all
    expected = [[plain(values[f.name], f.type) for f in case.schema] for values in case.rows]
    assert plain_rows(decoded.frame, case.schema) == expected
    assert decoded.rejects == []


@many
@given(messages())
def test_what_is_written_the_library_reads(case: Generated) -> None:
    columns = [
        pl.Series(f.name, [_given(values[f.name], f.type) for values in case.rows], dtype=f.type.polars)
        for f in case.schema
    ]
    frame = pl.DataFrame(columns)
    fast, slow = (ProtobufEncoder(case.message, case.schema, options(), fast=f) for f in (True, False))
    assert fast._fast
    rows, others = Program("").run(fast._fields, frame), slow.encode(frame)
    kind = message_factory.GetMessageClass(case.message)
    for number, values in enumerate(case.rows):
        asked = {s.name: values[s.name] if s.name in case.schema else None for s in case.specs}
        expected = kind.FromString(case.bytes_of(asked))
        assert kind.FromString(rows.row(number)) == expected
        assert kind.FromString(others.row(number)) == expected


@many
@given(messages(rows=2), st.data())
def test_changed_bytes_never_part_the_two_ways(case: Generated, data: st.DataObject) -> None:
    whole = case.bytes_of(case.rows[0])
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4)) if whole else 0):
        changed[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    twice = whole + case.bytes_of(case.rows[-1])
    defaults = data.draw(st.sampled_from(["true", "false"]))
    both(
        case,
        [whole, bytes(changed), cut, twice, data.draw(st.binary(max_size=30)), whole],
        read_default_values=defaults,
    )


def _given(value: Any, kind: Any) -> Any:
    """Give a generated value as Polars takes it."""
    if value is None:
        return None
    if kind.kind.value == "MAP":
        return [{"key": k, "value": v} for k, v in value.items()]
    if kind.kind.value == "ARRAY":
        return [_given(v, kind.children[0]) for v in value]
    if kind.kind.value == "ROW":
        return {n: _given(value[n], c) for n, c in zip(kind.names, kind.children, strict=True)}
    return value
