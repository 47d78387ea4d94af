"""Calls of JSON functions with the words behind their arguments, as arguments that the catalogue knows."""

from __future__ import annotations

from collections.abc import Callable

from tailrace.errors import ConfigError, Location, UnsupportedError
from tailrace.expressions import catalogue
from tailrace.expressions.json import compiled
from tailrace.expressions.nodes import Expr, Literal
from tailrace.schema import STRING, STRINGS, DataType, Kind
from tailrace.sql.binder.literals import literal, symbol
from tailrace.sql.binder.places import at
from tailrace.sql.binder.types import data_type
from tailrace.sql.dialect import nodes as n
from tailrace.sql.source import Source

Bind = Callable[[n.Node], Expr]
QUERIES = ("JSON_VALUE", "JSON_QUERY", "JSON_EXISTS")
MAKERS = {"JSON_OBJECT": "NULL ON NULL", "JSON_ARRAY": "ABSENT ON NULL"}
"""With what they do about NULLs if nothing is said."""
_WRAPPERS = {"WITHOUT WRAPPER": "WITHOUT", "WITH CONDITIONAL WRAPPER": "CONDITIONAL"}
_VALUE_TYPES = (Kind.VARCHAR, Kind.BOOLEAN, Kind.INT, Kind.DOUBLE)
_DEFAULTS = {Kind.INT: (Kind.INT,), Kind.BOOLEAN: (Kind.BOOLEAN,), Kind.DOUBLE: ()}
_TEXTS = (*STRINGS, Kind.INT, Kind.BIGINT, Kind.DECIMAL, Kind.BOOLEAN)


