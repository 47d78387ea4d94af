"""The sinks of a SELECT: its rows on standard output, as a table, JSON lines or CSV."""

from __future__ import annotations

import io
import unicodedata
from abc import abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TextIO

import polars as pl

from tailrace.cli.cells import OP, cells
from tailrace.connectors.base import AtLeastOnceSink, Report
from tailrace.errors import TerminalError
from tailrace.formats.rows_as_json import jsonl
from tailrace.observe.plain import plain
from tailrace.schema import FLOATS, INTEGERS, Kind, Schema

MAX_WIDTH = 60
NULL = "NULL"
_NUMBERS = (*INTEGERS, *FLOATS, Kind.DECIMAL)


class OutputSink(AtLeastOnceSink):
    """
    Writes rows to a stream; `rows` counts them.

    When the stream's reader has gone, `on_gone` is called once and further rows are dropped: nobody wants them. A stream
    that can't be written (its disk is full) is an error.
    `aside` makes room for rows on a terminal that has live lines.
    """

    def __init__(self, schema: Schema, stream: TextIO, *, updating: bool, on_gone: Callable[[], None]) -> None:
        self.rows = 0
        self.gone = False
        self.aside: Callable[[], AbstractContextManager[None]] | None = None
        self._schema = schema
        self._updating = updating
        self._on_gone = on_gone
        self._stream = stream

    @abstractmethod
    def text(self, batch: pl.DataFrame) -> str:
        """Give what is written for a batch."""

    def head(self) -> str:
        """Give what is written once, before all rows."""
        return ""

    def open(self) -> None:
        self._put(self.head())

    def write(self, batch: pl.DataFrame) -> None:
        self.rows += len(batch)
        self._put(self.text(batch))

    def _put(self, text: str) -> None:
        if self.gone or not text:
            return
        try:
            if self.aside is None:
                self._stream.write(text)
                return
            with self.aside():
                self._stream.write(text)
                self._stream.flush()
        except OSError as error:
            self._leave(error)

    def flush(self) -> None:
        if self.gone:
            return
        try:
            self._stream.flush()
        except OSError as error:
            self._leave(error)

    def _leave(self, error: OSError) -> None:
        """Write no more."""
        self.gone = True
        self._on_gone()
        if not isinstance(error, BrokenPipeError):
            raise TerminalError(f"standard output can't be written: {error.strerror or error}") from None

    def prepare(self, epoch: int) -> None:
        self.flush()

    def check(self) -> Report:
        return Report(True, "standard output")

    def close(self) -> None:
        self.flush()


class JsonLinesSink(OutputSink):
    """Each row as `{"op": "+I", "row": {...}}`."""

    def text(self, batch: pl.DataFrame) -> str:
        return jsonl(batch, self._schema).decode()


class CsvSink(OutputSink):
    """Rows as CSV with a header; the row kind comes first where the query updates its rows. NULL is an empty field."""

    def head(self) -> str:
        names = ([OP] if self._updating else []) + list(self._schema.names)
        return _csv(pl.DataFrame([names], schema=[str(i) for i in range(len(names))], orient="row"))

    def text(self, batch: pl.DataFrame) -> str:
        return _csv(cells(batch, self._schema, updating=self._updating))


def _csv(frame: pl.DataFrame) -> str:
    buffer = io.StringIO()
    frame.write_csv(buffer, include_header=False, quote_style="necessary")
    return buffer.getvalue()


class TableSink(OutputSink):
    """
    Rows in aligned columns.

    The first rows, up to the first pause, set the widths; longer values later widen their columns from there on. Control
    characters are shown as escapes.
    """

    def __init__(self, schema: Schema, stream: TextIO, *, updating: bool, on_gone: Callable[[], None]) -> None:
        super().__init__(schema, stream, updating=updating, on_gone=on_gone)
        self._names = _escaped(([OP] if updating else []) + list(schema.names))
        self._right = ([False] if updating else []) + [f.type.kind in _NUMBERS for f in schema]
        self._widths: list[int] | None = None

    def text(self, batch: pl.DataFrame) -> str:
        columns = [_shown(s) for s in cells(batch, self._schema, updating=self._updating).get_columns()]
        first = self._widths is None
        before = self._widths or [width(n) for n in self._names]
        self._widths = [
            max(w, min(MAX_WIDTH, max(map(width, c), default=0))) for w, c in zip(before, columns, strict=True)
        ]
        head = self._rule_of(self._widths) if first else ""
        return head + "".join(self._line(row) for row in zip(*columns, strict=True))

    def _rule_of(self, widths: list[int]) -> str:
        rule = "-+-".join("-" * w for w in widths)
        return f"{self._line(self._names)}{rule}\n"

    def _line(self, row: list[str] | tuple[str, ...]) -> str:
        assert self._widths is not None
        parts = [_pad(c, w, r) for c, w, r in zip(row, self._widths, self._right, strict=True)]
        return " | ".join(parts).rstrip() + "\n"

    def close(self) -> None:
        if self._widths is None:
            self._widths = [width(n) for n in self._names]
            self._put(self._rule_of(self._widths))
        super().close()


def _shown(column: pl.Series) -> list[str]:
    values = column.fill_null(NULL)
    if values.str.contains(r"[^\x20-\x7e]").any():
        return _escaped(values.to_list())
    return values.to_list()


def _escaped(texts: list[str]) -> list[str]:
    """Write control characters, line ends among them, as escapes."""
    return [plain(t).replace("\n", "\\n").replace("\t", "\\t") for t in texts]


def width(text: str) -> int:
    """Give how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)


def _pad(text: str, size: int, right: bool) -> str:
    space = " " * max(0, size - width(text))
    return space + text if right else text + space


_KINDS: dict[str, type[OutputSink]] = {"table": TableSink, "jsonl": JsonLinesSink, "csv": CsvSink}


def output_sink(
    kind: str, schema: Schema, stream: TextIO, *, updating: bool, on_gone: Callable[[], None]
) -> OutputSink:
    """Make the sink for a way of writing: `table`, `jsonl` or `csv`."""
    return _KINDS[kind](schema, stream, updating=updating, on_gone=on_gone)


def print_frame(frame: pl.DataFrame, stream: TextIO) -> None:
    """Write a small frame of texts as a table."""
    texts = frame.cast(pl.String)
    columns = [_shown(s) for s in texts.get_columns()]
    widths = [max([width(n), *map(width, c)]) for n, c in zip(texts.columns, columns, strict=True)]
    rows = [tuple(texts.columns), tuple("-" * w for w in widths), *zip(*columns, strict=True)]
    for row in rows:
        line = " | ".join(_pad(c, w, right=False) for c, w in zip(row, widths, strict=True))
        stream.write(line.rstrip() + "\n")
