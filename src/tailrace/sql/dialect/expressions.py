"""The parser's part for expressions, with the precedence of Flink's own parser."""

from __future__ import annotations

from sqlglot import TokenType

from tailrace.sql.dialect.keywords import UNITS
from tailrace.sql.dialect.nodes import (
    Access,
    Case,
    Cast,
    Constant,
    Constructor,
    Hex,
    Interval,
    Item,
    Node,
    Number,
    Subquery,
    Temporal,
    Unary,
    When,
)
from tailrace.sql.dialect.operators import OperatorParser

_FIRST_OF_CALLS = ("CAST", "TRY_CAST", "CASE", "ROW", "ARRAY", "MAP", "INTERVAL")
_NOT_MEANT_AS_NAMES = (
    *("SELECT", "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "FETCH", "UNION", "AS", "ON", "BY"),
    *("WHEN", "THEN", "ELSE", "END", "AND", "OR", "IS", "IN", "LIKE", "BETWEEN", "WITH", "JOIN"),
)


class ExpressionParser(OperatorParser):
    """Reads what stands between operators: constants, names, calls and parentheses."""

    def atom(self) -> Node:
        start = self.at
        this = self._primary()
        while True:
            if self.takes("["):
                index = self.expression()
                self.expect("]")
                this = self.node(Item, start, this=this, index=index)
            elif self.sees(".") and not isinstance(this, Number):
                self.expect(".")
                this = self.node(Access, start, this=this, field=self.identifier("a field's name"))
            else:
                return this

    def _primary(self) -> Node:
        start = self.at
        token = self.token
        if self.sees_number():
            return self._number("")
        if token is not None and token.token_type is TokenType.DOT and self._begins_fraction():
            self.at += 1
            return self._number(".")
        if token is not None and token.token_type is TokenType.HEX_STRING:
            return self._hex()
        if self.sees_text():
            return self.text()
        if word := self.takes_one("TRUE", "FALSE", "NULL", "UNKNOWN"):
            return self.node(Constant, start, this=word)
        return self._primary_word(start)

    def _primary_word(self, start: int) -> Node:
        if self.sees("("):
            return self._parens()
        if self.takes("EXISTS"):
            return self.exists(start)
        if self.word() in _FIRST_OF_CALLS and (special := self._special()):
            return special
        if self.sees_date_literal():
            return self._temporal()
        if self.sees_call():
            return self.call()
        if self._sees_modifier():
            return self.node(Unary, start, op=self.takes_one("FINAL", "RUNNING"), this=self.call())
        return self._column()

    def _sees_modifier(self) -> bool:
        """Tell whether FINAL or RUNNING stands before a call, as it may in MEASURES."""
        return self.word() in ("FINAL", "RUNNING") and self.word(2) == "("

    def _column(self) -> Node:
        start = self.at
        if not self.sees_name() and (not self.word().isidentifier() or self.word() in _NOT_MEANT_AS_NAMES):
            self.fail("an expression")
        name = self.name("an expression")
        return self.qualified_call(name, start) if self.sees("(") else name

    def _begins_fraction(self) -> bool:
        follower = self.tokens[self.at + 1] if self.at + 1 < len(self.tokens) else None
        return follower is not None and follower.token_type is TokenType.NUMBER and follower.text[0].isdigit()

    def _number(self, before: str) -> Node:
        token = self.tokens[self.at]
        follower = self.tokens[self.at + 1] if self.at + 1 < len(self.tokens) else None
        self.at += 1
        if follower is not None and follower.start == token.end + 1 and follower.token_type is TokenType.VAR:
            self.fail("a space or an operator after the number")
        return self.node(Number, self.at - 1, this=before + token.text)

    def _hex(self) -> Node:
        digits = self.tokens[self.at].text
        try:
            bytes.fromhex(digits)
        except ValueError:
            self.fail("an even count of hexadecimal digits in X'...'")
        self.at += 1
        return self.node(Hex, self.at - 1, this=digits.upper())

    def sees_date_literal(self) -> bool:
        """Tell whether DATE, TIME or TIMESTAMP with a text comes next."""
        if self.word() not in ("DATE", "TIME", "TIMESTAMP") or self.at + 1 >= len(self.tokens):
            return False
        return self.tokens[self.at + 1].token_type is TokenType.STRING

    def _temporal(self) -> Node:
        start = self.at
        kind = self.takes_one("DATE", "TIME", "TIMESTAMP")
        return self.node(Temporal, start, kind=kind, this=self.text().this)

    def _parens(self) -> Node:
        start = self.at
        if query := self.query_alone():
            return self.node(Subquery, start, query=query)
        items = self.in_parens(self.expression)
        return items[0] if len(items) == 1 else self.node(Constructor, start, kind="ROW", arguments=items)

    def _special(self) -> Node | None:
        word, opening = self.word(), self.word(1)
        if word in ("CAST", "TRY_CAST"):
            return self._cast()
        if word == "CASE":
            return self._case()
        if word == "INTERVAL":
            return self.interval()
        if word == "ROW" and opening == "(":
            return self._constructor(word, "(", ")")
        if word in ("ARRAY", "MAP") and opening == "[":
            return self._constructor(word, "[", "]")
        return None

    def _constructor(self, word: str, opening: str, closing: str) -> Node:
        start = self.at
        self.expect(word, opening)
        arguments = [] if self.sees(closing) else self.many(self.expression)
        self.expect(closing)
        return self.node(Constructor, start, kind=word, arguments=arguments)

    def _cast(self) -> Node:
        start = self.at
        safe = self.takes_one("CAST", "TRY_CAST") == "TRY_CAST"
        self.expect("(")
        this = self.expression()
        self.expect("AS")
        kind = self.type()
        self.expect(")")
        return self.node(Cast, start, this=this, type=kind, safe=safe)

    def _case(self) -> Node:
        start = self.at
        self.expect("CASE")
        operand = None if self.sees("WHEN") else self.expression()
        whens = []
        while self.sees("WHEN"):
            whens.append(self._when())
        if not whens:
            self.fail("WHEN")
        default = self.expression() if self.takes("ELSE") else None
        self.expect("END")
        return self.node(Case, start, operand=operand, whens=whens, default=default)

    def _when(self) -> When:
        start = self.at
        self.expect("WHEN")
        condition = self.expression()
        self.expect("THEN")
        return self.node(When, start, condition=condition, value=self.expression())

    def interval(self) -> Node:
        """Take an interval."""
        start = self.at
        self.expect("INTERVAL")
        negative = self.takes("-")
        if not negative:
            self.takes("+")
        value = self.text("the length of the interval in single quotes, as INTERVAL '5' SECOND")
        unit = self._unit()
        to = self._unit() if self.takes("TO") else None
        return self.node(Interval, start, this=value.this, unit=unit, to=to, negative=negative)

    def _unit(self) -> str:
        unit = self.word().removesuffix("S") if self.word() not in UNITS else self.word()
        if unit not in UNITS:
            self.fail(*UNITS)
        self.at += 1
        if self.sees("("):
            self.in_parens(self.integer)
        return unit
