"""LIKE: the definition of one table from that of another."""

from __future__ import annotations

from typing import Any

from tailrace.errors import ConfigError
from tailrace.sql.binder.places import at
from tailrace.sql.dialect import statement_nodes as s
from tailrace.sql.dialect.nodes import Node, get
from tailrace.sql.dialect.tables import FEATURES
from tailrace.sql.source import Source

_DEFAULTS = dict.fromkeys(FEATURES[1:], "INCLUDING") | {"OPTIONS": "OVERWRITING"}
_COLUMNS = {s.ComputedColumn: "GENERATED", s.MetadataColumn: "METADATA"}


def merge(new: s.CreateTable, base: s.CreateTable, source: Source) -> s.CreateTable:
    """
    Give the definition of `new LIKE base` without LIKE.

    Physical columns of the base always come first. Each other feature follows its option: INCLUDING (of the same thing
    twice it is an error), OVERWRITING (the new one counts) or EXCLUDING; by default all are included, options overwritten.

    Raises:
        ConfigError: something is defined in both, and not to be overwritten.
    """
    like = new.args["like"]
    strategies = _strategies(get(like, "options") or [], source)
    args: dict[str, Any] = {k: v for k, v in new.args.items() if k != "like"}
    args["columns"] = _columns(new, base, strategies, source)
    args["options"] = _options(new, base, strategies["OPTIONS"], source)
    for key, feature in (("watermark", "WATERMARKS"), ("primary_key", "CONSTRAINTS"), ("partitioned_by", "PARTITIONS")):
        args[key] = _one(get(new, key), get(base, key), strategies[feature], like, source)
    made = s.CreateTable(**args)
    made.meta["span"] = new.span
    return made


def _strategies(options: list[Node], source: Source) -> dict[str, str]:
    if not options:
        return dict(_DEFAULTS)
    given: dict[str, str] = {}
    for option in options:
        if option.args["feature"] in given:
            raise ConfigError(f"{option.args['feature']} of LIKE is given twice", location=at(option, source))
        given[option.args["feature"]] = option.args["strategy"]
    every = given.get("ALL", "INCLUDING")
    return {feature: given.get(feature, every) for feature in FEATURES[1:]}


def _columns(new: s.CreateTable, base: s.CreateTable, strategies: dict[str, str], source: Source) -> list[Node]:
    own = {c.args["name"].this: c for c in get(new, "columns") or []}
    found: dict[str, Node] = {}
    for column in get(base, "columns") or []:
        feature = _COLUMNS.get(type(column))
        if feature and strategies[feature] == "EXCLUDING":
            continue
        name = column.args["name"].this
        if name in own and (feature is None or strategies[feature] != "OVERWRITING"):
            raise ConfigError(f"the column '{name}' is in the table of LIKE too", location=at(own[name], source))
        found[name] = column
    return list((found | own).values())  # what is overwritten keeps its place


def _options(new: s.CreateTable, base: s.CreateTable, strategy: str, source: Source) -> list[Node]:
    own = {o.args["key"].this: o for o in get(new, "options") or []}
    if strategy == "EXCLUDING":
        return list(own.values())
    merged = {o.args["key"].this: o for o in get(base, "options") or []}
    for key, option in own.items():
        if key in merged and strategy == "INCLUDING":
            hint = "write LIKE t (OVERWRITING OPTIONS) to replace it"
            message = f"the option '{key}' is in the table of LIKE too"
            raise ConfigError(message, hint=hint, location=at(option, source))
    return list((merged | own).values())


def settled(definition: s.CreateTable) -> s.CreateTable:
    """Write into a definition what follows from it: columns of the primary key are NOT NULL, also where LIKE takes them."""
    key = get(definition, "primary_key")
    names = {c.this for c in key.args["columns"]} if key is not None else set()
    for column in get(definition, "columns") or []:
        if column.args["name"].this in names and isinstance(column, s.PhysicalColumn):
            column.args["type"].set("not_null", True)
    return definition


def _one(own: Any, inherited: Any, strategy: str, like: Node, source: Source) -> Any:
    if strategy == "EXCLUDING" or not inherited:
        return own
    if own and strategy == "INCLUDING":
        raise ConfigError("the table of LIKE defines this already", location=at(like, source))
    return own or inherited
