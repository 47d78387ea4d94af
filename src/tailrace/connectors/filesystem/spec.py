"""What a source of files was declared to be, wherever they are."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from tailrace.clock import Clock
from tailrace.connectors.filesystem.folders import folder_columns
from tailrace.connectors.filesystem.reading import Reading
from tailrace.schema import Schema


@dataclass(frozen=True, slots=True)
class Common:
    """What sources of local files and of objects have in common."""

    pattern: re.Pattern[str] | None
    monitor_seconds: float | None
    reading: Reading
    folders: Schema
    """The columns of PARTITIONED BY that are asked for."""
    keys: tuple[str, ...]
    """All columns of PARTITIONED BY."""
    metadata: tuple[str, ...]
    default_partition: str
    restart: bool
    clock: Clock

    def folder_columns(self, name: str) -> pl.DataFrame:
        """Give one row with the values of the partition columns that are asked for."""
        return folder_columns(name, self.folders, self.keys, self.default_partition)
