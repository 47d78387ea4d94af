"""
The options in a table's WITH clause: the connector's own, those of every table, and those of its formats.

Every key belongs to exactly one of them, or is an error that points at the place.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tailrace.connectors.base import Connector
from tailrace.connectors.lookup_options import LOOKUP
from tailrace.errors import ConfigError, UnsupportedError, did_you_mean
from tailrace.formats import registry as formats
from tailrace.formats.base import Format
from tailrace.options import (
    Option,
    Options,
    OptionSet,
    OptionText,
    Values,
    boolean,
    choice,
    duration,
    integer,
    name_list,
    number,
    string,
)
from tailrace.plan.catalog import Table

_ALIGNMENT = "scan.watermark.alignment."


def _gap(text: str) -> int:
    if integer(text) != 1:
        raise ValueError("the watermark moves with each row here; only '1' is supported")
    return 1


def _share(text: str) -> float:
    if not 0 < (value := number(text)) <= 1:
        raise ValueError("expected a share above 0 and up to 1, as '0.05'")
    return value


COMMON = OptionSet(
    "a table",
    (
        Option("connector", string, doc="the kind of system behind the table", required=True),
        Option("property-version", integer, 1, "taken as in Flink"),
        Option("scan.parallelism", integer, doc="taken as in Flink; a source is one reader"),
        Option("sink.parallelism", integer, doc="taken as in Flink; a sink is one writer"),
        Option(
            "scan.watermark.emit.strategy",
            choice("on-periodic", "on-event"),
            doc="when the watermark moves: `on-periodic` (between batches) or `on-event` (with each row)",
        ),
        Option("scan.watermark.emit.on-event.gap", _gap, 1, "only `1`"),
        Option(
            "scan.watermark.idle-timeout",
            duration,
            doc="a partition without rows for so long holds no window open; `0` waits for ever",
        ),
        Option(
            "tailrace.watermark.max-future",
            duration,
            doc="a row further than this beyond the wall clock does not move the watermark; the error policy decides",
        ),
        Option(
            "tailrace.on-error",
            choice("fail", "drop", "dead-letter"),
            "fail",
            "what happens to a row that can't be read, computed or written: `fail`, `drop` (counted) or `dead-letter`",
        ),
        Option("tailrace.on-late", choice("drop", "dead-letter"), "drop", "what happens to a late row; both count it"),
        Option("tailrace.error-samples", boolean, False, "show the start of a bad row in the error that it causes"),
        Option("tailrace.dead-letter.table", string, doc="the table that takes dead letters"),
        Option("tailrace.max-error-share", _share, doc="the job stops when a larger share of rows fails, as `0.05`"),
    ),
)
"""What every table takes."""

FORMATS = OptionSet(
    "a table",
    (
        Option("format", string, doc="the format of the rows"),
        Option("value.format", string, doc="the format of the rows where they also have a key"),
        Option("key.format", string, doc="the format of the rows' keys"),
        Option("key.fields", name_list, (), "the columns in the key, as `a;b`"),
        Option("key.fields-prefix", string, "", "what the names of the key's columns begin with, only in the table"),
        Option(
            "value.fields-include",
            choice("ALL", "EXCEPT_KEY"),
            "ALL",
            "whether the columns of the key are in the value too: `ALL` or `EXCEPT_KEY`",
        ),
    ),
)
"""What tables of a connector with formats take beside `COMMON`."""


_UPSERTS = OptionSet("a table", tuple(o for o in FORMATS.options if o.key not in ("format", "key.fields")))
"""What tables of rows by key take instead: the columns of the key are those of the primary key."""


@dataclass(frozen=True, slots=True)
class FormatChoice:
    """A format that a table names, with its options."""

    format: Format
    options: Values

    @property
    def metadata(self) -> tuple[str, ...]:
        """The keys of the metadata columns that the format offers."""
        return tuple(m.key for m in self.format.metadata)


@dataclass(frozen=True, slots=True)
class TableOptions:
    """
    All options of a table after validation.

    `value` is None where the connector itself makes columns of its rows; `key` where rows have no key to read. With `upsert`
    rows say what stands at their key, which are the columns of the primary key `key_columns`.
    """

    own: Values
    common: Values
    value: FormatChoice | None = None
    key: FormatChoice | None = None
    upsert: bool = False
    key_columns: tuple[str, ...] = ()

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The columns in the key, as the table names them."""
        given: tuple[str, ...] = self.key_columns or self.common.get("key.fields", ())
        return given

    @property
    def changes(self) -> bool:
        """Whether rows say what has changed, so that the table is one that updates."""
        return self.upsert or (self.value is not None and self.value.format.changes)

    @property
    def key_prefix(self) -> str:
        """What `key_fields` begin with in the table alone."""
        return str(self.common.get("key.fields-prefix", ""))

    @property
    def value_has_key(self) -> bool:
        """Whether the columns of the key are in the value too."""
        return bool(self.common.get("value.fields-include", "ALL") == "ALL")


