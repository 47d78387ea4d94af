"""Traces in headers, as W3C and B3 write them: what is read, what is refused, and what is written."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from tailrace.connectors import trace_headers
from tailrace.connectors.one_trace import NAMES
from tailrace.connectors.trace_headers import STYLES, read, written
from tailrace.formats.base import HEADERS

T, S = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
W3C = f"00-{T}-{S}-01"
OFF = f"00-{T}-{S}-00"


def column(*rows: Mapping[str, str | bytes | None] | None) -> pl.Series:
    """Give the headers of rows."""
    given = [
        None if r is None else [{"key": k, "value": v.encode() if isinstance(v, str) else v} for k, v in r.items()]
        for r in rows
    ]
    return pl.Series("headers", given, dtype=HEADERS)


@pytest.mark.parametrize(
    ("headers", "trace"),
    [
        ({"traceparent": W3C}, W3C),
        ({"TraceParent": W3C, "other": "x"}, W3C),
        ({"traceparent": f" {W3C} "}, W3C),
        ({"traceparent": f"00-{T}-{S}-03"}, W3C),
        ({"traceparent": f"00-{T}-{S}-02"}, OFF),
        ({"traceparent": f"cc-{T}-{S}-01-what-comes"}, W3C),
        ({"traceparent": W3C, "tracestate": "a=1,b=2"}, W3C + "a=1,b=2"),
        ({"traceparent": W3C, "tracestate": "x=" + "y" * 600}, W3C),
        ({"traceparent": W3C, "tracestate": "a=1\r\nInjected: x"}, W3C),
        ({"b3": f"{T}-{S}-1"}, W3C),
        ({"b3": f"{T}-{S}-d"}, W3C),
        ({"b3": f"{T}-{S}-0-{S}"}, OFF),
        ({"b3": f"{T}-{S}"}, W3C),
        ({"b3": f"{S}-{S}-1"}, f"00-{'0' * 16}{S}-{S}-01"),
        ({"X-B3-TraceId": T, "X-B3-SpanId": S, "X-B3-Sampled": "1"}, W3C),
        ({"X-B3-TraceId": T.upper(), "X-B3-SpanId": S, "X-B3-Sampled": "0"}, OFF),
        ({"X-B3-TraceId": T, "X-B3-SpanId": S, "X-B3-Sampled": "0", "X-B3-Flags": "1"}, W3C),
        ({"traceparent": OFF, "b3": f"{T}-{S}-1"}, OFF),
        ({"traceparent": "nonsense", "b3": f"{T}-{S}-1"}, W3C),
    ],
)
def test_read(headers: dict[str, str], trace: str) -> None:
    found = read(column({}, headers, None))

    assert found is not None
    assert found.to_list() == [None, trace, None]


TEXTS = st.one_of(
    st.sampled_from(
        [W3C, OFF, f"{T}-{S}-1", f"{S}-{S}-0", T, S, S.upper(), "0", "false", "1", "d", "a=1", " ", "x" * 600]
    ),
    st.sampled_from([f"00-{'0' * 32}-{S}-01", f"ff-{T}-{S}-01", f"cc-{T}-{S}-0f-more", f"00-{T}-{S}-01-more"]),
    st.text(max_size=8),
)
ROWS = st.lists(
    st.dictionaries(
        st.sampled_from([*NAMES, *map(str.title, NAMES), "other"]),
        st.one_of(st.none(), TEXTS, st.binary(max_size=4)),
        max_size=4,
    ),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS)
def test_one_by_one_is_as_in_columns(rows: list[dict[str, str | bytes | None]]) -> None:
    """Few messages are read and written one by one, many in columns."""
    headers = column(*rows)
    ways = []
    for few in (0, 64):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(trace_headers, "_FEW", few)
            patch.setattr(trace_headers, "_FEW_MADE", few)
            traces = read(headers)
            made = None if traces is None else [written(traces, [style]).to_list() for style in STYLES]
            ways.append((None if traces is None else traces.to_list(), made))
    assert ways[0] == ways[1]


def test_each_row_has_its_own_style() -> None:
    """Rows of one batch may tell of their traces in different ways, and most in none."""
    nulls = {"traceparent": None, "tenant": "x"}
    given = column(
        {}, {"b3": f"{T}-{S}-0"}, None, {"Traceparent": W3C, "tracestate": "a=1"}, {"tracestate": "b=2"}, nulls
    )

    found = read(given)
    assert found is not None
    assert found.to_list() == [None, OFF, None, W3C + "a=1", None, None]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"other": "x"},
        {"traceparent": ""},
        {"traceparent": b"\xff\xfe\x00"},
        {"traceparent": W3C.upper()},
        {"traceparent": W3C + "-more"},
        {"traceparent": f"ff-{T}-{S}-01"},
        {"traceparent": f"00-{'0' * 32}-{S}-01"},
        {"traceparent": f"00-{T}-{'0' * 16}-01"},
        {"traceparent": W3C[:-1]},
        {"tracestate": "a=1"},
        {"b3": "0"},
        {"b3": f"{T}-{S}-7"},
        {"X-B3-TraceId": T},
        {"X-B3-TraceId": "x", "X-B3-SpanId": S},
    ],
)
def test_no_trace(headers: dict[str, str | bytes]) -> None:
    assert read(column(headers, {})) is None


@pytest.mark.parametrize("style", STYLES)
def test_what_is_written_is_read(style: str) -> None:
    """Each style tells of ids and whether the trace was chosen; rows without a trace have no header."""
    traces = pl.Series([W3C, None, OFF])
    made = written(traces, [style])

    found = read(made)
    assert found is not None
    assert found.to_list() == [W3C, None, OFF]
    assert made.list.len().to_list()[1] == 0


def test_given_headers_stay() -> None:
    """Headers that the query writes stay, but for those that tell of an older trace."""
    given = column({"traceparent": OFF, "B3": "0", "tenant": "x"}, {"traceparent": OFF}, None)
    made = written(pl.Series([W3C + "a=1", None, W3C]), ["w3c"], given)

    assert [[(h["key"], h["value"].decode()) for h in row] for row in made] == [
        [("tenant", "x"), ("traceparent", W3C), ("tracestate", "a=1")],
        [("traceparent", OFF)],
        [("traceparent", W3C)],
    ]


def test_as_the_library_reads_it() -> None:
    """The propagator of OpenTelemetry finds the same trace in what is written."""
    row = written(pl.Series([W3C + "vendor=1"]), ["w3c"])[0]
    carrier = {h["key"]: h["value"].decode() for h in row}
    context = trace.get_current_span(TraceContextTextMapPropagator().extract(carrier)).get_span_context()

    assert (f"{context.trace_id:032x}", f"{context.span_id:016x}") == (T, S)
    assert context.trace_flags.sampled
    assert dict(context.trace_state) == {"vendor": "1"}


@pytest.mark.parametrize("styles", [["w3c"], ["b3", "b3-multi", "w3c"]])
@pytest.mark.parametrize("places", [[], [0], [1], [0, 3], [1, 2], [0, 1, 2, 3]])
def test_few_rows_with_a_trace(places: list[int], styles: list[str]) -> None:
    """Rows with a trace have the same headers, whether rows beside them have one, and whether the query writes headers."""
    given = [f"00-{n + 1:032x}-{n + 1:016x}-01a=1" if n in places else None for n in range(4)]
    traces = pl.Series(given, dtype=pl.String)
    none = pl.Series([[]] * 4, dtype=HEADERS)
    alone = written(traces, styles)
    assert alone.to_list() == written(traces, styles, none).to_list()
    assert alone.dtype == HEADERS
    assert [bool(len(row)) for row in alone] == [n in places for n in range(4)]
