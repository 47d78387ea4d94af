"""
Random queries over random tables give the rows that DuckDB gives, and Flink where a cluster is up.

TAILRACE_TEST_QUERIES   how many (500)
TAILRACE_TEST_SEED      the first seed; if left out by chance, but 1 where CI is set, so that a change is judged by its own faults
TAILRACE_TEST_FLINK     the SQL Gateway of a Flink cluster that is asked too, about TAILRACE_TEST_FLINK_QUERIES (40) of them
"""

from __future__ import annotations

import os
import random
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from flink_answers import answer
from query_check import Question, bases, oracle, rng_of, said, wrong
from query_maker import FAMILIES, LATE, QueryMaker
from query_reducer import reduced
from query_tables import make_table

QUERIES = int(os.environ.get("TAILRACE_TEST_QUERIES", "500"))
SEED = int(os.environ.get("TAILRACE_TEST_SEED") or ("1" if os.environ.get("CI") else random.randrange(2**32)))  # noqa: S311  a failure shows it
FLINK = os.environ.get("TAILRACE_TEST_FLINK", "")
FLINK_QUERIES = int(os.environ.get("TAILRACE_TEST_FLINK_QUERIES", "40"))
REDUCING_SECONDS = 30
FLINK_FAULTS = (
    "does not support retraction",
    "Cannot add expression of different type to set",
    "join key in Temporal Table Join can not be empty",
)
"""What Flink 2.2 says where it has no code for the plan that it made itself, as of SUM(DISTINCT …) over a hopping window."""


def question(family: str, seed: int, *, faults: bool = True) -> Question:
    """Make the question of a seed."""
    rng = rng_of(seed)
    query = QueryMaker(rng, faults=faults).make(family)
    # the rows of several tables meet in any order: none may be late
    calm = family not in LATE or len(bases(query)) > 1
    tables = tuple(make_table(rng, name, calm=calm) for name in ("t0", "t1"))
    if family == "changing":
        tables = tuple(replace(t, changing=seed + i) for i, t in enumerate(tables))
    return Question(seed, query, tables)


@pytest.mark.parametrize("family", FAMILIES)
def test_random_queries(family: str) -> None:
    """The rows that stand at the end are those of DuckDB, and no row is taken back that was not there."""
    for seed in range(SEED, SEED + -(-QUERIES // len(FAMILIES))):
        asked = question(family, seed)
        oracle(asked)  # a query that it can't answer would show nothing
        if text := wrong(asked):
            small = reduced(asked, partial(fails_alike, kind(text)), REDUCING_SECONDS)
            pytest.fail(report(family, small), pytrace=False)


def fails_alike(how: str, asked: Question) -> bool:
    """Tell whether a question fails in this way."""
    return kind(wrong(asked)) == how


def kind(text: str) -> str:
    """
    Give the kind of a failure: the class of an error, or that of wrong rows.

    >>> kind("ConfigError: there is no"), kind("(whole) missing: 1")
    ('ConfigError', '(')
    """
    return text[:1] if text.startswith("(") else text.partition(":")[0]


@pytest.mark.skipif(not FLINK, reason="Flink: TAILRACE_TEST_FLINK names no SQL Gateway (tests/services/flink.sh start)")
@pytest.mark.parametrize("family", FAMILIES)
def test_flink_says_the_same(family: str) -> None:
    """Flink gives the rows of DuckDB: the oracle means what Flink means."""
    for seed in range(SEED, SEED + -(-FLINK_QUERIES // len(FAMILIES))):
        asked = question(family, seed, faults=False)
        with tempfile.TemporaryDirectory(prefix="queries-") as folder:
            Path(folder).chmod(0o755)
            found = answer(asked.save(Path(folder)), FLINK)
        if any(fault in found.refused for fault in FLINK_FAULTS):
            continue
        text = f"Flink refuses it: {found.refused}" if found.refused else said(oracle(asked), found.rows)
        if text:
            pytest.fail(f"{report(family, asked)}\n{text}", pytrace=False)


def report(family: str, asked: Question) -> str:
    """Say what was asked and what was wrong; the question is left in a folder as a case."""
    case = asked.save(Path(tempfile.mkdtemp(prefix="random-query-")))
    rows = "\n".join(f"{t.name}:\n{t.json()}" for t in asked.read)
    return f"{family}, TAILRACE_TEST_SEED={asked.seed}, smaller: {case.path}\n{asked.script()}\n{rows}\n{wrong(asked)}"
