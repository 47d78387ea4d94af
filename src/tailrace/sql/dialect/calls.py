"""The parser's part for calls of functions, with those whose arguments have words between them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

from sqlglot import TokenType

from tailrace.sql.dialect.keywords import CONSTANT_FUNCTIONS, FUNCTION_WORDS, PARTS
from tailrace.sql.dialect.nodes import Call, Clause, Name, NamedArgument, Node, SortKey, Star, Symbol
from tailrace.sql.dialect.over import OverParser

_JSON = ("JSON_VALUE", "JSON_QUERY", "JSON_EXISTS", "JSON_OBJECT", "JSON_OBJECTAGG", "JSON_ARRAY", "JSON_ARRAYAGG")
_WITH_WORDS = ("EXTRACT", "TRIM", "SUBSTRING", "POSITION", "OVERLAY", "CEIL", "CEILING", "FLOOR")
_UNIT_FIRST = ("TIMESTAMPADD", "TIMESTAMPDIFF")
_SHORT_UNITS = {"SQL_TSI_" + part: part for part in PARTS}


class CallParser(OverParser):
    """Reads calls."""

    def sees_call(self) -> bool:
        """Tell whether a call comes next."""
        token = self.token
        if token is None or token.token_type not in (TokenType.VAR, TokenType.IDENTIFIER):
            return False
        if self.word() in CONSTANT_FUNCTIONS:
            return True
        known = self.word() in FUNCTION_WORDS or self.word() in _WITH_WORDS
        return self.word(1) == "(" and (known or self.sees_name())

    def call(self) -> Call:
        """Take a call."""
        start = self.at
        name = self.tokens[start].text
        self.at += 1
        if not self.takes("("):
            return self.node(Call, start, this=name.upper(), bare=True)
        upper = name.upper()
        if upper in _WITH_WORDS:
            arguments = self._with_words(upper)
        elif upper in _UNIT_FIRST:
            arguments = [self._part(), *self._rest()]
        elif upper in _JSON:
            return self._json(start, upper)
        else:
            return self._plain(start, name)
        self.expect(")")
        return self.node(Call, start, this=upper, arguments=arguments)

    def qualified_call(self, name: Name, start: int) -> Call:
        """Take the call of a function by a name with dots."""
        *qualifier, last = name.args["parts"]
        self.expect("(")
        call = self._plain(start, str(last.this))
        call.set("qualifier", qualifier)
        return call

    def _plain(self, start: int, name: str) -> Call:
        distinct = self.takes("DISTINCT")
        if not distinct:
            self.takes("ALL")
        arguments = self._arguments()
        nulls, order = self._array_agg() if name.upper() == "ARRAY_AGG" else (None, [])
        self.expect(")")
        args = {"this": name, "arguments": arguments, "distinct": distinct, "order": order}
        args["nulls"] = nulls or self._nulls()  # both places mean the same
        args["within_group"] = self._within_group()
        return self.node(Call, start, **args, filter=self._filter(), over=self.over())

    def _array_agg(self) -> tuple[str | None, list[SortKey]]:
        """Take what ARRAY_AGG has before its closing parenthesis."""
        return self._nulls(), self.order_by()

    def _nulls(self) -> str | None:
        if self.word() in ("IGNORE", "RESPECT") and self.word(1) == "NULLS":
            word = self.takes_one("IGNORE", "RESPECT")
            self.expect("NULLS")
            return word
        return None

    def _within_group(self) -> list[SortKey]:
        if not self.sees("WITHIN", "GROUP"):
            return []
        self.expect("WITHIN", "GROUP", "(")
        if not self.sees("ORDER", "BY"):
            self.fail("ORDER BY")
        order = self.order_by()
        self.expect(")")
        return order

    def _arguments(self) -> list[Node]:
        start = self.at
        if self.takes("*"):
            return [self.node(Star, start)]
        return [] if self.sees(")") else self.many(self._argument)

    def _argument(self) -> Node:
        start = self.at
        if self.sees_name() and self.word(1) == "=>":
            name = self.identifier()
            self.expect("=>")
            return self.node(NamedArgument, start, name=name, value=self.expression())
        return self.qualified_star() or self.expression()

    def qualified_star(self) -> Star | None:
        """Take `t.*`; None if it does not come next."""
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

    def _filter(self) -> Node | None:
        if not self.sees("FILTER", "("):
            return None
        self.expect("FILTER", "(", "WHERE")
        condition = self.expression()
        self.expect(")")
        return condition

    def _with_words(self, name: str) -> list[Node]:
        if name == "EXTRACT":
            return [self._part(), *self._after("FROM")]
        if name == "TRIM":
            return self._trim()
        if name == "POSITION":
            return self._position()
        if name == "SUBSTRING":
            return self._keyed("FROM", "FOR")
        if name == "OVERLAY":
            return self._keyed("PLACING", "FROM", "FOR")
        value = self.expression()
        return [value, self._part()] if self.takes("TO") else [value, *self._rest()]

    def _trim(self) -> list[Node]:
        start = self.at
        side = self.takes_one("BOTH", "LEADING", "TRAILING")
        symbol = self.node(Symbol, start, this=side or "BOTH")
        if side and self.takes("FROM"):
            return [symbol, self.expression()]
        first = self.expression()
        if self.takes("FROM"):
            return [symbol, first, self.expression()]
        return [symbol, first] if not side else self.fail("FROM")

    def _position(self) -> list[Node]:
        # the needle can't hold IN itself, so it is read one level below comparisons
        needle = self.operand()
        self.expect("IN")
        return [needle, self.expression()]

    @abstractmethod
    def operand(self) -> Node:
        """Take an expression without comparisons."""

    def _keyed(self, *words: str) -> list[Node]:
        found = [self.expression()]
        if self.sees(","):
            return found + self._rest()
        return found + [self.expression() for word in words if self.takes(word)]

    def _after(self, word: str) -> list[Node]:
        self.expect(word)
        return [self.expression()]

    def _rest(self) -> list[Node]:
        return self.many(self.expression) if self.takes(",") else []

    def _part(self) -> Symbol:
        word = _SHORT_UNITS.get(self.word(), self.word())
        if word not in PARTS:
            self.fail(*PARTS)
        self.at += 1
        return self.node(Symbol, self.at - 1, this=word)

    def _json(self, start: int, name: str) -> Call:
        arguments: list[Node] = []
        if name in ("JSON_OBJECT", "JSON_OBJECTAGG"):
            arguments = self._pairs()
        elif not self.sees(")") and not self._json_word():
            arguments = self.many(self.expression)
        order = self.order_by() if name == "JSON_ARRAYAGG" else []
        clauses = list(self._clauses())
        self.expect(")")
        order = order or (self._within_group() if name == "JSON_ARRAYAGG" else [])  # both places mean the same
        return self.node(Call, start, this=name, arguments=arguments, clauses=clauses, within_group=order)

    def _pairs(self) -> list[Node]:
        found: list[Node] = []
        while not self.sees(")") and not self._json_word():
            self.takes("KEY")
            found.append(self.operand())
            if not self.takes("VALUE") and not self.takes(":"):
                self.fail("VALUE")
            found.append(self.expression())
            if not self.takes(","):
                break
        return found

    def _json_word(self) -> bool:
        return self.sees("NULL", "ON") or self.sees("ABSENT", "ON") or self.sees("RETURNING")

    def _clauses(self) -> Iterator[Clause]:
        while not self.sees(")"):
            yield self._clause()

    def _clause(self) -> Clause:
        start = self.at
        if self.takes("RETURNING"):
            return self.node(Clause, start, words="RETURNING", value=self.type())
        if wrapper := self._wrapper():
            return self.node(Clause, start, words=wrapper)
        value = None
        if self.takes("DEFAULT"):
            words, value = "DEFAULT", self.expression()
        elif self.takes("EMPTY"):
            words = "EMPTY " + (self.takes_one("ARRAY", "OBJECT") or self.fail("ARRAY", "OBJECT"))
        else:
            words = self.takes_one("NULL", "ABSENT", "ERROR", "TRUE", "FALSE", "UNKNOWN") or self.fail(")")
        self.expect("ON")
        on = self.takes_one("EMPTY", "ERROR", "NULL") or self.fail("EMPTY", "ERROR", "NULL")
        return self.node(Clause, start, words=f"{words} ON {on}", value=value)

    def _wrapper(self) -> str:
        for words in (
            ("WITHOUT", "ARRAY", "WRAPPER"),
            ("WITHOUT", "WRAPPER"),
            ("WITH", "CONDITIONAL", "ARRAY", "WRAPPER"),
            ("WITH", "CONDITIONAL", "WRAPPER"),
            ("WITH", "UNCONDITIONAL", "ARRAY", "WRAPPER"),
            ("WITH", "UNCONDITIONAL", "WRAPPER"),
            ("WITH", "ARRAY", "WRAPPER"),
            ("WITH", "WRAPPER"),
        ):
            if self.takes(*words):
                return " ".join(w for w in words if w != "ARRAY")
        return ""
