"""Contracts: the columns of a table from any description, and as any other."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypedDict
from uuid import UUID

import jsonschema_rs
import msgspec
import polars as pl
import pydantic
import pytest
import thriftpy2
from fastavro import parse_schema
from google.protobuf import timestamp_pb2
from hypothesis import given
from hypothesis import strategies as st

import tailrace as tr
from tailrace.errors import ConfigError

SQL = "id BIGINT NOT NULL, name STRING, total DECIMAL(10, 2), day_ DATE, tags ARRAY<STRING NOT NULL>, sizes MAP<STRING NOT NULL, INT>, inner_ ROW<`a` INT NOT NULL, `b` DOUBLE>"


@dataclasses.dataclass
class Inner:
    """The columns, as a class has them."""

    a: Annotated[int, "INT"]
    b: float | None


class Nested(TypedDict):
    """The columns, as a class has them."""

    a: Annotated[int, "INT"]
    b: float | None


@dataclasses.dataclass
class AsDataclass:
    """The columns, as a class has them."""

    id: int
    name: str | None
    total: Annotated[Decimal, "DECIMAL(10, 2)"] | None
    day_: dt.date | None
    tags: list[str] | None
    sizes: dict[str, Annotated[int, "INT"] | None] | None
    inner_: Inner | None


class AsTuple(NamedTuple):
    """The columns, as a class has them."""

    id: int
    name: str | None
    total: Annotated[Decimal, "DECIMAL(10, 2)"] | None
    day_: dt.date | None
    tags: list[str] | None
    sizes: dict[str, Annotated[int, "INT"] | None] | None
    inner_: Inner | None


class AsStruct(msgspec.Struct):
    """The columns, as a class has them."""

    id: int
    name: str | None
    total: Annotated[Decimal, "DECIMAL(10, 2)"] | None
    day_: dt.date | None
    tags: list[str] | None
    sizes: dict[str, Annotated[int, "INT"] | None] | None
    inner_: Inner | None


class AsModel(pydantic.BaseModel):
    """The columns, as a class has them."""

    id: int
    name: str | None
    total: Annotated[Decimal, "DECIMAL(10, 2)"] | None
    day_: dt.date | None
    tags: list[str] | None
    sizes: dict[str, Annotated[int, "INT"] | None] | None
    inner_: Inner | None


@pytest.mark.parametrize("given_class", [AsDataclass, AsTuple, AsStruct, AsModel], ids=lambda c: c.__name__)
def test_classes_and_sql_are_the_same(given_class: type) -> None:
    assert tr.Contract(given_class) == tr.Contract(SQL)
    assert tr.Contract(tr.Contract(SQL).columns) == tr.Contract(SQL)
    assert tr.Contract(tr.Contract(SQL)).columns["inner_"] == "ROW<`a` INT NOT NULL, `b` DOUBLE>"


def test_columns_to_classes_and_back() -> None:
    contract = tr.Contract(SQL)
    for made in (contract.dataclass("Order"), contract.pydantic("Order"), contract.msgspec("Order")):
        assert tr.Contract(made) == contract
        order = made(id=1, tags=["a"], total=Decimal("1.50"))
        assert (order.id, order.name, order.tags, order.total) == (1, None, ["a"], Decimal("1.50"))
    with pytest.raises(pydantic.ValidationError):
        contract.pydantic("Order")(id="x")
    with pytest.raises(TypeError):
        contract.dataclass("Order")()


def test_sql_as_it_is_read_again() -> None:
    contract = tr.Contract(SQL)
    assert tr.Contract(contract.sql("orders")) == contract
    whole = "CREATE TABLE t (id BIGINT, twice AS id * 2, `offset` BIGINT METADATA, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'x')"
    assert tr.Contract(whole).columns == {"id": "BIGINT"}
    assert tr.Contract({"odd `name`": "INT"}).sql("a`b") == "CREATE TABLE `a``b` (\n  `odd ``name``` INT\n)"


def test_avro() -> None:
    contract = tr.Contract(f"{SQL}, at_ TIMESTAMP_LTZ(3), local_ TIMESTAMP(6)")
    avro = contract.avro()
    parse_schema(avro)
    assert tr.Contract(avro) == contract
    assert tr.Contract(json.dumps(avro)) == contract
    order = {"type": "record", "name": "Order", "fields": [{"name": "id", "type": "int"}]}
    assert tr.Contract(order).columns == {"id": "INT NOT NULL"}


def test_json_schema() -> None:
    contract = tr.Contract("id BIGINT NOT NULL, name STRING, tags ARRAY<STRING>, inner_ ROW<`a` DOUBLE NOT NULL>")
    schema = contract.json_schema("Order")
    jsonschema_rs.meta.validate(schema)
    assert schema["title"] == "Order"
    assert tr.Contract(schema) == contract
    model = AsModel.model_json_schema()
    assert tr.Contract({"properties": {"id": model["properties"]["id"]}, "required": ["id"]}).columns == {
        "id": "BIGINT NOT NULL"
    }


def test_protobuf() -> None:
    contract = tr.Contract(
        "id BIGINT NOT NULL, name STRING, at_ TIMESTAMP_LTZ(9), tags ARRAY<STRING>, inner_ ROW<`a` INT, `b` DOUBLE>"
    )
    text = contract.protobuf("Order", "shop")
    assert text.startswith(
        'syntax = "proto3";\n\npackage shop;\n\nimport "google/protobuf/timestamp.proto";\n\nmessage Order {'
    )
    # Protobuf does not say that a message or a list is always there
    assert tr.Contract(text).columns == {
        name: kind.removesuffix(" NOT NULL") for name, kind in contract.columns.items()
    }
    assert tr.Contract(timestamp_pb2.Timestamp).columns == {"seconds": "BIGINT", "nanos": "INT"}
    assert tr.Contract(timestamp_pb2.Timestamp.DESCRIPTOR).columns == {"seconds": "BIGINT", "nanos": "INT"}
    two = 'syntax = "proto3"; message A { bool x = 1; } message B { string y = 1; }'
    assert tr.Contract(two, message="B").columns == {"y": "STRING"}
    with pytest.raises(ConfigError, match="the file has 2 messages"):
        tr.Contract(two)


def test_files(tmp_path: Path) -> None:
    contract = tr.Contract("id BIGINT, name STRING")
    files = {
        "a.sql": contract.sql("orders") + " WITH ('connector' = 'kafka');",
        "a.avsc": json.dumps(contract.avro()),
        "a.json": json.dumps(contract.json_schema()),
        "a.proto": contract.protobuf(),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        assert tr.Contract(tmp_path / name) == contract
    for name, message in (
        ("none.sql", "can't be read"),
        ("none.proto", "there is no file"),
        ("a.txt", "no file of a kind"),
    ):
        (tmp_path / "a.txt").write_text("")
        with pytest.raises(ConfigError, match=message):
            tr.Contract(tmp_path / name)


WRONG = [
    (42, "no columns in a int"),
    ({"a": "NOPE"}, "'NOPE' is no data type"),
    ({"a": tr.metadata("BIGINT", "offset")}, "computed or metadata"),
    ({"a": tr.lit(1)}, "computed or metadata"),
    ("{", "no JSON"),
    ('{"type": "string"}', "no object"),
    ('{"type": "record", "name": "x", "fields": [{"name": "a"}]}', "no Avro schema"),
    ("SELECT 1; SELECT 2", "."),
    ("message X {", "can be compiled"),
    (dict, "no annotated fields"),
]


@pytest.mark.parametrize(
    ("wrong", "message"),
    WRONG,
    ids=[repr(w)[:30] if isinstance(w, (str, int)) else str(i) for i, (w, _) in enumerate(WRONG)],
)
def test_what_is_no_contract(wrong: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        tr.Contract(wrong)


def test_what_has_no_place_elsewhere() -> None:
    with pytest.raises(ConfigError, match="no name in Python"):
        tr.Contract({"a b": "INT"}).dataclass("X")
    with pytest.raises(ConfigError, match="no name in Protobuf"):
        tr.Contract({"a b": "INT"}).protobuf()
    with pytest.raises(ConfigError, match="Protobuf has no type for DECIMAL"):
        tr.Contract("a DECIMAL(10, 2)").protobuf()


def test_a_table_of_a_contract(tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text('{"id": 1, "name": "a"}\n{"id": 2}\n')
    schema = {"properties": {"id": {"type": "integer"}, "name": {"type": "string"}}, "required": ["id"]}
    for columns in (schema, tr.Contract(schema), json.dumps(schema), "id BIGINT NOT NULL, name STRING"):
        table = tr.read_files(str(tmp_path / "in.json"), columns, format="json")
        frame = table.select("id", "name").collect()
        assert frame.rows() == [(1, "a"), (2, None)]
        assert frame.schema == {"id": pl.Int64, "name": pl.String}


TYPES = st.recursive(
    st.sampled_from(
        [
            "INT",
            "BIGINT",
            "DOUBLE",
            "FLOAT",
            "BOOLEAN",
            "STRING",
            "BYTES",
            "DATE",
            "DECIMAL(5, 1)",
            "TIMESTAMP(3)",
            "TIMESTAMP_LTZ(6)",
        ]
    ),
    lambda t: st.one_of(
        t.map(lambda x: f"ARRAY<{x}>"),
        t.map(lambda x: f"MAP<STRING NOT NULL, {x}>"),
        st.lists(st.tuples(t, st.sampled_from(["", " NOT NULL"])), min_size=1, max_size=3).map(
            lambda xs: f"ROW<{', '.join(f'`f{i}` {x}{n}' for i, (x, n) in enumerate(xs))}>"
        ),
    ),
    max_leaves=5,
)


@given(st.lists(st.tuples(TYPES, st.sampled_from(["", " NOT NULL"])), min_size=1, max_size=4))
def test_any_columns_there_and_back(kinds: list[tuple[str, str]]) -> None:
    contract = tr.Contract({f"c{i}": kind + needed for i, (kind, needed) in enumerate(kinds)})
    assert tr.Contract(contract.sql("t")) == contract
    assert tr.Contract(contract.dataclass("C")) == contract
    assert tr.Contract(contract.msgspec("C")) == contract
    assert tr.Contract(contract.avro()) == contract


def test_thrift(tmp_path: Path) -> None:
    contract = tr.Contract(
        "id BIGINT NOT NULL, name STRING, total DECIMAL(10, 2), at_ TIMESTAMP(3), tags ARRAY<STRING>, inner_ ROW<`a` INT NOT NULL>"
    )
    text = contract.thrift("Order")
    assert "  3: optional string total,  // DECIMAL(10, 2)\n" in text
    back = {
        "id": "BIGINT NOT NULL",
        "name": "STRING",
        "total": "STRING",
        "at_": "BIGINT",
        "tags": "ARRAY<STRING>",
        "inner_": "ROW<`a` INT>",
    }
    assert tr.Contract(text, message="Order").columns == back
    path = tmp_path / "order.thrift"
    path.write_text(text)
    assert tr.Contract(path, message="Order").columns == back
    assert tr.Contract(thriftpy2.load(str(path), module_name="order_thrift").Order).columns == back
    with pytest.raises(ConfigError, match="the file has 2 structs"):
        tr.Contract(path)
    with pytest.raises(ConfigError, match="Thrift has no type for FLOAT"):
        tr.Contract("a FLOAT").thrift()
    with pytest.raises(ConfigError, match="has no name in Thrift"):
        tr.Contract({"a b": "INT"}).thrift()
    with pytest.raises(ConfigError, match="reserved"):
        tr.Contract({"next": "INT"}).thrift()


PAGE: dict[str, tuple[str, str, str, str]] = {
    # SQL and Python, and what comes back from Avro, Protobuf, JSON Schema and Thrift: nothing where they have no type for it
    "BOOLEAN": ("BOOLEAN", "BOOLEAN", "BOOLEAN", "BOOLEAN"),
    "TINYINT": ("INT", "INT", "BIGINT", "TINYINT"),
    "SMALLINT": ("INT", "INT", "BIGINT", "SMALLINT"),
    "INT": ("INT", "INT", "BIGINT", "INT"),
    "BIGINT": ("BIGINT", "BIGINT", "BIGINT", "BIGINT"),
    "FLOAT": ("FLOAT", "FLOAT", "DOUBLE", ""),
    "DOUBLE": ("DOUBLE", "DOUBLE", "DOUBLE", "DOUBLE"),
    "DECIMAL(10, 2)": ("DECIMAL(10, 2)", "", "DOUBLE", "STRING"),
    "STRING": ("STRING", "STRING", "STRING", "STRING"),
    "BYTES": ("BYTES", "BYTES", "BYTES", "BYTES"),
    "DATE": ("DATE", "", "DATE", "INT"),
    "TIME(3)": ("TIME(3)", "", "STRING", "INT"),
    "TIMESTAMP(3)": ("TIMESTAMP(3)", "TIMESTAMP_LTZ(9)", "STRING", "BIGINT"),
    "TIMESTAMP_LTZ(6)": ("TIMESTAMP_LTZ(6)", "TIMESTAMP_LTZ(9)", "STRING", "BIGINT"),
    "ARRAY<BIGINT>": ("ARRAY<BIGINT>",) * 4,
    "MAP<STRING NOT NULL, BIGINT>": ("MAP<STRING NOT NULL, BIGINT>",) * 4,
    "ROW<`a` BIGINT>": ("ROW<`a` BIGINT>",) * 4,
}
DESCRIBED: dict[str, Callable[[tr.Contract], Any]] = {
    "avro": lambda c: c.avro(),
    "protobuf": lambda c: c.protobuf(),
    "json_schema": lambda c: c.json_schema(),
    "thrift": lambda c: c.thrift(),
}
SAME: dict[str, Callable[[tr.Contract], Any]] = {
    "sql": lambda c: c.sql("t"),
    "dataclass": lambda c: c.dataclass("T"),
    "pydantic": lambda c: c.pydantic("T"),
    "msgspec": lambda c: c.msgspec("T"),
}
LACKING = {"avro": (), "json_schema": (), "thrift": ("FLOAT",), "protobuf": ("DECIMAL", "DATE", "TIME(")}
"""The types that a description has none for."""


def described(contract: tr.Contract, form: str) -> tr.Contract:
    """Give a contract as a description and back, without what that has no type for."""
    columns = {n: k for n, k in contract.columns.items() if not k.startswith(LACKING[form])}
    name = "Row" if form in ("protobuf", "thrift") else ""
    return tr.Contract(DESCRIBED[form](tr.Contract(columns)), message=name)


def all_types() -> tr.Contract:
    return tr.Contract({f"c{n}": kind for n, kind in enumerate(PAGE)})


@pytest.mark.parametrize("form", SAME)
def test_classes_and_sql_lose_no_type(form: str) -> None:
    assert tr.Contract(SAME[form](all_types())) == all_types()


@pytest.mark.parametrize("form", DESCRIBED)
def test_each_type_comes_back_from_each_description_as_the_page_says(form: str) -> None:
    place = list(DESCRIBED).index(form)
    expected = {f"c{n}": back[place] for n, back in enumerate(PAGE.values()) if back[place]}
    found = described(all_types(), form)
    assert found.columns == expected
    for make in SAME.values():  # what it says is not lost again
        assert tr.Contract(make(found)) == found


@pytest.mark.parametrize("form", DESCRIBED)
def test_what_a_description_has_no_type_for_is_refused(form: str) -> None:
    place = list(DESCRIBED).index(form)
    for kind, back in PAGE.items():
        if not back[place]:
            with pytest.raises(ConfigError, match="has no type for"):
                DESCRIBED[form](tr.Contract({"v": kind}))


@pytest.mark.parametrize("second", DESCRIBED)
@pytest.mark.parametrize("first", DESCRIBED)
def test_a_description_becomes_each_other(first: str, second: str) -> None:
    between = described(all_types(), first)
    back = described(between, second).columns
    kept = {n: k for n, k in between.columns.items() if not k.startswith(LACKING[second])}
    assert set(back) == set(kept)
    place = list(DESCRIBED).index(second)
    known = {n: PAGE[k][place] for n, k in kept.items() if k in PAGE}
    assert {n: back[n] for n in known} == known


class Colour(Enum):
    """An enum of texts."""

    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    """An enum of numbers."""

    LOW = 1


class Mixed(Enum):
    """An enum that no column can be."""

    TEXT = "a"
    NUMBER = 1


class Bounded(pydantic.BaseModel):
    """Columns by what Pydantic knows of them."""

    id: UUID
    colour: Colour
    level: Level | None
    size: Literal["s", "m"]
    price: Annotated[Decimal, pydantic.Field(max_digits=12, decimal_places=4)]
    rate: Decimal | None = pydantic.Field(max_digits=5, decimal_places=2)
    count: Annotated[int | None, "INT"] = None
    seen: list[Colour] = []


def test_enums_and_bounds_of_classes() -> None:
    assert tr.Contract(Bounded).columns == {
        "id": "STRING NOT NULL",
        "colour": "STRING NOT NULL",
        "level": "BIGINT",
        "size": "STRING NOT NULL",
        "price": "DECIMAL(12, 4) NOT NULL",
        "rate": "DECIMAL(5, 2)",
        "count": "INT",
        "seen": "ARRAY<STRING NOT NULL> NOT NULL",
    }
    with pytest.raises(ConfigError, match=r"there is no SQL type for .*Mixed"):
        tr.Contract({"a": Mixed})


def test_rows_with_enums() -> None:
    number = UUID("b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c63")
    rows = [
        {"id": number, "colour": Colour.RED, "level": Level.LOW},
        {"id": number, "colour": Colour.BLUE, "level": None},
    ]
    read = tr.from_rows(rows, {"id": UUID, "colour": Colour, "level": Level})
    assert read.collect().rows() == [(str(number), "red", 1), (str(number), "blue", None)]
