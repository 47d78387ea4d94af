"""The public names of Tailrace, and on which page of the reference each stands."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import tailrace as tr
from tailrace import errors, testing
from tailrace.api import cases, create, expr, grouping, schemas, windows
from tailrace.runtime import summary
from tailrace.web import server

INTERNAL = frozenset(
    ("Window.tree", "Window.alike", "Grouping.tree", "Match.tree", "Pipeline.of", "Pipeline.bound", "Watermark.ms")
) | {"Context.renew", "BatchContext.begin"}
"""What the parts of Tailrace call of each other."""


@dataclass(frozen=True)
class Page:
    """A page of the reference: its file, title and first words, and its names with what they are."""

    file: str
    title: str
    about: str
    names: dict[str, Any]


PAGES = (
    Page(
        "sources",
        "Reading tables",
        "Where tables come from. `time` and `columns` are described at [Pipelines in Python](../api.md#what-stands-where).",
        {n: getattr(tr, n) for n in ("read", "read_kafka", "read_files", "from_polars", "from_pandas", "from_arrow")}
        | {n: getattr(tr, n) for n in ("from_rows", "sql", "event_time", "processing_time", "metadata")}
        | {"Contract": tr.Contract, "Time": create.Time, "Metadata": schemas.Metadata},
    ),
    Page(
        "table",
        "Table",
        "Each method gives a new table; what is wrong raises `ConfigError` with the line of your file.",
        {"Table": tr.Table},
    ),
    Page(
        "grouping",
        "Windows, groups and patterns",
        "What `Table.window`, `group_by`, `join` and `match` take and give.",
        {n: getattr(tr, n) for n in ("tumble", "hop", "cumulate", "session")}
        | {"Window": windows.Window, "GroupBy": grouping.GroupBy}
        | {n: getattr(tr, n) for n in ("rollup", "cube", "grouping_sets")}
        | {"Grouping": grouping.Grouping}
        | {n: getattr(tr, n) for n in ("left", "right", "Match", "step")},
    ),
    Page(
        "expressions",
        "Expressions",
        "What is computed of columns. Operators (`+`, `==`, `&`, `~` …) make expressions too.",
        {n: getattr(tr, n) for n in ("col", "lit", "expr", "call", "count", "when")}
        | {"When": cases.When, "Then": cases.Then, "Expr": tr.Expr, "SortExpr": expr.SortExpr},
    ),
    Page(
        "running",
        "Running pipelines",
        "What `Table.to…` and `Table.stream` give, and what is told of a run.",
        {"Pipeline": tr.Pipeline, "Running": tr.Running, "Stream": tr.Stream}
        | {"RowStream": tr.RowStream, "serve": tr.serve, "Server": server.Server}
        | {"Summary": summary.Summary, "Status": summary.Status},
    ),
    Page(
        "declarations",
        "Functions of yours",
        "The decorators of [functions](../functions.md) and [process functions](../process-functions.md), and what process functions use.",
        {n: getattr(tr, n) for n in ("udf", "udtf", "udaf", "process", "value_state", "list_state", "map_state")}
        | {"Context": tr.Context, "BatchContext": tr.BatchContext, "Timer": tr.Timer},
    ),
    Page(
        "testing",
        "The test kit",
        "All names of `tailrace.testing`; [Testing pipelines](../testing.md) shows how they go together.",
        {n: getattr(testing, n) for n in dir(testing) if n in testing._HOME},  # noqa: SLF001  its list of names
    ),
    Page(
        "errors",
        "Errors",
        "All names of `tailrace.errors` that a program may meet; [the codes](../../error-codes.md) tell them apart further.",
        {
            n: getattr(errors, n)
            for n in (
                "TailraceError",
                "ConfigError",
                "UnsupportedError",
                "DataError",
                "TransientError",
                "TerminalError",
            )
        }
        | {"Location": errors.Location},
    ),
)


def exported() -> set[str]:
    """Give all names that `tailrace` gives to its users."""
    return {*tr._HOME, "functions", "sql"}  # noqa: SLF001  its list of names


def members(cls: type) -> Iterator[tuple[str, Any]]:
    """Give the public methods and properties of a class, in the order in which they are written, and those of its bases."""
    others = {found for page in PAGES for found in page.names.values() if inspect.isclass(found)} - {cls}
    for part in cls.__mro__:
        if part not in others and part.__module__.startswith("tailrace."):
            for name, found in vars(part).items():
                kind = inspect.isroutine(found) or isinstance(found, property | cached_property)
                if kind and not name.startswith("_") and f"{cls.__name__}.{name}" not in INTERNAL:
                    yield name, found


def entries(page: Page) -> Iterator[tuple[str, Any]]:
    """Give everything that a page describes, by its whole name."""
    for name, found in page.names.items():
        yield name, found
        if inspect.isclass(found):
            for member, inner in members(found):
                yield f"{name}.{member}", inner
