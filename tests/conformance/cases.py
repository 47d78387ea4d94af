"""What a conformance case is on disk: a script, the folder of its input, and the rows that its oracle gave."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent

SETTINGS = {"pipeline.auto-watermark-interval": "0", "table.local-time-zone": "UTC"}
"""What every case starts with, here and on Flink: the watermark moves with each row, so that all runs are alike."""

_MARK = re.compile(r"^--\s*(expect|differs|unsupported):\s*(.+)$", re.MULTILINE)
_TOKEN = re.compile(r"'(?:[^']|'')*'|`(?:[^`]|``)*`|--[^\n]*|/\*.*?\*/|;", re.DOTALL)
_INSERT = re.compile(r"^\s*INSERT\s+INTO\s+`?(\w+)`?", re.IGNORECASE | re.MULTILINE)
_TABLE_IN = re.compile(r"\$\{DATA\}")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a result: the table that it was written into (empty for a SELECT), its row kind, its values."""

    op: str
    values: dict[str, Any]
    sink: str = ""

    def line(self) -> str:
        """Give it as a line of a `.out` file."""
        sink = {"sink": self.sink} if self.sink else {}
        return json.dumps({**sink, "op": self.op, "row": self.values}, ensure_ascii=False)

    def key(self) -> str:
        """Give a text that is the same for the same table and values, whatever the row kind."""
        return f"{self.sink} {json.dumps(self.values, sort_keys=True, ensure_ascii=False)}"

    @classmethod
    def read(cls, line: str | bytes) -> Row:
        """Read what `line` gave."""
        given = json.loads(line)
        return cls(given["op"], given["row"], given.get("sink", ""))


@dataclass(frozen=True, slots=True)
class Answer:
    """What an engine says to a case: its rows, or why it refuses the script (or fails on the data)."""

    oracle: str
    rows: list[Row] = field(default_factory=list)
    refused: str = ""

    def text(self) -> str:
        """Give it as a `.out` file."""
        head = {"oracle": self.oracle} | ({"refused": self.refused} if self.refused else {})
        return "\n".join([json.dumps(head, ensure_ascii=False), *(r.line() for r in self.rows)]) + "\n"

    @classmethod
    def read(cls, path: Path) -> Answer:
        """Read a `.out` file."""
        head, *lines = path.read_text().removesuffix("\n").split("\n")  # a text may hold other ends of lines
        return cls(rows=[Row.read(x) for x in lines], **json.loads(head))

    @property
    def appends(self) -> bool:
        """Tell whether all rows are inserts."""
        return all(r.op == "+I" for r in self.rows)


@dataclass(frozen=True)
class Case:
    """A case; `path` is its script."""

    path: Path

    @property
    def name(self) -> str:
        """Its area and name."""
        return f"{self.path.parent.name}/{self.path.stem}"

    @property
    def area(self) -> str:
        """The folder that it is in."""
        return self.path.parent.name

    @property
    def folder(self) -> Path:
        """Where its input is."""
        return self.path.with_suffix(".in")

    @property
    def out(self) -> Path:
        """Where its expected rows are."""
        return self.path.with_suffix(".out")

    @cached_property
    def script(self) -> str:
        """The script, as it was written."""
        return self.path.read_text()

    @cached_property
    def expected(self) -> Answer:
        """What its oracle answered."""
        return Answer.read(self.out)

    @cached_property
    def _marks(self) -> dict[str, str]:
        """The lines `-- MARK: text`; those of the same mark are one text."""
        out: dict[str, str] = {}
        for mark, text in _MARK.findall(self.script):
            out[mark] = f"{out[mark]} {text.strip()}" if mark in out else text.strip()
        return out

    @property
    def expects(self) -> set[str]:
        """What it expects beside its rows: `refused`, `order`."""
        return {word.strip(" ,") for word in self._marks.get("expect", "").split()}

    @property
    def differs(self) -> str:
        """Why its rows are not those of Flink, if they are not."""
        return self._marks.get("differs", "")

    @property
    def unsupported(self) -> str:
        """Why Tailrace can't run it, if it can't."""
        return self._marks.get("unsupported", "")

    @property
    def tables_read(self) -> int:
        """How many tables read files."""
        return len(_TABLE_IN.findall(self.script))

    @property
    def sinks(self) -> list[str]:
        """The tables that it writes into, each once."""
        return list(dict.fromkeys(_INSERT.findall(self.script)))


def statements(script: str) -> list[str]:
    """
    Cut a script at the semicolons that end its statements; a statement set stays whole.

    >>> statements("SET 'a' = ';'; EXECUTE STATEMENT SET BEGIN INSERT INTO t SELECT 1; END; SELECT 1 -- ;")
    ["SET 'a' = ';'", 'EXECUTE STATEMENT SET BEGIN INSERT INTO t SELECT 1; END', 'SELECT 1 -- ;']
    """
    ends = [m.start() for m in _TOKEN.finditer(script) if m.group() == ";"]
    out, start = [], 0
    for end in [*ends, len(script)]:
        text = script[start:end]
        if _is_open_set(text):
            continue
        start = end + 1
        out += [text.strip()] if _code(text) else []
    return out


def _is_open_set(text: str) -> bool:
    code = _code(text)
    in_set = re.match(r"(EXECUTE\s+|EXPLAIN\s+)?(BEGIN\s+)?STATEMENT\s+SET\b", code, re.IGNORECASE)
    return in_set is not None and not re.search(r"(;|BEGIN)\s*END$", code, re.IGNORECASE)


def _code(text: str) -> str:
    """Give a text without its comments."""
    return _TOKEN.sub(lambda m: "" if m.group().startswith(("--", "/*")) else m.group(), text).strip()


def all_cases() -> list[Case]:
    """Give all cases by name."""
    return [Case(path) for path in sorted(ROOT.glob("*/*.sql"))]