def resolve(table: Table, connector: Connector) -> TableOptions:
    """
    Validate all options of a table.

    Raises:
        ConfigError: an unknown key, a value that can't be, options that contradict each other; it points at the place.
    """
    common = COMMON + (_UPSERTS if connector.upsert else FORMATS) if connector.formats else COMMON
    known = ("value.format",) if connector.upsert else ("value.format", "format")
    value_keys = [k for k in known if k in table.options] if connector.formats else []
    common = common + LOOKUP if connector.lookups else common
    value = _prefixed(table, connector, value_keys, "value.") if value_keys else None
    key = _prefixed(table, connector, ["key.format"], "key.") if connector.formats else None
    _refuse_unknown(table, connector, common, [f for f in (value, key) if f is not None])
    # a key that both know (as `sink.parallelism`) is read by both
    own = connector.options.parse(_matching(table.options, connector.options), at=table.location)
    shared = common.parse(_matching(table.options, common), at=table.location)
    own_key = table.primary_key if connector.upsert else ()
    choices = (value.choice if value else None, key.choice if key else None)
    resolved = TableOptions(own, shared, *choices, connector.upsert, own_key)
    if connector.upsert:
        _check_upsert(table, connector, resolved)
    _check_dead_letters(table, resolved.common)
    _check_key(table, resolved)
    return resolved


def with_format(table: Table, connector: Connector, what: str = "") -> TableOptions:
    """
    Validate all options of a table whose rows need a format; `what` says what of the connector does.

    Raises:
        ConfigError: as for `resolve`; or it names no format.
    """
    resolved = resolve(table, connector)
    if resolved.value is None:
        what = what or f"connector '{connector.name}'"
        message = f"{what} needs the option 'format' (table '{table.name}')"
        raise ConfigError(message, hint="add 'format' = 'json'", location=table.location)
    return resolved


def appends_only(table: Table, connector: Connector) -> str:
    """Say why a table takes no rows that are updated; empty if its format can write what has changed."""
    if resolve(table, connector).changes:
        return ""
    known = ", ".join(sorted(name for name in formats.names() if formats.get(name).changes))
    return f"connector '{connector.name}' only appends, with the formats {known} it also writes what has changed"


@dataclass(frozen=True, slots=True)
class _Prefixed:
    """A format and under which prefixes its options are; `choice` is None for one that the connector brings itself."""

    known: dict[str, str]
    choice: FormatChoice | None


def _prefixed(table: Table, connector: Connector, keys: list[str], role: str) -> _Prefixed | None:
    """Find the format under the first of `keys` and parse its options, with their prefixes."""
    key = next((k for k in keys if k in table.options), None)
    if key is None:
        return None
    if len(keys) > 1:
        text = table.options["format"]
        raise ConfigError(
            "'format' and 'value.format' mean the same; give one", location=text.key_location or text.location
        )
    name = table.options[key].value
    if name in connector.own_formats:
        return _Prefixed({}, None)
    chosen = _format(table.options[key])
    prefix = f"{name}." if key == "format" else f"{role}{name}."
    given = {k.removeprefix(prefix): v for k, v in table.options.items() if k.startswith(prefix)}
    known = {prefix + o.key: o.doc for o in chosen.options.options}
    values = _parse_format(chosen, prefix, given, table)
    return _Prefixed(known, FormatChoice(_placed(chosen, table, connector, key=role == "key."), values))


def _placed(chosen: Format, table: Table, connector: Connector, *, key: bool) -> Format:
    """Tell a format of which topic its rows are, if it is one."""
    text = table.option("topic") if connector.place == "topic" else None
    return chosen if text is None or ";" in text.value else chosen.on_topic(text.value.strip(), key=key)


def _format(text: OptionText) -> Format:
    try:
        return formats.get(text.value)
    except ConfigError as error:
        error.location = error.location or text.location
        raise


