"""Rows that are one value, and formats by name."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from both_ways import one, options

from tailrace.errors import ConfigError, UnsupportedError
from tailrace.formats import raw, registry
from tailrace.formats.base import Rows
from tailrace.schema import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DATE,
    DOUBLE,
    FLOAT,
    INT,
    SMALLINT,
    STRING,
    TINYINT,
    DataType,
    Field,
    Schema,
)

OPTIONS = raw.FORMAT.options

VALUES: list[tuple[DataType, dict[str, str], Any, bytes]] = [
    (STRING, {}, "é", "é".encode()),
    (STRING, {"charset": "ISO-8859-1"}, "é", b"\xe9"),
    (STRING, {}, "", b""),
    (BYTES, {}, b"\x00\xff", b"\x00\xff"),
    (BOOLEAN, {}, True, b"\x01"),
    (TINYINT, {}, -1, b"\xff"),
    (SMALLINT, {}, 258, b"\x01\x02"),
    (INT, {"endianness": "little-endian"}, 1, b"\x01\x00\x00\x00"),
    (BIGINT, {}, -2, b"\xff\xff\xff\xff\xff\xff\xff\xfe"),
    (FLOAT, {}, 0.5, b"\x3f\x00\x00\x00"),
    (DOUBLE, {}, 0.5, b"\x3f\xe0\x00\x00\x00\x00\x00\x00"),
]


@pytest.mark.parametrize(("kind", "given", "value", "data"), VALUES, ids=[repr(v[2]) + repr(v[3]) for v in VALUES])
def test_value(kind: DataType, given: dict[str, str], value: Any, data: bytes) -> None:
    values = options(OPTIONS, given)
    frame = raw.FORMAT.decoder(one(kind), values).decode(Rows.of([data, None])).frame
    assert frame["v"].to_list() == [value, None]
    rows = raw.FORMAT.encoder(one(kind), values).encode(frame)
    assert [rows.row(0), rows.row(1)] == [data, None]


def test_bad_rows() -> None:
    decoded = raw.FORMAT.decoder(one(INT), options(OPTIONS, {})).decode(Rows.of([b"\x00\x00\x00\x01", b"\x01"]))
    assert decoded.frame["v"].to_list() == [1]
    assert [(r.row, r.code, r.reason) for r in decoded.rejects] == [(1, "shape", "1 bytes, where INT has 4")]
    decoded = raw.FORMAT.decoder(one(STRING), options(OPTIONS, {})).decode(Rows.of([b"\xff"]))
    assert decoded.rejects[0].code == "utf-8"


def test_wrong_tables() -> None:
    values = options(OPTIONS, {})
    with pytest.raises(ConfigError, match="has one column, and the table has 2"):
        raw.FORMAT.decoder(Schema((Field("a", INT), Field("b", INT))), values)
    with pytest.raises(UnsupportedError, match="can't carry DATE"):
        raw.FORMAT.decoder(one(DATE), values)
    with pytest.raises(ConfigError, match="character set"):
        options(OPTIONS, {"charset": "nope"})


def test_no_column_asked_for() -> None:
    decoded = raw.FORMAT.decoder(Schema(()), options(OPTIONS, {}), one(STRING)).decode(Rows.of([b"a", b"b"]))
    assert len(decoded.frame) == 2


def test_registry() -> None:
    assert {"json", "csv", "raw"} <= set(registry.names())
    with pytest.raises(ConfigError, match="no format 'jsn'") as caught:
        registry.get("jsn")
    assert "json" in caught.value.hint


def test_encoding_nothing() -> None:
    frame = pl.DataFrame({"v": []}, schema={"v": pl.String})
    assert len(raw.FORMAT.encoder(one(STRING), options(OPTIONS, {})).encode(frame)) == 0
