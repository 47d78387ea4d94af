"""The decorators keep the types of what they decorate: mypy in strict mode is asked about a module of a user."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

MODULE = """
from collections.abc import Iterator
from typing import assert_type

import polars as pl

import tailrace as tr


@tr.udf(result_type="BIGINT")
def twice(x: pl.Series) -> pl.Series:
    return x * 2


@tr.udf
async def answer(x: int) -> str:
    return str(x)


@tr.udf(scalar=True)
def plus(x: int, y: int = 1) -> int:
    return x + y


@tr.udtf
def words(text: str) -> Iterator[tuple[str, int]]:
    yield text, len(text)


@tr.udaf(scalar=True)
class Total:
    def __init__(self, start: int = 0) -> None:
        self.start = start

    def create(self) -> int:
        return self.start

    def accumulate(self, acc: int, x: int) -> int:
        return acc + x

    def result(self, acc: int) -> int:
        return acc


assert_type(twice(pl.Series([1])), pl.Series)
assert_type(plus(1), int)
assert_type(list(words("a")), list[tuple[str, int]])
assert_type(Total(3), Total)
"""
WRONG = 'plus("a")\ntwice()\nTotal("x")\ntr.udf(scalar="yes")\ntr.nothing\n'


def mypy(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Ask mypy about a module."""
    (folder / "mine.py").write_text(text)
    (folder / "mypy.ini").write_text("[mypy]\nstrict = True\n")
    run = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "mine.py"]
    return subprocess.run(run, cwd=folder, capture_output=True, text=True, check=False, timeout=300)


def test_declarations_are_typed(tmp_path: Path) -> None:
    """What is right passes, and each wrong call is an error of its own."""
    good = mypy(tmp_path, MODULE)
    assert good.returncode == 0, good.stdout
    bad = mypy(tmp_path, MODULE + WRONG)
    lines = len(MODULE.splitlines())
    found = {int(line.split(":")[1]) - lines for line in bad.stdout.splitlines() if ": error:" in line}
    assert {1, 2, 3, 4} <= found, bad.stdout