def _parse_format(chosen: Format, prefix: str, given: Options, table: Table) -> Values:
    for key, text in given.items():
        if chosen.options.find(key) is None:
            known = [prefix + o.key for o in chosen.options.options]
            raise _unknown(prefix + key, text, f"format '{chosen.name}'", known)
    return chosen.options.parse(given, at=table.location)


def _refuse_unknown(table: Table, connector: Connector, common: OptionSet, used: Iterable[_Prefixed]) -> None:
    of_formats = {key for f in used for key in f.known}
    known = [o.key for s in (connector.options, common) for o in s.options] + sorted(of_formats)
    for key, text in table.options.items():
        if key.startswith(_ALIGNMENT):
            raise UnsupportedError(
                "watermark alignment is not supported",
                hint="leave the option out: all sources share one loop, and a full queue slows its source",
                location=text.key_location or text.location,
            )
        if key not in of_formats and connector.options.find(key) is None and common.find(key) is None:
            raise _unknown(key, text, f"connector '{connector.name}'", known)


def _unknown(key: str, text: OptionText, owner: str, known: list[str]) -> ConfigError:
    hint = did_you_mean(key, known) or "known options: " + ", ".join(sorted(set(known)))
    return ConfigError(f"{owner} has no option '{key}'", hint=hint, location=text.key_location or text.location)


def _matching(options: Options, owner: OptionSet) -> dict[str, OptionText]:
    return {k: v for k, v in options.items() if owner.find(k) is not None}


def _check_dead_letters(table: Table, common: Values) -> None:
    for key in ("tailrace.on-error", "tailrace.on-late"):
        if common[key] == "dead-letter" and not common["tailrace.dead-letter.table"]:
            raise ConfigError(
                f"'{key}' = 'dead-letter' needs a table to write to",
                hint="name it with 'tailrace.dead-letter.table'",
                location=common.location(key) or table.location,
            )


def _check_upsert(table: Table, connector: Connector, resolved: TableOptions) -> None:
    """Check what a table of rows by key needs: a primary key, and formats of plain rows for it and for the value."""
    if not table.primary_key:
        hint = "add PRIMARY KEY (...) NOT ENFORCED to its columns: they are the key of the rows"
        message = f"table '{table.name}' of connector '{connector.name}' needs a PRIMARY KEY"
        raise ConfigError(message, hint=hint, location=table.location)
    for option, choice_ in (("key.format", resolved.key), ("value.format", resolved.value)):
        if choice_ is None:
            message = f"connector '{connector.name}' needs the option '{option}' (table '{table.name}')"
            raise ConfigError(message, hint=f"add '{option}' = 'json'", location=table.location)
        if choice_.format.changes:
            message = f"connector '{connector.name}' takes rows that are there or not, as '{option}' no changes"
            raise ConfigError(message, hint="use 'json'", location=table.options[option].location)


def _check_key(table: Table, resolved: TableOptions) -> None:
    """Check what Flink asks of key options."""
    common: Any = resolved.common
    fields, prefix = resolved.key_fields, resolved.key_prefix
    if resolved.key is not None and resolved.key.format.changes:
        message = f"'{resolved.key.format.name}' tells what has changed, which a key does not"
        raise ConfigError(message, hint="use 'json'", location=table.options["key.format"].location)
    if resolved.key is not None and not fields:
        hint = "name its columns with 'key.fields' = 'a;b'"
        raise ConfigError("a 'key.format' needs columns", hint=hint, location=common.location("key.format"))
    if resolved.key is None and (fields or prefix or not resolved.value_has_key):
        given = next(k for k in ("key.fields", "key.fields-prefix", "value.fields-include") if k in table.options)
        hint = "add 'key.format' = 'json'"
        raise ConfigError(f"'{given}' needs a 'key.format'", hint=hint, location=common.location(given))
    if prefix and resolved.value_has_key:
        hint = "set 'value.fields-include' = 'EXCEPT_KEY'"
        at = common.location("key.fields-prefix")
        raise ConfigError("a 'key.fields-prefix' needs values without the key's columns", hint=hint, location=at)
    for name in fields:
        _check_key_field(name, prefix, table, common)


def _check_key_field(name: str, prefix: str, table: Table, common: Values) -> None:
    at = common.location("key.fields")
    if name not in table.physical:
        hint = did_you_mean(name, table.physical.names)
        raise ConfigError(f"'key.fields' names no physical column '{name}'", hint=hint, location=at)
    if not name.startswith(prefix):
        raise ConfigError(f"column '{name}' does not begin with the 'key.fields-prefix' '{prefix}'", location=at)
