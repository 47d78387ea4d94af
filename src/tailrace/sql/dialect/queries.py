"""The parser's part for queries."""

from __future__ import annotations

from collections.abc import Callable

from tailrace.errors import ConfigError
from tailrace.sql.dialect.grouping import GroupingParser
from tailrace.sql.dialect.nodes import (
    Constructor,
    Node,
    Query,
    Select,
    SelectItem,
    SetOperation,
    Star,
    TableSource,
    ValuesList,
    With,
)


class QueryParser(GroupingParser):
    """Reads SELECT, VALUES, set operations, WITH, ORDER BY and LIMIT."""

    def query(self) -> Query:
        start = self.at
        ctes = self._with() if self.takes("WITH") else []
        body = self._union()
        order = self.order_by()
        limit, offset = self._limit()
        return self.node(Query, start, ctes=ctes, body=body, order=order, limit=limit, offset=offset)

    def _with(self) -> list[With]:
        if self.sees("RECURSIVE"):
            self.unsupported("WITH RECURSIVE", "write the query without recursion")
        return self.many(self._cte)

    def _cte(self) -> With:
        start = self.at
        name = self.identifier("a name for the query")
        columns = self.in_parens(self.identifier) if self.sees("(") else []
        self.expect("AS", "(")
        query = self.query()
        self.expect(")")
        return self.node(With, start, name=name, columns=columns, query=query)

    def _limit(self) -> tuple[str | None, str | None]:
        limit = offset = None
        if limited := self.takes("LIMIT"):
            limit = None if self.takes("ALL") else str(self.integer("a number of rows"))
        if self.takes("OFFSET"):
            offset = str(self.integer("a number of rows"))
            self.takes_one("ROW", "ROWS")
        if not limited and self.takes("FETCH"):
            if not self.takes_one("FIRST", "NEXT"):
                self.fail("FIRST", "NEXT")
            limit = str(self.integer("a number of rows"))
            if not self.takes_one("ROW", "ROWS"):
                self.fail("ROWS")
            self.expect("ONLY")
        return limit, offset

    def _union(self) -> Node:
        return self._set_operation(self._intersect, "UNION", "EXCEPT")

    def _intersect(self) -> Node:
        return self._set_operation(self._term, "INTERSECT")

    def _set_operation(self, operand: Callable[[], Node], *words: str) -> Node:
        start = self.at
        left = operand()
        while kind := self.takes_one(*words):
            keeps = self.takes("ALL")
            if not keeps:
                self.takes("DISTINCT")
            left = self.node(SetOperation, start, kind=kind, all=keeps, left=left, right=operand())
        if self.sees("MINUS"):
            raise ConfigError("there is no MINUS in Flink's SQL", hint="write EXCEPT", location=self.here())
        return left

    def _term(self) -> Node:
        start = self.at
        if self.takes("("):
            query = self.query()
            self.expect(")")
            return query
        if self.takes("VALUES"):
            return self.node(ValuesList, start, rows=self.many(self._row))
        if self.takes("SELECT"):
            return self._select(start)
        if self.takes("TABLE"):
            return self._whole_table(start)
        return self.fail("SELECT", "VALUES", "a query in parentheses")

    def _whole_table(self, start: int) -> Select:
        """Take the name behind TABLE: the same as SELECT * of it."""
        at = self.at
        name = self.name("a table or view")
        source = self.node(TableSource, at, name=name, hints=[], system_time=None, alias=None, columns=[])
        args = {"hints": [], "distinct": False, "items": [self.node(Star, start)], "source": source}
        return self.node(Select, start, **args, where=None, group=None, having=None, windows=[], qualify=None)

    def _row(self) -> Node:
        start = self.at
        row = self.takes("ROW")
        if row or self.sees("("):
            return self.node(Constructor, start, kind="ROW", arguments=self.in_parens(self.expression))
        return self.node(Constructor, start, kind="ROW", arguments=[self.expression()])

    def _select(self, start: int) -> Select:
        if self.sees("STREAM"):
            self.fail("the columns to select")
        args: dict[str, object] = {"hints": self.hints(), "distinct": self.takes("DISTINCT")}
        if not args["distinct"]:
            self.takes("ALL")
        args["items"] = self.many(self._item)
        args["source"] = self.from_clause() if self.takes("FROM") else None
        args["where"] = self.expression() if self.takes("WHERE") else None
        args["group"] = self.group_by()
        args["having"] = self.expression() if self.takes("HAVING") else None
        args["windows"] = self.window_definitions()
        args["qualify"] = self.expression() if self.takes("QUALIFY") else None
        return self.node(Select, start, **args)

    def _item(self) -> Node:
        start = self.at
        if self.takes("*"):
            return self.node(Star, start)
        if star := self.qualified_star():
            return star
        this = self.expression()
        if self.takes("AS"):
            return self.node(SelectItem, start, this=this, alias=self.identifier("an alias"))
        alias = self.identifier() if self.sees_name() else None
        return self.node(SelectItem, start, this=this, alias=alias)
