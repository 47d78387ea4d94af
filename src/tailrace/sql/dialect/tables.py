"""The parser's part for CREATE TABLE."""

from __future__ import annotations

from typing import Any

from tailrace.errors import ConfigError
from tailrace.sql.dialect import statement_nodes as s
from tailrace.sql.dialect.nodes import Identifier, Node
from tailrace.sql.dialect.queries import QueryParser

STRATEGIES = ("INCLUDING", "EXCLUDING", "OVERWRITING")
FEATURES = ("ALL", "CONSTRAINTS", "DISTRIBUTION", "GENERATED", "METADATA", "OPTIONS", "PARTITIONS", "WATERMARKS")


class TableParser(QueryParser):
    """Reads the definition of a table."""

    def create_table(self, start: int, *, temporary: bool = False, replace: bool = False) -> s.CreateTable:
        """Take what follows CREATE TABLE."""
        args: dict[str, Any] = {"temporary": temporary, "replace": replace}
        args["exists"] = self.takes("IF", "NOT", "EXISTS")
        args["name"] = self.name("the table's name")
        args["columns"] = []
        if self.sees("("):
            self.expect("(")
            if not self.sees(")"):
                self._elements(args)
            self.expect(")")
        args["comment"] = self.text() if self.takes("COMMENT") else None
        args["distribution"] = self._distribution() if self.sees("DISTRIBUTED") else None
        if self.takes_by("PARTITIONED"):
            args["partitioned_by"] = self.in_parens(self.identifier)
        args["options"] = self.options() if self.takes("WITH") else []
        args["like"] = self._like_table() if self.sees("LIKE") else None
        args["query"] = self._as_query(args)
        return self.node(s.CreateTable, start, **args)

    def _as_query(self, args: dict[str, Any]) -> Node | None:
        untyped = [c for c in args["columns"] if isinstance(c, s.ColumnName)]
        if args["like"] is None and self.takes("AS"):
            return self.needed_query()
        if untyped:
            message = f"the column '{untyped[0].args['name'].this}' has no data type"
            raise ConfigError(message, hint="write one, as a BIGINT", location=self.source.location(*untyped[0].span))
        return None

    def needed_query(self) -> Node:
        """Take a query; anything else is an error."""
        return self.query() if self.sees_query() else self.fail("SELECT", "VALUES", "WITH")

    def _distribution(self) -> s.Distribution:
        start = self.at
        self.expect("DISTRIBUTED")
        kind, columns, buckets = None, [], None
        if self.takes("BY"):
            kind = self.takes_one("HASH", "RANGE") or None
            columns = self.in_parens(self.identifier)
        if self.takes("INTO"):
            buckets = str(self.integer("a number of buckets"))
            self.expect("BUCKETS")
        elif not columns:
            self.fail("BY", "INTO")
        return self.node(s.Distribution, start, kind=kind, columns=columns, buckets=buckets)

    def _elements(self, args: dict[str, Any]) -> None:
        while True:
            self._element(args)
            if not self.takes(","):
                return

    def _element(self, args: dict[str, Any]) -> None:
        start = self.at
        if self.sees("WATERMARK"):
            self._once(args, "watermark", self.watermark())
        elif self.sees("PRIMARY", "KEY") or self.sees("CONSTRAINT"):
            self._once(args, "primary_key", self.primary_key())
        elif self.sees("UNIQUE"):
            self.unsupported("UNIQUE", "supported is PRIMARY KEY (...) NOT ENFORCED")
        else:
            name = self.identifier("a column's name")
            args["columns"].append(self.table_column(start, name, args))

    def _once(self, args: dict[str, Any], key: str, node: Node) -> None:
        if args.get(key) is not None:
            what = key.replace("_", " ")
            raise ConfigError(f"a table has one {what} only", location=self.source.location(*node.span))
        args[key] = node

    def watermark(self) -> s.Watermark:
        """Take WATERMARK FOR."""
        start = self.at
        self.expect("WATERMARK", "FOR")
        column = self.identifier("the column of the row time")
        if self.sees("."):
            self.unsupported("a watermark on a field", "make it a computed column: ts AS payload.ts")
        self.expect("AS")
        return self.node(s.Watermark, start, column=column, expr=self.expression())

    def primary_key(self) -> s.PrimaryKey:
        """Take a primary key of the table."""
        start = self.at
        name = self.identifier("the constraint's name") if self.takes("CONSTRAINT") else None
        self.expect("PRIMARY", "KEY")
        columns = self.in_parens(self.identifier)
        self._not_enforced()
        return self.node(s.PrimaryKey, start, name=name, columns=columns)

    def _not_enforced(self) -> None:
        if not self.takes("NOT", "ENFORCED"):
            self.fail("NOT ENFORCED: a key is never checked here, as in Flink;")

    def table_column(self, start: int, name: Identifier, args: dict[str, Any]) -> Node:
        """Take what follows a column's name; a key behind its type goes into `args`."""
        if self.sees(",") or self.sees(")"):
            return self.node(s.ColumnName, start, name=name)
        if self.takes("AS"):
            expr = self.expression()
            return self.node(s.ComputedColumn, start, name=name, expr=expr, comment=self._comment())
        kind = self.type()
        if self.takes("METADATA"):
            key = self.text("the metadata key in single quotes") if self.takes("FROM") else None
            virtual = self.takes("VIRTUAL")
            more = {"key": key, "virtual": virtual, "comment": self._comment()}
            return self.node(s.MetadataColumn, start, name=name, type=kind, **more)
        if self.sees("PRIMARY", "KEY"):
            at = self.at
            self.expect("PRIMARY", "KEY")
            self._not_enforced()
            self._once(args, "primary_key", self.node(s.PrimaryKey, at, columns=[name.copy()]))
        return self.node(s.PhysicalColumn, start, name=name, type=kind, comment=self._comment())

    def _comment(self) -> Node | None:
        return self.text() if self.takes("COMMENT") else None

    def options(self) -> list[s.Option]:
        """Take options in parentheses."""
        return self.in_parens(self._option)

    def _option(self) -> s.Option:
        start = self.at
        key = self.text("the key of an option in single quotes")
        self.expect("=")
        return self.node(s.Option, start, key=key, value=self.text("the option's value in single quotes"))

    def _like_table(self) -> s.LikeTable:
        start = self.at
        self.expect("LIKE")
        name = self.name("the table to copy")
        options = []
        if self.takes("("):
            while not self.takes(")"):
                options.append(self._like_option())
        return self.node(s.LikeTable, start, name=name, options=options)

    def _like_option(self) -> s.LikeOption:
        start = self.at
        strategy = self.takes_one(*STRATEGIES) or self.fail(*STRATEGIES)
        feature = self.takes_one(*FEATURES) or self.fail(*FEATURES)
        if strategy == "OVERWRITING" and feature in ("ALL", "CONSTRAINTS", "DISTRIBUTION", "PARTITIONS"):
            self.at -= 1
            self.fail("GENERATED", "METADATA", "OPTIONS", "WATERMARKS")
        return self.node(s.LikeOption, start, strategy=strategy, feature=feature)
