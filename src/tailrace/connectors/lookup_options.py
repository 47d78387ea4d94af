"""The options of tables that are looked up in: caches, time-outs, and what happens while the table is away."""

from __future__ import annotations

from collections.abc import Callable

from tailrace.options import Option, OptionSet, at_least, boolean, choice, duration


def _upper(*words: str) -> Callable[[str], str]:
    known = choice(*words)

    def read(text: str) -> str:
        return str(known(text.strip().upper()))

    return read


NONE, PARTIAL, FULL = "NONE", "PARTIAL", "FULL"
WAIT, NULL, REJECT = "wait", "null", "reject"

LOOKUP = OptionSet(
    "a table",
    (
        Option(
            "lookup.cache",
            _upper(NONE, PARTIAL, FULL),
            doc="what is kept of a table that is looked up in: `NONE`, `PARTIAL` (rows that were found) or `FULL` (the whole"
            " table); without it `NONE`, and `FULL` where the connector knows nothing else",
        ),
        Option(
            "lookup.partial-cache.max-rows", at_least(1), doc="how many rows a partial cache keeps; the least used go"
        ),
        Option("lookup.partial-cache.expire-after-write", duration, doc="how long a row is kept after it was found"),
        Option(
            "lookup.partial-cache.expire-after-access", duration, doc="how long a row is kept after it was last used"
        ),
        Option("lookup.partial-cache.cache-missing-key", boolean, True, "keep in mind also that a key has no rows"),
        Option("lookup.full-cache.reload-strategy", _upper("PERIODIC"), "PERIODIC", "only `PERIODIC`"),
        Option(
            "lookup.full-cache.periodic-reload.interval",
            duration,
            doc="how often a full cache is read again; without it, it is read once",
        ),
        Option(
            "lookup.max-retries", at_least(0), 3, "how often a request is tried again before `tailrace.lookup.on-away`"
        ),
        Option("tailrace.lookup.timeout", duration, 10_000, "how long one request may take"),
        Option("tailrace.lookup.max-in-flight", at_least(1), 8, "how many requests are under way at a time"),
        Option(
            "tailrace.lookup.on-away",
            choice(WAIT, NULL, REJECT),
            WAIT,
            "what happens when all tries have failed: `wait` (try on for `tailrace.source.retry-limit`, then stop), `null` (as if"
            " nothing was found) or `reject` (the error policy of the row's source decides, as by dead letter)",
        ),
    ),
)
"""What a table takes whose connector has lookups."""
