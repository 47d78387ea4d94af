"""Hints: `/*+ OPTIONS(...) */` behind a table, and those behind SELECT about the tables of its FROM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tailrace.errors import ConfigError, did_you_mean
from tailrace.options import OptionText, duration
from tailrace.plan.catalog import Table
from tailrace.plan.nodes import LookupRetry
from tailrace.sql.binder.lookup_hints import read_lookup
from tailrace.sql.binder.places import at
from tailrace.sql.dialect import nodes as n
from tailrace.sql.source import Source

_JOINS = ("BROADCAST", "SHUFFLE_HASH", "SHUFFLE_MERGE", "NEST_LOOP")
"""Hints on how to join in batches, which a stream pays no heed to; the tables that they name must be there."""
_KNOWN = ("OPTIONS", "STATE_TTL", "LOOKUP", *_JOINS)


def with_options(table: Table, hints: Sequence[n.Hint], source: Source) -> Table:
    """
    Give a table with the options of the hints behind its name in place of its own.

    Raises:
        ConfigError: there is no such hint, or it has no options.
    """
    given: dict[str, OptionText] = {}
    for hint in hints:
        _check_name(hint, source)
        if str(hint.this) != "OPTIONS":
            continue
        if not n.get(hint, "options"):
            raise ConfigError("OPTIONS needs options", hint="write OPTIONS('key' = 'value')", location=at(hint, source))
        for option in hint.args["options"]:
            place = at(option, source)
            given[option.args["key"]] = OptionText(option.args["value"], place, place)
    return replace(table, options={**table.options, **given}) if given else table


def refuse_options(name: str, hints: Sequence[n.Hint], source: Source) -> None:
    """
    Refuse options behind the name of a view.

    Raises:
        ConfigError: there are some.
    """
    for hint in hints:
        _check_name(hint, source)
        if str(hint.this) == "OPTIONS":
            message = f"'{name}' is a view or query, and has no options"
            raise ConfigError(message, hint="write the hint behind a table", location=at(hint, source))


def _check_name(hint: n.Hint, source: Source) -> None:
    name = str(hint.this)
    if name not in _KNOWN:
        hint_text = did_you_mean(name, _KNOWN) or "known: " + ", ".join(_KNOWN)
        raise ConfigError(f"there is no hint '{name}'", hint=hint_text, location=at(hint, source))


@dataclass(frozen=True, slots=True)
class SelectHints:
    """
    What the hints behind SELECT say.

    `ttl` is how long (ms) state of a table of its FROM lives, `retries` how tables are asked again for keys without rows.
    """

    ttl: Mapping[str, int] = field(default_factory=dict)
    retries: Mapping[str, LookupRetry] = field(default_factory=dict)

    def retry(self, node: n.Node) -> LookupRetry | None:
        """Tell how a member of FROM is asked again; None if it is not."""
        return None if isinstance(node, n.Join) else self.retries.get(_name(node))

    def of(self, node: n.Node) -> int | None:
        """Give the time to live for a member of FROM; None if nothing is said of it, as of a join."""
        return None if isinstance(node, n.Join) else self.ttl.get(_name(node))


def select_hints(node: n.Select, source: Source) -> SelectHints:
    """
    Read the hints of a SELECT.

    Raises:
        ConfigError: there is no such hint or table, or a wrong duration.
    """
    hints = n.get(node, "hints") or []
    names = [_name(x) for x in _members(n.get(node, "source"))] if hints else []
    ttl: dict[str, int] = {}
    retries: dict[str, LookupRetry] = {}
    for hint in hints:
        _check_name(hint, source)
        match str(hint.this):
            case "STATE_TTL":
                ttl |= _times(hint, names, source)
            case "LOOKUP":
                table, retry = read_lookup(hint, source)
                _check_table(table, names, hint, source)
                retries |= {} if retry is None else {table: retry}
            case "OPTIONS":
                message = "OPTIONS can't stand behind SELECT"
                raise ConfigError(message, hint="write it behind the table in FROM", location=at(hint, source))
            case _:
                _check_tables(hint, names, source)
    return SelectHints(ttl, retries)


def _times(hint: n.Hint, names: Sequence[str], source: Source) -> dict[str, int]:
    found: dict[str, int] = {}
    for option in n.get(hint, "options") or []:
        name, text = str(option.args["key"]), str(option.args["value"])
        _check_table(name, names, option, source)
        try:
            found[name] = duration(text)
        except ValueError as error:
            raise ConfigError(f"'{text}' is no duration: {error}", location=at(option, source)) from None
    if not found:
        raise ConfigError("STATE_TTL needs times", hint="write STATE_TTL('t' = '1 d')", location=at(hint, source))
    return found


def _check_tables(hint: n.Hint, names: Sequence[str], source: Source) -> None:
    arguments = n.get(hint, "arguments") or []
    if not arguments:
        message = f"{hint.this} needs a table"
        raise ConfigError(message, hint=f"write {hint.this}(t)", location=at(hint, source))
    for argument in arguments:
        _check_table(str(argument.this), names, argument, source)


def _check_table(name: str, names: Sequence[str], node: n.Node, source: Source) -> None:
    if name not in names:
        hint = did_you_mean(name, names) or "tables in FROM: " + ", ".join(names)
        raise ConfigError(f"there is no '{name}' in FROM", hint=hint, location=at(node, source))


def _members(node: n.Node | None) -> Iterator[n.Node]:
    if isinstance(node, n.Join):
        yield from _members(node.args["left"])
        yield from _members(node.args["right"])
    elif node is not None:
        yield node


def _name(node: n.Node) -> str:
    """Give the name that a member of FROM has in hints: its alias, or that of its table."""
    alias = n.get(node, "alias")
    if alias is not None:
        return str(alias.this)
    return str(node.args["name"].texts[-1]) if isinstance(node, n.TableSource) else ""
