"""From the options of a table to the shared cache in front of its lookup."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tailrace.clock import Clock
from tailrace.connectors import registry
from tailrace.connectors.base import Lookup
from tailrace.connectors.lookup_options import NO_CACHE, SERVERS, URL
from tailrace.connectors.shared_cache.lookup import CachedLookup, Rules
from tailrace.connectors.shared_cache.values import Values, fingerprint
from tailrace.connectors.texts import refuse_textless
from tailrace.errors import ConfigError
from tailrace.options import Values as OptionValues
from tailrace.plan.catalog import Table
from tailrace.schema import Schema

_VERSION = "1"
"""Another number tells values of another layout apart."""
_APART = ("cache.", "lookup.", "tailrace.", "scan.", "sink.")
"""Options that say nothing of what a key's rows are."""
_NEEDS = {"memcached": SERVERS, "redis": URL}


def in_front_of(
    inner: Lookup, table: Table, asked: Schema, keys: Sequence[str], clock: Clock, *, negative: bool = True
) -> CachedLookup | None:
    """
    Put the shared cache that a table names in front of its lookup; None if it names none.

    `negative` tells whether a key without rows may be kept so: not where it is asked for again until it has some.

    Raises:
        ConfigError: an option is missing or does not fit, or a key has no text; or the extra of the cache is not installed.
    """
    options = registry.options_of(table).common
    if not wanted(options, table):
        return None
    fields = [table.schema[name] for name in keys]
    refuse_textless(Schema(tuple(fields)), "a key of a shared cache", table.location, binary=False)
    store = registry.get(options["cache"], options.location("cache")).cache_store(options)
    mark = fingerprint(_identity(table, asked, keys))
    rules = Rules(
        options["cache.ttl"],
        options["cache.negative-ttl"] if negative else 0,
        options["cache.lock-wait"] / 1000,
        options["cache.timeout"] / 1000,
    )
    prefix = f"{options['cache.prefix']}{mark.hex()[:16]}"
    return CachedLookup(inner, store, rules, Values(asked, mark), fields, prefix, clock)


def wanted(options: OptionValues, table: Table) -> bool:
    """
    Tell whether a table names a shared cache.

    Raises:
        ConfigError: it names one and not where it is, or the reverse; or it is read as a whole.
    """
    given = sorted(k for k in options.given if k.startswith("cache."))
    cache = options["cache"]
    if cache == NO_CACHE:
        if given:
            hint = "add 'cache' = 'memcached' or 'redis', or leave it out"
            raise ConfigError(
                f"'{given[0]}' says nothing without a 'cache'", hint=hint, location=options.location(given[0])
            )
        return False
    if options["lookup.cache"] == "FULL":
        hint = "set 'lookup.cache' = 'PARTIAL' or 'NONE'"
        message = "a table that is read as a whole ('lookup.cache' = 'FULL') has no use for a 'cache' in front of it"
        raise ConfigError(message, hint=hint, location=options.location("cache"))
    for key in _NEEDS.values():
        if key == _NEEDS[cache] and not options[key]:
            example = "'localhost:11211'" if key == SERVERS else "'redis://localhost:6379/0'"
            hint = f"add '{key}' = {example}"
            raise ConfigError(
                f"'cache' = '{cache}' needs '{key}'", hint=hint, location=options.location("cache") or table.location
            )
        if key != _NEEDS[cache] and options[key]:
            hint = f"say where it is by '{_NEEDS[cache]}'"
            raise ConfigError(f"'{key}' is not for 'cache' = '{cache}'", hint=hint, location=options.location(key))
    return True


def _identity(table: Table, asked: Schema, keys: Sequence[str]) -> Iterator[str]:
    """Give what the rows of a key depend on: the table as it is declared, without secrets, and what is asked of it."""
    secrets = {o.key for o in registry.connector_of(table).options.options if o.secret}
    yield _VERSION
    yield table.name
    for key, text in sorted(table.options.items()):
        if key not in secrets and key != "cache" and not key.startswith(_APART):
            yield f"{key}={text.value}"
    for part, schema in (("column", table.physical), ("asked", asked)):
        yield from (f"{part} {f.name} {f.type.sql()}" for f in schema)
    yield from (f"primary {name}" for name in table.primary_key)
    yield from (f"key {name}" for name in keys)
