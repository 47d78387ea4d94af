"""Cases that have words in the API give the same rows when they are written in them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from api_expressions import NoWordsError
from api_words import Words
from case_jobs import Job
from case_run import Run, Way, whole
from cases import SETTINGS, Case, all_cases
from compare import difference

from tailrace.api.definitions import Definitions
from tailrace.api.places import place
from tailrace.errors import TailraceError
from tailrace.plan.rewrite import optimize
from tailrace.sql.dialect import nodes as n
from tailrace.sql.dialect import parse
from tailrace.sql.dialect import statement_nodes as s
from tailrace.sql.session import Session
from tailrace.sql.source import Source
from tailrace.sql.statements import Insert, Query

CASES = all_cases()
AREAS = sorted({case.area for case in CASES})
AT_LEAST = 680
"""So many cases have words in the API; fewer would mean that words were lost."""


def statements(case: Case) -> list[n.Node]:
    """Parse the script of a case."""
    parameters = {"DATA": str(case.folder), "OUT": "/not/written"}
    source = Source(case.script, str(case.path), parameters)
    found = parse(source)
    for statement in found:
        for node in statement.walk():
            node.meta.setdefault("source", source)
    return found


def in_words(case: Case) -> list[n.Node]:
    """Give the statements of a case with the queries as the API writes them."""
    definitions = Definitions()
    out: list[n.Node] = []
    for node in statements(case):
        match node:
            case s.CreateTable() | s.CreateView() if not n.get(node, "replace"):
                definitions = definitions.with_one(node.args["name"].texts[-1], node)
            case n.Query():
                node = Words(definitions).query(node).tree  # noqa: PLW2901  the same statement in other words
            case s.Insert():
                node.set("query", Words(definitions).query(node.args["query"]).tree)
            case s.SetOption() | s.ResetOption():
                pass
            case _:
                raise NoWordsError(type(node).__name__)
        out.append(node)
    return out


def jobs(trees: list[n.Node]) -> Iterator[Job]:
    """Bind statements; give a job for each query."""
    session = Session(settings=SETTINGS)
    for node in trees:
        match session.bind_tree(node, place()):
            case Insert(sinks=sinks):
                yield Job(optimize(sinks), dict(session.settings))
            case Query(plan=plan):
                yield Job(optimize((plan,)), dict(session.settings))


@cache
def in_other_words(case: Case) -> list[n.Node] | None:
    """Give the statements of a case in the words of the API; None if it has none for some of it."""
    if case.unsupported or case.differs or case.expected.refused:
        return None
    try:
        return in_words(case)
    except (NoWordsError, TailraceError):
        return None


@pytest.mark.parametrize("area", AREAS)
def test_cases_in_words_of_the_api(area: str) -> None:
    """The rows of each case are those of its oracle."""
    for case in CASES:
        trees = in_other_words(case) if case.area == area else None
        if trees is not None and (text := wrong(case, trees)):
            pytest.fail(f"{case.path}, oracle {case.expected.oracle}:\n{text}", pytrace=False)


def wrong(case: Case, trees: list[n.Node]) -> str:
    """Run a case as the API writes it; give what is wrong with its rows."""
    found = list(jobs(trees))
    rows = [row for job in found for row in Run(job, Way("in words of the API", whole)).rows()]
    keys = {x.table.name: x.table.primary_key for job in found for x in job.sinks if x.table}
    ordered, meeting = "order" in case.expects, case.tables_read > 1
    return difference(case.expected, rows, keys, ordered=ordered, meeting=meeting)


def test_the_api_has_words_for_many_cases() -> None:
    """No words were lost."""
    assert sum(in_other_words(case) is not None for case in CASES) >= AT_LEAST
