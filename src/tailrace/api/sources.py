"""Where tables come from: connectors, and data that is in this process."""

from __future__ import annotations

import itertools
import uuid
import weakref
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from tailrace.api import queries
from tailrace.api.create import Time, create_table
from tailrace.api.definitions import Definitions
from tailrace.api.schemas import Columns, from_polars_type
from tailrace.api.table import Table
from tailrace.connectors import memory, registry
from tailrace.errors import ConfigError
from tailrace.sql.dialect import statement_nodes as s

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]


class ArrowStream(Protocol):
    """Data that Arrow's libraries hand to each other."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Give the data as a stream of Arrow's C interface."""


_numbers = itertools.count(1)
_POLICIES = ("tailrace.on-error", "tailrace.on-late")
_DEAD_LETTERS = "tailrace.dead-letter.table"


def read(
    connector: str,
    columns: Columns,
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

    `dead_letters` is a table of a connector that takes the rows which can't be read or computed, or come too late, unless
    `tailrace.on-error` or `tailrace.on-late` in `options` say otherwise.

    Raises:
        ConfigError: a type or option is wrong.

    >>> import tailrace as tr
    >>> tr.read("datagen", {"id": int}, name="ids", options={"number-of-rows": "3"})
    <Table id BIGINT>
    """
    table = name or f"{connector}_{next(_numbers)}"
    given = dict(options or {})
    if dead_letters is not None:
        given = dict.fromkeys(_POLICIES, "dead-letter") | {_DEAD_LETTERS: queries.table_name(dead_letters.tree)} | given
    tree = create_table(table, connector, columns, time, primary_key, given, partitioned_by)
    others = Definitions() if dead_letters is None else dead_letters.definitions
    return _table(table, tree, others)


def read_kafka(
    topic: str,
    columns: Columns,
    *,
    bootstrap_servers: str,
    format: str = "json",  # noqa: A002  the option's name
    startup: str = "earliest-offset",
    time: Time | None = None,
    name: str = "",
    dead_letters: Table | None = None,
    options: Mapping[str, str] | None = None,
) -> Table:
    """
    Read a Kafka topic.

    >>> import tailrace as tr
    >>> tr.read_kafka("payments", {"card": str}, bootstrap_servers="localhost:9092")
    <Table card STRING>
    """
    given = {
        "topic": topic,
        "properties.bootstrap.servers": bootstrap_servers,
        "format": format,
        "scan.startup.mode": startup,
    }
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


def from_polars(frame: pl.DataFrame, *, name: str = "", time: Time | None = None) -> Table:
    """
    Give a Polars frame as a bounded table.

    Raises:
        ConfigError: a column has a type that SQL has not.

    >>> import tailrace as tr
    >>> tr.from_polars(pl.DataFrame({"v": [1, 2]})).agg(total=tr.col("v").sum()).collect().item()
    3
    """
    frame = _with_milliseconds(frame, time)
    key = uuid.uuid4().hex
    columns = {c: from_polars_type(kind) for c, kind in frame.schema.items()}
    table = name or f"frame_{next(_numbers)}"
    tree = create_table(table, "memory", columns, time, (), {"name": key, "bounded": "true"})
    made = _table(table, tree, Definitions())
    physical = {c: made.schema[c].type.polars for c in frame.columns}
    held = memory.table(key)
    held.append(frame.cast(physical))  # type: ignore[arg-type]  # Polars takes types by name
    held.end()
    weakref.finalize(tree, memory.drop, key)
    return made


def from_pandas(frame: pd.DataFrame, *, name: str = "", time: Time | None = None) -> Table:
    """Give a pandas frame as a bounded table; needs pandas and pyarrow."""
    return from_polars(pl.from_pandas(frame), name=name, time=time)


def from_arrow(table: ArrowStream, *, name: str = "", time: Time | None = None) -> Table:
    """Give an Arrow table, or what else has Arrow's PyCapsule interface, as a bounded table."""
    return from_polars(pl.DataFrame(table), name=name, time=time)


def from_rows(rows: Iterable[Mapping[str, Any]], *, name: str = "", time: Time | None = None) -> Table:
    """
    Give dictionaries as a bounded table; they are read to their end at once.

    >>> import tailrace as tr
    >>> tr.from_rows([{"id": 1}, {"id": 2}]).collect().height
    2
    """
    frame = pl.DataFrame(list(rows), infer_schema_length=None)
    if not frame.columns:
        raise ConfigError("there are no rows to take the columns from", hint="use from_polars with a schema")
    return from_polars(frame, name=name, time=time)


def _with_milliseconds(frame: pl.DataFrame, time: Time | None) -> pl.DataFrame:
    """Give the time column in milliseconds: a watermark has no finer ones."""
    kind = None if time is None or time.processing else frame.schema.get(time.column)
    if time is None or not isinstance(kind, pl.Datetime):
        return frame
    return frame.with_columns(pl.col(time.column).dt.cast_time_unit("ms"))


def _table(name: str, tree: s.CreateTable, others: Definitions) -> Table:
    definitions = others.with_one(name, tree)
    defined = definitions.session().tables[name]
    registry.options_of(defined)  # what is wrong shows at the line that wrote it
    return Table(queries.select(queries.named(name)), definitions)
