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

    def create_table(self, start: int, *, temporary: bool) -> s.CreateTable:
        """Take what follows CREATE TABLE."""
        args: dict[str, Any] = {"temporary": temporary, "exists": self.takes("IF", "NOT", "EXISTS")}
        args["name"] = self.name("the table's name")
        args["columns"] = []
        if self.sees("("):
            self.expect("(")
            if not self.sees(")"):
                self._elements(args)
            self.expect(")")
        args["comment"] = self.text() if self.takes("COMMENT") else None
        if self.sees("DISTRIBUTED"):
            self.unsupported("DISTRIBUTED BY", "leave it out")
        if self.takes("PARTITIONED", "BY"):
            args["partitioned_by"] = self.in_parens(self.identifier)
        args["options"] = self.in_parens(self._option) if self.takes("WITH") else []
        if self.sees("AS"):
            self.unsupported("CREATE TABLE AS SELECT", "write CREATE TABLE and INSERT INTO")
        args["like"] = self._like_table() if self.sees("LIKE") else None
        return self.node(s.CreateTable, start, **args)

    def _elements(self, args: dict[str, Any]) -> None:
        while True:
            self._element(args)
            if not self.takes(","):
                return

    def _element(self, args: dict[str, Any]) -> None:
        start = self.at
        if self.sees("WATERMARK"):
            self._once(args, "watermark", self._watermark())
        elif self.sees("PRIMARY", "KEY") or self.sees("CONSTRAINT"):
            self._once(args, "primary_key", self._primary_key())
        elif self.sees("UNIQUE"):
            self.unsupported("UNIQUE", "supported is PRIMARY KEY (...) NOT ENFORCED")
        else:
            name = self.identifier("a column's name")
            args["columns"].append(self._table_column(start, name, args))

    def _once(self, args: dict[str, Any], key: str, node: Node) -> None:
        if args.get(key) is not None:
            what = key.replace("_", " ")
            raise ConfigError(f"a table has one {what} only", location=self.source.location(*node.span))
        args[key] = node

    def _watermark(self) -> s.Watermark:
        start = self.at
        self.expect("WATERMARK", "FOR")
        column = self.identifier("the column of the row time")
        if self.sees("."):
            self.unsupported("a watermark on a field", "make it a computed column: ts AS payload.ts")
        self.expect("AS")
        return self.node(s.Watermark, start, column=column, expr=self.expression())

    def _primary_key(self) -> s.PrimaryKey:
        start = self.at
        name = self.identifier("the constraint's name") if self.takes("CONSTRAINT") else None
        self.expect("PRIMARY", "KEY")
        columns = self.in_parens(self.identifier)
        self._not_enforced()
        return self.node(s.PrimaryKey, start, name=name, columns=columns)

    def _not_enforced(self) -> None:
        if not self.takes("NOT", "ENFORCED"):
            self.fail("NOT ENFORCED: a key is never checked here, as in Flink;")

    def _table_column(self, start: int, name: Identifier, args: dict[str, Any]) -> Node:
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
