"""Where tables come from: connectors, and data that is in this process."""

from __future__ import annotations

import uuid
import weakref
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from tailrace.api import iterables
from tailrace.api.create import Time, create_table
from tailrace.api.places import place
from tailrace.api.schemas import Columns
from tailrace.api.table import Table
from tailrace.connectors import memory
from tailrace.connectors.discovery import discover
from tailrace.errors import ConfigError
from tailrace.options import OptionText

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]


class ArrowStream(Protocol):
    """Data that Arrow's libraries hand to each other."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Give the data as a stream of Arrow's C interface."""


class ArrowArray(Protocol):
    """One batch of such data."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> object:
        """Give the data as an array of Arrow's C interface."""


def read(
    connector: str,
    columns: Columns | None = None,
    *,
    name: str = "",
    time: Time | None = None,
    primary_key: str | Sequence[str] = (),
    partitioned_by: str | Sequence[str] = (),
    dead_letters: Table | None = None,
    options: Mapping[str, str] | None = None,
) -> Table:
    """
    Read a table through a connector; `options` are those of the connector and format, with their own names.

    Without `columns` they are those that the format finds, as `avro-confluent` does in its schema registry.

    `dead_letters` is a table of a connector that takes the rows which can't be read or computed, or come too late, unless
    `tailrace.on-error` or `tailrace.on-late` in `options` say otherwise.

    Raises:
        ConfigError: a type or option is wrong.

    >>> import tailrace as tr
    >>> tr.read("datagen", {"id": int}, name="ids", options={"number-of-rows": "3"})
    <Table id BIGINT>
    """
    table = name or iterables.numbered(connector)
    given = dict(iterables.lettered(options or {}, dead_letters))
    if columns is None:
        columns, more = _found(table, {"connector": connector} | given)
        given |= more
    tree = create_table(table, connector, columns, time, primary_key, given, partitioned_by)
    return iterables.defined(table, tree, dead_letters)


def _found(name: str, options: Mapping[str, str]) -> tuple[Columns, dict[str, str]]:
    """Find the columns of a table, and options that say more of them."""
    at = place().location()
    found = discover(name, {k: OptionText(v, at) for k, v in options.items()}, at)
    if found is None:
        hint = "name them; a format of a schema registry finds them by itself, as 'avro-confluent'"
        raise ConfigError(f"the columns of table '{name}' are not known", hint=hint, location=at)
    return found.columns, {k: v.value for k, v in found.options.items()}


def read_kafka(
    topic: str,
    columns: Columns | None = None,
    *,
    bootstrap_servers: str = "localhost:9092",
    format: str = "",  # noqa: A002  the option's name
    registry: str = "",
    startup: str = "earliest-offset",
    time: Time | None = None,
    name: str = "",
    dead_letters: Table | None = None,
    options: Mapping[str, str] | None = None,
) -> Table:
    """
    Read a Kafka topic.

    Without `columns` they are those of the newest schema of the topic in the schema registry whose address is `registry`. `format` is `json`, or
    `avro-confluent` if there is a registry.

    >>> import tailrace as tr
    >>> tr.read_kafka("payments", {"card": str}, bootstrap_servers="localhost:9092")
    <Table card STRING>
    """
    chosen = format or ("avro-confluent" if registry else "json")
    given = {
        "topic": topic,
        "properties.bootstrap.servers": bootstrap_servers,
        "format": chosen,
        "scan.startup.mode": startup,
    }
    if registry:
        given[f"{chosen}.url"] = registry
    options = given | dict(options or {})
    return read("kafka", columns, name=name or topic, time=time, dead_letters=dead_letters, options=options)


def read_files(
    path: str,
    columns: Columns,
    *,
    format: str = "json",  # noqa: A002  the option's name
    time: Time | None = None,
    name: str = "",
    dead_letters: Table | None = None,
    options: Mapping[str, str] | None = None,
) -> Table:
    """
    Read a file, a folder or a glob: NDJSON, CSV or Parquet.

    >>> import tailrace as tr
    >>> tr.read_files("payments/*.json", {"card": str, "amount": "DECIMAL(10, 2)"})
    <Table card STRING, amount DECIMAL(10, 2)>
    """
    given = {"path": path, "format": format} | dict(options or {})
    return read("filesystem", columns, name=name, time=time, dead_letters=dead_letters, options=given)


