"""Messages of Protobuf as rows: presence and defaults, Google's own types, hostile bytes, and where the message is named."""

from __future__ import annotations

import datetime as dt
import importlib.util
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from both_ways import options, same
from google.protobuf import message_factory

from tailrace.errors import ConfigError, DataError
from tailrace.formats import registry
from tailrace.formats.base import Decoded, Rows
from tailrace.formats.protobuf import OPTIONS
from tailrace.formats.protobuf.decoder import ProtobufDecoder
from tailrace.formats.protobuf.descriptors import java_class, message_of
from tailrace.formats.protobuf.encoder import ProtobufEncoder
from tailrace.formats.protobuf.shapes import schema_of
from tailrace.schema import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DOUBLE,
    FLOAT,
    INT,
    INTERVAL_SECOND,
    SMALLINT,
    STRING,
    DataType,
    Field,
    Schema,
    array,
    decimal,
    map_type,
    row,
    timestamp,
    timestamp_ltz,
)

PROTO3 = """
syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/wrappers.proto";
option java_package = "com.example";
enum Colour { NONE = 0; RED = 1; DARK_RED = 5; }
message Item { string sku = 1; int32 count = 2; Item part = 3; }
message Order {
  int64 id = 1;
  string name = 2;
  optional int32 n = 3;
  Colour colour = 4;
  Item item = 5;
  repeated int32 xs = 6;
  repeated Item items = 7;
  map<string, int64> counts = 8;
  oneof pay { string card = 9; int64 cash = 10; Item goods = 11; }
  google.protobuf.Timestamp ts = 12;
  google.protobuf.Duration took = 13;
  google.protobuf.Int32Value wrapped = 14;
  uint64 big = 15;
  repeated google.protobuf.Timestamp times = 16;
  repeated string words = 17;
  map<int32, Item> parts = 18;
  message Inner { bool yes = 1; }
  Inner inner = 2000;
  google.protobuf.StringValue text = 20;
}
"""
PROTO2 = """
syntax = "proto2";
package old;
enum Colour { RED = 1; GREEN = 2; }
enum Size { SMALL = 0; LARGE = 2; }
message Old {
  required int64 id = 1;
  optional string name = 2 [default = "nobody"];
  optional Colour colour = 3 [default = GREEN];
  repeated Colour colours = 4;
  optional group Box = 5 { optional int32 v = 1; }
  optional double x = 6 [default = -1.5];
  map<string, Size> by_size = 7;
}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the files."""
    path = tmp_path_factory.mktemp("protos")
    (path / "shop_orders.proto").write_text(PROTO3)
    (path / "old.proto").write_text(PROTO2)
    return path


@pytest.fixture(scope="module")
def order(folder: Path) -> Any:
    given = {"proto-file": str(folder / "shop_orders.proto"), "message-name": "shop.Order"}
    return message_of(options(OPTIONS, given))


@pytest.fixture(scope="module")
def old(folder: Path) -> Any:
    return message_of(options(OPTIONS, {"proto-file": str(folder / "old.proto")}))


def schema(**columns: DataType) -> Schema:
    return Schema(tuple(Field(n, t) for n, t in columns.items()))


def read(message: Any, columns: Schema, rows: list[bytes | None], **given: str) -> Decoded:
    """Read rows both ways; option names have `_` for `-`."""
    values = options(OPTIONS, {k.replace("_", "-"): v for k, v in given.items()})
    fast, slow = (ProtobufDecoder(message, columns, values, fast=f).decode(Rows.of(rows)) for f in (True, False))
    return same(fast, slow)


def made(message: Any, **values: Any) -> bytes:
    """Give a message, as the library writes it."""
    return bytes(message_factory.GetMessageClass(message)(**values).SerializeToString())


def written(message: Any, columns: Schema, *rows: tuple[Any, ...], **given: str) -> list[Any]:
    """Write rows both ways and let the library read them."""
    values = options(OPTIONS, {k.replace("_", "-"): v for k, v in given.items()})
    frame = pl.DataFrame(list(rows), schema=columns.polars, orient="row")
    fast, slow = (ProtobufEncoder(message, columns, values, fast=f).encode(frame) for f in (True, False))
    kind = message_factory.GetMessageClass(message)
    found = [kind.FromString(fast.row(i) or b"") for i in range(len(fast))]
    assert found == [kind.FromString(slow.row(i) or b"") for i in range(len(slow))]
    return found


