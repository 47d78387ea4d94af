"""Every case gives the rows that its oracle gave, however the input is cut and with hard stops in the middle."""

from __future__ import annotations

import math
import os
import random
from itertools import count, repeat
from pathlib import Path

import pytest
from case_jobs import jobs_of
from case_run import Run, Way, at_random, ones, sevens, stops_at_random, whole
from case_state import OnDisk
from cases import Case, Row, all_cases
from changelogs import final
from compare import difference
from flink_answers import answer

from tailrace.errors import TailraceError, UnsupportedError

SEED = os.environ.get("TAILRACE_TEST_SEED")
FLINK = os.environ.get("TAILRACE_TEST_FLINK", "")


def _marked(case: Case) -> object:
    marks = [pytest.mark.xfail(raises=pytest.fail.Exception, reason=case.differs, strict=True)] if case.differs else []
    return pytest.param(case, id=case.name, marks=marks)


CASES = all_cases()
MARKED = [_marked(case) for case in CASES]


def runs_of(case: Case, way: Way) -> list[tuple[Run, list[Row]]]:
    """Run all jobs of a case; give each with its rows."""
    runs = [Run(job, way) for job in jobs_of(case)]
    return [(run, run.rows()) for run in runs]


def keys_of(case: Case) -> dict[str, tuple[str, ...]]:
    """Give the primary keys of the tables that a case writes into."""
    return {s.table.name: s.table.primary_key for job in jobs_of(case) for s in job.sinks if s.table}


def check(case: Case, way: Way) -> list[Run]:
    """Run a case and compare; gives its runs."""
    if case.unsupported or case.expected.refused:
        with pytest.raises(UnsupportedError if case.unsupported else TailraceError):
            runs_of(case, way)
        return []
    runs = runs_of(case, way)
    rows = [row for _, found in runs for row in found]
    ordered, meeting = "order" in case.expects, case.tables_read > 1
    text = difference(case.expected, rows, keys_of(case), ordered=ordered, meeting=meeting)
    if text:
        pytest.fail(f"{case.path} ({way.name}), oracle {case.expected.oracle}:\n{text}", pytrace=False)
    return [run for run, _ in runs]


@pytest.mark.parametrize("case", MARKED)
class TestCase:
    """One case, in all ways."""

    def test_whole(self, case: Case) -> None:
        """All rows in one batch."""
        check(case, Way("whole", whole))

    def test_one_by_one(self, case: Case) -> None:
        """One row a batch."""
        check(case, Way("one by one", ones))

    def test_in_sevens(self, case: Case, tmp_path: Path) -> None:
        """Seven rows a batch, with a checkpoint on disk after each two batches, and a hard stop after the third."""
        folders = count()
        way = Way("in sevens", sevens, lambda: repeat((2, 1)), lambda: OnDisk(tmp_path / str(next(folders))))

        for run in check(case, way):
            assert run.stops == (math.ceil(run.most_rows / 7) - 1) // 2 or run.early or run.most_rows == 0

    def test_at_random(self, case: Case) -> None:
        """Batches of random sizes, with checkpoints in memory and hard stops at random."""
        seed = int(SEED or random.randrange(2**32))  # noqa: S311  a failure shows it
        check(case, Way(f"at random, seed {seed}", at_random(seed), stops_at_random(seed)))


@pytest.mark.skipif(not FLINK, reason="Flink: TAILRACE_TEST_FLINK names no SQL Gateway (tests/services/flink.sh start)")
@pytest.mark.parametrize("case", [pytest.param(c, id=c.name) for c in CASES if c.expected.oracle.startswith("Flink ")])
def test_flink(case: Case) -> None:
    """Flink answers what was recorded."""
    found = answer(case, FLINK)

    assert final(found.rows) == final(case.expected.rows)
    assert found.refused == case.expected.refused
