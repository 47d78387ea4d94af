"""INSERT INTO: the columns of a query as those of a table, with Flink's implicit casts."""

from __future__ import annotations

from dataclasses import dataclass

from tailrace.errors import ConfigError, did_you_mean
from tailrace.expressions import catalogue
from tailrace.expressions.nodes import Cast, Column, Expr, Literal
from tailrace.plan.catalog import Table
from tailrace.plan.nodes import Calc, Sink
from tailrace.plan.nodes import Node as Plan
from tailrace.schema import BINARIES, STRINGS, DataType, Field, Kind, Schema, TimeAttribute
from tailrace.sql.binder.expressions import ExpressionBinder
from tailrace.sql.binder.hints import with_options
from tailrace.sql.binder.names import Names, plain, unknown
from tailrace.sql.binder.places import at
from tailrace.sql.binder.queries import QueryBinder
from tailrace.sql.binder.scope import Scope
from tailrace.sql.dialect import statement_nodes as s
from tailrace.sql.dialect.nodes import Node, get
from tailrace.sql.source import Source

_NUMBERS = ("TINYINT", "SMALLINT", "INT", "BIGINT", "DECIMAL", "FLOAT", "DOUBLE")
_IMPLICIT: dict[Kind, tuple[str, ...]] = {
    Kind.CHAR: ("CHAR",),
    Kind.VARCHAR: ("CHAR", "VARCHAR"),
    Kind.BINARY: ("BINARY",),
    Kind.VARBINARY: ("BINARY", "VARBINARY"),
    Kind.SMALLINT: ("TINYINT", "SMALLINT"),
    Kind.INT: ("TINYINT", "SMALLINT", "INT"),
    Kind.BIGINT: ("TINYINT", "SMALLINT", "INT", "BIGINT"),
    Kind.DECIMAL: _NUMBERS,
    Kind.FLOAT: ("TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DECIMAL"),
    Kind.DOUBLE: _NUMBERS,
    Kind.DATE: ("DATE", "TIMESTAMP"),
    Kind.TIME: ("TIME", "TIMESTAMP"),
    Kind.TIMESTAMP: ("TIMESTAMP", "TIMESTAMP_LTZ"),
    Kind.TIMESTAMP_LTZ: ("TIMESTAMP_LTZ", "TIMESTAMP"),
}


def is_implicit(source: DataType, target: DataType) -> bool:
    """Tell whether Flink casts one type to another without being asked."""
    if source.same_as(target) or source.kind is Kind.NULL:
        return True
    if source.kind is target.kind and source.children:
        pairs = zip(source.children, target.children, strict=False)
        same_size = len(source.children) == len(target.children)
        return same_size and all(is_implicit(a, b) for a, b in pairs)
    return source.kind.name in _IMPLICIT.get(target.kind, (target.kind.name,))


