"""SHOW, DESCRIBE and the list of SET: tables of text, with Flink's column names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

import polars as pl

from tailrace.errors import is_secret
from tailrace.expressions import catalogue
from tailrace.plan.catalog import ComputedColumn, MetadataColumn, Table
from tailrace.schema import Field, TimeAttribute
from tailrace.sql.binder.names import Names, in_default, plain, qualified, unknown
from tailrace.sql.dialect import generate
from tailrace.sql.dialect import statement_nodes as s
from tailrace.sql.dialect.nodes import Identifier, Name, Node, Text, get
from tailrace.sql.source import Source

_HIDDEN = "******"

D = TypeVar("D", bound=Node)


def show(names: Names, node: s.Show, source: Source) -> pl.DataFrame:
    """Give what SHOW lists: where it has a pattern, only what matches."""
    database = get(node, "database")
    if database is not None:
        in_default(database, source)
    frame = _listed(names, node, source)
    like = get(node, "like")
    if like is None:
        return frame
    matches = frame.to_series().str.contains(_regex(str(node.args["pattern"].this), exact=like == "LIKE"))
    return frame.filter(~matches if get(node, "negated") else matches)


def _listed(names: Names, node: s.Show, source: Source) -> pl.DataFrame:
    match str(node.args["what"]):
        case "TABLES":
            return _texts("table name", sorted([*names.tables, *names.views]))
        case "VIEWS":
            return _texts("view name", sorted(names.views))
        case "FUNCTIONS":
            return _texts(
                "function name", sorted({f.name.lower() for f in catalogue.functions()} | names.functions.keys())
            )
        case "USER FUNCTIONS":
            return _texts("function name", sorted(names.functions))
        case "COLUMNS":
            return describe(names, node.args["name"], source)
    return _texts("result", [_definition(names, node, source)])


def _regex(pattern: str, *, exact: bool) -> str:
    """Turn a pattern of LIKE into a regular expression; a backslash takes a wildcard as it is."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    words = {"%": ".*", "_": "."}
    return f"(?s{'' if exact else 'i'})^{''.join(words.get(p) or re.escape(p[-1]) for p in parts)}$"


def settings_frame(settings: Mapping[str, str]) -> pl.DataFrame:
    """Give the settings; secrets are hidden."""
    keys = sorted(settings)
    values = [_HIDDEN if is_secret(k) else settings[k] for k in keys]
    return pl.DataFrame({"key": keys, "value": values}, schema={"key": pl.String, "value": pl.String})


def without_login(value: str) -> str:
    """
    Hide the user and password in addresses.

    >>> without_login("http://me:secret@registry:8081")
    'http://******@registry:8081'
    """
    return re.sub(r"(://)[^/@\s,]+@", rf"\1{_HIDDEN}@", value)


def describe(names: Names, name: Name, source: Source) -> pl.DataFrame:
    """Give the columns of a table or view."""
    text = plain(name, source)
    if text in names.views:
        return _described(names.views[text].plan.schema.fields, None, {})
    if text not in names.tables:
        raise unknown("table or view", text, names, name, source)
    table = names.tables[text]
    frame = _described(table.schema.fields, table, _texts_of(names.definitions[text]))
    columns = get(names.definitions[text], "columns") or []
    comments = {c.args["name"].this: c.args["comment"].this for c in columns if get(c, "comment") is not None}
    if not comments:
        return frame
    return frame.with_columns(
        pl.col("name").replace_strict(comments, default=None, return_dtype=pl.String).alias("comment")
    )


def _texts_of(definition: s.CreateTable) -> dict[str, str]:
    """Give the expressions of computed columns by name, and that of the watermark by an empty name."""
    columns = (c for c in get(definition, "columns") or [] if isinstance(c, s.ComputedColumn))
    found = {str(c.args["name"].this): generate(c.args["expr"]) for c in columns}
    watermark = get(definition, "watermark")
    return found | ({"": generate(watermark.args["expr"])} if watermark is not None else {})


def _described(fields: tuple[Field, ...], table: Table | None, texts: Mapping[str, str]) -> pl.DataFrame:
    key = f"PRI({', '.join(table.primary_key)})" if table and table.primary_key else None
    rows = [
        (
            f.name,
            _type(f),
            "TRUE" if f.type.nullable else "FALSE",
            key if table and f.name in table.primary_key else None,
            _extras(f.name, table, texts) if table else None,
            texts[""] if table and table.watermark and table.watermark.column == f.name else None,
        )
        for f in fields
    ]
    columns = ("name", "type", "null", "key", "extras", "watermark")
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


def _type(field: Field) -> str:
    mark = {TimeAttribute.ROWTIME: " *ROWTIME*", TimeAttribute.PROCTIME: " *PROCTIME*"}
    return field.type.sql() + (mark[field.time] if field.time else "")


def _extras(name: str, table: Table, texts: Mapping[str, str]) -> str | None:
    column = next(c for c in table.columns if c.name == name)
    if isinstance(column, ComputedColumn):
        return f"AS {texts[name]}"
    if isinstance(column, MetadataColumn):
        key = f" FROM '{column.key}'" if column.key != column.name else ""
        return f"METADATA{key}{' VIRTUAL' if column.virtual else ''}"
    return None


def _definition(names: Names, node: s.Show, source: Source) -> str:
    name, what = node.args["name"], str(node.args["what"])
    text = plain(name, source)
    if what == "CREATE VIEW":
        if text not in names.views:
            raise unknown("view", text, names, name, source)
        return generate(_qualified(names.views[text].definition.copy()))
    if text not in names.definitions:
        raise unknown("table", text, names, name, source)
    shown = _qualified(names.definitions[text].copy())
    options = sorted(get(shown, "options") or [], key=lambda o: str(o.args["key"].this))
    for option in options:
        value = str(option.args["value"].this)
        shown_value = _HIDDEN if is_secret(option.args["key"].this) else without_login(value)
        if shown_value != value:
            option.set("value", Text(this=shown_value))
    shown.set("options", options)
    key = get(shown, "primary_key")
    if key is not None and get(key, "name") is None:
        key.set("name", Identifier(this="_".join(["PK", *(c.this for c in key.args["columns"])])))
    return generate(shown)


def _qualified(definition: D) -> D:
    parts = [Identifier(this=p) for p in qualified(definition.args["name"].texts[-1])]
    definition.set("name", Name(parts=parts))
    return definition


def _texts(column: str, values: list[str]) -> pl.DataFrame:
    return pl.DataFrame({column: values}, schema={column: pl.String})
