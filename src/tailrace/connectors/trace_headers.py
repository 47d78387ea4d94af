"""
Traces in the headers of messages, as columns: W3C `traceparent` with `tracestate`, and B3 in one header or several.

Whatever way a trace came, within a job it is text: a `traceparent` of 55 characters, and behind it the `tracestate`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.connectors import one_trace
from tailrace.engine.batch import TRACEPARENT
from tailrace.engine.tracing import PARENT, Header
from tailrace.formats.base import HEADERS

STYLES = ("w3c", "b3", "b3-multi")
_FEW = 256
"""So many messages are looked at one by one: the calls for columns take as long as 500 of them."""
_FEW_MADE = 8
"""The headers of so many rows are made one by one: the calls for columns take as long as 12 of them."""
_PRINTABLE = "^([2-7][0-9a-f])*$"
"""Bytes of ASCII without control characters, in hexadecimal digits."""
_KEY = pl.col("key").str.to_lowercase()
# bytes that are no text would fail a cast of all
_READABLE = pl.col("key").is_in(one_trace.NAMES) & pl.col("value").bin.encode("hex").str.contains(_PRINTABLE)
_TEXT = pl.col("value").cast(pl.String).str.strip_chars()


def read(headers: pl.Series) -> pl.Series | None:
    """
    Give the trace of each row, NULL for none; None if no row has one. What can't be read is no trace.

    >>> given = {"key": "b3", "value": b"80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1"}
    >>> read(pl.Series([[given], []], dtype=HEADERS)).to_list()
    ['00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01', None]
    """
    counts = headers.list.len()
    sizes = (counts.fill_null(0) if counts.null_count() else counts).to_numpy()
    some = np.flatnonzero(sizes)
    if not len(some):
        return None
    given = headers if len(some) == len(headers) else headers.gather(some)
    found = _read_few(given) if len(some) <= _FEW else _read(given, sizes[some])
    if found is None or len(found) == len(headers):
        return found
    return pl.Series(TRACEPARENT, [None], dtype=pl.String).new_from_index(0, len(headers)).scatter(some, found)


def _read_few(headers: pl.Series) -> pl.Series | None:
    traces = [one_trace.trace_of(row) for row in headers.to_list()]
    return pl.Series(TRACEPARENT, traces, dtype=pl.String) if any(traces) else None


def _read(headers: pl.Series, sizes: npt.NDArray[np.uint32]) -> pl.Series | None:
    """Give the trace of each row, all of which have headers: so many as `sizes` tells."""
    rows = pl.Series("row", np.repeat(np.arange(len(headers)), sizes))
    flat = headers.explode().struct.unnest().hstack([rows])
    # in one go: most often there are few, and each call takes longer than what it does
    texts = flat.lazy().with_columns(_KEY).filter(_READABLE).with_columns(_TEXT).collect()
    if not len(texts):
        return None
    by_name = {str(name): part for (name,), part in texts.partition_by("key", as_dict=True).items()}
    columns = [_column(by_name.get(name), name, len(headers)) for name in one_trace.NAMES]
    traces = pl.DataFrame(columns).select(_parsed(frozenset(by_name))).to_series()
    return traces if traces.null_count() < len(traces) else None


def _column(mine: pl.DataFrame | None, name: str, count: int) -> pl.Series:
    """Give the text of a header in each row."""
    column = pl.Series(name, [None], dtype=pl.String).new_from_index(0, count)
    return column if mine is None else column.scatter(mine["row"], mine["value"])


@cache
def _parsed(given: frozenset[str]) -> pl.Expr:
    """Give the trace of rows that have headers of these names; kept, as making it takes longer than few rows do."""
    ways = ((one_trace.PARENT, _w3c), (one_trace.B3, _b3), (one_trace.ID, _b3_multi))
    found = [parse() for name, parse in ways if name in given] or [pl.lit(None, pl.String)]
    return pl.coalesce(found).alias(TRACEPARENT)


def _w3c() -> pl.Expr:
    parts = pl.col(one_trace.PARENT).str.extract_groups(one_trace.W3C_TEXT).struct
    version, trace, span, flags, more = (parts[i] for i in range(5))
    valid = (version != "ff") & ((version != "00") | more.is_null())
    state = pl.col(one_trace.STATE)
    kept = pl.when(state.str.len_bytes() <= one_trace.MOST_STATE).then(state).otherwise(pl.lit("")).fill_null("")
    return pl.when(valid).then(_trace(trace, span, flags.str.contains("[13579bdf]$")) + kept)


def _b3() -> pl.Expr:
    parts = pl.col(one_trace.B3).str.to_lowercase().str.extract_groups(one_trace.B3_TEXT).struct
    return _trace(parts[0], parts[1], parts[2].fill_null("1") != "0")


def _b3_multi() -> pl.Expr:
    trace = pl.col(one_trace.ID).str.to_lowercase().str.extract(one_trace.ID_TEXT)
    span = pl.col(one_trace.SPAN).str.to_lowercase().str.extract(one_trace.SPAN_TEXT)
    sampled = ~pl.col(one_trace.SAMPLED).str.to_lowercase().is_in(["0", "false"]).fill_null(value=False)
    return _trace(trace, span, sampled | (pl.col(one_trace.FLAGS) == "1").fill_null(value=False))


def _trace(trace: pl.Expr, span: pl.Expr, sampled: pl.Expr) -> pl.Expr:
    """Give a `traceparent`; NULL where an id is missing, or only zeros."""
    trace = trace.str.zfill(32)
    real = (trace != "0" * 32) & (span != "0" * 16)
    flag = pl.when(sampled).then(pl.lit("01")).otherwise(pl.lit("00"))
    return pl.when(real).then(pl.concat_str([pl.lit("00"), trace, span, flag], separator="-"))


def written(traces: pl.Series, styles: Sequence[str], given: pl.Series | None = None) -> pl.Series:
    """
    Give the headers that tell of the trace of each row, behind those that are `given`, in which they take the place of older ones.

    >>> traces = pl.Series(["00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01a=1", None])
    >>> [[(h["key"], h["value"]) for h in row] for row in written(traces, ["b3"])]
    [[('b3', b'80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1')], []]
    """
    if given is None:
        return _alone(traces, tuple(styles))
    ours = _ours(tuple(styles))
    frame = pl.DataFrame({"t": traces})
    older = pl.element().struct.field("key").str.to_lowercase().is_in(one_trace.NAMES)
    others = (
        pl.when(pl.col("t").is_null()).then(pl.col("g")).otherwise(pl.col("g").list.eval(pl.element().filter(~older)))
    )
    frame = frame.with_columns(given.cast(HEADERS).alias("g"))
    return frame.select(pl.concat_list(others.fill_null([]), ours).alias("headers")).to_series()


@cache
def _ours(styles: tuple[str, ...]) -> pl.Expr:
    """Give the headers that tell of a trace; kept, as making it takes longer than few rows do."""
    entries = [e for style in styles for e in _ENTRIES[style]()]
    return pl.concat_list(entries).list.drop_nulls().cast(HEADERS)


def of_request(traces: pl.Series, styles: Sequence[str]) -> dict[str, str]:
    """
    Give the headers of a request that stands for several rows: of the last that is followed, else of the last with a trace.

    >>> traces = pl.Series(["00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01", None])
    >>> of_request(traces, ["b3"])
    {'b3': '80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1'}
    """
    given = traces.drop_nulls()
    if not len(given):
        return {}
    followed = given.filter(given.str.slice(PARENT - 1, 1) == "1")
    (pairs,) = written((followed if len(followed) else given).tail(1), styles).to_list()
    return {pair["key"]: pair["value"].decode() for pair in pairs}


def of_call(trace: Header, styles: Sequence[str]) -> dict[str, str]:
    """
    Give the headers of a request that is made while a row with this trace is worked on; none for an empty one.

    >>> of_call("", ["w3c"])
    {}
    """
    return of_request(pl.Series([trace or None], dtype=pl.String), styles)


def _alone(traces: pl.Series, styles: tuple[str, ...]) -> pl.Series:
    """Give the headers of rows that have no others; few rows have a trace, and only those are looked at."""
    if not traces.null_count():
        return _made(traces, styles)
    with_one = traces.is_not_null()
    made = _made(traces.filter(with_one), styles)
    none = pl.Series("headers", [[]], dtype=HEADERS)
    places = pl.select(pl.when(with_one).then(with_one.cum_sum() - 1).otherwise(len(made))).to_series()
    return pl.concat([made, none]).gather(places)


def _made(traces: pl.Series, styles: tuple[str, ...]) -> pl.Series:
    """Give the headers of rows which all have a trace."""
    if len(traces) <= _FEW_MADE:
        return pl.Series("headers", [one_trace.headers_of(t, styles) for t in traces.to_list()], dtype=HEADERS)
    return traces.rename("t").to_frame().select(_ours(styles).alias("headers")).to_series()


def _entry(key: str, value: pl.Expr) -> pl.Expr:
    made = pl.struct(pl.lit(key).alias("key"), value.cast(pl.Binary).alias("value"))
    return pl.when(value.is_not_null()).then(made)


def _part(start: int, length: int) -> pl.Expr:
    return pl.col("t").str.slice(start, length)


def _flag() -> pl.Expr:
    return _part(PARENT - 1, 1)


def _write_w3c() -> list[pl.Expr]:
    state = pl.col("t").str.slice(PARENT)
    return [_entry(one_trace.PARENT, _part(0, PARENT)), _entry(one_trace.STATE, pl.when(state != "").then(state))]


def _write_b3() -> list[pl.Expr]:
    return [_entry(one_trace.B3, pl.concat_str([_part(3, 32), _part(36, 16), _flag()], separator="-"))]


def _write_b3_multi() -> list[pl.Expr]:
    parts = (("X-B3-TraceId", _part(3, 32)), ("X-B3-SpanId", _part(36, 16)), ("X-B3-Sampled", _flag()))
    return [_entry(name, part) for name, part in parts]


_ENTRIES = {"w3c": _write_w3c, "b3": _write_b3, "b3-multi": _write_b3_multi}
