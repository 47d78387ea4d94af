"""Tables of rows that this process makes one after the other."""

from __future__ import annotations

import itertools
import uuid
import weakref
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from tailrace.api import queries
from tailrace.api.create import Time, create_table
from tailrace.api.definitions import Definitions
from tailrace.api.places import place
from tailrace.api.schemas import Columns, from_polars_type
from tailrace.api.table import Table
from tailrace.connectors import registry
from tailrace.connectors.iterable import feeds
from tailrace.connectors.iterable.feeds import Feed
from tailrace.errors import ConfigError
from tailrace.sql.dialect import statement_nodes as s

RowSource = Iterable[Any] | AsyncIterable[Any] | Callable[[], Iterable[Any] | AsyncIterable[Any]]
"""Rows: an iterable, an async iterable, or a function that makes one, so that they can be read again."""

LOOKED_AT = 1000
"""So many rows of an iterable are looked at for the columns."""

_numbers = itertools.count(1)
_POLICIES = ("tailrace.on-error", "tailrace.on-late")
_DEAD_LETTERS = "tailrace.dead-letter.table"


def numbered(prefix: str) -> str:
    """Give a name that no other table has got so."""
    return f"{prefix}_{next(_numbers)}"


def lettered(options: Mapping[str, str], dead_letters: Table | None) -> dict[str, str]:
    """Give the options of a table whose bad and late rows go into another one."""
    if dead_letters is None:
        return dict(options)
    name = queries.table_name(dead_letters.tree)
    return dict.fromkeys(_POLICIES, "dead-letter") | {_DEAD_LETTERS: name} | dict(options)


def defined(name: str, tree: s.CreateTable, dead_letters: Table | None = None) -> Table:
    """
    Give the table that a CREATE TABLE defines.

    Raises:
        ConfigError: an option is wrong.
    """
    others = Definitions() if dead_letters is None else dead_letters.definitions
    definitions = others.with_one(name, tree)
    made = definitions.session().tables[name]
    registry.options_of(made)  # what is wrong shows at the line that wrote it
    return Table(queries.select(queries.named(name)), definitions)


def inferred(rows: Sequence[Any]) -> pl.DataFrame:
    """
    Give rows as a frame with the columns that they have.

    Raises:
        ConfigError: there are none, or they are no rows.
    """
    if isinstance(rows, str | bytes):
        raise _no_rows(rows)
    try:
        frame = pl.DataFrame(list(rows), infer_schema_length=None)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        hint = "give columns, as from_rows(rows, {'id': int}): what does not fit then follows 'tailrace.on-error'"
        message = f"the rows have no columns of one type each: {error}"
        raise ConfigError(message, hint=hint, location=place().location()) from None
    if not frame.columns:
        hint = "give columns: from_rows(rows, {'id': int})"
        raise ConfigError("there are no rows to take the columns from", hint=hint, location=place().location())
    return frame


def with_milliseconds(frame: pl.DataFrame, time: Time | None) -> pl.DataFrame:
    """Give the time column in milliseconds: a watermark has no finer ones."""
    kind = None if time is None or time.processing else frame.schema.get(time.column)
    if time is None or not isinstance(kind, pl.Datetime):
        return frame
    return frame.with_columns(pl.col(time.column).dt.cast_time_unit("ms"))


def columns_of(frame: pl.DataFrame) -> dict[str, str]:
    """Give the columns of a frame with their SQL types."""
    return {c: from_polars_type(kind) for c, kind in frame.schema.items()}


def of_rows(
    rows: RowSource,
    columns: Columns | None,
    name: str,
    time: Time | None,
    dead_letters: Table | None = None,
    *,
    bounded: bool,
) -> Table:
    """
    Give the table of rows.

    Raises:
        ConfigError: the columns are not given, and can't be found.
    """
    several = isinstance(rows, Iterable | AsyncIterable) or callable(rows)
    if not several or isinstance(rows, Mapping | str | bytes | pl.DataFrame):
        raise _no_rows(rows)
    if columns is not None:
        return _table(Feed(rows), columns, name or numbered("rows"), time, dead_letters, bounded=bounded)
    if not isinstance(rows, Iterable):
        what = "an async iterable" if isinstance(rows, AsyncIterable) else "a function"
        hint = "as from_rows(rows, {'id': int, 'ts': 'TIMESTAMP(3)'})"
        raise ConfigError(f"the columns of {what} must be given", hint=hint, location=place().location())
    first, whole = _peeked(rows, LOOKED_AT)
    found = columns_of(with_milliseconds(inferred(first), time))
    return _table(Feed(whole, strict=True), found, name or numbered("rows"), time, dead_letters, bounded=bounded)


def of_frames(frames: Iterable[Any], convert: Callable[[Any], Any], name: str, time: Time | None) -> Table:
    """
    Give the table of frames, or what `convert` makes frames of; the first has the columns.

    Raises:
        ConfigError: there is none, or they are no frames.
    """
    given: object = frames
    if not isinstance(given, Iterable) or isinstance(given, Mapping | str | bytes):
        message = f"these are no frames: {type(frames).__name__}"
        raise ConfigError(message, hint="give a frame, or an iterable of frames", location=place().location())
    first, whole = _peeked(frames, 1)
    try:
        sample = convert(first[0]) if first else _without_rows(frames)
    except (TypeError, ValueError, AttributeError, pl.exceptions.PolarsError) as error:
        raise ConfigError(f"these are no frames: {error}", hint="give frames", location=place().location()) from None
    if not isinstance(sample, pl.DataFrame):
        message = f"these are no frames: {type(first[0]).__name__}"
        raise ConfigError(message, hint="give frames", location=place().location())
    columns = columns_of(with_milliseconds(sample, time))
    return _table(Feed(whole, convert=convert), columns, name or numbered("frames"), time, bounded=True)


def _without_rows(frames: object) -> pl.DataFrame:
    """
    Give the columns of a reader of batches that has none.

    Raises:
        ConfigError: it is no such reader.
    """
    if not hasattr(frames, "__arrow_c_stream__"):
        hint = "use from_polars with an empty frame of these columns"
        raise ConfigError("there are no frames to take the columns from", hint=hint, location=place().location())
    return pl.DataFrame(frames)


def _peeked(items: Iterable[Any], count: int) -> tuple[list[Any], Iterable[Any]]:
    """Give the first items, and all of them: an iterator goes on behind those that were looked at."""
    first = list(itertools.islice(iter(items), count))
    return first, itertools.chain(first, items) if isinstance(items, Iterator) else items


def _table(
    feed: Feed, columns: Columns, name: str, time: Time | None, dead_letters: Table | None = None, *, bounded: bool
) -> Table:
    key = uuid.uuid4().hex
    feeds.register(key, feed)
    options = lettered({"name": key, "bounded": str(bounded).lower()}, dead_letters)
    tree = create_table(name, "iterable", columns, time, (), options)
    weakref.finalize(tree, feeds.forget, key)
    return defined(name, tree, dead_letters)


def _no_rows(given: object) -> ConfigError:
    what = "one row" if isinstance(given, Mapping) else f"no rows: {type(given).__name__}"
    hint = (
        "use from_polars"
        if isinstance(given, pl.DataFrame)
        else "give a list, a generator or an async generator of dictionaries"
    )
    return ConfigError(f"this is {what}", hint=hint, location=place().location())
