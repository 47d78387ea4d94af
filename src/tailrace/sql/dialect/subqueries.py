"""The parser's part for queries inside expressions."""

from __future__ import annotations

from abc import abstractmethod

from tailrace.sql.dialect.calls import CallParser
from tailrace.sql.dialect.nodes import Exists, Node, Quantified, Query

_BEGINS = ("SELECT", "VALUES", "WITH", "TABLE")
_GOES_ON = (")", "UNION", "INTERSECT", "EXCEPT", "MINUS", "ORDER", "LIMIT", "OFFSET", "FETCH")


class SubqueryParser(CallParser):
    """Reads a query where a value may stand; `query` is that of the whole parser."""

    @abstractmethod
    def query(self) -> Query:
        """Take a whole query."""

    def sees_query(self) -> bool:
        """Tell whether a query comes next, in parentheses or not."""
        ahead = 0
        while self.word(ahead) == "(":
            ahead += 1
        return self.word(ahead) in _BEGINS

    def query_alone(self) -> Query | None:
        """Take a query in parentheses; None, with nothing taken, if they hold anything else."""
        if not self.sees("(") or not self.sees_query() or not self._is_query(1):
            return None
        self.expect("(")
        query = self.query()
        self.expect(")")
        return query

    def _is_query(self, ahead: int) -> bool:
        """Tell `(SELECT 1) UNION ...` from `(SELECT 1) + 1`."""
        if self.word(ahead) != "(":
            return self.word(ahead) in _BEGINS
        return self._is_query(ahead + 1) and self.word(self._behind(ahead)) in _GOES_ON

    def _behind(self, ahead: int) -> int:
        """Give the place behind the parenthesis that closes the one at `ahead`."""
        depth = 0
        while self.at + ahead < len(self.tokens):
            depth += {"(": 1, ")": -1}.get(self.word(ahead), 0)
            ahead += 1
            if depth == 0:
                break
        return ahead

    def exists(self, start: int) -> Exists:
        """Take the query behind EXISTS."""
        return self.node(Exists, start, query=self._needed_query())

    def quantified(self, op: str, this: Node, start: int) -> Quantified:
        """Take SOME, ANY or ALL behind a comparison, with its query or list."""
        word = self.takes_one("ANY", "SOME", "ALL")
        query = self.query_alone()
        values = [] if query else self.in_parens(self.expression)
        args = {"op": op, "this": this, "quantifier": "ALL" if word == "ALL" else "SOME"}
        return self.node(Quantified, start, **args, query=query, values=values)

    def _needed_query(self) -> Query:
        query = self.query_alone()
        if query is None:
            self.expect("(")
            self.fail(*_BEGINS)
        return query
