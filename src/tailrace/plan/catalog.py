"""What is known by name while a script is bound: tables and views."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tailrace.errors import Location
from tailrace.expressions.nodes import Expr
from tailrace.options import Options, OptionText
from tailrace.schema import DataType, Field, Schema


@dataclass(frozen=True, slots=True)
class PhysicalColumn:
    """A column that the format reads and writes."""

    name: str
    type: DataType
    comment: str = ""


@dataclass(frozen=True, slots=True)
class MetadataColumn:
    """A column that the connector gives (as a Kafka offset); `virtual` ones are not written."""

    name: str
    type: DataType
    key: str
    virtual: bool = False
    comment: str = ""
    location: Location | None = None


@dataclass(frozen=True, slots=True)
class ComputedColumn:
    """A column computed from the others when the table is read."""

    name: str
    expr: Expr
    comment: str = ""


TableColumn = PhysicalColumn | MetadataColumn | ComputedColumn


@dataclass(frozen=True, slots=True)
class WatermarkSpec:
    """`WATERMARK FOR column AS expr`; the expression is over the columns of the table."""

    column: str
    expr: Expr


@dataclass(frozen=True, slots=True)
class Found:
    """The columns that were found for a table declared without, and options that say more of them."""

    columns: Schema
    options: Options


Discover = Callable[[str, Options, Location | None], Found | None]
"""Finds the columns of a table by its name, options and place; gives None if nothing can tell."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it was declared. `schema` has all columns in order, with their time attributes."""

    name: str
    columns: tuple[TableColumn, ...]
    schema: Schema
    options: Options
    watermark: WatermarkSpec | None = None
    primary_key: tuple[str, ...] = ()
    partitioned_by: tuple[str, ...] = ()
    comment: str = ""
    location: Location | None = None

    def option(self, key: str) -> OptionText | None:
        """Give an option as it was written, or None."""
        return self.options.get(key)

    @property
    def connector(self) -> str:
        """The name of its connector; empty if it was not given."""
        text = self.options.get("connector")
        return text.value if text else ""

    @property
    def physical(self) -> Schema:
        """The columns that the format reads and writes."""
        return Schema(tuple(Field(c.name, c.type) for c in self.columns if isinstance(c, PhysicalColumn)))

    @property
    def metadata(self) -> tuple[MetadataColumn, ...]:
        """The columns that the connector gives."""
        return tuple(c for c in self.columns if isinstance(c, MetadataColumn))

    @property
    def computed(self) -> tuple[ComputedColumn, ...]:
        """The columns computed on reading."""
        return tuple(c for c in self.columns if isinstance(c, ComputedColumn))

    @property
    def written(self) -> Schema:
        """The columns that an INSERT gives: physical ones and metadata that can be written, in declared order."""
        given = (
            c
            for c in self.columns
            if isinstance(c, PhysicalColumn) or (isinstance(c, MetadataColumn) and not c.virtual)
        )
        return Schema(tuple(Field(c.name, c.type) for c in given))
