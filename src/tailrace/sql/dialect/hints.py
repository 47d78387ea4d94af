"""The parser's part for hints: `/*+ OPTIONS('k' = 'v'), BROADCAST(t) */`."""

from __future__ import annotations

from sqlglot import TokenType

from tailrace.sql.dialect.expressions import ExpressionParser
from tailrace.sql.dialect.nodes import Hint, HintOption, Node, Number


class HintParser(ExpressionParser):
    """Reads hints; their names mean the same in any case."""

    def hints(self) -> list[Hint]:
        """Take hints; none if they do not come next."""
        if self.token is None or self.token.token_type is not TokenType.HINT:
            return []
        self.at += 1
        found = self.many(self._hint)
        self.expect("*", "/")
        return found

    def _hint(self) -> Hint:
        start = self.at
        name = str(self.identifier("the name of a hint").this).upper()
        options, arguments = [], []
        if self.takes("("):
            if self._sees_option():
                options = self.many(self._option_of_hint)
            elif not self.sees(")"):
                arguments = self.many(self._argument_of_hint)
            self.expect(")")
        return self.node(Hint, start, this=name, options=options, arguments=arguments)

    def _sees_option(self) -> bool:
        return (self.sees_text() or self.sees_name()) and self.word(1) == "="

    def _option_of_hint(self) -> HintOption:
        start = self.at
        key = self.text() if self.sees_text() else self.identifier("the key of an option")
        self.expect("=")
        value = self.text("the option's value in single quotes")
        return self.node(HintOption, start, key=str(key.this), value=str(value.this))

    def _argument_of_hint(self) -> Node:
        if self.sees_text():
            return self.text()
        if self.sees_number():
            return self.node(Number, self.at, this=str(self.integer()))
        return self.identifier("a table, a text or a number")
