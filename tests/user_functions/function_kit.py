"""Scripts with functions of a module beside them: run in many ways, with restarts from disk, or as a job with its policies."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from case_jobs import Job
from case_run import Run, Way, at_random, ones, sevens, stops_at_random, whole
from case_state import OnDisk
from cases import SETTINGS
from changelogs import final

from tailrace.plan.rewrite import optimize
from tailrace.sql.session import Session
from tailrace.sql.statements import Insert, Query

Row = dict[str, Any]
IMPORTS = """from __future__ import annotations

import asyncio, sys, time
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, NamedTuple

import polars as pl

import tailrace as tr

"""
WAYS = ("whole", "ones", "sevens", "random", "restarts")


@dataclass(frozen=True)
class World:
    """A folder with a module of functions, a table `t` of rows, and what is written into it."""

    folder: Path

    def module(self, text: str, name: str = "mine") -> None:
        """Write the module."""
        (self.folder / f"{name}.py").write_text(IMPORTS + text)

    def table(self, columns: str, rows: Sequence[Row], name: str = "t", options: str = "") -> str:
        """Write rows as a file; give the statement that declares the table."""
        file = self.folder / f"{name}.json"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return f"CREATE TABLE {name} ({columns}) WITH ('connector' = 'filesystem', 'path' = '{file}', 'format' = 'json'{options});\n"

    def functions(self, *names: str, module: str = "mine") -> str:
        """Give the statements that make functions of the module known by their own names."""
        return "".join(f"CREATE FUNCTION {n} AS '{module}:{n}' LANGUAGE PYTHON;\n" for n in names)

    def jobs(self, sql: str) -> list[Job]:
        """Bind a script."""
        session = Session(settings=SETTINGS)
        found = []
        for statement in session.bind(sql, str(self.folder / "script.sql")):
            match statement:
                case Insert():
                    found.append(statement.sinks)
                case Query():
                    found.append((statement.plan,))
        return [Job(optimize(sinks), dict(session.settings)) for sinks in found]

    def rows(self, sql: str, way: str = "whole") -> list[Row]:
        """Run the one query of a script in a way; give what its result comes to, sorted."""
        (job,) = self.jobs(sql)
        run = Run(job, self._way(way))
        found: Counter[str] = final(run.rows())
        assert all(n > 0 for n in found.values()), found
        if way == "restarts" and run.most_rows > 6:
            assert run.stops
        return sorted(
            (json.loads(key.partition("{")[1] + key.partition("{")[2]) for key in found.elements()), key=_order
        )

    def _way(self, name: str) -> Way:
        ways: dict[str, Callable[[], Way]] = {
            "whole": lambda: Way(name, whole),
            "ones": lambda: Way(name, ones),
            "sevens": lambda: Way(name, sevens),
            "random": lambda: Way(name, at_random(7)),
            "restarts": lambda: Way(
                name, at_random(3), stops_at_random(3), lambda: OnDisk(Path(tempfile.mkdtemp(dir=self.folder)))
            ),
        }
        return ways[name]()


def ordered(rows: Sequence[Row]) -> list[Row]:
    """Sort rows as `World.rows` does."""
    return sorted(rows, key=_order)


def _order(row: Row) -> str:
    return json.dumps(row, sort_keys=True)


def numbers(size: int) -> Iterator[int]:
    """Give numbers that look mixed, the same each time."""
    value = 12345
    for _ in range(size):
        value = (1103515245 * value + 12345) % 2**31
        yield value >> 8
