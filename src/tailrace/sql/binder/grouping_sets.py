"""GROUPING SETS, ROLLUP and CUBE as lists of keys."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from tailrace.errors import ConfigError
from tailrace.sql.binder.places import at
from tailrace.sql.dialect import nodes as n
from tailrace.sql.source import Source

Keys = list[n.Node]
_MANY = 64


def key_sets(group: n.GroupBy | None, source: Source) -> list[Keys]:
    """
    Give the keys of each grouping; one list for a plain GROUP BY.

    Raises:
        ConfigError: there are too many of them.
    """
    elements = (n.get(group, "elements") or []) if group is not None else []
    sets = [[key for part in parts for key in part] for parts in product(*map(_sets, elements))]
    if group is not None and n.get(group, "distinct"):
        sets = _different(sets)
    if len(sets) > _MANY and group is not None:
        message = f"GROUP BY makes {len(sets)} groupings"
        raise ConfigError(message, hint=f"at most {_MANY} are possible", location=at(group, source))
    return sets


def _different(sets: list[Keys]) -> list[Keys]:
    """Leave out groupings by keys that another one has already, in any order."""
    found: dict[frozenset[n.Node], Keys] = {}
    for keys in sets:
        found.setdefault(frozenset(keys), keys)
    return list(found.values())


def _sets(element: n.Node) -> list[Keys]:
    if isinstance(element, n.KeySet):
        return [list(element.args["keys"])]
    if not isinstance(element, n.GroupingSets):
        return [[element]]
    members = element.args["elements"]
    match element.args["kind"]:
        case "ROLLUP":
            return [_joined(members[:count]) for count in range(len(members), -1, -1)]
        case "CUBE":
            size = len(members)
            masks = range(2**size - 1, -1, -1)
            return [_joined([m for i, m in enumerate(members) if mask >> (size - 1 - i) & 1]) for mask in masks]
    return [keys for member in members for keys in _sets(member)]


def _joined(members: Sequence[n.Node]) -> Keys:
    return [key for member in members for keys in _sets(member) for key in keys]
