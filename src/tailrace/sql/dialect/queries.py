"""The parser's part for queries."""

from __future__ import annotations

from tailrace.sql.dialect.expressions import ExpressionParser
from tailrace.sql.dialect.nodes import (
    Constructor,
    Descriptor,
    FunctionSource,
    Identifier,
    NamedArgument,
    Node,
    Query,
    QuerySource,
    Select,
    SelectItem,
    Star,
    TableArgument,
    TableFunction,
    TableSource,
    Union,
    ValuesList,
    With,
)

WINDOWS = ("TUMBLE", "HOP", "CUMULATE", "SESSION")
_WINDOW_HINT = "supported are windows: FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE))"
_JOINS = ("JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL")


class QueryParser(ExpressionParser):
    """Reads SELECT, VALUES, UNION ALL, WITH and LIMIT."""

    def sees_query(self) -> bool:
        """Tell whether a query comes next."""
        return self.word() in ("SELECT", "VALUES", "WITH") or (self.sees("(") and self._query_in_parens())

    def _query_in_parens(self) -> bool:
        ahead = 0
        while self.word(ahead) == "(":
            ahead += 1
        return self.word(ahead) in ("SELECT", "VALUES", "WITH")

    def query(self) -> Query:
        """Take a whole query."""
        start = self.at
        ctes = self._with() if self.takes("WITH") else []
        body = self._union()
        if self.sees("ORDER", "BY"):
            self.unsupported("ORDER BY", "leave it out: rows of a stream come in the order of their time")
        limit, offset = self._limit()
        return self.node(Query, start, ctes=ctes, body=body, limit=limit, offset=offset)

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
        if self.takes("LIMIT") and not self.takes("ALL"):
            limit = str(self.integer("a number of rows"))
        if self.takes("OFFSET"):
            offset = str(self.integer("a number of rows"))
            self.takes_one("ROW", "ROWS")
        if limit is None and self.takes("FETCH"):
            if not self.takes_one("FIRST", "NEXT"):
                self.fail("FIRST", "NEXT")
            limit = str(self.integer("a number of rows")) if self.sees_number() else "1"
            if not self.takes_one("ROW", "ROWS"):
                self.fail("ROWS")
            self.expect("ONLY")
        return limit, offset

    def _union(self) -> Node:
        start = self.at
        left = self._term()
        while word := self.takes_one("UNION", "EXCEPT", "INTERSECT", "MINUS"):
            if word != "UNION" or not self.takes("ALL"):
                self.at -= 1
                self.unsupported(word if word != "UNION" else "UNION without ALL", "supported is UNION ALL")
            left = self.node(Union, start, left=left, right=self._term())
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
        return self.fail("SELECT", "VALUES", "a query in parentheses")

    def _row(self) -> Node:
        start = self.at
        row = self.takes("ROW")
        if row or self.sees("("):
            return self.node(Constructor, start, kind="ROW", arguments=self.in_parens(self.expression))
        return self.node(Constructor, start, kind="ROW", arguments=[self.expression()])

    def _select(self, start: int) -> Select:
        if self.sees("STREAM"):
            self.fail("the columns to select")
        distinct = self.takes("DISTINCT")
        if not distinct:
            self.takes("ALL")
        items = self.many(self._item)
        source = self._from() if self.takes("FROM") else None
        where = self.expression() if self.takes("WHERE") else None
        group = self._group() if self.takes("GROUP", "BY") else None
        having = self.expression() if self.takes("HAVING") else None
        self._refuse_clauses()
        return self.node(
            Select, start, distinct=distinct, items=items, source=source, where=where, group=group, having=having
        )

    def _refuse_clauses(self) -> None:
        for word in ("WINDOW", "QUALIFY", "MATCH_RECOGNIZE"):
            if self.sees(word):
                self.unsupported(word, "supported are SELECT, FROM, WHERE, GROUP BY, HAVING and LIMIT")

    def _group(self) -> Node:
        start = self.at
        if self.word() in ("ROLLUP", "CUBE", "GROUPING") and self.word(1) in ("(", "SETS"):
            self.unsupported(f"GROUP BY {self.word()}", "group by columns and expressions")
        keys = [] if self.sees("(", ")") else self.many(self._group_key)
        if not keys:
            self.expect("(", ")")
        return self.node(Constructor, start, kind="GROUP", arguments=keys)

    def _group_key(self) -> Node:
        if self.word() in ("ROLLUP", "CUBE", "GROUPING") and self.word(1) in ("(", "SETS"):
            self.unsupported(f"GROUP BY {self.word()}", "group by columns and expressions")
        return self.expression()

    def _item(self) -> Node:
        start = self.at
        if self.takes("*"):
            return self.node(Star, start)
        if star := self._qualified_star():
            return star
        this = self.expression()
        if self.takes("AS"):
            return self.node(SelectItem, start, this=this, alias=self.identifier("an alias"))
        alias = self.identifier() if self.sees_name() else None
        return self.node(SelectItem, start, this=this, alias=alias)

    def _qualified_star(self) -> Star | None:
        start = self.at
        ahead = 0
        while self.at + ahead + 1 < len(self.tokens) and self.word(ahead + 1) == ".":
            ahead += 2
        if not ahead or self.word(ahead) != "*":
            return None
        parts = [self.identifier()]
        self.expect(".")
        while not self.takes("*"):
            parts.append(self.identifier())
            self.expect(".")
        return self.node(Star, start, qualifier=parts)

    def _from(self) -> Node:
        source = self._source()
        if self.sees(",") or self.word() in _JOINS:
            self.unsupported(
                "a join", "supported is one table, view, query or window in FROM, and UNION ALL of queries"
            )
        if self.sees("FOR", "SYSTEM_TIME"):
            self.unsupported("FOR SYSTEM_TIME AS OF", "leave it out")
        if self.sees("TABLESAMPLE") or self.sees("MATCH_RECOGNIZE") or self.sees("PIVOT"):
            self.unsupported(self.word(), "leave it out")
        return source

    def _source(self) -> Node:
        start = self.at
        if self.sees("LATERAL") or self.sees("UNNEST"):
            self.unsupported(self.word(), "supported is one table, view, query or window in FROM")
        if self.sees("TABLE", "("):
            return self._function_source(start)
        if self.sees("("):
            return self._parens_source(start)
        if self.word() in WINDOWS and self.word(1) == "(":
            self.fail(f"TABLE({self.word()}(...)): a window stands in TABLE(...)")
        self.takes("TABLE")
        name = self.name("a table, view, query or window")
        if self.sees("("):
            self.unsupported(f"the table function {'.'.join(name.texts)}", _WINDOW_HINT)
        self._refuse_hint()
        alias, columns = self._alias()
        return self.node(TableSource, start, name=name, alias=alias, columns=columns)

    def _refuse_hint(self) -> None:
        comments = self.tokens[self.at - 1].comments
        if any(c.startswith("+") for c in comments):
            self.unsupported("a hint", "write the options into WITH (...) of the table", start=self.at - 1)

    def _parens_source(self, start: int) -> Node:
        if not self._query_in_parens():
            self.expect("(")
            source = self._from()
            self.expect(")")
            return source
        self.expect("(")
        query = self.query()
        self.expect(")")
        alias, columns = self._alias()
        return self.node(QuerySource, start, query=query, alias=alias, columns=columns)

    def _alias(self) -> tuple[Identifier | None, list[Identifier]]:
        if not self.takes("AS") and (not self.sees_name() or self.sees("PIVOT")):
            return None, []
        alias = self.identifier("an alias")
        return alias, self.in_parens(self.identifier) if self.sees("(") else []

    def _function_source(self, start: int) -> FunctionSource:
        self.expect("TABLE", "(")
        at = self.at
        name = self.identifier("a window: TUMBLE, HOP or CUMULATE")
        if name.this.upper() not in WINDOWS:
            self.unsupported(f"the table function {name.this}", _WINDOW_HINT, start=at)
        if name.this.upper() == "SESSION":
            self.unsupported("SESSION", "supported windows are TUMBLE, HOP and CUMULATE", start=at)
        arguments = self.in_parens(self._table_argument)
        function = self.node(TableFunction, at, this=name.this.upper(), arguments=arguments)
        self.expect(")")
        alias, columns = self._alias()
        return self.node(FunctionSource, start, function=function, alias=alias, columns=columns)

    def _table_argument(self) -> Node:
        start = self.at
        if self.sees_name() and self.word(1) == "=>":
            name = self.identifier()
            self.expect("=>")
            upper = self.node(Identifier, start, this=name.this.upper())
            return self.node(NamedArgument, start, name=upper, value=self._argument_value())
        return self._argument_value()

    def _argument_value(self) -> Node:
        start = self.at
        if self.takes("DESCRIPTOR"):
            return self.node(Descriptor, start, columns=self.in_parens(self.identifier))
        if self.takes("TABLE") or self.sees_query():
            value: Node = self._table_value()
            if self.sees("PARTITION", "BY"):
                self.unsupported("PARTITION BY of a window", "group by the columns instead")
            return self.node(TableArgument, start, this=value)
        return self.expression()

    def _table_value(self) -> Node:
        if self.sees("("):
            self.expect("(")
            query = self.query()
            self.expect(")")
            return query
        return self.query() if self.sees_query() else self.name("a table or view")
