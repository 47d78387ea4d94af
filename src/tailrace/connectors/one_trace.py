"""The trace in the headers of one message: what `trace_headers` does in columns, for the few messages that most often have one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tailrace.engine.tracing import PARENT as PARENT_SIZE

PARENT, STATE, B3 = "traceparent", "tracestate", "b3"
ID, SPAN, SAMPLED, FLAGS, ABOVE = (
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-sampled",
    "x-b3-flags",
    "x-b3-parentspanid",
)
NAMES = (PARENT, STATE, B3, ID, SPAN, SAMPLED, FLAGS, ABOVE)
"""The names of all headers that tell of traces, in small letters."""

MOST_STATE = 512
W3C_TEXT = r"^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$"
B3_TEXT = r"^([0-9a-f]{16}|[0-9a-f]{32})-([0-9a-f]{16})(?:-([01d]))?(?:-[0-9a-f]{16})?$"
ID_TEXT, SPAN_TEXT = "^([0-9a-f]{16}|[0-9a-f]{32})$", "^([0-9a-f]{16})$"

_w3c_text, _b3_text, _id_text, _span_text = map(re.compile, (W3C_TEXT, B3_TEXT, ID_TEXT, SPAN_TEXT))
_readable = re.compile(rb"[\x20-\x7f]*")


def trace_of(headers: Iterable[Mapping[str, Any]]) -> str | None:
    """
    Give the trace that headers (each a `key` and a `value` of bytes) tell of; None for none, or what can't be read.

    >>> trace_of([{"key": "B3", "value": b"80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1"}])
    '00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01'
    """
    texts: dict[str, str] = {}
    for header in headers:
        name, value = header["key"].lower(), header["value"]
        if name in NAMES and value is not None and _readable.fullmatch(value):
            texts[name] = value.decode().strip()
    return (_w3c(texts) or _b3(texts) or _b3_multi(texts)) if texts else None


def headers_of(trace: str, styles: Sequence[str]) -> list[dict[str, str | bytes]]:
    """
    Give the headers that tell of a trace.

    >>> headers_of("00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01a=1", ["b3"])
    [{'key': 'b3', 'value': b'80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1'}]
    """
    id_, span, flag = trace[3:35], trace[36:52], trace[PARENT_SIZE - 1]
    texts = {
        "w3c": {PARENT: trace[:PARENT_SIZE], STATE: trace[PARENT_SIZE:]},
        "b3": {B3: f"{id_}-{span}-{flag}"},
        "b3-multi": {"X-B3-TraceId": id_, "X-B3-SpanId": span, "X-B3-Sampled": flag},
    }
    pairs = (pair for style in styles for pair in texts[style].items())
    return [{"key": name, "value": text.encode()} for name, text in pairs if text]


def _w3c(texts: Mapping[str, str]) -> str | None:
    found = _w3c_text.match(texts.get(PARENT, ""))
    if found is None:
        return None
    version, trace, span, flags, more = found.groups()
    if version == "ff" or (version == "00" and more is not None):
        return None
    state = texts.get(STATE, "")
    parent = _trace(trace, span, sampled=flags[-1] in "13579bdf")
    return None if parent is None else parent + (state if len(state) <= MOST_STATE else "")


def _b3(texts: Mapping[str, str]) -> str | None:
    found = _b3_text.match(texts.get(B3, "").lower())
    return None if found is None else _trace(found[1], found[2], sampled=found[3] != "0")


def _b3_multi(texts: Mapping[str, str]) -> str | None:
    trace, span = _id_text.match(texts.get(ID, "").lower()), _span_text.match(texts.get(SPAN, "").lower())
    if trace is None or span is None:
        return None
    sampled = texts.get(SAMPLED, "").lower() not in ("0", "false") or texts.get(FLAGS) == "1"
    return _trace(trace[1], span[1], sampled=sampled)


def _trace(trace: str, span: str, *, sampled: bool) -> str | None:
    """Give a `traceparent`; None where an id is only zeros."""
    trace = trace.zfill(32)
    real = trace != "0" * 32 and span != "0" * 16
    return f"00-{trace}-{span}-{'01' if sampled else '00'}" if real else None
