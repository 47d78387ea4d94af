"""The hint LOOKUP: how a table is asked by a lookup join."""

from __future__ import annotations

from collections.abc import Callable

from tailrace.errors import ConfigError
from tailrace.options import boolean, choice, duration, integer
from tailrace.plan.nodes import LookupRetry
from tailrace.sql.binder.places import at
from tailrace.sql.dialect import nodes as n
from tailrace.sql.source import Source

_EXAMPLE = (
    "write LOOKUP('table' = 't', 'retry-predicate' = 'lookup_miss', 'retry-strategy' = 'fixed_delay', "
    "'fixed-delay' = '1 s', 'max-attempts' = '3')"
)


def _attempts(text: str) -> int:
    if (found := integer(text)) < 1:
        raise ValueError("expected a number from 1")
    return found


_READ: dict[str, Callable[[str], object]] = {
    "async": boolean,
    "output-mode": choice("ordered", "allow_unordered"),
    "capacity": integer,
    "timeout": duration,
    "retry-predicate": choice("lookup_miss"),
    "retry-strategy": choice("fixed_delay"),
    "fixed-delay": duration,
    "max-attempts": _attempts,
}
_OF_RETRY = ("retry-predicate", "retry-strategy", "fixed-delay", "max-attempts")


def read_lookup(hint: n.Hint, source: Source) -> tuple[str, LookupRetry | None]:
    """
    Give the table that a hint LOOKUP is about, and how it is asked again for keys that it has no rows of.

    Options that are not known have no meaning, as in Flink.

    Raises:
        ConfigError: there is no table, a wrong value, or a part of those for asking again.
    """
    written = {str(o.args["key"]): (str(o.args["value"]), at(o, source)) for o in n.get(hint, "options") or []}
    if "table" not in written:
        message, example = "LOOKUP needs the option 'table'", "write LOOKUP('table' = 't', ...)"
        raise ConfigError(message, hint=example, location=at(hint, source))
    values: dict[str, object] = {}
    for key in _READ.keys() & written.keys():
        text, place = written[key]
        try:
            values[key] = _READ[key](text)
        except ValueError as error:
            message = f"'{key}' of LOOKUP can't be '{text}': {error}"
            raise ConfigError(message, hint=_EXAMPLE, location=place) from None
    given = [key for key in _OF_RETRY if key in values]
    if given and len(given) < len(_OF_RETRY):
        missing = ", ".join(f"'{key}'" for key in _OF_RETRY if key not in values)
        message = f"LOOKUP says how to ask again, but not {missing}"
        raise ConfigError(message, hint=_EXAMPLE, location=at(hint, source))
    delay, attempts = values.get("fixed-delay"), values.get("max-attempts")
    retry = LookupRetry(attempts, delay) if isinstance(attempts, int) and isinstance(delay, int) else None
    return written["table"][0], retry