@dataclass(frozen=True, slots=True)
class InsertBinder:
    """Binds one INSERT."""

    node: s.Insert
    names: Names
    source: Source

    def bind(self) -> Sink:
        """
        Give the sink.

        Raises:
            ConfigError: no such table or column, too few or too many columns, or a type that does not fit.
        """
        name = self.node.args["name"]
        table = self._table()
        plan = QueryBinder(self.names, self.source).bind(self.node.args["query"], outermost=True)
        fixed = self._fixed(table)
        targets = self._targets(table, fixed)
        if len(targets) != len(plan.schema):
            wanted = ", ".join(f"{f.name} {f.type}" for f in targets)
            given = ", ".join(f"{f.name} {f.type}" for f in plan.schema)
            raise ConfigError(
                f"'{table.name}' takes {len(targets)} columns here, but the query has {len(plan.schema)}",
                hint=f"the table takes ({wanted}); the query gives ({given})",
                location=at(name, self.source),
            )
        by_name = {t.name: self._cast(f, t, table) for f, t in zip(plan.schema, targets, strict=True)}
        self._refuse_two_times(plan, list(by_name.values()))
        written = table.written
        exprs = tuple((fixed | by_name).get(f.name) or self._null(f, table) for f in written)
        return Sink(schema=written, input=self._calc(plan, exprs, written), table=table, location=at(name, self.source))

    def _refuse_two_times(self, plan: Plan, exprs: list[Expr]) -> None:
        """Refuse to write two row times, of which Flink does not know which one is the time of the rows."""
        columns = [e.name for e in exprs if isinstance(e, Column)]
        times = [name for name in columns if plan.schema[name].time is TimeAttribute.ROWTIME]
        if len(times) > 1:
            raise ConfigError(
                f"the query gives two row times, '{times[0]}' and '{times[1]}', as Flink refuses too",
                hint=f"make one of them plain: CAST({times[1]} AS TIMESTAMP(3))",
                location=at(self.node, self.source),
            )

    def _table(self) -> Table:
        name = self.node.args["name"]
        text = plain(name, self.source)
        if text in self.names.views:
            raise ConfigError(f"'{text}' is a view; rows go into tables only", location=at(name, self.source))
        if text not in self.names.tables:
            raise unknown("table", text, self.names, name, self.source)
        if get(self.names.definitions[text], "distribution") is not None:
            message = f"'{text}' is DISTRIBUTED into buckets, which its connector can't write"
            raise ConfigError(message, hint="leave DISTRIBUTED out", location=at(name, self.source))
        return with_options(self.names.tables[text], get(self.node, "hints") or [], self.source)

    def _calc(self, plan: Plan, exprs: tuple[Expr, ...], written: Schema) -> Plan:
        # the query's own nullability, so that NULLs for a NOT NULL column can be seen in the plan
        types = (f.type.with_nullable(e.type.nullable) for f, e in zip(written, exprs, strict=True))
        fields = tuple(Field(f.name, t) for f, t in zip(written, types, strict=True))
        same = plan.schema.names == written.names and all(
            e == Column(f.type, f.name) for e, f in zip(exprs, plan.schema, strict=True)
        )
        if same and all(a.type == b.type for a, b in zip(plan.schema, fields, strict=True)):
            return plan
        return Calc(schema=Schema(fields), input=plan, exprs=exprs, location=at(self.node, self.source))

    def _targets(self, table: Table, fixed: dict[str, Expr]) -> list[Field]:
        columns = get(self.node, "columns") or []
        written = table.written
        if not columns:
            return [f for f in written if f.name not in fixed]
        for i, column in enumerate(columns):
            if column.this not in written or column.this in fixed:
                raise self._no_column(column, table, fixed)
            if column.this in [c.this for c in columns[:i]]:
                raise ConfigError(f"the column '{column.this}' is named twice", location=at(column, self.source))
        return [written[c.this] for c in columns]

    def _no_column(self, column: Node, table: Table, fixed: dict[str, Expr]) -> ConfigError:
        name, written = column.this, table.written
        if name in fixed:
            return ConfigError(f"'{name}' is given in PARTITION already", location=at(column, self.source))
        if name in table.schema:
            message = f"the column '{name}' of '{table.name}' is computed or virtual and can't be written"
            return ConfigError(message, location=at(column, self.source))
        hint = did_you_mean(name, written.names) or "columns: " + ", ".join(written.names)
        return ConfigError(f"'{table.name}' has no column '{name}'", hint=hint, location=at(column, self.source))

    def _fixed(self, table: Table) -> dict[str, Expr]:
        """Give the constants of PARTITION."""
        found: dict[str, Expr] = {}
        binder = ExpressionBinder(Scope.of(Schema(())), self.source)
        for part in get(self.node, "partition") or []:
            column = part.args["column"]
            if column.this not in table.partitioned_by:
                hint = did_you_mean(column.this, table.partitioned_by)
                message = f"'{table.name}' is not partitioned by '{column.this}'"
                raise ConfigError(message, hint=hint, location=at(column, self.source))
            value = binder.bind(part.args["value"])
            target = table.written[column.this]
            found[target.name] = catalogue.cast(value, target.type, safe=False, location=at(part, self.source))
        return found

    def _cast(self, given: Field, target: Field, table: Table) -> Expr:
        column = Column(given.type, given.name)
        if not is_implicit(given.type, target.type):
            raise ConfigError(
                f"the column '{target.name}' of '{table.name}' is {target.type.sql()}, "
                f"but the query gives {given.type.sql()} ('{given.name}')",
                hint=f"write CAST({given.name} AS {target.type.sql()})",
                location=at(self.node.args["name"], self.source),
            )
        if given.type.same_as(target.type) or _same_carrier(given.type, target.type):
            return column
        place = at(self.node.args["name"], self.source)
        return Cast(target.type.with_nullable(given.type.nullable), column, safe=False, location=place)

    def _null(self, target: Field, table: Table) -> Expr:
        if not target.type.nullable:
            raise ConfigError(
                f"the column '{target.name}' of '{table.name}' is NOT NULL and not among those given",
                location=at(self.node.args["name"], self.source),
            )
        return Literal(target.type, None)


def _same_carrier(given: DataType, target: DataType) -> bool:
    """Tell whether only a length differs: Flink neither cuts nor pads what is written into a sink."""
    return any(given.kind in family and target.kind in family for family in (STRINGS, BINARIES))
