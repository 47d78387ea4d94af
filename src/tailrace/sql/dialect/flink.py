"""The dialect: how text becomes a syntax tree and back."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from sqlglot import Token, TokenType, exp, parser, tokens
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import TokenError

from tailrace.errors import ConfigError
from tailrace.sql.dialect.cursor import too_deep
from tailrace.sql.dialect.generator import FlinkGenerator
from tailrace.sql.dialect.nodes import Node, Skip, Type
from tailrace.sql.dialect.statements import StatementParser
from tailrace.sql.source import Source

T = TypeVar("T")

_SIGNS = {
    "<>": TokenType.NEQ,
    "!=": TokenType.NEQ,
    "<=": TokenType.LTE,
    ">=": TokenType.GTE,
    "=>": TokenType.FARROW,
    "||": TokenType.DPIPE,
    "/*+": TokenType.HINT,
}


_HEX = re.compile(r"--[^\n]*|/\*.*?\*/|`[^`]*`|\b[xX]'(?P<hex>[^']*)'|'[^']*'", re.DOTALL)
_HEX_DIGITS = re.compile(r"[0-9a-fA-F]*")


class Flink(Dialect):
    """
    Flink's SQL for sqlglot. Words are not keywords to the tokenizer: the parser knows where each of them means one.

    >>> import sqlglot
    >>> sqlglot.parse_one("select a from t where b > 1", read=Flink).sql(Flink)
    'SELECT `a` FROM `t` WHERE `b` > 1'
    """

    class Tokenizer(tokens.Tokenizer):
        """Names in backticks, texts in single quotes, `--` and `/* */` comments."""

        QUOTES: ClassVar[list[Any]] = ["'"]
        IDENTIFIERS: ClassVar[list[Any]] = ["`"]
        IDENTIFIER_ESCAPES: ClassVar[list[str]] = ["`"]
        STRING_ESCAPES: ClassVar[list[str]] = ["'"]
        HEX_STRINGS: ClassVar[list[Any]] = [("X'", "'"), ("x'", "'")]
        UNICODE_STRINGS: ClassVar[list[Any]] = [("U&'", "'"), ("u&'", "'")]
        COMMENTS: ClassVar[list[Any]] = ["--", ("/*", "*/")]
        NESTED_COMMENTS = False
        HINT_START = ""  # what stands in a hint are tokens; the parser knows where one may stand
        KEYWORDS: ClassVar[dict[str, TokenType]] = _SIGNS
        COMMANDS: ClassVar[set[TokenType]] = set()

    class Parser(parser.Parser):
        """Gives the trees of `StatementParser`."""

        def parse(self, raw_tokens: list[Token], sql: str) -> list[exp.Expr | None]:
            """Parse tokens of `sql`."""
            return list(StatementParser(raw_tokens, Source(sql, "<text>")).script())

    Generator = FlinkGenerator


def parse(source: Source) -> list[Node]:
    """
    Parse a script into one tree for each statement.

    Raises:
        ConfigError: it is not Flink's SQL; points at the place.
        UnsupportedError: it is, but of a part that is not here yet.
    """
    return _parser(source).script()


def parse_type(source: Source) -> Type:
    """
    Parse a text that is one data type.

    Raises:
        ConfigError: it is none; points at the place.
    """
    return _alone(source, StatementParser.type, "type")


def parse_expression(source: Source) -> Node:
    """
    Parse a text that is one expression.

    Raises:
        ConfigError: it is none; points at the place.
        UnsupportedError: it is, but of a part that is not here yet.
    """
    return _alone(source, StatementParser.expression, "expression")


def parse_pattern(source: Source) -> dict[str, Node | bool]:
    """
    Parse a text that stands in the parentheses of PATTERN; give it as parts of a `MatchSource`.

    Raises:
        ConfigError: it is none; points at the place.
    """
    return _alone(source, StatementParser.whole_pattern, "pattern")


def parse_skip(source: Source) -> Skip:
    """
    Parse a text that stands behind AFTER MATCH SKIP.

    Raises:
        ConfigError: it is none; points at the place.
    """
    return _alone(source, StatementParser.skip, "clause")


def _alone(source: Source, one: Callable[[StatementParser], T], what: str) -> T:
    """Take one thing that is the whole text."""
    parser = _parser(source)
    first = parser.here()
    try:
        found = one(parser)
    except RecursionError:
        raise too_deep(first) from None
    if (token := parser.token) is not None:
        found_instead = source.quote(token.start, token.end + 1)
        raise ConfigError(f"expected the end of the {what} but found {found_instead}", location=parser.here())
    return found


def _parser(source: Source) -> StatementParser:
    try:
        found = Flink().tokenize(source.text)
    except TokenError as error:
        raise _unreadable(source, error) from None
    return StatementParser(found, source)


def _unreadable(source: Source, error: TokenError) -> ConfigError:
    """Give the error of a text that is not even made of tokens."""
    for found in _HEX.finditer(source.text):
        if found["hex"] is not None and not _HEX_DIGITS.fullmatch(found["hex"]):
            message = f"expected hexadecimal digits in X'...' but found '{found['hex']}'"
            return ConfigError(message, location=source.location(*found.span("hex")))
    return ConfigError(f"the text can't be read: {error}", location=source.location(0, 1))


def generate(node: exp.Expr) -> str:
    """Write a tree as text."""
    return FlinkGenerator(dialect=Flink, comments=False).generate(node)
