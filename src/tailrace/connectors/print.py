"""The connector `print`: a sink that writes rows to standard output or standard error, as Flink's."""

from __future__ import annotations

import sys
from typing import TextIO

import polars as pl

from tailrace.connectors.base import AtLeastOnceSink, Connector, Context, Report
from tailrace.connectors.row_text import row_texts
from tailrace.options import Option, OptionSet, Values, boolean, string
from tailrace.plan.catalog import Table
from tailrace.schema import Schema

OPTIONS = OptionSet(
    "connector 'print'",
    (
        Option("print-identifier", string, "", "what each line begins with, before `> `"),
        Option("standard-error", boolean, False, "write to standard error"),
    ),
)


class PrintSink(AtLeastOnceSink):
    """Writes each row on a line, as `+I[1, a]`, when its batch comes."""

    def __init__(self, schema: Schema, identifier: str, stream: TextIO) -> None:
        self._schema = schema
        self._prefix = f"{identifier}> " if identifier else ""
        self._stream = stream

    def open(self) -> None:
        """There is nothing to connect to."""

    def write(self, batch: pl.DataFrame) -> None:
        lines = row_texts(batch, self._schema)
        if len(lines):
            self._stream.write("".join(f"{self._prefix}{line}\n" for line in lines.to_list()))

    def flush(self) -> None:
        self._stream.flush()

    def prepare(self, epoch: int) -> None:
        self._stream.flush()

    def check(self) -> Report:
        return Report(True, "writes to this process's own output")

    def close(self) -> None:
        self._stream.flush()


class PrintConnector(Connector):
    """Rows as lines of text."""

    name = "print"
    doc = "A sink that writes each row as a line to standard output or standard error."
    options = OPTIONS
    formats = False

    def refuses_updates(self, table: Table) -> str:
        return ""

    def sink(self, table: Table, options: Values, context: Context) -> PrintSink:
        stream = sys.stderr if options["standard-error"] else sys.stdout
        return PrintSink(table.written, options["print-identifier"], stream)


CONNECTOR = PrintConnector()
