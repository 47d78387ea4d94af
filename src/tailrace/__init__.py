"""Tailrace: real-time data processing for Python, in streaming SQL or by the API of this package."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailrace import kernel_cache

if TYPE_CHECKING:
    from tailrace.api import functions as functions
    from tailrace.api.cases import count as count
    from tailrace.api.cases import expr as expr
    from tailrace.api.cases import when as when
    from tailrace.api.contracts import Contract as Contract
    from tailrace.api.create import event_time as event_time
    from tailrace.api.create import processing_time as processing_time
    from tailrace.api.expr import Expr as Expr
    from tailrace.api.expr import call as call
    from tailrace.api.expr import col as col
    from tailrace.api.expr import lit as lit
    from tailrace.api.grouping import cube as cube
    from tailrace.api.grouping import grouping_sets as grouping_sets
    from tailrace.api.grouping import rollup as rollup
    from tailrace.api.joining import left as left
    from tailrace.api.joining import right as right
    from tailrace.api.matching import Match as Match
    from tailrace.api.matching import step as step
    from tailrace.api.pipelines import Pipeline as Pipeline
    from tailrace.api.results import RowStream as RowStream
    from tailrace.api.results import Stream as Stream
    from tailrace.api.running import Running as Running
    from tailrace.api.schemas import metadata as metadata
    from tailrace.api.serving import serve as serve
    from tailrace.api.sources import from_arrow as from_arrow
    from tailrace.api.sources import from_pandas as from_pandas
    from tailrace.api.sources import from_polars as from_polars
    from tailrace.api.sources import from_rows as from_rows
    from tailrace.api.sources import read as read
    from tailrace.api.sources import read_files as read_files
    from tailrace.api.sources import read_kafka as read_kafka
    from tailrace.api.sql import sql as sql
    from tailrace.api.table import Table as Table
    from tailrace.api.windows import cumulate as cumulate
    from tailrace.api.windows import hop as hop
    from tailrace.api.windows import session as session
    from tailrace.api.windows import tumble as tumble
    from tailrace.user_functions.batch_contexts import BatchContext as BatchContext
    from tailrace.user_functions.contexts import Context as Context
    from tailrace.user_functions.contexts import Timer as Timer
    from tailrace.user_functions.declarations import udaf as udaf
    from tailrace.user_functions.declarations import udf as udf
    from tailrace.user_functions.declarations import udtf as udtf
    from tailrace.user_functions.kept import list_state as list_state
    from tailrace.user_functions.kept import map_state as map_state
    from tailrace.user_functions.kept import value_state as value_state
    from tailrace.user_functions.processing import process as process

__version__ = "0.1.0"

_LAZY = {
    "cases": ("count", "expr", "when"),
    "contracts": ("Contract",),
    "create": ("event_time", "processing_time"),
    "expr": ("Expr", "call", "col", "lit"),
    "grouping": ("cube", "grouping_sets", "rollup"),
    "joining": ("left", "right"),
    "matching": ("Match", "step"),
    "pipelines": ("Pipeline",),
    "results": ("RowStream", "Stream"),
    "running": ("Running",),
    "schemas": ("metadata",),
    "serving": ("serve",),
    "sources": ("from_arrow", "from_pandas", "from_polars", "from_rows", "read", "read_files", "read_kafka"),
    "table": ("Table",),
    "windows": ("cumulate", "hop", "session", "tumble"),
}
_HOME = {name: f"tailrace.api.{module}" for module, names in _LAZY.items() for name in names}
_HOME |= dict.fromkeys(("udaf", "udf", "udtf"), "tailrace.user_functions.declarations")
_HOME |= dict.fromkeys(("Context", "Timer"), "tailrace.user_functions.contexts")
_HOME |= dict.fromkeys(("list_state", "map_state", "value_state"), "tailrace.user_functions.kept")
_HOME |= {"BatchContext": "tailrace.user_functions.batch_contexts"}
_HOME |= {"process": "tailrace.user_functions.processing"}

kernel_cache.prepare(Path(__file__).parent)


def __getattr__(name: str) -> Any:
    """Give a name of the API, which is loaded when it is first used: the command line starts faster without."""
    if name in ("functions", "sql"):
        return import_module("tailrace.api.functions" if name == "functions" else "tailrace.sql")
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'tailrace' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME, "functions", "sql"])