class JsonCall:
    """One call of a JSON function."""

    def __init__(self, node: n.Call, bind: Bind, source: Source) -> None:
        self._node, self._bind, self._source = node, bind, source
        self._name = str(node.this).upper()
        self._clauses: list[n.Clause] = n.get(node, "clauses") or []

    def bound(self) -> Expr:
        """
        Give the typed call.

        Raises:
            ConfigError: other arguments than it takes, or a clause that is not for it.
            UnsupportedError: a path that can't be searched here.
        """
        self._check_order()
        arguments = [self._argument(a) for a in n.get(self._node, "arguments") or []]
        if self._name in MAKERS:
            return self._made([*arguments, symbol(null_clause(self._clauses, MAKERS[self._name]))])
        if len(arguments) != 2:
            raise ConfigError(f"{self._name} takes a text and a path", location=self._at(self._node))
        self._check_path(arguments[1])
        return self._made([*arguments, *self._words()] if self._clauses else arguments)

    def _argument(self, node: n.Node) -> Expr:
        """Give an argument; JSON(...) may stand in those functions only that write objects and arrays."""
        if self._name in MAKERS and isinstance(node, n.Call) and str(node.this).upper() == "JSON":
            return catalogue.call("JSON", [self._bind(a) for a in n.get(node, "arguments") or []], self._at(node))
        return self._bind(node)

    def _check_order(self) -> None:
        ranks = [_rank(clause) for clause in self._clauses]
        for i, clause in enumerate(self._clauses):
            if i and (ranks[i] < ranks[i - 1] or (ranks[i] == ranks[i - 1] and ranks[i] != _ON)):
                message = f"{clause.args['words']} can't stand behind {self._clauses[i - 1].args['words']}"
                hint = "RETURNING comes first, then WRAPPER, then ON EMPTY and ON ERROR"
                raise ConfigError(message, hint=hint, location=self._at(clause))

    def _made(self, arguments: list[Expr]) -> Expr:
        return catalogue.call(self._name, arguments, self._at(self._node))

    def _at(self, node: n.Node) -> Location:
        return at(node, self._source)

    def _check_path(self, path: Expr) -> None:
        if not isinstance(path, Literal) or not isinstance(path.value, str):
            return
        try:
            compiled(path.value)
        except UnsupportedError as error:
            error.location = self._at(self._node.args["arguments"][1])
            raise

    def _words(self) -> list[Expr]:
        if self._name == "JSON_EXISTS":
            return [symbol(self._on("ERROR", "FALSE", ("TRUE", "FALSE", "UNKNOWN", "ERROR")))]
        returning = Literal(self._returning(), None)
        if self._name == "JSON_QUERY":
            objects = () if returning.type.kind is Kind.ARRAY else ("EMPTY OBJECT",)
            words = ("NULL", "EMPTY ARRAY", *objects, "ERROR")
            return [returning, symbol(self._wrapper()), *(symbol(self._on(x, "NULL", words)) for x in _KINDS)]
        pairs = [
            (symbol(self._on(x, "NULL", ("NULL", "DEFAULT", "ERROR"))), self._default(x, returning.type))
            for x in _KINDS
        ]
        return [returning, *(e for pair in pairs for e in pair)]

    def _on(self, kind: str, default: str, allowed: tuple[str, ...]) -> str:
        """Give what is to happen ON EMPTY or ON ERROR."""
        word = default
        for clause in self._clauses:
            said, on, given = str(clause.args["words"]).partition(" ON ")
            if on and given == kind:
                word = said
                if word not in allowed:
                    raise self._wrong(clause, allowed)
            elif on and (given not in _KINDS or (self._name == "JSON_EXISTS" and given != "ERROR")):
                raise self._wrong(clause, allowed)
        return word

    def _wrong(self, clause: n.Clause, allowed: tuple[str, ...]) -> ConfigError:
        message = f"{clause.args['words']} can't stand in {self._name} here"
        return ConfigError(message, hint=f"supported are {', '.join(allowed)}", location=self._at(clause))

    def _wrapper(self) -> str:
        for clause in self._clauses:
            words = str(clause.args["words"])
            if words.endswith("WRAPPER"):
                return _WRAPPERS.get(words, "WITH")
        return "WITHOUT"

    def _returning(self) -> DataType:
        for clause in self._clauses:
            if clause.args["words"] == "RETURNING":
                found = data_type(clause.args["value"], self._source)
                if not self._is_returned(found):
                    known = "STRING, ARRAY<STRING>" if self._name == "JSON_QUERY" else "STRING, BOOLEAN, INT, DOUBLE"
                    message = f"{self._name} can't return {found.sql()}"
                    raise ConfigError(message, hint=f"supported are {known}; CAST it", location=self._at(clause))
                return found
        return STRING

    def _is_returned(self, t: DataType) -> bool:
        if self._name == "JSON_VALUE":
            return t.kind in _VALUE_TYPES
        return t.kind is Kind.VARCHAR or (t.kind is Kind.ARRAY and t.children[0].kind is Kind.VARCHAR)

    def _default(self, kind: str, returning: DataType) -> Expr:
        for clause in self._clauses:
            if clause.args["words"] == f"DEFAULT ON {kind}":
                value = literal(clause.args["value"])
                if value is None or value.type.kind not in _DEFAULTS.get(returning.kind, _TEXTS):
                    message = f"DEFAULT needs a constant that is {returning.sql()}"
                    raise ConfigError(message, hint="use COALESCE for another value", location=self._at(clause))
                return _as_text(value) if returning.kind is Kind.VARCHAR else value
        return symbol("")


_KINDS = ("EMPTY", "ERROR")
_ON = 2


def _rank(clause: n.Clause) -> int:
    words = str(clause.args["words"])
    return 0 if words == "RETURNING" else 1 if words.endswith("WRAPPER") else 3 if words.endswith("NULL") else _ON


def null_clause(clauses: list[n.Clause], default: str) -> str:
    """Give what a JSON function does about NULLs."""
    return str(clauses[0].args["words"]) if clauses else default


def _as_text(value: Literal) -> Literal:
    text = str(value.value).lower() if isinstance(value.value, bool) else str(value.value)
    return symbol(text)
