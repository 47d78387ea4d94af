"""Formats with row kinds: envelopes to rows and back, and what is odd in them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from both_ways import options
from hypothesis import given, settings
from hypothesis import strategies as st

from tailrace.engine.batch import KIND, RowKind
from tailrace.errors import ConfigError
from tailrace.formats import registry
from tailrace.formats.base import Decoded, Rows
from tailrace.plan.changelog import CHANGE_FORMATS
from tailrace.schema import BIGINT, INT, STRING, Field, Schema

SCHEMA = Schema((Field("id", INT.with_nullable(False)), Field("name", STRING), Field("n", BIGINT)))
_SIGNS = {int(k): k.sign for k in RowKind}
Row = dict[str, Any]


def read(name: str, rows: list[Any], keys: tuple[str, ...] = (), **given: str) -> Decoded:
    """Decode rows given as objects or bytes; option names have `_` for `-`."""
    form = registry.get(name)
    values = options(form.options, {k.replace("_", "-"): v for k, v in given.items()})
    data = [json.dumps(r).encode() if isinstance(r, dict) else r for r in rows]
    return form.with_metadata(keys).decoder(SCHEMA, values).decode(Rows.of(data))


def shown(decoded: Decoded) -> list[str]:
    """Give rows as texts."""
    frame = decoded.frame
    return [f"{_SIGNS[r[KIND]]}{r['id']} {r['name']} {r['n']}" for r in frame.iter_rows(named=True)]


def envelope(before: Row | None, after: Row | None, op: str) -> Row:
    """Give an envelope of Debezium."""
    return {"before": before, "after": after, "source": {"db": "shop", "ts_ms": 1500}, "op": op, "ts_ms": 2000}


ONE, TWO = {"id": 1, "name": "a", "n": 10}, {"id": 1, "name": "b", "n": None}


def test_debezium() -> None:
    rows = [envelope(None, ONE, "c"), envelope(ONE, TWO, "u"), envelope(TWO, None, "d"), envelope(None, TWO, "r")]
    decoded = read("debezium-json", rows)
    assert shown(decoded) == ["+I1 a 10", "-U1 a 10", "+U1 b None", "-D1 b None", "+I1 b None"]
    assert decoded.kept is not None
    assert decoded.kept.tolist() == [0, 1, 1, 2, 3]
    assert not decoded.rejects


def test_debezium_with_schema() -> None:
    rows = [{"schema": {"type": "struct"}, "payload": envelope(None, ONE, "c")}, {"schema": None}]
    decoded = read("debezium-json", rows, ("value.schema", "value.source.database"), schema_include="true")
    assert shown(decoded) == ["+I1 a 10"]
    assert decoded.frame["value.schema"].to_list() == ['{"type": "struct"}']
    assert decoded.frame["value.source.database"].to_list() == ["shop"]
    assert [(r.row, r.reason) for r in decoded.rejects] == [(1, "there is no field 'payload'")]


def test_ogg() -> None:
    rows = [
        {"op_type": "I", "after": ONE},
        {"op_type": "U", "before": ONE, "after": TWO},
        {"op_type": "D", "before": TWO},
    ]
    assert shown(read("ogg-json", rows)) == ["+I1 a 10", "-U1 a 10", "+U1 b None", "-D1 b None"]


def test_maxwell_gives_only_what_an_update_has_changed() -> None:
    rows = [
        {"type": "insert", "data": ONE},
        {"type": "update", "data": {"id": 1, "name": "b", "n": 12}, "old": {"name": "a"}},
        {"type": "update", "data": {"id": 1, "name": "c", "n": 13}, "old": {"name": None, "n": 12}},
        {"type": "delete", "data": {"id": 1, "name": "c", "n": 13}},
    ]
    expected = ["+I1 a 10", "-U1 a 12", "+U1 b 12", "-U1 None 12", "+U1 c 13", "-D1 c 13"]
    # a row of an update before it has no key: that of the new one is put in before NOT NULL is looked at
    assert shown(read("maxwell-json", rows)) == expected


def canal(op: str, data: list[Any] | None, old: list[Any] | None = None, **more: Any) -> Row:
    """Give an envelope of Canal."""
    return {"data": data, "old": old, "type": op, "database": "shop", "table": "o", **more}


def test_canal_has_several_rows_in_one_envelope() -> None:
    three = {"id": 3, "name": '[{"\\', "n": 1}
    rows = [
        canal("CREATE", None, isDdl=True),
        canal("INSERT", [ONE, three]),
        canal("INSERT", []),
        canal("UPDATE", [{**three, "n": 5}, {**ONE, "name": "z"}], [{"n": 1}, {"name": "a"}]),
        canal("DELETE", [ONE, TWO]),
    ]
    decoded = read("canal-json", rows)
    inserted = ["+I1 a 10", '+I3 [{"\\ 1']
    updated = ['-U3 [{"\\ 1', '+U3 [{"\\ 5', "-U1 a 10", "+U1 z 10"]
    assert shown(decoded) == [*inserted, *updated, "-D1 a 10", "-D1 b None"]
    assert decoded.kept is not None
    assert decoded.kept.tolist() == [1, 1, 3, 3, 3, 3, 4, 4]
    assert not decoded.rejects


ODD_LISTS = [
    (canal("INSERT", None), "missing"),
    (canal("INSERT", {"id": 1}), "type"),  # type: ignore[arg-type]
    (canal("INSERT", [None]), "shape"),
    (canal("INSERT", [ONE, 7]), "shape"),
    (canal("INSERT", [ONE, {"id": "x"}]), "type"),
    (canal("INSERT", [ONE, {"name": "no id"}]), "null"),
    (canal("UPDATE", [ONE]), "missing"),
    (canal("UPDATE", [ONE, TWO], [{"n": 1}]), "missing"),
    (canal("UPDATE", [ONE], [{"n": 1}, {"n": 2}]), "missing"),
    (canal("ALTER", [ONE]), "operation"),
    (b'{"type": "INSERT", "data": [{"id": 1}', "syntax"),
]


@pytest.mark.parametrize(("row", "code"), ODD_LISTS, ids=[str(i) for i in range(len(ODD_LISTS))])
def test_an_odd_envelope_of_several_costs_itself_alone(row: Any, code: str) -> None:
    decoded = read("canal-json", [canal("INSERT", [ONE]), row, canal("DELETE", [TWO])])
    assert shown(decoded) == ["+I1 a 10", "-D1 b None"]
    assert [(r.row, r.code) for r in decoded.rejects] == [(1, code)]


def test_canal_of_some_tables() -> None:
    rows = [canal("INSERT", [ONE], table=t, database=d) for t in ("o", "o2", "p", None) for d in ("shop", "xshop")]
    some = read("canal-json", [*rows, canal("ALTER", None, table="p")], ("value.table",), **{"table.include": "o|o\\d"})
    assert some.frame["value.table"].to_list() == ["o", "o", "o2", "o2"]
    assert not some.rejects
    both = read("canal-json", rows, ("value.database",), **{"table.include": ".*", "database.include": "shop"})
    assert both.frame["value.database"].to_list() == ["shop"] * 3
    with pytest.raises(ConfigError, match="no regular expression"):
        read("canal-json", rows, (), **{"table.include": "("})


def test_metadata_of_canal() -> None:
    keys = tuple(f"value.{k}" for k in ("sql-type", "pk-names", "ingestion-timestamp", "event-timestamp"))
    rows = [
        canal("INSERT", [ONE, TWO], sqlType={"id": 4, "x": None}, pkNames=["id"], ts=2000, es=1500),
        canal("DELETE", [ONE]),
    ]
    frame = read("canal-json", rows, keys).frame.select(keys)
    types = [{"key": "id", "value": 4}, {"key": "x", "value": None}]
    first = (types, ["id"], datetime(1970, 1, 1, 0, 0, 2, tzinfo=UTC), datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC))
    assert frame.rows() == [first, first, (None,) * 4]


def test_metadata() -> None:
    keys = tuple(f"value.{k}" for k in ("ingestion-timestamp", "source.timestamp", "source.table", "source.properties"))
    frame = read("debezium-json", [envelope(ONE, TWO, "u"), {"op": "c", "after": ONE}], keys).frame
    assert frame["value.ingestion-timestamp"].to_list() == [datetime(1970, 1, 1, 0, 0, 2, tzinfo=UTC)] * 2 + [None]
    assert frame["value.source.timestamp"].to_list() == [datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC)] * 2 + [None]
    assert frame["value.source.table"].to_list() == [None] * 3
    properties = [{"key": "db", "value": "shop"}, {"key": "ts_ms", "value": "1500"}]
    assert frame["value.source.properties"].to_list() == [properties, properties, None]


ODD = [
    (None, None),
    (b"", None),
    (b"{}", "operation"),
    (b"[]", "shape"),
    (b"{'op': 1}", "syntax"),
    (b'{"op": "c"}', "missing"),
    (b'{"op": "c", "after": null}', "missing"),
    (b'{"op": "u", "after": {"id": 1}}', "missing"),
    (b'{"op": "d", "after": {"id": 1}}', "missing"),
    (b'{"op": "x", "after": {"id": 1}}', "operation"),
    (b'{"op": "c", "after": 7}', "shape"),
    (b'{"op": "c", "after": {"id": "x"}}', "type"),
    (b'{"op": "c", "after": {"name": "no id"}}', "null"),
    (b'{"op": "u", "before": {"id": 1}, "after": {"id": 99999999999}}', "range"),
    (b'{"op": "c", "after": {"id": 1, "name": "\xff"}}', "utf-8"),
    (b'{"op": "c", "after": {"id": 1, "name": "\\ud800"}}', "utf-8"),
    (b'{"op": "c", "after": ' + b"[" * 100_000, "depth"),
]


@pytest.mark.parametrize(("data", "code"), ODD, ids=[repr(d)[:40] for d, _ in ODD])
def test_an_odd_row_costs_itself_alone(data: bytes | None, code: str | None) -> None:
    rows = [envelope(None, ONE, "c"), data, envelope(ONE, TWO, "u")]
    decoded = read("debezium-json", rows)
    assert shown(decoded) == ["+I1 a 10", "-U1 a 10", "+U1 b None"]
    assert [(r.row, r.code) for r in decoded.rejects] == ([] if code is None else [(1, code)])
    assert not read("debezium-json", rows, ignore_parse_errors="true").rejects


_ROWS = st.fixed_dictionaries(
    {
        "id": st.integers(-(2**31), 2**31 - 1),
        "name": st.none() | st.text(st.characters(codec="utf-8")),
        "n": st.none() | st.integers(-(2**63), 2**63 - 1),
    }
)
_CHANGES = st.one_of(
    st.tuples(st.none(), _ROWS, st.just("c")), st.tuples(_ROWS, _ROWS, st.just("u")), st.tuples(_ROWS, st.none(), st.just("d"))
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(_CHANGES, max_size=20), st.booleans())
def test_any_changes(changes: list[tuple[Row | None, Row | None, str]], escaped: bool) -> None:
    data = [json.dumps(envelope(b, a, op), ensure_ascii=escaped).encode() for b, a, op in changes]
    expected = [row for before, after, _ in changes for row in (before, after) if row is not None]
    decoded = read("debezium-json", data)
    assert decoded.frame.drop(KIND).rows(named=True) == expected
    kinds = {"c": [0], "u": [1, 2], "d": [3]}
    assert decoded.frame[KIND].to_list() == [k for *_, op in changes for k in kinds[op]]


@pytest.mark.parametrize("name", ["debezium-json", "ogg-json", "maxwell-json", "canal-json"])
def test_what_is_written_is_read_again(name: str) -> None:
    frame = pl.DataFrame(
        {"id": [1, 1, 1, 2], "name": ['a"', 'a"', None, "é"], "n": [1, 1, 2, None], KIND: [0, 1, 2, 3]},
        schema=SCHEMA.polars | {KIND: pl.Int8()},
    )
    form = registry.get(name)
    encoded = form.encoder(SCHEMA, options(form.options, {})).encode(frame)
    lines: list[bytes | None] = list(encoded.data.tobytes().splitlines())
    again = form.decoder(SCHEMA, options(form.options, {})).decode(Rows.of(lines)).frame
    assert again.drop(KIND).equals(frame.drop(KIND))
    assert again[KIND].to_list() == [0, 3, 0, 3]


def test_the_lines_of_each_format() -> None:
    frame = pl.DataFrame({"id": [1, 1], KIND: [0, 3]}, schema={"id": pl.Int32(), KIND: pl.Int8()})
    schema = Schema((Field("id", INT),))
    lines = {
        n: registry.get(n).encoder(schema, options(registry.get(n).options, {})).encode(frame)
        for n in registry.names()
        if registry.get(n).changes and n != "debezium-avro-confluent"  # no lines, and tested with a registry
    }
    texts = {name: rows.data.tobytes().decode().splitlines() for name, rows in lines.items()}
    assert texts == {
        "debezium-json": ['{"before":null,"after":{"id":1},"op":"c"}', '{"before":{"id":1},"after":null,"op":"d"}'],
        "ogg-json": [
            '{"before":null,"after":{"id":1},"op_type":"I"}',
            '{"before":{"id":1},"after":null,"op_type":"D"}',
        ],
        "maxwell-json": ['{"data":{"id":1},"type":"insert"}', '{"data":{"id":1},"type":"delete"}'],
        "canal-json": ['{"data":[{"id":1}],"type":"INSERT"}', '{"data":[{"id":1}],"type":"DELETE"}'],
    }


def test_a_sink_gives_no_schema() -> None:
    form = registry.get("debezium-json")
    with pytest.raises(ConfigError, match="schema-include"):
        form.encoder(SCHEMA, options(form.options, {"schema-include": "true"}))


def test_the_plan_knows_these_formats() -> None:
    assert {n for n in registry.names() if registry.get(n).changes} == set(CHANGE_FORMATS)
