"""Arrays of a batch element by element: taken apart into rows, worked on as a whole, and put together again."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

ROW, VALUE, PLACE = "row", "value", "place"


def elements(lists: pl.Series) -> pl.DataFrame:
    """
    Give each element as a row: the number of its list, its place in it from 1, and its value.

    >>> elements(pl.Series([["a", None], [], None])).rows()
    [(0, 1, 'a'), (0, 2, None)]
    """
    frame = pl.DataFrame({VALUE: lists}).with_row_index(ROW).filter(pl.col(VALUE).list.len() > 0)
    places = pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over(ROW)
    return frame.explode(VALUE).select(ROW, places.alias(PLACE), VALUE)


def lists(frame: pl.DataFrame, count: int, nulls: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Put elements together again, for so many lists; NULL where `nulls` is true."""
    grouped = frame.group_by(ROW, maintain_order=True).agg(VALUE)
    rows = pl.DataFrame({ROW: pl.int_range(count, dtype=pl.UInt32, eager=True)})
    found = rows.join(grouped, on=ROW, how="left", maintain_order="left")[VALUE]
    whole = pl.when(nulls).then(None).otherwise(pl.lit(found).fill_null(pl.lit([], dtype=found.dtype)))
    return pl.select(whole).to_series().cast(dtype)


def by_elements(
    f: Callable[..., pl.DataFrame], dtype: pl.DataType, *args: pl.Expr, given: tuple[int, ...] = ()
) -> pl.Expr:
    """
    Give the lists that `f(elements, argument, ...)` makes of the elements of the first argument.

    Each further argument is a frame with the number of the list (`row`) and its value, or the elements if it is a list;
    NULL for a NULL argument, unless it is one of `given`.
    """

    def batch(s: pl.Series) -> pl.Series:
        columns = s.struct.unnest()
        frames = [elements(columns["0"]), *(_argument(columns[str(i)], i in given) for i in range(1, len(args)))]
        known = [c.is_null() for i, c in enumerate(columns) if i not in given]
        nulls = known[0]
        for other in known[1:]:
            nulls = nulls | other
        return lists(f(*frames), len(s), nulls, dtype)

    return pl.struct([a.alias(str(i)) for i, a in enumerate(args)]).map_batches(batch, return_dtype=dtype)


def _argument(values: pl.Series, single: bool) -> pl.DataFrame:
    if single or not isinstance(values.dtype, pl.List):
        return pl.DataFrame({VALUE: values}).with_row_index(ROW)
    return elements(values)


def one_list(value: pl.Expr, nested: bool) -> pl.Expr:
    """Give a list of one element; a nested value must be wrapped, or its own elements would be taken."""
    if not nested:
        return pl.concat_list([value])
    return pl.concat_list([pl.struct(value.alias("v"))]).list.eval(pl.element().struct.field("v"))
