"""The options of tables and of the job as they are in force, and the text of scripts: without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tailrace import settings as job
from tailrace.connectors import registry
from tailrace.errors import is_secret, without_secrets
from tailrace.options import Option, OptionSet, Values, written
from tailrace.plan.catalog import Table
from tailrace.runtime.redaction import MASK

_WITH_PASSWORD = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^/\s'\"@]*:[^/\s'\"@]+@", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OptionView:
    """One option in force: as it was `given`, or its default; a secret is `***`."""

    key: str
    value: str
    given: bool
    doc: str = ""


def table_options(table: Table) -> list[OptionView]:
    """Give the options of a table: those that were given first, in their order, then the defaults that are not empty."""
    specs = dict(_specs(table))
    given = [
        OptionView(k, shown(k, t.value, _spec(specs, k)), given=True, doc=_doc(specs, k))
        for k, t in table.options.items()
    ]
    return given + [
        OptionView(key, shown(key, _text(option, value), option), given=False, doc=option.doc)
        for key, (option, value) in _defaults(table)
        if key not in table.options and value not in (None, "", ())
    ]


def job_settings(settings: Mapping[str, str]) -> list[OptionView]:
    """Give the settings of a job: those that were given first, then the defaults."""
    known = {o.key: o for o in job.OPTIONS.options}
    given = [
        OptionView(k, shown(k, v, known.get(k)), True, known[k].doc if k in known else "no effect here")
        for k, v in settings.items()
    ]
    rest = [o for o in known.values() if o.key not in settings and o.default not in (None, "", ())]
    return given + [OptionView(o.key, _text(o, o.default), given=False, doc=o.doc) for o in rest]


def shown(key: str, text: str, option: Option | None = None) -> str:
    """
    Give the text of an option for people.

    >>> shown("properties.sasl.password", "x"), shown("url", "redis://me:pw@host/0"), shown("topic", "t")
    ('***', 'redis://***@host/0', 't')
    """
    if (option is not None and option.secret) or is_secret(key):
        return MASK
    return _WITH_PASSWORD.sub(rf"\g<scheme>{MASK}@", text)


def script_text(text: str, tables: Iterable[Table]) -> str:
    """
    Give the text of a script without the values of secret options, wherever they stand in it.

    >>> script_text("WITH ('url' = 'http://me:pw@h/', 'password' = 'it''s', 'topic' = 't')", [])
    "WITH ('url' = 'http://***@h/', 'password' = '***', 'topic' = 't')"
    """
    secrets = {value for table in tables for value in _secrets(table)}
    text = re.sub(r"'\*+'", f"'{MASK}'", without_secrets(text))  # nor how long they are
    for value in sorted(secrets, key=len, reverse=True):
        quoted = value.replace("'", "''")
        text = text.replace(f"'{quoted}'", f"'{MASK}'")
        text = text.replace(quoted, MASK) if len(value) >= 6 else text
    return _WITH_PASSWORD.sub(rf"\g<scheme>{MASK}@", text)


def _secrets(table: Table) -> Iterator[str]:
    """Give the secret values of a table."""
    specs = dict(_specs(table))
    for key, text in table.options.items():
        option = _spec(specs, key)
        if text.value and ((option is not None and option.secret) or is_secret(key)):
            yield text.value


def _parts(table: Table) -> Iterator[tuple[str, OptionSet, Values]]:
    """Give the sets of options that a table takes, what their keys begin with, and their values."""
    options = registry.options_of(table)
    yield "", registry.connector_of(table).options, options.own
    for role, choice in (("value.", options.value), ("key.", options.key)):
        if choice is not None:
            plain = role == "value." and "format" in table.options
            yield f"{'' if plain else role}{choice.format.name}.", choice.format.options, choice.options


def _specs(table: Table) -> Iterator[tuple[str, Option]]:
    for prefix, known, _ in _parts(table):
        yield from ((prefix + o.key, o) for o in known.options)


def _defaults(table: Table) -> Iterator[tuple[str, tuple[Option, Any]]]:
    for prefix, known, values in _parts(table):
        yield from ((prefix + o.key, (o, values[o.key])) for o in known.options if not o.is_prefix)


def _spec(specs: Mapping[str, Option], key: str) -> Option | None:
    """Find what is declared for a key: it alone, or the family that it is of."""
    families = (o for name, o in specs.items() if o.is_prefix and key.startswith(name[:-1]))
    return specs.get(key) or next(families, None)


def _doc(specs: Mapping[str, Option], key: str) -> str:
    option = _spec(specs, key)
    return option.doc if option is not None else ""


def _text(option: Option, value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else written(option.parse, value)
