"""Contracts: the columns of a table from any description, and as any other."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypedDict

import jsonschema_rs
import msgspec
import polars as pl
import pydantic
import pytest
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
