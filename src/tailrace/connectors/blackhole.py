"""The connector `blackhole`: a sink that takes every row and keeps none, as Flink's."""

from __future__ import annotations

import polars as pl

from tailrace.connectors.base import AtLeastOnceSink, Connector, Context, Report
from tailrace.options import OptionSet, Values
from tailrace.plan.catalog import Table


class BlackholeSink(AtLeastOnceSink):
    """Forgets what it is given; for measuring, and for trying a pipeline out."""

    def open(self) -> None:
        """There is nothing to connect to."""

    def write(self, batch: pl.DataFrame) -> None:
        """Drop the batch."""

    def prepare(self, epoch: int) -> None:
        """There is nothing to keep."""

    def check(self) -> Report:
        return Report(True, "takes all rows and keeps none")

    def close(self) -> None:
        """There is nothing to let go of."""


class BlackholeConnector(Connector):
    """Rows are counted and dropped."""

    name = "blackhole"
    doc = "A sink that takes all rows and keeps none."
    options = OptionSet("connector 'blackhole'", ())
    formats = False

    def refuses_updates(self, table: Table) -> str:
        return ""

    def sink(self, table: Table, options: Values, context: Context) -> BlackholeSink:
        return BlackholeSink()


CONNECTOR = BlackholeConnector()
