"""The options of tables that are looked up in: caches, time-outs, and what happens while the table is away."""

from __future__ import annotations

from collections.abc import Callable

from tailrace.options import Option, OptionSet, at_least, boolean, choice, duration, name_list, positive, string


def _upper(*words: str) -> Callable[[str], str]:
    known = choice(*words)

    def read(text: str) -> str:
        return str(known(text.strip().upper()))

    return read


NONE, PARTIAL, FULL = "NONE", "PARTIAL", "FULL"
WAIT, NULL, REJECT = "wait", "null", "reject"
NO_CACHE, SERVERS, URL = "none", "cache.servers", "cache.url"

LONGEST_MS = 30 * 86_400_000
"""For longer memcached takes a time to live as a date."""
_MOST_PREFIX = 100


def lifetime(text: str) -> int:
    """
    Read how long something is kept in a cache, in milliseconds.

    >>> lifetime("5 min")
    300000
    """
    value = positive(duration)(text)
    if value > LONGEST_MS:
        raise ValueError("expected at most '30 d', as memcached keeps nothing longer")
    return value


def _lifetime_or_none(text: str) -> int:
    return lifetime(text) if duration(text) else 0


def key_prefix(text: str) -> str:
    """Read what keys of a cache begin with."""
    if len(text.encode()) > _MOST_PREFIX or any(c.isspace() or not c.isprintable() for c in text):
        raise ValueError(f"expected at most {_MOST_PREFIX} bytes without blanks and control characters")
    return text


_SHARED = (
    Option(
        "cache",
        choice("memcached", "redis", NO_CACHE),
        NO_CACHE,
        "a cache that several processes share, in front of the table: `memcached`, `redis` or `none`",
    ),
    Option(SERVERS, name_list, (), "the servers of `'cache' = 'memcached'`, as `host:11211;other:11211`"),
    Option(URL, string, doc="the server of `'cache' = 'redis'`, as `redis://localhost:6379/0`", secret=True),
    Option("cache.username", string, doc="the user of the shared cache"),
    Option("cache.password", string, doc="the password of the shared cache", secret=True),
    Option("cache.ttl", lifetime, 300_000, "how long the rows of a key stay in the shared cache"),
    Option(
        "cache.negative-ttl", _lifetime_or_none, 30_000, "how long it knows that a key has no rows; `0 s`: it does not"
    ),
    Option("cache.prefix", key_prefix, "tailrace:", "what keys in the shared cache begin with"),
    Option(
        "cache.timeout", positive(duration), 500, "a shared cache that takes longer to answer is passed by for a while"
    ),
    Option(
        "cache.lock-wait",
        duration,
        200,
        "how long a key is waited for that another process just asks the table for; `0 s`: each asks itself",
    ),
)

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
        *_SHARED,
    ),
)
"""What a table takes whose connector has lookups."""