SCALARS = schema(id=BIGINT, name=STRING, n=INT, colour=STRING, xs=array(INT), counts=map_type(STRING, BIGINT))
ROW = row({"sku": STRING, "count": INT})


def test_nothing_is_there(order: Any) -> None:
    decoded = read(order, schema(**{f.name: f.type for f in SCALARS}, item=ROW, ts=timestamp(3), text=STRING), [b""])
    assert decoded.frame.row(0) == (0, "", None, "NONE", None, None, None, None, None)


def test_nothing_is_there_and_defaults_are_asked_for(order: Any, old: Any) -> None:
    columns = schema(**{f.name: f.type for f in SCALARS}, item=ROW, ts=timestamp(3), text=STRING)
    decoded = read(order, columns, [b""], read_default_values="true")
    assert decoded.frame.row(0) == (0, "", 0, "NONE", [], [], {"sku": "", "count": 0}, None, None)
    columns = schema(id=BIGINT, name=STRING, colour=STRING, x=DOUBLE)
    rows: list[bytes | None] = [made(old, id=7), made(old, id=8, name="", x=2)]
    assert read(old, columns, rows).frame.rows() == [(7, None, None, None), (8, "", None, 2.0)]
    given = read(old, columns, rows, read_default_values="true").frame.rows()
    assert given == [(7, "nobody", "GREEN", -1.5), (8, "", "GREEN", 2.0)]


def test_nested_values(order: Any) -> None:
    item = {"sku": "a", "count": 1, "part": {"sku": "b", "part": {"sku": "c"}}}
    deep = row({"part": row({"sku": STRING, "part": row({"sku": STRING})}), "sku": STRING})
    columns = schema(
        item=deep, items=array(ROW), parts=map_type(INT, ROW), words=array(STRING), inner=row({"yes": BOOLEAN})
    )
    data = made(order, item=item, items=[item, {"count": 2}], parts={3: item}, words=["", "é"], inner={"yes": True})
    decoded = read(order, columns, [data, b"", data])
    expected = (
        {"part": {"sku": "b", "part": {"sku": "c"}}, "sku": "a"},
        [{"sku": "a", "count": 1}, {"sku": "", "count": 2}],
        [{"key": 3, "value": {"sku": "a", "count": 1}}],
        ["", "é"],
        {"yes": True},
    )
    assert decoded.frame.rows() == [expected, (None, None, None, None, None), expected]
    (again,) = written(order, columns, expected)
    kind = message_factory.GetMessageClass(order)
    assert again.item.part.part.sku == "c"
    assert again.items == kind(items=[{"sku": "a", "count": 1}, {"count": 2}]).items
    assert dict(again.parts) == {3: again.items[0]}


def test_one_of_several(order: Any) -> None:
    columns = schema(card=STRING, cash=BIGINT, goods=ROW)
    rows: list[bytes | None] = [made(order, card=""), made(order, cash=0), made(order, goods={"count": 3})]
    rows += [
        made(order, card="x") + made(order, cash=1),
        made(order, goods={"sku": "a"}) + made(order, goods={"count": 2}),
    ]
    assert read(order, columns, rows).frame.rows() == [
        ("", None, None),
        (None, 0, None),
        (None, None, {"sku": "", "count": 3}),
        (None, 1, None),
        (None, None, {"sku": "a", "count": 2}),
    ]
    # of a field that nobody asked for too
    assert read(order, schema(card=STRING), rows).frame["card"].to_list() == ["", None, None, None, None]
    last = written(order, columns, ("a", 1, None), (None, None, None))
    assert [m.WhichOneof("pay") for m in last] == ["cash", None]


