"""The parser's part for operators, with the precedence of Flink's own parser."""

from __future__ import annotations

from abc import abstractmethod

from tailrace.sql.dialect.nodes import Between, Binary, In, InQuery, Is, Like, Node, Unary
from tailrace.sql.dialect.subqueries import SubqueryParser

_COMPARISONS = ("=", "<>", "!=", "<", "<=", ">", ">=")
_OR, _AND, _NOT, _IS, _COMPARISON, _RANGE, _SUM, _PRODUCT, _SIGN = range(1, 10)
_BINARY = {
    "OR": _OR,
    "AND": _AND,
    **dict.fromkeys((*_COMPARISONS, "OVERLAPS"), _COMPARISON),
    **dict.fromkeys(("+", "-"), _SUM),
    **dict.fromkeys(("*", "/", "%", "||"), _PRODUCT),
}
"""How tightly an operator binds: the greater, the tighter."""


class OperatorParser(SubqueryParser):
    """Reads operators by precedence climbing; `atom` is what stands between them."""

    @abstractmethod
    def atom(self) -> Node:
        """Take an operand with what binds tighter than every operator."""

    def expression(self, least: int = _OR) -> Node:
        """Take an expression of operators that bind at least as tightly as `least`."""
        start = self.at
        left = self._prefix()
        while (more := self._infix(left, start, least)) is not None:
            left = more
        return left

    def operand(self) -> Node:
        return self.expression(_SUM)

    def _prefix(self) -> Node:
        start = self.at
        if self.takes("NOT"):
            return self.node(Unary, start, op="NOT", this=self.expression(_NOT))
        if op := self.takes_one("-", "+"):
            return self.node(Unary, start, op=op, this=self.expression(_SIGN))
        return self.atom()

    def _infix(self, left: Node, start: int, least: int) -> Node | None:
        word = self.word()
        if word == "IS":
            return self._is(left, start, least)
        if word in ("NOT", "IN", "BETWEEN", "LIKE", "SIMILAR"):
            return self._range(left, start) if least <= _RANGE else None
        if word in _COMPARISONS and self.word(1) in ("ANY", "SOME", "ALL"):
            return self.quantified(self._operator(), left, start) if least <= _RANGE else None
        level = _BINARY.get(word, 0)
        if level < least:
            return None
        op = self._operator()
        return self.node(Binary, start, op=op, left=left, right=self.expression(level + 1))

    def _operator(self) -> str:
        word = self.takes_one(*_BINARY)
        return "<>" if word == "!=" else word

    def _is(self, this: Node, start: int, least: int) -> Node | None:
        negated = self.word(1) == "NOT"
        distinct = self.word(1 + negated) == "DISTINCT"
        if least > (_COMPARISON if distinct else _IS):
            return None
        self.at += 1 + negated
        if distinct:
            self.expect("DISTINCT", "FROM")
            other = self.expression(_COMPARISON + 1)
            return self.node(Is, start, this=this, what="DISTINCT FROM", negated=negated, other=other)
        what = self._is_what() or self.fail("NULL", "TRUE", "FALSE", "UNKNOWN", "DISTINCT FROM", "JSON")
        return self.node(Is, start, this=this, what=what, negated=negated)

    def _is_what(self) -> str:
        if self.takes("JSON"):
            return " ".join(("JSON", self.takes_one("VALUE", "OBJECT", "ARRAY", "SCALAR"))).strip()
        return self.takes_one("NULL", "TRUE", "FALSE", "UNKNOWN")

    def _range(self, this: Node, start: int) -> Node | None:
        negated = self.takes("NOT")
        if self.takes("IN"):
            return self._in(this, start, negated=negated)
        if self.takes("BETWEEN"):
            return self._between(this, start, negated=negated)
        if self.takes("SIMILAR"):
            self.expect("TO")
            return self._like("SIMILAR TO", this, start, negated=negated)
        if self.takes("LIKE"):
            return self._like("LIKE", this, start, negated=negated)
        return self.fail("IN", "BETWEEN", "LIKE", "SIMILAR TO")

    def _in(self, this: Node, start: int, *, negated: bool) -> Node:
        if query := self.query_alone():
            return self.node(InQuery, start, this=this, query=query, negated=negated)
        return self.node(In, start, this=this, values=self.in_parens(self.expression), negated=negated)

    def _between(self, this: Node, start: int, *, negated: bool) -> Node:
        symmetric = self.takes("SYMMETRIC")
        if not symmetric:
            self.takes("ASYMMETRIC")
        low = self.expression(_NOT)  # AND is what ends it
        self.expect("AND")
        high = self.expression(_RANGE + 1)
        return self.node(Between, start, this=this, low=low, high=high, symmetric=symmetric, negated=negated)

    def _like(self, op: str, this: Node, start: int, *, negated: bool) -> Node:
        pattern = self.expression(_RANGE)  # a LIKE b LIKE c is a LIKE (b LIKE c)
        escape = self.expression(_RANGE + 1) if self.takes("ESCAPE") else None
        return self.node(Like, start, op=op, this=this, pattern=pattern, escape=escape, negated=negated)
