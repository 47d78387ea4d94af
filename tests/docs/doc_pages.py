"""
Reads the documentation's pages as the tests need them: their blocks, with what a hidden comment before a block asks for.

A comment `<!-- file: NAME -->` writes the block below it as a file of the page's folder. `<!-- run -->` runs the block: each `$ ` line of a
console block is a command, the lines under it are what it must write to standard output. `<!-- run: status=2 stderr -->` says that it must end
with status 2, and that the lines are those of standard error. A line `...` stands for any lines, `...` in a line for any text. `<!-- fragment -->` marks SQL that is no
statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
_BLOCK = re.compile(
    r"(?:^<!-- (?P<ask>file|run|fragment)(?:: (?P<detail>[^>]*?))? -->\n+)?^```(?P<language>\w*)[^\n]*\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_INCLUDE = re.compile(r'^--8<-- "([^"]+)"$', re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, the line where it begins, and what is asked for."""

    language: str
    text: str
    line: int
    ask: str = ""
    detail: str = ""


@dataclass
class Command:
    """A command of a console block and what it must write."""

    line: str
    expected: list[str] = field(default_factory=list)


def pages() -> list[Path]:
    """Give all pages."""
    return [ROOT / "README.md", *sorted(DOCS.rglob("*.md")), *sorted((ROOT / "examples").rglob("*.md"))]


def blocks(page: Path) -> Iterator[Block]:
    """Give the blocks of a page; files that a block includes stand in it."""
    text = page.read_text()
    for match in _BLOCK.finditer(text):
        body = _INCLUDE.sub(lambda m: (ROOT / m[1]).read_text().rstrip("\n"), match["body"])
        line = text.count("\n", 0, match.start("language")) + 1
        yield Block(match["language"], body, line, match["ask"] or "", match["detail"] or "")


def commands(block: Block) -> list[Command]:
    """Cut a console block into its commands."""
    found: list[Command] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:].partition("  #")[0].strip()))
        elif found:
            found[-1].expected.append(line)
    return found
