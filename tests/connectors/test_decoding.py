"""From a block to the columns of a scan."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
from connector_kit import table

from tailrace.connectors.base import Block
from tailrace.connectors.decoding import BlockDecoder
from tailrace.formats.base import Reject, Rows
from tailrace.plan.catalog import MetadataColumn
from tailrace.schema import BIGINT, DOUBLE, INT, STRING, Field, Schema, row, timestamp_ltz

COLUMNS = {"id": BIGINT, "name": STRING}
FILE = {"path": "x", "format": "json"}
KEYED = {
    "path": "x",
    "value.format": "json",
    "key.format": "json",
    "key.fields": "k_id",
    "key.fields-prefix": "k_",
    "value.fields-include": "EXCEPT_KEY",
}


def block(*rows: bytes | None, **more: object) -> Block:
    """Make a block of rows of bytes."""
    return Block("p", Rows.of(list(rows)), 0, **more)  # type: ignore[arg-type]


def test_bytes_become_the_asked_columns_in_order() -> None:
    """Only the columns of the scan are given, in its order."""
    of = table("filesystem", COLUMNS, FILE)
    decoded = BlockDecoder(of.schema.select(("name", "id")), of).decode(block(b'{"id": 1, "name": "a"}'))

    assert decoded.frame.rows() == [("a", 1)]
    assert decoded.kept is None


def test_rows_have_the_asked_fields() -> None:
    """A ROW has only the fields that the scan asks for, from bytes and from columns; a NULL stays one."""
    whole, asked = row({"a": INT, "b": STRING, "c": BIGINT}), row({"c": BIGINT, "a": INT})
    scan = Schema((Field("r", asked),))
    lines = block(b'{"r": {"a": 1, "b": "x", "c": 2}}', b'{"r": null}', b'{"r": {"c": 3}}')
    columns = pl.DataFrame({"r": [{"a": 1, "b": "x", "c": 2}, None, {"a": None, "b": None, "c": 3}]})
    from_bytes = BlockDecoder(scan, table("filesystem", {"r": whole}, FILE)).decode(lines)
    from_columns = BlockDecoder(scan, table("memory", {"r": whole})).decode(Block("p", columns, 0))

    assert from_bytes.frame.schema == from_columns.frame.schema == scan.polars
    assert (
        from_bytes.frame.rows() == from_columns.frame.rows() == [({"c": 2, "a": 1},), (None,), ({"c": 3, "a": None},)]
    )
    assert not from_bytes.rejects
    assert not from_columns.rejects


def test_a_bad_row_costs_nobody_else() -> None:
    """A row that can't be read is a reject by its number; the others go on, and say which they are."""
    of = table("filesystem", COLUMNS, FILE)
    decoded = BlockDecoder(of.schema, of).decode(block(b'{"id": 1}', b"{", b'{"id": 3}'))

    assert decoded.frame["id"].to_list() == [1, 3]
    assert decoded.kept is not None
    assert decoded.kept.tolist() == [0, 2]
    assert [r.row for r in decoded.rejects] == [1]


def test_rows_that_the_source_rejected_are_not_decoded() -> None:
    """The source's own rejects come first and only once; numbers of the format's count the whole block."""
    of = table("filesystem", COLUMNS, FILE)
    given = block(b"x" * 10, b'{"id": 2}', b"{", rejects=(Reject(0, "too-long", "too long"),))
    decoded = BlockDecoder(of.schema, of).decode(given)

    assert decoded.frame["id"].to_list() == [2]
    assert [(r.row, r.code == "too-long") for r in decoded.rejects] == [(0, True), (2, False)]


