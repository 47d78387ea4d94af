"""`tailrace connectors`: which systems can be read and written, and the options of each."""

from __future__ import annotations

import json as jsons
from typing import Any

from tailrace.cli.grid import print_grid
from tailrace.connectors import registry
from tailrace.connectors.base import Connector
from tailrace.errors import ConfigError
from tailrace.observe.plain import plain
from tailrace.options import Option


def connectors(name: str | None = None, *, json: bool = False) -> None:
    """
    Print what connectors there are, or all of one.

    Raises:
        ConfigError: there is no such connector, or its library is not installed.
    """
    found = [described(registry.get(name))] if name else [_known(n) for n in registry.names()]
    if json:
        print(jsons.dumps(found))
    elif name:
        _print_one(found[0])
    else:
        _print_all(found)


def described(connector: Connector) -> dict[str, Any]:
    """
    Tell of a connector: what it is for, what a table of it may be, its options and metadata columns.

    >>> described(registry.get("sqlite"))["uses"]
    ['source', 'sink', 'lookup']
    """
    return {
        "name": connector.name,
        "doc": connector.doc,
        "uses": uses(connector),
        "formats": connector.formats,
        "options": [_option(o) for o in connector.options.options],
        "metadata": [{"key": m.key, "type": m.type, "doc": m.doc, "writable": m.writable} for m in connector.metadata],
    }


def uses(connector: Connector) -> list[str]:
    """Tell whether tables of a connector can be sources, sinks and lookups."""
    kind = type(connector)
    read, written = kind.source is not Connector.source, kind.sink is not Connector.sink
    return [name for name, can in (("source", read), ("sink", written), ("lookup", connector.lookups)) if can]


def _known(name: str) -> dict[str, Any]:
    """Tell of a connector; of one whose library is not installed, how to get it."""
    try:
        return described(registry.get(name))
    except ConfigError as error:
        return {"name": name, "missing": error.message, "hint": error.hint}


def _option(option: Option) -> dict[str, Any]:
    default = option.default if isinstance(option.default, str | int | float | bool) else None
    return {
        "key": option.key,
        "required": option.required,
        "default": default,
        "secret": option.secret,
        "doc": option.doc,
    }


def _print_all(found: list[dict[str, Any]]) -> None:
    width = max(len(c["name"]) for c in found)
    for one in found:
        about = one.get("doc") or f"not installed: {one['hint'] or one['missing']}"
        print(f"{one['name']:{width}}  {', '.join(one.get('uses', [])):22}  {plain(about)}")


def _print_one(one: dict[str, Any]) -> None:
    print(f"{one['name']}: {plain(one['doc'])}")
    print(f"A table of it can be a {', '.join(one['uses'])}.")
    options = [[o["key"], _default(o), o["doc"]] for o in one["options"]]
    metadata = [[m["key"], "metadata", f"{m['type']}: {m['doc']}"] for m in one["metadata"]]
    print_grid(("option", "default", "meaning"), options + metadata, whole=["option"])


def _default(option: dict[str, Any]) -> str:
    if option["required"]:
        return "required"
    return "" if option["default"] is None else str(option["default"])
