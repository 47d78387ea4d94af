"""CREATE TABLE ... AS: a definition out of the columns of a query, and the INSERT that fills the table."""

from __future__ import annotations

from tailrace.errors import ConfigError, did_you_mean
from tailrace.schema import Field, Kind, Schema
from tailrace.sql.binder.places import at
from tailrace.sql.dialect import nodes as n
from tailrace.sql.dialect import parse_type
from tailrace.sql.dialect import statement_nodes as s
from tailrace.sql.source import Source


def definition(node: s.CreateTable, given: Schema, source: Source) -> s.CreateTable:
    """
    Give the definition with the columns of the query, behind those that are written out.

    A column that is written with the name of one of the query's has its place there, and its type is cast to. Names without types
    are all of the query's, in the order that the table is to have.

    Raises:
        ConfigError: a column has no type, or a name is none of the query's.
    """
    if n.get(node, "temporary"):
        hint = "write CREATE TABLE: a table lasts as long as the session anyway"
        raise ConfigError(
            "CREATE TEMPORARY TABLE AS is not supported, as in Flink", hint=hint, location=at(node, source)
        )
    written = n.get(node, "columns") or []
    args = {k: v for k, v in node.args.items() if k != "query"}
    args["columns"] = _ordered(node, written, given, source) or _merged(node, written, given, source)
    made = s.CreateTable(**args)
    made.meta.update(node.meta)
    return made


def filling(node: s.CreateTable, given: Schema) -> s.Insert:
    """Give the INSERT of the query into the table."""
    columns = []
    for name in given.names:
        column = n.Identifier(this=name)
        column.meta.update(node.args["name"].meta)
        columns.append(column)
    made = s.Insert(name=node.args["name"], query=node.args["query"], columns=columns)
    made.meta.update(node.meta)
    return made


def _ordered(node: s.CreateTable, written: list[n.Node], given: Schema, source: Source) -> list[n.Node]:
    """Give the query's columns in the order of names that are written without types; none if there are no such names."""
    names = [c for c in written if isinstance(c, s.ColumnName)]
    if not names:
        return []
    if len(names) != len(written):
        other = next(c for c in written if not isinstance(c, s.ColumnName))
        raise ConfigError("columns with and without types can't stand together", location=at(other, source))
    wanted = [str(c.args["name"].this) for c in names]
    for name, column in zip(wanted, names, strict=True):
        if name not in given:
            hint = did_you_mean(name, given.names) or "columns: " + ", ".join(given.names)
            raise ConfigError(f"the query has no column '{name}'", hint=hint, location=at(column, source))
    if len(wanted) != len(given):
        hint = "the query gives " + ", ".join(given.names)
        raise ConfigError("all columns of the query must be named", hint=hint, location=at(names[0], source))
    return [_column(given[name], node, source) for name in wanted]


def _merged(node: s.CreateTable, written: list[n.Node], given: Schema, source: Source) -> list[n.Node]:
    own = {str(c.args["name"].this): c for c in written}
    for name in given.names:
        if name in own and not isinstance(own[name], s.PhysicalColumn):
            message = f"the query gives '{name}', which is computed or metadata here"
            raise ConfigError(message, location=at(own[name], source))
    before = [c for name, c in own.items() if name not in given]
    return before + [own.get(f.name) or _column(f, node, source) for f in given]


def _column(field: Field, node: s.CreateTable, source: Source) -> s.PhysicalColumn:
    if field.type.kind is Kind.NULL:
        message = f"the column '{field.name}' of the query has no type"
        raise ConfigError(message, hint="CAST it to one", location=at(node.args["query"], source))
    nullable = "" if field.type.nullable else " NOT NULL"
    type_ = parse_type(Source(f"{field.type.with_nullable(True).sql()}{nullable}", source.file))
    column = s.PhysicalColumn(name=n.Identifier(this=field.name), type=type_)
    for part in column.walk():
        part.meta["span"] = node.args["name"].span
    return column