def test_times(order: Any) -> None:
    columns = schema(ts=timestamp(9), times=array(timestamp_ltz(3)), took=INTERVAL_SECOND)
    ts = {"seconds": -1, "nanos": 999_999_999}
    data = made(order, ts=ts, times=[ts, {"seconds": 5}], took={"seconds": -1, "nanos": -500_000_000})
    decoded = read(order, columns, [data, b""])
    assert decoded.frame["ts"].to_physical().to_list() == [-1, None]
    second = dt.datetime(1970, 1, 1, 0, 0, 5, tzinfo=dt.UTC)
    assert decoded.frame["times"].to_list() == [
        [dt.datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=dt.UTC), second],
        None,
    ]
    assert decoded.frame["took"].to_list() == [dt.timedelta(seconds=-1.5), None]
    rows = ProtobufEncoder(order, columns, options(OPTIONS, {})).encode(decoded.frame)
    assert made(order, ts=ts) in (rows.row(0) or b"")
    again = message_factory.GetMessageClass(order).FromString(rows.row(0))
    assert (again.took.seconds, again.took.nanos) == (-1, -500_000_000)
    assert read(order, schema(ts=timestamp(0)), [data]).frame["ts"].to_list() == [dt.datetime(1969, 12, 31, 23, 59, 59)]
    late = made(order, ts={"seconds": 253_402_300_799})
    assert read(order, schema(ts=timestamp(3)), [late]).frame["ts"].to_list() == [dt.datetime(9999, 12, 31, 23, 59, 59)]
    (reject,) = read(order, schema(ts=timestamp(9)), [late]).rejects
    assert (reject.code, reject.reason) == ("range", "field 'ts': out of the range of TIMESTAMP(9)")
    wrong = made(order, ts={"seconds": 1, "nanos": -1})
    assert read(order, schema(ts=timestamp(3)), [wrong]).rejects[0].code == "range"


def test_wrappers(order: Any) -> None:
    columns = schema(wrapped=BIGINT, text=STRING)
    rows: list[bytes | None] = [made(order, wrapped={"value": 0}, text={}), made(order, wrapped={"value": -3}), b""]
    decoded = read(order, columns, rows)
    assert decoded.frame.rows() == [(0, ""), (-3, None), (None, None)]
    found = written(order, columns, *decoded.frame.rows())
    assert [(m.HasField("wrapped"), m.HasField("text")) for m in found] == [(True, True), (True, False), (False, False)]


def test_enums(order: Any, old: Any) -> None:
    rows: list[bytes | None] = [made(order, colour=5), b"\x20\x63", b"\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"]
    assert read(order, schema(colour=STRING), rows).frame["colour"].to_list() == ["DARK_RED", "99", "-1"]
    assert read(order, schema(colour=SMALLINT), rows).frame["colour"].to_list() == [5, 99, -1]
    assert [m.colour for m in written(order, schema(colour=STRING), ("RED",), ("99",), (None,))] == [1, 99, 0]
    with pytest.raises(DataError, match=r"column 'colour' .* enum 'shop.Colour' has no value of this name"):
        written(order, schema(colour=STRING), ("PINK",))
    # one of proto2 knows all its values: another is an unknown field
    columns = schema(colour=STRING, colours=array(STRING), by_size=map_type(STRING, STRING))
    strange = made(old, id=1) + b"\x18\x09" + b"\x20\x01\x20\x09\x22\x02\x09\x02" + b"\x3a\x05\x0a\x01a\x10\x09"
    assert read(old, columns, [strange]).frame.rows() == [(None, ["RED", "GREEN"], None)]


def test_numbers_that_have_no_place(order: Any) -> None:
    most = made(order, big=2**64 - 1, n=2**31 - 1)
    assert read(order, schema(big=decimal(20, 0)), [most]).frame["big"].to_list() == [Decimal(2**64 - 1)]
    assert read(order, schema(big=BIGINT), [most]).rejects[0].reason == "field 'big': out of the range of BIGINT"
    assert read(order, schema(n=SMALLINT), [most, made(order, n=-5)]).frame["n"].to_list() == [-5]
    (reject,) = read(order, schema(xs=array(SMALLINT)), [made(order, xs=[1, 2]), made(order, xs=[1, 40_000])]).rejects
    assert (reject.row, reject.code) == (1, "range")
    assert written(order, schema(big=decimal(20, 0)), (Decimal(2**64 - 1),))[0].big == 2**64 - 1
    with pytest.raises(DataError, match="'n' can't be written as Protobuf: out of the range of its field"):
        written(order, schema(n=BIGINT), (2**31,))


def test_null_within_lists_and_maps(order: Any) -> None:
    columns = schema(words=array(STRING), xs=array(INT), counts=map_type(STRING, BIGINT), items=array(ROW))
    counts = [{"key": None, "value": 1}, {"key": "a", "value": None}]
    (found,) = written(order, columns, (["a", None], [None, 1], counts, [None]), write_null_string_literal="-")
    assert (list(found.words), list(found.xs), dict(found.counts)) == (["a", "-"], [0, 1], {"-": 1, "a": 0})
    assert len(found.items) == 1


