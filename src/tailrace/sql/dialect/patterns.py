"""The parser's part for the pattern of MATCH_RECOGNIZE, a regular expression over rows."""

from __future__ import annotations

from sqlglot import Token, TokenType

from tailrace.errors import ConfigError
from tailrace.sql.dialect.nodes import (
    Identifier,
    Node,
    PatternChoice,
    PatternExclude,
    PatternPermute,
    PatternRepeat,
    PatternSequence,
    PatternVariable,
)
from tailrace.sql.dialect.table_functions import TableFunctionParser

_TIMES: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_NAMES = (TokenType.VAR, TokenType.IDENTIFIER)
"""A word that is reserved is meant as a variable too: nothing else can stand there."""


class PatternParser(TableFunctionParser):
    """Reads a pattern; loose to tight: `|`, one after the other, quantifiers."""

    def pattern(self) -> Node:
        """Take a pattern."""
        start = self.at
        parts = [self._sequence()]
        while self.takes("|"):
            parts.append(self._sequence())
        return self._flat(PatternChoice, start, parts)

    def variable(self) -> Identifier:
        """Take a variable of the pattern."""
        return self.identifier("a variable of the pattern")

    def _sequence(self) -> Node:
        start = self.at
        parts = [self._factor()]
        while self.token is not None and (self._sees_variable(self.token) or self.word() in ("(", "{")):
            parts.append(self._factor())
        return self._flat(PatternSequence, start, parts)

    @staticmethod
    def _sees_variable(token: Token) -> bool:
        """Tell whether a word stands there; the sign for the end of the rows is none."""
        return token.token_type in _NAMES and not token.text.startswith("$")

    def _flat(self, cls: type[Node], start: int, parts: list[Node]) -> Node:
        """Give one node for several parts; those of the same kind in parentheses belong to it."""
        flat = [inner for p in parts for inner in (p.args["parts"] if isinstance(p, cls) else [p])]
        return parts[0] if len(parts) == 1 else self.node(cls, start, parts=flat)

    def _factor(self) -> Node:
        start = self.at
        this = self._primary_pattern(start)
        from_nothing = self.sees("{", ",")
        times = self._times()
        if times is None:
            return this
        low, high = times
        reluctant = self.takes("?") and low != high  # with a fixed number there is nothing to choose
        made = self.node(PatternRepeat, start, this=this, low=low, high=high, reluctant=reluctant)
        made.meta["from_nothing"] = from_nothing
        return made

    def _primary_pattern(self, start: int) -> Node:
        if self.takes("("):
            inner = self.pattern()
            self.expect(")")
            return inner
        if self.takes("{"):
            self.expect("-")
            inner = self.pattern()
            self.expect("-", "}")
            return self.node(PatternExclude, start, this=inner)
        if self.takes("PERMUTE"):
            return self.node(PatternPermute, start, parts=self.in_parens(self.pattern))
        return self.node(PatternVariable, start, this=str(self.variable().this))

    def _times(self) -> tuple[int, int | None] | None:
        if word := self.takes_one(*_TIMES):
            return _TIMES[word]
        if not self.sees("{") or self.word(1) == "-":
            return None
        start = self.at
        self.expect("{")
        low = self.integer("a number of rows") if not self.sees(",") else 0
        high: int | None = low
        if self.takes(","):
            high = None if self.sees("}") else self.integer("a number of rows")
        self.expect("}")
        if high is not None and (high < low or high == 0):
            message = f"a part of a pattern can't occur from {low} up to {high} times"
            raise ConfigError(message, hint="write {n, m} with n not above m", location=self.since(start))
        return low, high
