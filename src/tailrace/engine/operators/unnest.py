"""UNNEST: a row for each element of a collection, in whole columns."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.engine.batch import Batch, hidden
from tailrace.engine.operator import Operator, Times
from tailrace.engine.predicate import Predicate
from tailrace.plan.nodes import Repeat, Unnest
from tailrace.schema import Kind

_PLACE = "$place"


class UnnestOperator(Operator):
    """Keeps nothing: a row that is taken back is taken back with all its elements."""

    passes_rows = True

    def __init__(self, node: Unnest, timezone: str) -> None:
        self._node = node
        self._names = list(node.schema.names)
        self._types = node.schema.polars
        self._multiset = node.input.schema[node.collection].type.kind is Kind.MULTISET
        self._condition = Predicate(node.condition, timezone) if node.condition is not None else None

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        batch = batch.with_row_index(_PLACE)
        elements = self._elements(batch)
        if self._condition is not None:
            elements = self._condition.passing(elements, times, self)
        rows = self._with_alone(elements, batch) if self._node.outer else elements
        kept = [n for n in batch.columns if n in self._names] + hidden(batch)
        out = batch.select(kept)[rows[_PLACE].to_numpy()] if kept else pl.DataFrame()
        columns = {c.name: c for c in (*out.get_columns(), *rows.get_columns())}
        return [pl.DataFrame([columns[n] for n in (*self._names, *hidden(batch))])]

    def _elements(self, batch: Batch) -> pl.DataFrame:
        """Give each element with the place of its row."""
        lists = batch.select(_PLACE, self._node.collection).filter(pl.col(self._node.collection).list.len() > 0)
        sizes = lists[self._node.collection].list.len().to_numpy().astype(np.int64)
        values = lists[self._node.collection].explode()
        if self._multiset:
            values, sizes = _elements_of(values, sizes)
        found = [lists[_PLACE].gather(np.repeat(np.arange(len(lists)), sizes)), *self._columns(values)]
        if self._node.ordinality is not None:
            first = np.repeat(np.cumsum(sizes) - sizes, sizes)
            found.append(pl.Series(self._node.ordinality, np.arange(len(values)) - first + 1, dtype=pl.Int32))
        rows = pl.DataFrame(found)
        return rows.filter(values.is_not_null()) if isinstance(values.dtype, pl.Struct) else rows

    def _columns(self, values: pl.Series) -> list[pl.Series]:
        if not isinstance(values.dtype, pl.Struct):
            return [values.alias(self._node.elements[0])]
        fields = (values.struct.field(f.name) for f in values.dtype.fields)
        return [f.alias(name) for f, name in zip(fields, self._node.elements, strict=True)]

    def _with_alone(self, elements: pl.DataFrame, batch: Batch) -> pl.DataFrame:
        """Add the rows that have no element, and bring all into the order of their rows."""
        met = np.zeros(len(batch), dtype=np.bool_)
        met[elements[_PLACE].to_numpy()] = True
        nulls = [pl.lit(None, dtype=self._types[n]).alias(n) for n in self._node.added]
        alone = batch.filter(pl.Series(~met)).select(pl.col(_PLACE), *nulls)
        return pl.concat([elements, alone.select(elements.columns)]).sort(_PLACE, maintain_order=True)


def _elements_of(pairs: pl.Series, sizes: np.ndarray) -> tuple[pl.Series, np.ndarray]:
    """Give the elements of multisets, which have each with how often it is there, and how many each multiset has."""
    often = pairs.struct.field("value").to_numpy().astype(np.int64)
    ends = np.cumsum(often)[np.cumsum(sizes) - 1] if len(sizes) else np.empty(0, dtype=np.int64)
    return pairs.struct.field("key").gather(np.repeat(np.arange(len(pairs)), often)), np.diff(ends, prepend=0)


class RepeatOperator(Operator):
    """Puts each row out several times."""

    passes_rows = True

    def __init__(self, node: Repeat) -> None:
        self._count = node.count
        self._names = list(node.schema.names)

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        places = np.repeat(np.arange(len(batch)), batch[self._count].to_numpy())
        return [batch.select([*self._names, *hidden(batch)])[places]]