def test_columns_of_null_alone(order: Any) -> None:
    columns = schema(
        id=BIGINT, name=STRING, item=ROW, items=array(ROW), counts=map_type(STRING, BIGINT), ts=timestamp(3)
    )
    kind = message_factory.GetMessageClass(order)
    assert written(order, columns, (None,) * 6, (None,) * 6) == [kind(), kind()]
    assert written(order, columns, (None, None, {"sku": None, "count": None}, [], [], None)) == [kind(item={})]
    assert len(ProtobufEncoder(order, columns, options(OPTIONS, {})).encode(columns.empty())) == 0


def test_the_smallest_and_largest_numbers(order: Any) -> None:
    for value in (0, 1, -1, 127, 128, 2**31, 2**63 - 1, -(2**63)):
        (found,) = written(
            order, schema(id=BIGINT, counts=map_type(STRING, BIGINT)), (value, [{"key": "a", "value": value}])
        )
        assert (found.id, found.counts["a"]) == (value, value)


def test_fields_again(order: Any) -> None:
    """The last value counts, lists go on, messages are merged, as the library does it."""
    data = made(order, id=1, xs=[1], item={"sku": "a"}, counts={"a": 1}) + made(
        order, id=2, xs=[2], item={"count": 5}, counts={"a": 3, "b": 2}
    )
    columns = schema(id=BIGINT, xs=array(INT), item=ROW, counts=map_type(STRING, BIGINT))
    counts = [{"key": "a", "value": 3}, {"key": "b", "value": 2}]
    assert read(order, columns, [data]).frame.row(0) == (2, [1, 2], {"sku": "a", "count": 5}, counts)
    # not packed, packed, and another type on the wire, which makes it an unknown field
    assert read(order, schema(xs=array(INT)), [b"\x30\x01\x32\x02\x02\x03\x35\x01\x01\x01\x01"]).frame.row(0) == (
        [1, 2, 3],
    )


def nested(levels: int) -> bytes:
    data = b""
    for _ in range(levels):
        size = bytes(_varint(len(data)))
        data = b"\x1a" + size + data
    return b"\x2a" + bytes(_varint(len(data))) + data


def _varint(value: int) -> list[int]:
    out = []
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return [*out, value]


UNKNOWN = b"\xf2\x3f\x03abc\xf8\x3f\x01\xf9\x3f12345678\xfd\x3f1234\xfb\x3f\x08\x01\xfc\x3f"
HOSTILE: list[tuple[bytes | None, Any]] = [
    (None, "tombstone: a row without bytes (a tombstone)"),
    (b"", 0),
    (b"\x08\x07", 7),
    (b"\x08\x07" + UNKNOWN, 7),
    (UNKNOWN + b"\x08\x07", 7),
    (b"\x08\x87\x00", 7),
    (b"\x08", "syntax: not a message 'shop.Order': cut off at byte 1"),
    (b"\x08\x80", "syntax: not a message 'shop.Order': cut off at byte 2"),
    (b"\x08\x07\x12\x05ab", "syntax: not a message 'shop.Order': 5 bytes are to follow byte 4, and 2 are left"),
    (
        b"\x12\xff\xff\xff\xff\x0f",
        "syntax: not a message 'shop.Order': 4294967295 bytes are to follow byte 6, and 0 are left",
    ),
    (b"\x08" + b"\xff" * 10 + b"\x01", "syntax: not a message 'shop.Order': a number of more than 10 bytes at byte 1"),
    (b"\x00\x00\x00\x00\x01\x02", "syntax: not a message 'shop.Order': no field begins at byte 0"),
    (b"\x0f\x01", "syntax: not a message 'shop.Order': no field begins at byte 0"),
    (b'{"id": 1}', "syntax"),
    (b"\x0c", "syntax: not a message 'shop.Order': the end of a group that has not begun, at byte 0"),
    (b"\xfb\x3f\x08\x01", "syntax: not a message 'shop.Order': group 1023 has no end"),
    (b"\x12\x02\xff\xfe", "utf-8: field 'name': not UTF-8 from byte 2 on"),
    (b"\x8a\x01\x03\xed\xa0\x80", "utf-8: field 'words': not UTF-8 from byte 3 on"),
    (b"\x12\x04\x00\xe2\x80\xae", 0),
    (b"\x2a\x03\x0a\x05a", "syntax: not a message 'shop.Order': 5 bytes are to follow byte 4, and 1 are left"),
    (nested(50), 0),
    (nested(90), 0),
    (nested(5000), "depth: nested deeper than 100 levels"),
    (b"\xfb\x3f" * 100_000, "depth: nested deeper than 100 levels"),
]


