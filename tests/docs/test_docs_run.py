"""What the documentation shows is what happens."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import doc_pages as docs
import pytest

BIN = Path(sys.executable).parent
RUNNING = [page for page in docs.pages() if any(b.ask == "run" for b in docs.blocks(page))]


@pytest.mark.parametrize("page", RUNNING, ids=lambda p: str(p.relative_to(docs.ROOT)))
def test_page(page: Path, tmp_path: Path) -> None:
    """Each command of the page, in order and in one folder, writes what stands under it."""
    shutil.copytree(
        docs.ROOT / "examples", tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "README.md")
    )
    for block in docs.blocks(page):
        if block.ask == "file":
            (tmp_path / block.detail).write_text(block.text)
        if block.ask == "run":
            run(block, tmp_path, f"{page.name}:{block.line}")


def run(block: docs.Block, folder: Path, where: str) -> None:
    """Run the commands of a block, or the block itself if it is Python."""
    if block.language == "python":
        (folder / "example.py").write_text(block.text)
        assert subprocess.run([sys.executable, "example.py"], cwd=folder, check=False, timeout=120).returncode == 0, (
            where
        )
        return
    status = int((re.search(r"status=(\d+)", block.detail) or [0, 0])[1])
    for command in docs.commands(block):
        result = subprocess.run(
            arguments(command.line, folder),
            cwd=folder,
            env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        got = result.stderr if "stderr" in block.detail else result.stdout
        assert result.returncode == status, f"{where}: {command.line}\n{result.stderr}"
        assert matches(command.expected, got.splitlines()), f"{where}: {command.line} wrote\n{got}"


def arguments(line: str, folder: Path) -> list[str]:
    """Cut a command line; patterns stand for the files of the folder that they match."""
    out: list[str] = []
    for word in shlex.split(line):
        found = sorted(str(p.relative_to(folder)) for p in folder.glob(word)) if "*" in word else []
        out += found or [word]
    return out


def matches(expected: list[str], got: list[str]) -> bool:
    """Tell whether the lines are those; `...` stands for any lines, or within a line for any text."""
    lines = (r"[\s\S]*" if line == "..." else re.escape(line.rstrip()).replace(r"\.\.\.", ".*") for line in expected)
    pattern = "\n".join(lines)
    return re.fullmatch(pattern, "\n".join(line.rstrip() for line in got)) is not None


def test_some_pages_run() -> None:
    """The tutorial is among the pages that are run, with files and commands."""
    blocks = list(docs.blocks(docs.DOCS / "tutorial.md"))

    assert sum(b.ask == "run" for b in blocks) >= 3
    assert sum(b.ask == "file" for b in blocks) >= 3


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        (["a"], ["a"], True),
        (["a"], ["b"], False),
        (["a", "...", "d"], ["a", "b", "c", "d"], True),
        (["a ... c"], ["a b c"], True),
        ([], ["a"], False),
    ],
)
def test_matches(expected: list[str], got: list[str], same: bool) -> None:
    """Lines match themselves, dots match any lines, and lines that nobody expected are a difference."""
    assert matches(expected, got) is same
