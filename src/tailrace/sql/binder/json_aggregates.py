"""JSON_ARRAYAGG and JSON_OBJECTAGG: the values are collected as texts, in the order they came, and written together."""

from __future__ import annotations

from collections.abc import Callable

from tailrace.errors import ConfigError, Location
from tailrace.expressions import catalogue
from tailrace.expressions.functions.json_makers import ARRAY_ITEMS, OBJECT_ENTRIES
from tailrace.expressions.nodes import AggregateCall, Expr
from tailrace.schema import STRINGS, array
from tailrace.sql.binder.composed_aggregates import Group
from tailrace.sql.binder.json_calls import null_clause
from tailrace.sql.binder.literals import symbol
from tailrace.sql.dialect import nodes as n

_OBJECTS = "JSON_OBJECTAGG"
NAMES = ("JSON_ARRAYAGG", _OBJECTS)


def json_aggregate(node: n.Call, bind: Callable[[n.Node], Expr], group: Group, place: Location) -> Expr:
    """
    Give the expression over collected values that is the value of a call.

    Raises:
        ConfigError: other arguments than it takes.
    """
    name = str(node.this).upper()
    arguments = [bind(a) for a in n.get(node, "arguments") or []]
    if len(arguments) != (2 if name == _OBJECTS else 1):
        raise ConfigError(f"{name} takes other arguments", hint=_WRITE[name], location=place)
    text = catalogue.call("JSON_STRING", arguments[-1:], place)
    clauses = n.get(node, "clauses") or []
    if name == _OBJECTS:
        made = catalogue.call("ROW", [_key(arguments[0], place), text], place)
        return _written(OBJECT_ENTRIES, made, null_clause(clauses, "NULL ON NULL"), group, place)
    return _written(ARRAY_ITEMS, text, null_clause(clauses, "ABSENT ON NULL"), group, place)


_WRITE = {
    "JSON_ARRAYAGG": "write JSON_ARRAYAGG(x)",
    _OBJECTS: "write JSON_OBJECTAGG(KEY k VALUE x)",
}


def _key(key: Expr, place: Location) -> Expr:
    if key.type.kind not in STRINGS:
        message = f"the key of JSON_OBJECTAGG must be a text, not {key.type.sql()}"
        raise ConfigError(message, hint="CAST it to STRING", location=place)
    return key


def _written(function: str, value: Expr, nulls: str, group: Group, place: Location) -> Expr:
    collected = AggregateCall(
        function="ARRAY_AGG", type=array(value.type), arg=group.column(value), arg_type=value.type, location=place
    )
    return catalogue.call(function, [group.result(collected), symbol(nulls)], place)
