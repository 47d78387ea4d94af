"""The columns of tables that are declared without: those that their format finds, as in a schema registry."""

from __future__ import annotations

from tailrace.connectors import registry
from tailrace.connectors.table_options import resolve
from tailrace.errors import ConfigError, Location, TerminalError
from tailrace.options import Options, OptionText
from tailrace.plan.catalog import Found, Table
from tailrace.schema import Schema

_OF_KEYS = ("key.", "value.fields-include")


def discover(name: str, options: Options, location: Location | None) -> Found | None:
    """
    Find the columns of a table, and options that say more of them; None if its format can't tell.

    >>> discover("t", {"connector": OptionText("datagen")}, None)

    Raises:
        ConfigError: an option is wrong, or the columns are not to be found.
        TransientError: the registry is away.
    """
    if "connector" not in options:
        return None
    # columns of a key are named by columns, which are not known yet
    plain = {k: v for k, v in options.items() if not k.startswith(_OF_KEYS)}
    table = Table(name, (), Schema(()), plain, location=location)
    connector = registry.connector_of(table)
    if not connector.formats or connector.upsert:
        return None
    choice = resolve(table, connector).value
    if choice is None:
        return None
    try:
        found = choice.format.columns(choice.options)
    except TerminalError as error:
        raise ConfigError(error.message, hint=error.hint, location=error.location or location) from None
    except ConfigError as error:
        error.location = error.location or location
        raise
    if found is None:
        return None
    prefix = f"{choice.format.name}." if "format" in plain else f"value.{choice.format.name}."
    return Found(found.columns, {prefix + k: OptionText(v, location) for k, v in found.options.items()})
