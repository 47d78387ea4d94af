"""The parser's part for FROM: tables, queries, functions, and joins of them."""

from __future__ import annotations

from tailrace.errors import ConfigError
from tailrace.sql.dialect.match import MatchParser
from tailrace.sql.dialect.nodes import (
    FunctionSource,
    Identifier,
    Join,
    LateralSource,
    Node,
    QuerySource,
    TableSource,
    UnnestSource,
)

_JOINS = ("INNER", "LEFT", "RIGHT", "FULL")
_SOURCE = "a table, view, query or table function"


class FromParser(MatchParser):
    """Reads what stands in FROM; joins go from left to right, and a comma is one of them, as in Flink."""

    def from_clause(self) -> Node:
        """Take what follows FROM."""
        return self._joined(commas=True)

    def _joined(self, *, commas: bool) -> Node:
        start = self.at
        left = self._source()
        while True:
            if (commas and self.takes(",")) or self.takes("CROSS", "JOIN"):
                left = self._cross(left, self._source(), start)
                self._refuse_condition()
            elif self.takes("NATURAL"):
                left = self._natural(left, start)
            elif kind := self._join_kind():
                left = self._condition(kind, left, self._source(), start)
            else:
                return left

    def _cross(self, left: Node, right: Node, start: int) -> Join:
        return self.node(Join, start, left=left, right=right, kind="CROSS", natural=False, condition=None, using=[])

    def _refuse_condition(self) -> None:
        if self.word() in ("ON", "USING"):
            hint = "write INNER JOIN, or put the condition into WHERE"
            raise ConfigError("a comma and CROSS JOIN take no condition", hint=hint, location=self.here())

    def _join_kind(self) -> str:
        if self.takes("JOIN"):
            return "INNER"
        kind = self.takes_one(*_JOINS)
        if self.word() in ("SEMI", "ANTI") and self.word(1) == "JOIN":
            hint = f"write WHERE {'EXISTS' if self.sees('SEMI') else 'NOT EXISTS'} (SELECT ...)"
            raise ConfigError(f"there is no {self.word()} JOIN in Flink's SQL", hint=hint, location=self.here())
        if kind and kind != "INNER":
            self.takes("OUTER")
        if kind:
            self.expect("JOIN")
        return kind

    def _natural(self, left: Node, start: int) -> Join:
        kind = self._join_kind() or self.fail("JOIN", *_JOINS)
        right = self._source()
        args = {"left": left, "right": right, "kind": kind, "natural": True}
        return self.node(Join, start, **args, condition=None, using=[])

    def _condition(self, kind: str, left: Node, right: Node, start: int) -> Join:
        args = {"left": left, "right": right, "kind": kind, "natural": False}
        if self.takes("USING"):
            return self.node(Join, start, **args, condition=None, using=self.in_parens(self.identifier))
        if not self.takes("ON"):
            self.fail("ON", "USING")
        return self.node(Join, start, **args, condition=self.expression(), using=[])

    def _source(self) -> Node:
        start = self.at
        if self.sees("LATERAL", "UNNEST"):  # UNNEST sees the columns left of it anyway
            self.expect("LATERAL")
        if self.takes("LATERAL"):
            return self._lateral(start)
        if self.takes("UNNEST"):
            return self._unnest(start)
        if self.takes("TABLE"):
            self.expect("(")
            function = self.table_function()
            self.expect(")")
            return self._aliased(FunctionSource, start, function=function)
        if self.sees("("):
            return self._parens_source(start)
        return self._table_source(start)

    def _lateral(self, start: int) -> Node:
        if self.takes("TABLE"):
            self.expect("(")
            function = self.table_function()
            self.expect(")")
            return self._aliased(LateralSource, start, this=function)
        this = self.query_alone() or self.fail("TABLE(", "UNNEST", "a query in parentheses")
        return self._aliased(LateralSource, start, this=this)

    def _unnest(self, start: int) -> Node:
        arguments = self.in_parens(self.expression)
        ordinality = self.takes("WITH", "ORDINALITY")
        return self._aliased(UnnestSource, start, arguments=arguments, ordinality=ordinality)

    def _parens_source(self, start: int) -> Node:
        if query := self.query_alone():
            return self._matched(QuerySource, start, query=query)
        self.expect("(")
        at = self.at
        source = self._joined(commas=False)
        if not isinstance(source, Join):
            self.at = at
            self.fail("a query or a join in the parentheses")
        self.expect(")")
        return source

    def _table_source(self, start: int) -> Node:
        name = self.name(_SOURCE)
        if self.sees("("):
            self.at = start
            return self._aliased(FunctionSource, start, function=self.table_function())
        hints, time = self.hints(), self._system_time()
        return self._matched(TableSource, start, name=name, hints=hints, system_time=time)

    def _system_time(self) -> Node | None:
        if not self.takes("FOR"):
            return None
        self.expect("SYSTEM_TIME", "AS", "OF")
        return self.expression()

    def _matched(self, cls: type[Node], start: int, **args: object) -> Node:
        """Take the alias of a table or query, with MATCH_RECOGNIZE behind or before it."""
        source = self._aliased(cls, start, **args)
        if not self.takes("MATCH_RECOGNIZE"):
            return source
        match = self.match(source, start)
        alias, columns = self._alias()
        match.set("alias", alias)
        match.set("columns", columns)
        return match

    def _aliased(self, cls: type[Node], start: int, **args: object) -> Node:
        alias, columns = self._alias()
        if alias is not None and self.sees("FOR", "SYSTEM_TIME"):
            hint = f"write FOR SYSTEM_TIME AS OF ... AS {alias.this}"
            raise ConfigError("FOR SYSTEM_TIME AS OF stands before the alias", hint=hint, location=self.here())
        if self.word() in ("TABLESAMPLE", "PIVOT", "UNPIVOT"):
            hint = "leave it out"
            raise ConfigError(f"{self.word()} is not supported, as in Flink", hint=hint, location=self.here())
        return self.node(cls, start, **args, alias=alias, columns=columns)

    def _alias(self) -> tuple[Identifier | None, list[Identifier]]:
        if not self.takes("AS") and (not self.sees_name() or self.word() in ("PIVOT", "UNPIVOT")):
            return None, []
        alias = self.identifier("an alias")
        return alias, self.in_parens(self.identifier) if self.sees("(") else []