@pytest.mark.parametrize(("data", "expected"), HOSTILE, ids=[f"{i}-{repr(d)[:30]}" for i, (d, _) in enumerate(HOSTILE)])
def test_row(order: Any, data: bytes | None, expected: Any) -> None:
    decoded = read(order, schema(id=BIGINT), [data])
    if decoded.rejects:
        (reject,) = decoded.rejects
        assert f"{reject.code}: {reject.reason}".startswith(str(expected))
    else:
        assert decoded.frame["id"].to_list() == [expected]


def test_one_bad_row_costs_itself_alone(order: Any) -> None:
    good = [made(order, id=i, items=[{"sku": str(i)}] * (i % 4)) for i in range(1000)]
    rows: list[bytes | None] = [*good]
    bad = [data for data, expected in HOSTILE if isinstance(expected, str)]
    rows[500:500] = bad
    decoded = read(order, schema(id=BIGINT, items=array(ROW)), rows)
    assert decoded.frame["id"].to_list() == list(range(1000))
    assert [len(v or []) for v in decoded.frame["items"].to_list()] == [i % 4 for i in range(1000)]
    assert [r.row for r in decoded.rejects] == list(range(500, 500 + len(bad)))
    assert read(order, schema(id=BIGINT), rows, ignore_parse_errors="true").rejects == []


def test_a_required_field_is_missing(old: Any) -> None:
    (reject,) = read(old, schema(name=STRING), [b"\x12\x01a", made(old, id=1)]).rejects
    assert (reject.row, reject.code, reject.reason) == (0, "missing", "there is no required field 'id'")
    with pytest.raises(DataError, match="id"):
        written(old, schema(id=BIGINT), (None,))


def test_texts_of_proto2_are_checked_where_they_are_asked_for(old: Any) -> None:
    rows: list[bytes | None] = [made(old, id=1) + b"\x12\x01\xff"]
    assert read(old, schema(id=BIGINT), rows).frame["id"].to_list() == [1]
    assert read(old, schema(name=STRING), rows).rejects[0].code == "utf-8"


def test_groups(old: Any) -> None:
    data = made(old, id=1, box={"v": 5})
    assert read(old, schema(id=BIGINT, box=row({"v": INT})), [data]).frame.rows() == [(1, {"v": 5})]


def test_rows_as_deep_as_their_type(order: Any) -> None:
    """Deeper than the kernels go, the library reads and writes."""
    for depth in (3, 60, 80):
        kind = row({"count": INT})
        value: Any = {"count": depth}
        for _ in range(depth):
            kind, value = row({"part": kind}), {"part": value}
        columns = schema(item=kind)
        (found,) = written(order, columns, (value,))
        assert read(order, columns, [found.SerializeToString()]).frame["item"].to_list() == [value]


def test_no_rows(order: Any) -> None:
    decoded = read(order, schema(id=BIGINT, xs=array(INT)), [])
    assert (decoded.frame.schema, len(decoded.frame)) == ({"id": pl.Int64, "xs": pl.List(pl.Int32)}, 0)


def test_long_lists(order: Any) -> None:
    data = made(order, xs=range(1_000_000))
    assert read(order, schema(xs=array(INT)), [b"", data]).frame["xs"].list.len().to_list() == [None, 1_000_000]


def test_no_columns_asked_for(order: Any) -> None:
    decoded = read(order, Schema(()), [b"", b"\x08", b"\x08\x01"])
    assert (len(decoded.frame), [r.row for r in decoded.rejects]) == (2, [1])


def test_columns_that_a_message_has_by_itself(folder: Path, order: Any, old: Any) -> None:
    found = schema_of(order)
    kinds = {name: found[name].type.sql() for name in ("id", "big", "ts", "took", "wrapped", "counts", "xs", "colour")}
    assert kinds == {
        "id": "BIGINT",
        "big": "DECIMAL(20, 0)",
        "ts": "TIMESTAMP_LTZ(9)",
        "took": "INTERVAL DAY TO SECOND",
        "wrapped": "INT",
        "counts": "MAP<STRING NOT NULL, BIGINT>",
        "xs": "ARRAY<INT>",
        "colour": "STRING",
    }
    assert found["item"].type.sql().count("part") == 4
    assert read(order, found, [made(order, id=1)]).frame["id"].to_list() == [1]
    by_itself = registry.get("protobuf").columns(options(OPTIONS, {"proto-file": str(folder / "old.proto")}))
    assert by_itself is not None
    assert by_itself.columns == schema_of(old)
    assert schema_of(old).names == ("id", "name", "colour", "colours", "box", "x", "by_size")


