"""A cursor over the tokens of a script: looks, takes, and says what it wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

from sqlglot import Token, TokenType

from tailrace.errors import ConfigError, Location, UnsupportedError, did_you_mean
from tailrace.sql.dialect.keywords import RESERVED
from tailrace.sql.dialect.nodes import Identifier, Name, Node, Text
from tailrace.sql.source import Source

N = TypeVar("N", bound=Node)
T = TypeVar("T")

_STRINGS = (TokenType.STRING, TokenType.UNICODE_STRING)


def too_deep(location: Location) -> ConfigError:
    """Give the error of a statement that is nested more deeply than Python's stack goes."""
    hint = "name parts of it by WITH or CREATE VIEW"
    return ConfigError("the statement is nested too deeply", hint=hint, location=location)


class Cursor:
    """What all parts of the parser share. Keywords are compared in any case; a name in backticks is never a keyword."""

    def __init__(self, tokens: Sequence[Token], source: Source) -> None:
        self.tokens = tokens
        self.source = source
        self.at = 0

    @property
    def token(self) -> Token | None:
        """The next token; None at the end."""
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def word(self, ahead: int = 0) -> str:
        """Give a token as a keyword in upper case, or a sign; empty for literals, quoted names and the end."""
        place = self.at + ahead
        if place >= len(self.tokens):
            return ""
        token = self.tokens[place]
        quoted = token.token_type in {*_STRINGS, TokenType.IDENTIFIER, TokenType.NUMBER, TokenType.HEX_STRING}
        return "" if quoted else token.text.upper()

    def sees(self, *words: str) -> bool:
        """Tell whether these words come next, in this order."""
        return all(self.word(i) == w for i, w in enumerate(words))

    def takes(self, *words: str) -> bool:
        """Take these words if they come next."""
        if not self.sees(*words):
            return False
        self.at += len(words)
        return True

    def takes_one(self, *words: str) -> str:
        """Take one of these words; empty if none of them comes next."""
        word = self.word()
        if word not in words:
            return ""
        self.at += 1
        return word

    def expect(self, *words: str) -> None:
        """Take these words; anything else is an error."""
        for word in words:
            if not self.takes(word):
                self.fail(word)

    def fail(self, *expected: str, near: Sequence[str] = ()) -> NoReturn:
        """Raise the error of a syntax that is not as expected; `near` are words that may have been meant."""
        what = " or ".join([", ".join(expected[:-1]), expected[-1]] if len(expected) > 1 else expected)
        token = self.token
        if token is None or token.token_type is TokenType.SEMICOLON:
            raise ConfigError(f"the statement ends too early; expected {what}", location=self.here())
        words = [*(e for e in expected if e.isupper()), *near]
        hint = did_you_mean(self.word(), words) if len(self.word()) > 2 else ""
        if token.text.startswith('"'):
            hint = "write names in `backticks` and texts in 'single quotes'"
        raise ConfigError(f"expected {what} but found {self._shown(token)}", hint=hint, location=self.here())

    def unsupported(self, what: str, hint: str, *, start: int | None = None) -> NoReturn:
        """Raise the error of what Flink has and this version has not."""
        location = self.here() if start is None else self.since(start)
        raise UnsupportedError(f"{what} is not supported yet", hint=hint, location=location)

    def here(self) -> Location:
        """Give the place of the next token; at the end, that after the last one."""
        token = self.token
        if token is not None:
            return self.source.location(token.start, token.end + 1)
        if not self.tokens:
            return self.source.location(0, 0)
        last = self.tokens[-1]
        return self.source.location(last.end, last.end + 1)

    def since(self, start: int) -> Location:
        """Give the place from the token number `start` up to the last one taken."""
        last = max(start, self.at - 1)
        return self.source.location(self.tokens[start].start, self.tokens[last].end + 1)

    def node(self, cls: type[N], start: int, **args: Any) -> N:
        """Make a node that begins at the token number `start` and ends at the last one taken."""
        made = cls(**args)
        made.meta["span"] = (self.tokens[start].start, self.tokens[max(start, self.at - 1)].end + 1)
        return made

    def identifier(self, what: str = "a name") -> Identifier:
        """Take one name."""
        token = self.token
        if token is None or not self._is_name(token):
            self._refuse_name(token, what)
        self.at += 1
        return self.node(Identifier, self.at - 1, this=token.text)

    def sees_name(self) -> bool:
        """Tell whether a name comes next."""
        return self.token is not None and self._is_name(self.token)

    def name(self, what: str = "a name") -> Name:
        """Take a name with dots."""
        start = self.at
        parts = [self.identifier(what)]
        while self.takes("."):
            parts.append(self.identifier(what))
        return self.node(Name, start, parts=parts)

    def text(self, what: str = "a text in single quotes") -> Text:
        """Take a string literal."""
        token = self.token
        if token is None or token.token_type not in _STRINGS:
            self.fail(what)
        value = token.text
        if token.token_type is TokenType.UNICODE_STRING:
            try:
                value = _unicode(token.text)
            except ValueError:
                self.fail("four hexadecimal digits after a backslash, or + and six,")
        self.at += 1
        return self.node(Text, self.at - 1, this=value)

    def sees_text(self) -> bool:
        """Tell whether a string literal comes next."""
        return self.token is not None and self.token.token_type in _STRINGS

    def sees_number(self) -> bool:
        """Tell whether a numeric literal comes next."""
        return self.token is not None and self.token.token_type is TokenType.NUMBER

    def integer(self, what: str = "a whole number") -> int:
        """Take a whole number."""
        token = self.token
        if token is None or not self.sees_number() or not token.text.isdigit():
            self.fail(what)
        self.at += 1
        return int(token.text)

    def many(self, one: Callable[[], T]) -> list[T]:
        """Take a list with commas."""
        found = [one()]
        while self.takes(","):
            found.append(one())
        return found

    def in_parens(self, one: Callable[[], T]) -> list[T]:
        """Take a list with commas in parentheses."""
        self.expect("(")
        found = self.many(one)
        self.expect(")")
        return found

    def _is_name(self, token: Token) -> bool:
        if token.token_type is TokenType.IDENTIFIER:
            return not token.text.startswith("$")
        plain = token.token_type is TokenType.VAR
        return plain and token.text.upper() not in RESERVED and not token.text.startswith("$")

    def _refuse_name(self, token: Token | None, what: str) -> NoReturn:
        if token is not None and token.token_type is TokenType.VAR and token.text.upper() in RESERVED:
            raise ConfigError(
                f"expected {what} but found the reserved word {token.text}",
                hint=f"write `{token.text}` in backticks if it is meant as a name",
                location=self.here(),
            )
        named = token is not None and token.token_type in {TokenType.VAR, TokenType.IDENTIFIER}
        if token is not None and named and token.text.startswith("$"):
            message = f"a name can't begin with $ as {token.text} does"
            raise ConfigError(message, hint="such names are the engine's own", location=self.here())
        self.fail(what)

    def _shown(self, token: Token) -> str:
        return self.source.quote(token.start, token.end + 1)


def _unicode(text: str) -> str:
    """Read the escapes of U&'...': four digits after a backslash, six after a backslash and a plus."""
    out, i = [], 0
    while i < len(text):
        if text[i] != "\\":
            out.append(text[i])
            i += 1
        elif text[i + 1 : i + 2] == "\\":
            out.append("\\")
            i += 2
        else:
            size = 6 if text[i + 1 : i + 2] == "+" else 4
            digits = text[i + 1 + (size == 6) : i + 1 + (size == 6) + size]
            out.append(chr(int(digits, 16)))
            i += 1 + (size == 6) + size
    return "".join(out)
