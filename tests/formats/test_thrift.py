"""The format `thrift`: its types, what is not there, odd bytes, and what it refuses; the library is the oracle."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import thriftpy2
from both_ways import options, same
from thrift_structs import load_text
from thriftpy2.protocol.binary import TBinaryProtocol, TBinaryProtocolFactory
from thriftpy2.protocol.compact import TCompactProtocolFactory
from thriftpy2.transport import TMemoryBuffer
from thriftpy2.utils import serialize

from tailrace.errors import ConfigError, DataError
from tailrace.formats import registry
from tailrace.formats.base import Decoded, Rows
from tailrace.formats.thrift import FORMAT, OPTIONS
from tailrace.formats.thrift.decoder import ThriftDecoder
from tailrace.formats.thrift.encoder import ThriftEncoder
from tailrace.formats.thrift.shapes import schema_of
from tailrace.options import OptionText
from tailrace.schema import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DATE,
    DOUBLE,
    INT,
    SMALLINT,
    STRING,
    TINYINT,
    DataType,
    Field,
    Kind,
    Schema,
    array,
    decimal,
    map_type,
    row,
    timestamp,
    timestamp_ltz,
)

ORDER = """
namespace py shop
typedef i64 Millis
enum Status { NEW = 1, PAID = 2, SENT = 5 }
struct Item { 1: required string sku, 2: i32 count = 1, 3: optional double price }
union Payment { 1: string card, 2: i64 voucher }
exception Refused { 1: string why }
struct Order {
  1: required i64 id,
  2: optional string customer,
  3: optional list<Item> items,
  4: set<string> tags,
  5: map<string, i32> stock,
  6: Status status = Status.NEW,
  7: Payment payment,
  8: Millis at,
  9: binary raw,
  10: bool gift = true,
  11: i8 small,
  12: i16 middle,
  13: map<i32, list<Item>> by_shelf,
  14: Refused refused,
}
"""
PROTOCOLS = {"binary": TBinaryProtocolFactory(), "compact": TCompactProtocolFactory()}
protocols = pytest.mark.parametrize("protocol", PROTOCOLS)


def schema_from(fields: dict[str, DataType]) -> Schema:
    return Schema(tuple(Field(n, k) for n, k in fields.items()))


def module() -> Any:
    """Load the file as any program with the library does."""
    return thriftpy2.load_fp(io.StringIO(ORDER), "order_thrift")


def read(text: str, fields: dict[str, DataType], rows: list[bytes | None], name: str = "", **given: str) -> Decoded:
    """Decode rows of a struct both ways; option names have `_` for `-`."""
    schema = schema_from(fields)
    values = options(OPTIONS, {k.replace("_", "-"): v for k, v in given.items()})
    struct, known = load_text(text, name)
    fast, slow = (ThriftDecoder(struct, known, schema, values, fast=f).decode(Rows.of(rows)) for f in (True, False))
    return same(fast, slow)


def write(text: str, frame: pl.DataFrame, fields: dict[str, DataType], name: str = "", **given: str) -> list[bytes]:
    """Encode a frame both ways, and insist that both give the same bytes."""
    schema = schema_from(fields)
    values = options(OPTIONS, given)
    struct, known = load_text(text, name)
    made = [ThriftEncoder(struct, known, schema, values, fast=f).encode(frame) for f in (True, False)]
    fast, slow = ([r.row(n) or b"" for n in range(len(r))] for r in made)
    assert fast == slow
    return fast


def refused(code: str, decoded: Decoded) -> str:
    """Insist that the only row was refused; give the reason."""
    (reject,) = decoded.rejects
    assert reject.code == code
    return reject.reason


def test_a_struct_without_columns_gives_those_of_its_fields() -> None:
    struct, known = load_text(ORDER, "Order")
    found = {f.name: str(f.type) for f in schema_of(struct, known)}
    assert found == {
        "id": "BIGINT NOT NULL",
        "customer": "STRING",
        "items": "ARRAY<ROW<`sku` STRING, `count` INT, `price` DOUBLE>>",
        "tags": "ARRAY<STRING>",
        "stock": "MAP<STRING NOT NULL, INT>",
        "status": "STRING",
        "payment": "ROW<`card` STRING, `voucher` BIGINT>",
        "at": "BIGINT",
        "raw": "BYTES",
        "gift": "BOOLEAN",
        "small": "TINYINT",
        "middle": "SMALLINT",
        "by_shelf": "MAP<INT NOT NULL, ARRAY<ROW<`sku` STRING, `count` INT, `price` DOUBLE>>>",
        "refused": "ROW<`why` STRING>",
    }


@protocols
def test_what_the_library_writes_is_read_with_all_types(protocol: str) -> None:
    shop = module()
    item = shop.Item(sku="a", count=2, price=1.5)
    order = shop.Order(
        id=7, customer="Ü", items=[item, shop.Item(sku="b")], tags=["x", "y"], stock={"a": 1}, status=5,
        payment=shop.Payment(voucher=9), at=1_700_000_000_123, raw=b"\xff\x00", gift=False, small=-1, middle=-300,
        by_shelf={3: [item], 4: []}, refused=shop.Refused(why="no"),
    )  # fmt: skip
    struct, known = load_text(ORDER, "Order")
    fields = {f.name: f.type for f in schema_of(struct, known)} | {"at": timestamp(3)}
    decoded = read(ORDER, fields, [serialize(order, PROTOCOLS[protocol])], "Order", protocol=protocol)
    a, b = {"sku": "a", "count": 2, "price": 1.5}, {"sku": "b", "count": 1, "price": None}
    assert decoded.frame.to_dicts() == [
        {
            "id": 7, "customer": "Ü", "items": [a, b], "tags": ["x", "y"], "stock": [{"key": "a", "value": 1}],
            "status": "SENT", "payment": {"card": None, "voucher": 9},
            "at": dt.datetime(2023, 11, 14, 22, 13, 20, 123_000),
            "raw": b"\xff\x00", "gift": False, "small": -1, "middle": -300,
            "by_shelf": [{"key": 3, "value": [a]}, {"key": 4, "value": []}], "refused": {"why": "no"},
        }
    ]  # fmt: skip
    written = write(ORDER, decoded.frame, fields, "Order", protocol=protocol)
    assert written == [serialize(order, PROTOCOLS[protocol])]


@protocols
def test_what_is_not_there_is_null_or_the_default(protocol: str) -> None:
    shop = module()
    bare = shop.Order(id=1, status=None, gift=None)
    fields = {"id": BIGINT, "status": STRING, "gift": BOOLEAN, "items": array(row({"sku": STRING})), "customer": STRING}
    decoded = read(ORDER, fields, [serialize(bare, PROTOCOLS[protocol])], "Order", protocol=protocol)
    assert decoded.frame.row(0) == (1, "NEW", True, None, None)


def test_an_empty_list_is_no_null() -> None:
    shop = module()
    rows = [serialize(shop.Order(id=1, items=i, stock=s)) for i, s in (([], {}), (None, None))]
    fields = {"items": array(row({"sku": STRING})), "stock": map_type(STRING, INT)}
    assert read(ORDER, fields, rows, "Order").frame.rows() == [([], []), (None, None)]


def test_numbers_of_an_enum_and_those_without_a_name() -> None:
    shop = module()
    rows = [serialize(shop.Order(id=1, status=s)) for s in (2, 77)]
    assert read(ORDER, {"status": STRING}, rows, "Order").frame["status"].to_list() == ["PAID", "77"]
    assert read(ORDER, {"status": SMALLINT}, rows, "Order").frame["status"].to_list() == [2, 77]


TIMES = "struct T { 1: i64 a, 2: i64 b, 3: i64 c, 4: i32 d, 5: i32 e, 6: i64 f, 7: string g }"
TIME_FIELDS = {
    "a": timestamp(3),
    "b": timestamp_ltz(6),
    "c": timestamp(9),
    "d": DATE,
    "e": DataType(Kind.TIME, precision=3),
    "f": DataType(Kind.TIME, precision=6),
    "g": decimal(10, 2),
}


@protocols
def test_dates_times_timestamps_and_decimals_go_both_ways(protocol: str) -> None:
    frame = pl.DataFrame(
        {
            "a": [-1, None],
            "b": [1_700_000_000_000_001, None],
            "c": [1_700_000_000_000_000_009, None],
            "d": [19_000, None],
            "e": [45_296_789_000_000, None],
            "f": [45_296_789_012_000, None],
            "g": [Decimal("-12.30"), None],
        },
        schema_overrides={"g": pl.Decimal(10, 2)},
    ).with_columns(
        pl.col("a").cast(pl.Datetime("ms")),
        pl.col("b").cast(pl.Datetime("us", "UTC")),
        pl.col("c").cast(pl.Datetime("ns")),
        pl.col("d").cast(pl.Date),
        pl.col("e", "f").cast(pl.Time),
    )
    written = write(TIMES, frame, TIME_FIELDS, protocol=protocol)
    assert read(TIMES, TIME_FIELDS, list(written), protocol=protocol).frame.equals(frame)


def test_a_timestamp_is_cut_to_its_column() -> None:
    (row_of,) = write("struct T { 1: i64 t }", pl.DataFrame({"t": [1_999]}), {"t": BIGINT})
    seconds = read("struct T { 1: i64 t }", {"t": timestamp(0)}, [row_of]).frame["t"].to_list()
    assert seconds == [dt.datetime(1970, 1, 1, 0, 0, 1)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [("12.345", "12.35"), ("1e2", "100.00"), ("-0", "0.00"), (" 7 ", "7.00"), ("x", "type"), ("1e9", "range")],
)
def test_the_text_of_a_decimal(text: str, kind: str) -> None:
    (row_of,) = write("struct T { 1: string g }", pl.DataFrame({"g": [text]}), {"g": STRING})
    decoded = read("struct T { 1: string g }", {"g": decimal(10, 2)}, [row_of])
    assert (decoded.rejects[0].code if decoded.rejects else str(decoded.frame["g"][0])) == kind


def test_fields_that_nobody_knows_or_asks_for_are_passed_by() -> None:
    old = "struct T { 1: i32 a }"
    new = "struct U { 9: map<string, list<i64>> m, 1: i32 a, 3: bool b, 4: U child }"
    fields = {"m": map_type(STRING, array(BIGINT)), "a": INT, "b": BOOLEAN}
    frame = pl.DataFrame(
        {"m": [[{"key": "k", "value": [1, 2]}]], "a": [5], "b": [True]}, schema=schema_from(fields).polars
    )
    for protocol in PROTOCOLS:
        (row_of,) = write(new, frame, fields, protocol=protocol)
        assert read(old, {"a": INT}, [row_of], protocol=protocol).frame["a"].to_list() == [5]


@protocols
def test_a_field_of_another_type_is_a_row_error(protocol: str) -> None:
    for given, kind, value in (("string", STRING, "x"), ("i64", BIGINT, 1), ("list<i32>", array(INT), [1])):
        (row_of,) = write(
            f"struct T {{ 1: {given} a }}",
            pl.DataFrame({"a": [value]}, {"a": kind.polars}),
            {"a": kind},
            protocol=protocol,
        )
        reason = refused("type", read("struct T { 1: i32 a }", {"a": INT}, [row_of], protocol=protocol))
        assert reason == f"'a' is a {given.partition('<')[0]} where the struct has a i32"


@protocols
def test_a_list_of_other_elements_is_a_row_error(protocol: str) -> None:
    (row_of,) = write(
        "struct T { 1: list<i64> a }", pl.DataFrame({"a": [[1]]}), {"a": array(BIGINT)}, protocol=protocol
    )
    refused("type", read("struct T { 1: list<string> a }", {"a": array(STRING)}, [row_of], protocol=protocol))


def test_a_required_field_that_is_missing_is_a_row_error_though_nobody_asks_for_it() -> None:
    text = "struct T { 1: required i32 a, 2: i32 b }"
    row_of = b"\x08\x00\x02\x00\x00\x00\x01\x00"
    assert refused("missing", read(text, {"b": INT}, [row_of])) == "there is no required field 'a'"


def test_a_field_twice_counts_as_the_library_has_it() -> None:
    row_of = b"\x08\x00\x01\x00\x00\x00\x01\x08\x00\x01\x00\x00\x00\x02\x00"
    assert read("struct T { 1: i32 a }", {"a": INT}, [row_of]).frame["a"].to_list() == [2]


@pytest.mark.parametrize(
    ("row_of", "code", "reason"),
    [
        (None, "tombstone", "a row without bytes (a tombstone)"),
        (b"", "empty", "a row of zero bytes"),
        (b"\x08\x00\x01\x00", "syntax", "no struct of Thrift: cut off at byte 4"),
        (b"\x08\x00\x01\x00\x00\x00\x01", "syntax", "no struct of Thrift: cut off at byte 7"),
        (b"\x00\x00", "syntax", "no struct of Thrift: something follows its end at byte 1"),
        (b'{"a": 1}', "syntax", "no struct of Thrift: there is no type 123, at byte 0"),
        (b"\x0b\x00\x09\x7f\xff\xff\xff\x00", "syntax", "no struct of Thrift: 2147483647 are to follow byte 3, and 1 bytes are left"),
        (b"\x0b\x00\x09\xff\xff\xff\xff\x00", "syntax", "no struct of Thrift: -1 are to follow byte 3, and 1 bytes are left"),
        (b"\x0f\x00\x09\x01\x00\x00\x00\x01\x00", "syntax", "no struct of Thrift: there is no type 1, at byte 3"),
        (b"\x0b\x00\x02\x00\x00\x00\x01\xff\x00", "utf-8", "field 's': not UTF-8"),
        (b"\x0c\x00\x09" * 100 + b"\x00" * 101, "depth", "nested deeper than 64 levels"),
        (b"\x0a\x00\x03" + (2**62).to_bytes(8, "big") + b"\x00", "range", "field 'n': out of the range of INT"),
    ],
    ids=["tombstone", "empty", "cut number", "no end", "trailing", "json", "huge", "negative", "no type", "utf-8", "depth", "range"],
)  # fmt: skip
def test_odd_bytes_are_errors_of_their_row_alone(row_of: bytes | None, code: str, reason: str) -> None:
    good = b"\x08\x00\x01\x00\x00\x00\x05\x00"
    text = "struct T { 1: i32 a, 2: string s, 3: i64 n }"
    decoded = read(text, {"a": INT, "s": STRING, "n": INT}, [good, row_of, good])
    assert [(r.row, r.code, r.reason) for r in decoded.rejects] == [(1, code, reason)]
    assert decoded.frame["a"].to_list() == [5, 5]


def test_rows_that_can_not_be_read_are_left_out_if_the_table_says_so() -> None:
    decoded = read("struct T { 1: i32 a }", {"a": INT}, [b"\x08", b"\x00"], ignore_parse_errors="true")
    assert decoded.rejects == []
    assert decoded.frame["a"].to_list() == [None]


@pytest.mark.parametrize(
    ("text", "fields", "values", "reason"),
    [
        ("struct T { 1: required i32 a }", {"a": INT}, [None], "NULL in the required field 'a'"),
        ("struct T { 1: i8 a }", {"a": INT}, [300], "out of the range of i8"),
        (
            "struct T { 1: list<i32> a }",
            {"a": array(INT)},
            [[1, None]],
            "NULL within a list, set or map, which have none",
        ),
        ("enum E { A } struct T { 1: E a }", {"a": STRING}, ["B"], "an enum has no value of this name"),
        (
            "union U { 1: i32 x, 2: i32 y } struct T { 1: U a }",
            {"a": row({"x": INT, "y": INT})},
            [{"x": 1, "y": 2}],
            "union 'U' has one field, and 2 are given",
        ),
    ],
    ids=["required", "range", "null element", "enum", "union"],
)
def test_what_can_not_be_written(text: str, fields: dict[str, DataType], values: list[Any], reason: str) -> None:
    struct, known = load_text(text, "T")
    schema = schema_from(fields)
    for fast in (True, False):
        encoder = ThriftEncoder(struct, known, schema, options(OPTIONS, {}), fast=fast)
        with pytest.raises(DataError, match=reason):
            encoder.encode(pl.DataFrame({"a": values}, schema.polars))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (STRING, "field 'T.a' is a i32, and can't be a column of type STRING"),
        (BYTES, "can't be a column of type BYTES"),
        (DOUBLE, "can't be a column of type DOUBLE"),
        (timestamp(3), r"can't be a column of type TIMESTAMP\(3\)"),
        (array(TINYINT), "can't be a column of type ARRAY<TINYINT>"),
    ],
    ids=["string", "bytes", "double", "timestamp", "array"],
)
def test_a_column_of_another_type_is_refused(kind: DataType, text: str) -> None:
    with pytest.raises(ConfigError, match=text) as caught:
        read("struct T { 1: i32 a }", {"a": kind}, [])
    assert caught.value.hint == "declare it as INT"


def test_a_field_that_is_not_there_is_refused_with_a_hint() -> None:
    with pytest.raises(ConfigError, match="struct 'T' has no field 'amuont'") as caught:
        read("struct T { 1: i32 amount }", {"amuont": INT}, [])
    assert caught.value.hint == "did you mean 'amount'?"


def test_a_required_field_that_no_column_gives_is_refused() -> None:
    with pytest.raises(ConfigError, match="struct 'T' requires the field 'a', which no column gives"):
        write("struct T { 1: required i32 a, 2: i32 b }", pl.DataFrame({"b": [1]}), {"b": INT})


def given(folder: Path, **texts: str) -> Any:
    """Write files, and read the options of a table that names `main`."""
    for name, text in texts.items():
        path = folder / f"{name.replace('_', '/')}.thrift"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return {"thrift-file": OptionText(str(folder / "main.thrift"))}


def test_the_options_name_file_struct_and_folders(tmp_path: Path) -> None:
    texts = given(tmp_path, main='include "money.thrift"\nstruct A { 1: money.Price p }\nstruct B { 1: i32 b }',
                  shared_money="struct Price { 1: i64 cents }")  # fmt: skip
    texts |= {"include-path": OptionText(str(tmp_path / "shared"))}
    values = OPTIONS.parse(texts | {"struct-name": OptionText("A")})
    found = FORMAT.columns(values)
    assert found is not None
    assert str(found.columns.fields[0].type) == "ROW<`cents` BIGINT>"
    assert FORMAT.columns(OPTIONS.parse(texts | {"struct-name": OptionText("money.Price")})) is not None
    with pytest.raises(ConfigError, match="the file has 2 structs") as caught:
        FORMAT.columns(OPTIONS.parse(texts))
    assert caught.value.hint == "name the struct with 'struct-name': A, B, money.Price"
    with pytest.raises(ConfigError, match="there is no struct 'C'"):
        FORMAT.columns(OPTIONS.parse(texts | {"struct-name": OptionText("C")}))


def test_a_file_of_the_same_name_elsewhere_is_another(tmp_path: Path) -> None:
    kinds = []
    for folder, text in (("a", "struct X { 1: i32 x }"), ("b", "struct X { 1: string x }")):
        (tmp_path / folder).mkdir()
        texts = given(tmp_path / folder, main='include "common.thrift"\nstruct M { 1: common.X x }', common=text)
        found = FORMAT.columns(OPTIONS.parse(texts))
        assert found is not None
        kinds.append(str(found.columns.fields[0].type))
    assert kinds == ["ROW<`x` INT>", "ROW<`x` STRING>"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("struct {", "no Thrift that can be read: Grammar error"),
        ('include "no.thrift"', "Couldn't include thrift no.thrift"),
    ],
    ids=["grammar", "include"],
)
def test_a_file_that_can_not_be_read_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        FORMAT.columns(OPTIONS.parse(given(tmp_path, main=text)))


def test_no_file_is_refused() -> None:
    with pytest.raises(ConfigError, match="must know in which file the struct is"):
        FORMAT.columns(OPTIONS.parse({}))
    with pytest.raises(ConfigError, match=r"there is no file 'none\.thrift'"):
        FORMAT.columns(OPTIONS.parse({"thrift-file": OptionText("none.thrift")}))


def test_a_struct_within_itself_is_followed_a_few_levels() -> None:
    struct, known = load_text("struct Tree { 1: i32 v, 2: list<Tree> children }")
    found = schema_of(struct, known)
    assert str(found.fields[1].type).count("ROW<") == 4
    rows: list[bytes | None] = [b"\x08\x00\x01\x00\x00\x00\x01\x0f\x00\x02\x0c\x00\x00\x00\x01\x00\x00"]
    decoded = read("struct Tree { 1: i32 v, 2: list<Tree> children }", {f.name: f.type for f in found}, rows)
    assert decoded.frame["children"].list.len().to_list() == [1]


def test_the_library_in_c_reads_what_is_written() -> None:
    shop = module()
    fields = {"id": BIGINT, "customer": STRING, "gift": BOOLEAN}
    frame = pl.DataFrame({"id": [1, 2], "customer": ["a", None], "gift": [True, None]})
    for row_of, want in zip(write(ORDER, frame, fields, "Order"), frame.iter_rows(), strict=True):
        made = shop.Order()
        made.read(TBinaryProtocol(TMemoryBuffer(row_of)))
        assert (made.id, made.customer, made.gift) == (want[0], want[1], True if want[2] is None else want[2])


def test_the_registry_of_formats_has_it() -> None:
    assert registry.get("thrift") is FORMAT
