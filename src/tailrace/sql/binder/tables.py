"""CREATE TABLE: from its text to a `Table`, and from a table to the plan that reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tailrace.errors import ConfigError, Location, UnsupportedError, did_you_mean
from tailrace.expressions.nodes import Column, Expr, UserCall, walk
from tailrace.options import OptionText
from tailrace.plan import catalog
from tailrace.plan.catalog import Table
from tailrace.plan.changelog import ALL, UPSERTS, table_mode
from tailrace.plan.nodes import AssignWatermark, Calc, Normalize, Scan
from tailrace.plan.nodes import Node as Plan
from tailrace.plan.times import time_of
from tailrace.schema import TIMESTAMPS, Field, Schema, TimeAttribute
from tailrace.settings import value
from tailrace.sql.binder.expressions import ExpressionBinder
from tailrace.sql.binder.places import at
from tailrace.sql.binder.scope import Scope
from tailrace.sql.binder.types import data_type
from tailrace.sql.dialect import statement_nodes as s
from tailrace.sql.dialect.nodes import Node, get
from tailrace.sql.source import Source

DUPLICATES = "table.exec.source.cdc-events-duplicate"


def source_plan(table: Table, location: Location | None, settings: Mapping[str, str]) -> Plan:
    """Give the plan that reads a table: scan, changes by key, computed columns, watermark."""
    read = [c for c in table.columns if not isinstance(c, catalog.ComputedColumn)]
    plan: Plan = Scan(schema=Schema(tuple(Field(c.name, c.type) for c in read)), table=table, location=location)
    plan = _normalized(plan, table, settings)
    if table.computed:
        fields = tuple(_without_row_time(f) for f in table.schema)
        exprs = tuple(
            c.expr if isinstance(c, catalog.ComputedColumn) else Column(c.type, c.name) for c in table.columns
        )
        plan = Calc(schema=Schema(fields), input=plan, exprs=exprs, location=location)
    if table.watermark:
        mark = table.watermark
        plan = AssignWatermark(
            schema=table.schema, input=plan, column=mark.column, expr=mark.expr, table=table, location=location
        )
    return plan


def _normalized(plan: Plan, table: Table, settings: Mapping[str, str]) -> Plan:
    """Give the changes of a table whose rows say what stands at its key, or may come twice."""
    mode = table_mode(table)
    twice = bool(value(settings, DUPLICATES)) and mode == ALL
    if mode != UPSERTS and not twice:
        return plan
    if not table.primary_key:
        why = f"'{DUPLICATES}' is set" if twice else f"connector '{table.connector}' finds rows by it"
        raise ConfigError(
            f"table '{table.name}' needs a PRIMARY KEY: {why}",
            hint="add PRIMARY KEY (...) NOT ENFORCED to its columns",
            location=table.location,
        )
    return Normalize(schema=plan.schema, input=plan, keys=table.primary_key, location=plan.location)


def _without_row_time(field: Field) -> Field:
    return replace(field, time=None) if field.time is TimeAttribute.ROWTIME else field


@dataclass(frozen=True, slots=True)
class TableBinder:
    """Binds the definition of one table; LIKE has been resolved."""

    node: s.CreateTable
    name: str
    source: Source
    discover: catalog.Discover | None = None

    def bind(self) -> Table:
        """
        Give the table.

        Raises:
            ConfigError: a column twice, a wrong type, watermark, key or expression.
        """
        nodes = get(self.node, "columns") or []
        options = self._options()
        found = self._found(nodes, options)
        self._refuse_duplicates(nodes, found.columns.names)
        key = self._primary_key(nodes, found.columns.names)
        own = tuple(Field(f.name, f.type.with_nullable(False) if f.name in key else f.type) for f in found.columns)
        plain = Schema((*own, *(self._field(c, key) for c in nodes if not isinstance(c, s.ComputedColumn))))
        columns: tuple[catalog.TableColumn, ...] = (
            *(catalog.PhysicalColumn(f.name, f.type) for f in own),
            *(self._column(c, plain, key) for c in nodes),
        )
        schema = Schema(tuple(self._field_of(c, plain) for c in columns))
        watermark = self._watermark(schema)
        if watermark:
            schema = Schema(tuple(_row_time(f) if f.name == watermark.column else f for f in schema))
        return Table(
            name=self.name,
            columns=columns,
            schema=schema,
            options={**options, **found.options},
            watermark=watermark,
            primary_key=key,
            partitioned_by=self._partitioned_by(columns),
            comment=self._text("comment"),
            location=self._at(self.node.args["name"]),
        )

    def _at(self, node: Node) -> Location:
        return at(node, self.source)

    def _text(self, key: str) -> str:
        return str(text.this) if (text := get(self.node, key)) else ""

    def _found(self, nodes: list[Node], options: dict[str, OptionText]) -> catalog.Found:
        """Give the columns of a table that is declared without: none if it has some, or nothing can tell them."""
        nothing = catalog.Found(Schema(()), {})
        if self.discover is None or any(isinstance(c, s.PhysicalColumn) for c in nodes):
            return nothing
        return self.discover(self.name, options, self._at(self.node.args["name"])) or nothing

    def _refuse_duplicates(self, nodes: list[Node], found: tuple[str, ...]) -> None:
        seen = set(found)
        for column in nodes:
            name = column.args["name"].this
            if name in seen:
                raise ConfigError(f"the column '{name}' is defined twice", location=self._at(column))
            seen.add(name)

    def _field(self, node: Node, key: tuple[str, ...]) -> Field:
        name = node.args["name"].this
        type_ = data_type(node.args["type"], self.source)
        return Field(name, type_.with_nullable(False) if name in key else type_)

    def _column(self, node: Node, plain: Schema, key: tuple[str, ...]) -> catalog.TableColumn:
        name = str(node.args["name"].this)
        comment = str(text.this) if (text := get(node, "comment")) else ""
        if isinstance(node, s.ComputedColumn):
            return catalog.ComputedColumn(name, self._computed(node, plain), comment)
        type_ = plain[name].type
        if isinstance(node, s.MetadataColumn):
            given = get(node, "key")
            metadata_key = str(given.this) if given else name
            virtual = bool(get(node, "virtual"))
            return catalog.MetadataColumn(name, type_, metadata_key, virtual, comment, self._at(node))
        return catalog.PhysicalColumn(name, type_, comment)

    def _computed(self, node: s.ComputedColumn, plain: Schema) -> Expr:
        names = {c.args["name"].this for c in get(self.node, "columns") if isinstance(c, s.ComputedColumn)}
        try:
            return ExpressionBinder(Scope.of(plain), self.source).bind(node.args["expr"])
        except ConfigError as error:
            if any(f"'{name}'" in error.message for name in names):
                error.hint = "a computed column can't read another one; write its expression out"
            raise

    def _field_of(self, column: catalog.TableColumn, plain: Schema) -> Field:
        if isinstance(column, catalog.ComputedColumn):
            return Field(column.name, column.expr.type, time_of(column.expr, plain))
        return Field(column.name, column.type)

    def _watermark(self, schema: Schema) -> catalog.WatermarkSpec | None:
        node = get(self.node, "watermark")
        if node is None:
            return None
        column = node.args["column"]
        if column.this not in schema:
            raise self._no_column(column, schema.names)
        field = schema[column.this]
        self._check_time(field, column, "the row time")
        expr = ExpressionBinder(Scope.of(schema), self.source).bind(node.args["expr"])
        if any(isinstance(e, UserCall) for e in walk(expr)):
            message = "a function of the user can't compute the watermark"
            hint = "compute the time in a column, as t AS f(x), and write WATERMARK FOR t AS t"
            raise UnsupportedError(message, hint=hint, location=self._at(node.args["expr"]))
        self._check_time(Field(f"the watermark of {field.name}", expr.type), node.args["expr"], "the watermark")
        if expr.type.kind is not field.type.kind:
            message = f"the watermark is {expr.type.sql()}, but the row time '{field.name}' is {field.type.sql()}"
            raise ConfigError(message, location=self._at(node.args["expr"]))
        return catalog.WatermarkSpec(field.name, expr)

    def _check_time(self, field: Field, node: Node, what: str) -> None:
        if field.type.kind in TIMESTAMPS and field.type.precision <= 3 and field.time is None:
            return
        shown = "PROCTIME()" if field.time else field.type.sql()
        raise ConfigError(
            f"{what} must be TIMESTAMP(3) or TIMESTAMP_LTZ(3), but '{field.name}' is {shown}",
            hint="declare the column so, or CAST it in a computed column",
            location=self._at(node),
        )

    def _no_column(self, node: Node, known: tuple[str, ...]) -> ConfigError:
        hint = did_you_mean(node.this, known) or "columns: " + ", ".join(known)
        return ConfigError(f"there is no column '{node.this}'", hint=hint, location=self._at(node))

    def _primary_key(self, nodes: list[Node], found: tuple[str, ...]) -> tuple[str, ...]:
        node = get(self.node, "primary_key")
        if node is None:
            return ()
        physical = (*found, *(c.args["name"].this for c in nodes if isinstance(c, s.PhysicalColumn)))
        for column in node.args["columns"]:
            if column.this not in physical:
                raise self._no_column(column, physical)
        return tuple(c.this for c in node.args["columns"])

    def _partitioned_by(self, columns: tuple[catalog.TableColumn, ...]) -> tuple[str, ...]:
        names = tuple(c.name for c in columns if isinstance(c, catalog.PhysicalColumn))
        given = get(self.node, "partitioned_by") or []
        for column in given:
            if column.this not in names:
                raise self._no_column(column, names)
        return tuple(c.this for c in given)

    def _options(self) -> dict[str, OptionText]:
        found: dict[str, OptionText] = {}
        for option in get(self.node, "options") or []:
            key, value = option.args["key"], option.args["value"]
            if key.this in found:
                raise ConfigError(f"the option '{key.this}' is given twice", location=self._at(key))
            found[key.this] = OptionText(str(value.this), self._at(value), self._at(key))
        return found


def _row_time(field: Field) -> Field:
    return replace(field, time=TimeAttribute.ROWTIME)