def from_polars(
    frame: pl.DataFrame | pl.LazyFrame | Iterable[pl.DataFrame], *, name: str = "", time: Time | None = None
) -> Table:
    """
    Give a Polars frame, or an iterable of frames, which is read as far as it is needed, as a bounded table.

    Raises:
        ConfigError: a column has a type that SQL has not.

    >>> import tailrace as tr
    >>> tr.from_polars(pl.DataFrame({"v": [1, 2]})).agg(total=tr.col("v").sum()).collect().item()
    3
    >>> frames = (pl.DataFrame({"v": [n, n]}) for n in range(3))
    >>> tr.from_polars(frames).agg(total=tr.col("v").sum()).collect().item()
    6
    """
    if isinstance(frame, pl.LazyFrame):
        frame = frame.collect()
    if not isinstance(frame, pl.DataFrame):
        return iterables.of_frames(frame, pl.DataFrame, name, time)
    frame = iterables.with_milliseconds(frame, time)
    key = uuid.uuid4().hex
    columns = iterables.columns_of(frame)
    table = name or iterables.numbered("frame")
    tree = create_table(table, "memory", columns, time, (), {"name": key, "bounded": "true"})
    made = iterables.defined(table, tree)
    physical = {c: made.schema[c].type.polars for c in frame.columns}
    held = memory.table(key)
    held.append(frame.cast(physical))  # type: ignore[arg-type]  # Polars takes types by name
    held.end()
    weakref.finalize(tree, memory.drop, key)
    return made


def from_pandas(frame: pd.DataFrame | Iterable[pd.DataFrame], *, name: str = "", time: Time | None = None) -> Table:
    """
    Give a pandas frame as a bounded table, or an iterable of frames, as `read_csv(..., chunksize=...)` is.

    Needs pandas and pyarrow. The index is left out.

    >>> import pandas as pd
    >>> import tailrace as tr
    >>> tr.from_pandas(pd.DataFrame({"v": [1, 2]})).agg(total=tr.col("v").sum()).collect().item()
    3
    """
    if hasattr(frame, "iloc"):
        return from_polars(pl.from_pandas(frame), name=name, time=time)
    return iterables.of_frames(frame, pl.from_pandas, name, time)


def from_arrow(
    table: ArrowStream | ArrowArray | Iterable[ArrowStream | ArrowArray], *, name: str = "", time: Time | None = None
) -> Table:
    """
    Give an Arrow table or batch, or what else has Arrow's PyCapsule interface, as a bounded table.

    A reader of batches, or another iterable of them, is read as far as it is needed.

    >>> import pyarrow as pa
    >>> import tailrace as tr
    >>> tr.from_arrow(pa.table({"v": [1, 2]})).agg(total=tr.col("v").sum()).collect().item()
    3
    """
    if _is_arrow(table) and not hasattr(table, "read_next_batch"):
        return from_polars(_of_arrow(table), name=name, time=time)
    return iterables.of_frames(table, _of_arrow, name, time)  # type: ignore[arg-type]


def _is_arrow(data: object) -> bool:
    return hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__")


def _of_arrow(data: Any) -> pl.DataFrame:
    if not _is_arrow(data):
        raise TypeError(f"{type(data).__name__} has not Arrow's PyCapsule interface")
    return pl.DataFrame(data)


def from_rows(
    rows: iterables.RowSource,
    columns: Columns | None = None,
    *,
    name: str = "",
    time: Time | None = None,
    bounded: bool = True,
    dead_letters: Table | None = None,
) -> Table:
    """
    Give rows of an iterable, an async iterable, or a function that makes one, as a bounded table.

    A row is a dictionary, or an object with attributes. Without `columns` they are those of the rows: of all in a list,
    of the first 1,000 of another iterable; an async one and a function need them. All but a list is read as far as it is
    needed, on a thread of its own. `bounded=False` says that it may never end. With `columns`, `dead_letters` is the table
    for rows that do not fit.

    Raises:
        ConfigError: there are no rows to take the columns from, or they are of types that SQL has not.

    >>> import tailrace as tr
    >>> tr.from_rows([{"id": 1}, {"id": 2}]).collect().height
    2
    >>> async def numbers():
    ...     for n in range(3):
    ...         yield {"n": n}
    >>> tr.from_rows(numbers(), {"n": int}).agg(total=tr.col("n").sum()).collect().item()
    3
    """
    if columns is None and bounded and dead_letters is None and isinstance(rows, Sequence):
        return from_polars(iterables.inferred(rows), name=name, time=time)
    return iterables.of_rows(rows, columns, name, time, dead_letters, bounded=bounded)
