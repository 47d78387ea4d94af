"""Runs a random query here and in the oracle, and says how they differ."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
from case_jobs import jobs_of
from case_run import Run, Way, at_random, stops_at_random, whole
from cases import Case, Row
from changelogs import first_wrong
from query_nodes import Base, Dialect, Relation, Writer
from query_tables import Table


@dataclass(frozen=True, slots=True)
class Question:
    """A query and the tables that it reads; `seed` cuts its input."""

    seed: int
    query: Relation
    tables: tuple[Table, ...]

    def script(self) -> str:
        """Write it for Flink (and Tailrace)."""
        writer = Writer(Dialect.FLINK)
        text = self.query.sql(writer)
        return "".join(f"{s};\n" for s in [*(t.flink() for t in self.read), *writer.views, text])

    @property
    def read(self) -> list[Table]:
        """The tables that the query reads."""
        names = {b.name for b in bases(self.query)}
        return [t for t in self.tables if t.name in names]

    def save(self, folder: Path) -> Case:
        """Write it as a case (without expected rows)."""
        case = Case(folder / "random" / f"query_{self.seed}.sql")
        case.folder.mkdir(parents=True, exist_ok=True)
        case.path.write_text(self.script())
        for table in self.read:
            (case.folder / f"{table.name}.json").write_text(table.json())
        return case

    def with_query(self, query: Relation) -> Question:
        """Ask another query of the same tables."""
        return replace(self, query=query)


def bases(rel: Any) -> list[Base]:
    """Give each place where a table is read."""
    if isinstance(rel, Base):
        return [rel]
    if isinstance(rel, tuple):
        return [b for part in rel for b in bases(part)]
    if isinstance(rel, Relation):
        return [b for name in rel.__dataclass_fields__ for b in bases(getattr(rel, name))]
    return []


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config={"threads": 1})


def oracle(question: Question) -> list[tuple[Any, ...]]:
    """Give the rows that stand at the end, by DuckDB."""
    connection = _connection()
    for table in question.tables:
        for statement in table.duck():
            connection.execute(statement)
    writer = Writer(Dialect.DUCK)
    columns = ", ".join(c.name for c in question.query.columns)
    rows: list[tuple[Any, ...]] = connection.execute(f"SELECT {columns} FROM ({question.query.sql(writer)})").fetchall()
    return rows


def wrong(question: Question) -> str:
    """Say what is wrong with the rows: not those of the oracle, or an error; empty if all is well."""
    try:
        expected = oracle(question)
    except (duckdb.Error, ValueError):  # a smaller query that makes no sense
        return ""
    with tempfile.TemporaryDirectory() as folder:
        case = question.save(Path(folder))
        try:
            return _differences(question, case, expected)
        except Exception as error:  # noqa: BLE001  no query may end in one
            return f"{type(error).__name__}: {error}".replace(folder, "")


def _differences(question: Question, case: Case, expected: Sequence[tuple[Any, ...]]) -> str:
    (job,) = jobs_of.__wrapped__(case)
    for way in ways(question.seed):
        rows = Run(job, way).rows()
        changing = any(t.changing is not None for t in question.tables)
        if not (changing or question.query.updating) and any(r.op != "+I" for r in rows):
            return f"({way.name}) rows that are only inserted are updated"
        if text := said(expected, rows):
            return f"({way.name})\n{text}"
    return ""


def ways(seed: int) -> list[Way]:
    """Give the ways in which a query runs."""
    return [Way("whole", whole), Way("at random", at_random(seed), stops_at_random(seed))]


def said(expected: Sequence[tuple[Any, ...]], found: Sequence[Row]) -> str:
    """Say how rows differ from the expected ones; empty if they do not."""
    if bad := first_wrong(found):
        return f"row {bad[0]} retracts what is not there: {bad[1].line()}"
    for digits in (11, 9, 7):  # a number that rounds another way by chance does so at one of them
        mine = _final(found, digits)
        theirs = Counter(tuple(_cell(v, digits) for v in row) for row in expected)
        if mine == theirs:
            return ""
    missing, more = _some(theirs - mine), _some(mine - theirs)
    return "\n".join([*(f"  missing: {row}" for row in missing), *(f"  not expected: {row}" for row in more)])


def _final(rows: Iterable[Row], digits: int) -> Counter[tuple[Any, ...]]:
    out: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        out[tuple(_cell(v, digits) for v in row.values.values())] += 1 if row.op in ("+I", "+U") else -1
    return +out


def _some(rows: Counter[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return list(rows.elements())[:8]


def _cell(value: Any, digits: int) -> Any:
    """Write a value of either side so that equal ones are equal."""
    if isinstance(value, float):
        return f"{value + 0.0:.{digits}g}"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ").rstrip("0").rstrip(".") if value.microsecond else value.isoformat(sep=" ")
    return value


def rng_of(seed: int) -> random.Random:
    """Give the random numbers of a seed."""
    return random.Random(seed)  # noqa: S311  not for secrets