def test_columns_of_the_key() -> None:
    """Columns of the key come from the key, without their prefix; a row without a key has NULL."""
    of = table("filesystem", {"k_id": BIGINT, "name": STRING}, KEYED)
    keys = Rows.of([b'{"id": 7}', None, b"{"])
    given = block(b'{"name": "a"}', b'{"name": "b"}', b'{"name": "c"}', keys=keys)
    decoded = BlockDecoder(of.schema, of).decode(given)

    assert decoded.frame.rows() == [(7, "a"), (None, "b")]
    assert [(r.row, r.reason.startswith("key: ")) for r in decoded.rejects] == [(2, True)]


def test_bad_values_and_bad_keys_together() -> None:
    """Rows whose value and rows whose key is bad are both left out, and columns stay beside their own rows."""
    of = table("filesystem", {"k_id": BIGINT, "name": STRING}, KEYED)
    keys = Rows.of([b"{", b'{"id": 2}', None, b'{"id": 4}'])
    given = block(b'{"name": "a"}', b"{", b'{"name": "c"}', b'{"name": "d"}', keys=keys)
    decoded = BlockDecoder(of.schema, of).decode(given)

    assert decoded.frame.rows() == [(None, "c"), (4, "d")]
    assert [r.row for r in decoded.rejects] == [0, 1]
    assert decoded.kept is not None
    assert decoded.kept.tolist() == [2, 3]


def test_metadata_columns_are_cast_to_their_declared_type() -> None:
    """A metadata column has the name and type of its declaration; rows stay aligned when some are bad."""
    metadata = [MetadataColumn("at", timestamp_ltz(6), "file.modification-time"), MetadataColumn("n", INT, "file.size")]
    of = table("filesystem", {"id": BIGINT}, FILE, metadata=metadata)
    times = pl.Series("file.modification-time", [0, 1000, 2000]).cast(pl.Datetime("ms", "UTC"))
    given = pl.DataFrame([times, pl.Series("file.size", [10, 20, 30])])
    decoded = BlockDecoder(of.schema, of).decode(block(b'{"id": 1}', b"{", b'{"id": 3}', metadata=given))

    assert decoded.frame.schema == of.schema.polars
    assert decoded.frame.rows() == [
        (1, datetime(1970, 1, 1, tzinfo=UTC), 10),
        (3, datetime(1970, 1, 1, 0, 0, 2, tzinfo=UTC), 30),
    ]


def test_columns_of_partitions_come_beside_the_bytes() -> None:
    """A column of PARTITIONED BY is in a folder's name, not in the row."""
    of = table("filesystem", {"id": BIGINT, "day": STRING}, FILE, partitioned_by=("day",))
    given = block(b'{"id": 1, "day": "wrong"}', metadata=pl.DataFrame({"day": ["monday"]}))

    assert BlockDecoder(of.schema, of).decode(given).frame.rows() == [(1, "monday")]


def test_columns_of_a_columnar_source_are_cast() -> None:
    """Values that do not fit the declared type are rejects; the others are cast."""
    of = table("memory", {"id": INT, "x": DOUBLE})
    values = pl.DataFrame({"x": [1, 2, 3], "id": [1, 1 << 40, None]})
    decoded = BlockDecoder(of.schema, of).decode(Block("p", values, 3, np.arange(3)))

    assert decoded.frame.schema == of.schema.polars
    assert decoded.frame.rows() == [(1, 1.0), (None, 3.0)]
    assert [(r.row, "INT" in r.reason) for r in decoded.rejects] == [(1, True)]


def test_a_scan_without_columns_keeps_the_number_of_rows() -> None:
    """COUNT(*) alone asks for no column, but for the rows."""
    of = table("memory", {"id": INT})
    decoded = BlockDecoder(Schema(()), of).decode(Block("p", pl.DataFrame(height=5), 5))

    assert decoded.frame.shape == (5, 0)


def test_an_empty_block() -> None:
    """No rows give an empty frame of the right types."""
    of = table("memory", {"id": INT})
    decoded = BlockDecoder(Schema((Field("id", INT),)), of).decode(Block("p", pl.DataFrame(schema={"id": pl.Int32}), 0))

    assert decoded.frame.shape == (0, 1)
