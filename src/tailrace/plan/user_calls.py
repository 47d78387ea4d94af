"""Whether a plan calls functions of the user."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass

from tailrace.plan.catalog import Table
from tailrace.plan.nodes.base import Node, walk
from tailrace.user_functions.known import Known


def calls_user(sinks: Iterable[Node]) -> bool:
    """Tell whether any node of a plan calls a function, aggregate or process function of the user."""
    return any(_calls(getattr(node, f.name)) for sink in sinks for node in walk(sink) for f in fields(node))


def _calls(value: object) -> bool:
    match value:
        case Known():
            return True
        case Node() | Table() | type():  # other nodes come by themselves
            return False
        case tuple() | list():
            return any(map(_calls, value))
        case Mapping():
            return any(map(_calls, value.values()))
        case _ if is_dataclass(value):
            return any(_calls(getattr(value, f.name)) for f in fields(value))
    return False