def test_wrong_columns(order: Any) -> None:
    with pytest.raises(ConfigError, match=r"message 'shop\.Order' has no field 'nmae'") as caught:
        read(order, schema(nmae=STRING), [])
    assert caught.value.hint == "did you mean 'name'?"
    for column in (
        schema(id=STRING),
        schema(name=BYTES),
        schema(xs=INT),
        schema(id=array(BIGINT)),
        schema(item=STRING),
    ):
        with pytest.raises(ConfigError, match="can't be a column of type"):
            read(order, column, [])
    with pytest.raises(ConfigError) as caught:
        read(order, schema(big=FLOAT), [])
    assert caught.value.hint == "declare it as DECIMAL(20, 0)"


def test_where_the_message_is(folder: Path, monkeypatch: pytest.MonkeyPatch, order: Any) -> None:
    proto = folder / "shop_orders.proto"
    compiler = [sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={folder}", "--include_imports"]
    subprocess.run(
        [*compiler, f"--descriptor_set_out={folder}/shop.desc", f"--python_out={folder}", str(proto)], check=True
    )
    monkeypatch.syspath_prepend(str(folder))
    assert importlib.util.find_spec("shop_orders_pb2") is not None
    name = {"message-name": "shop.Order"}
    for given in (
        {"descriptor-file": str(folder / "shop.desc")} | name,
        {"module": "shop_orders_pb2"} | name,
        {"proto-file": str(proto), "message-class-name": "com.example.ShopOrders$Order"},
        {"proto-file": str(proto), "proto-path": str(folder)} | name,
    ):
        decoder = registry.get("protobuf").decoder(schema(id=BIGINT), options(OPTIONS, given))
        assert decoder.decode(Rows.of([made(order, id=5)])).frame["id"].to_list() == [5]
    inner = order.nested_types_by_name["Inner"]
    assert java_class(inner) == "com.example.ShopOrders$Order$Inner"


WRONG = [
    ({}, "must know in which file the message is"),
    ({"proto-file": "a.proto", "module": "b"}, "must know in which file the message is"),
    ({"proto-file": "none.proto"}, "there is no file 'none.proto'"),
    ({"module": "no_such_pb2"}, "the module 'no_such_pb2' can't be loaded"),
    ({"module": "json"}, "the module 'json' has no descriptor"),
    ({"proto-file": "shop_orders.proto", "message-name": "shop.Ordr"}, "there is no message 'shop.Ordr'"),
    ({"proto-file": "shop_orders.proto"}, "the file has 2 messages"),
    ({"proto-file": "bad.proto"}, "bad.proto:2:1"),
    ({"descriptor-file": "old.proto"}, "is no whole descriptor set"),
    ({"descriptor-file": "alone.desc", "message-name": "shop.Order"}, "is no whole descriptor set"),
    ({"descriptor-file": "empty.desc"}, "has no file descriptors"),
]


def test_odd_names_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose name looks like an option, in another folder than its imports."""
    monkeypatch.chdir(tmp_path)
    Path("common").mkdir()
    Path("common/c.proto").write_text('syntax = "proto3"; package c; message C { int32 a = 1; }')
    Path("--x.proto").write_text('syntax = "proto3"; import "c.proto"; message X { c.C c = 1; }')
    given = {"proto-file": "--x.proto", "proto-path": "common"}
    decoder = registry.get("protobuf").decoder(schema(c=row({"a": INT})), options(OPTIONS, given))
    assert decoder.decode(Rows.of([b"\x0a\x02\x08\x07"])).frame["c"].to_list() == [{"a": 7}]


@pytest.mark.parametrize(("given", "message"), WRONG, ids=[str(sorted(g.items())) for g, _ in WRONG])
def test_wrong_places(folder: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], message: str) -> None:
    monkeypatch.chdir(folder)
    Path("bad.proto").write_text('syntax = "proto3";\nmesage X {}\n')
    Path("empty.desc").write_bytes(b"")
    compiler = [sys.executable, "-m", "grpc_tools.protoc", "--proto_path=.", "--descriptor_set_out=alone.desc"]
    subprocess.run([*compiler, "shop_orders.proto"], check=True)
    with pytest.raises(ConfigError, match=message):
        registry.get("protobuf").decoder(schema(id=BIGINT), options(OPTIONS, given))
