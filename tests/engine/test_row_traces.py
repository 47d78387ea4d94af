"""Traces of rows in the engine: through operators that pass rows, and on from those that keep them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
import pytest
from test_executor import SCAN, plan, rows

from tailrace.clock import ManualClock
from tailrace.engine.batch import TRACEPARENT
from tailrace.engine.executor import Executor, Input, TickResult
from tailrace.engine.trace_memory import MOST_KEYS, MOST_LINKS, TraceMemory
from tailrace.engine.tracing import Attributes, Header, Span, SpanKind, Tracer


def header(number: int, *, sampled: bool = True) -> Header:
    """Give where a row stands in trace `number`."""
    return f"00-{number:032x}-{number:016x}-0{int(sampled)}"


@dataclass(eq=False)
class Kept(Span):
    """A span as it was begun."""

    name: str
    parent: Header
    links: tuple[Header, ...]
    header: Header
    attributes: Attributes
    ended: int = 0
    error: BaseException | None = None

    def end(self, at: int | None = None, error: BaseException | None = None) -> None:
        self.ended += 1
        self.error = error


@dataclass
class Keeper(Tracer):
    """Keeps all spans in memory, and follows at most `most` rows a tick."""

    most: int = 100
    ratio: float = 0.0
    spans: list[Kept] = field(default_factory=list)
    asked: list[tuple[int, bool]] = field(default_factory=list)

    def allow(self, wanted: int, *, new: bool = False) -> int:
        self.asked.append((wanted, new))
        return min(wanted, self.most)

    def begin(
        self,
        name: str,
        kind: SpanKind = SpanKind.INTERNAL,
        parent: Header = "",
        at: int | None = None,
        attributes: Attributes | None = None,
        links: Sequence[Header] = (),
    ) -> Span:
        trace = parent[3:35] or f"{900 + len(self.spans):032x}"
        own = f"00-{trace}-{1000 + len(self.spans):016x}-01{parent[55:]}"
        self.spans.append(Kept(name, parent, tuple(links), own, attributes or {}))
        return self.spans[-1]

    def named(self, name: str) -> list[Kept]:
        """Give the spans of a name."""
        return [s for s in self.spans if s.name == name]


def traced(given: Input, *headers: Header | None) -> Input:
    """Give rows with their traces."""
    frame = given.frame.with_columns(pl.Series(TRACEPARENT, headers, dtype=pl.String))
    return Input(given.scan, given.partition, frame, lambda row: 40 + row)


def started(tracer: Tracer) -> Executor:
    executor = Executor([plan()], {}, ManualClock(100_000), tracer=tracer)
    executor.assign(SCAN, "0")
    return executor


def parents(result: TickResult) -> list[dict[str, Any]]:
    return [{r["k"]: r[TRACEPARENT] for r in batch.to_dicts()} for _, batch in result.outputs]


def test_a_window_goes_on_from_the_traces_of_its_rows() -> None:
    """Rows of a key went into a window: what comes out goes on from the last, and is linked with the others."""
    keeper = Keeper()
    executor = started(keeper)
    executor.tick([traced(rows("0", 1000, 2000, 3000, 3000), header(1), None, header(2), header(3, sampled=False))])
    executor.tick([traced(rows("0", 1000, key="b"), header(4)), rows("0", 1500, key="c")])
    result = executor.tick([rows("0", 25_000)])

    out = keeper.named("send sink")
    steps = [s for s in keeper.named("window-aggregate") if s.links or s.parent[3:35] == header(4)[3:35]]
    assert len(out) == 2
    went = {r["k"]: r[TRACEPARENT] for _, batch in result.outputs for r in batch.to_dicts()}
    assert went == {"a": out[0].header, "b": out[1].header, "c": None} or went == {
        "a": out[1].header,
        "b": out[0].header,
        "c": None,
    }
    assert went["a"][3:35] == header(2)[3:35]
    assert went["b"][3:35] == header(4)[3:35]
    linked = [s for s in steps if s.links]
    assert [[link[3:35] for link in s.links] for s in linked] == [[header(1)[3:35]]]
    assert {n for n, spans in result.spans.items() if spans} == {0}


def test_all_spans_end_once() -> None:
    """Those of the tick end with it; those of sending end when the batch has been written."""
    keeper = Keeper()
    executor = started(keeper)
    result = executor.tick([traced(rows("0", 1000, 25_000), header(1), None)])

    sent = [s for spans in result.spans.values() for s in spans]
    assert [s.ended for s in keeper.spans if s not in sent] == [1] * (len(keeper.spans) - len(sent))
    assert [s.ended for s in keeper.spans if s in sent] == [0]
    assert keeper.named("process t")[0].attributes == {"messaging.destination.partition.id": "0", "tailrace.offset": 40}


def test_a_failure_ends_the_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick that fails says so in the traces of its rows."""
    keeper = Keeper()
    executor = started(keeper)
    error = RuntimeError("broken")

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(executor, "_run", fail)
    with pytest.raises(RuntimeError):
        executor.tick([traced(rows("0", 1000), header(1))])

    assert [(s.name, s.error) for s in keeper.spans] == [("process t", error), ("batch", error)]


def test_only_so_many_are_followed() -> None:
    """Of a hundred rows that were chosen before, as many are followed as the bound says."""
    keeper = Keeper(most=3)
    started(keeper).tick([traced(rows("0", *range(100)), *(header(i + 1) for i in range(100)))])

    assert len(keeper.named("process t")) == 3


def test_traces_begin_here() -> None:
    """A share of the rows that come without a trace get one; with a share of zero there is none, and no column for it."""
    keeper, none = Keeper(ratio=1.0), Keeper()
    started(keeper).tick([rows("0", 1, 2, 3)])
    result = started(none).tick([rows("0", 1, 25_000)])

    assert [s.parent for s in keeper.named("process t")] == ["", "", ""]
    assert none.spans == []
    assert parents(result) == [{"a": None}]


def test_traces_begin_for_rows_that_have_none() -> None:
    """Beside rows that bring a trace, the others are drawn from; the bound is asked for each kind by its name."""
    keeper = Keeper(ratio=1.0)
    headers = [header(1), None, header(2, sampled=False), None]
    executor = started(keeper)
    executor.tick([traced(rows("0", 1, 2, 3, 4), *headers)])

    assert keeper.asked == [(1, False), (2, True)]
    followed = {s.attributes["tailrace.offset"]: s.parent for s in keeper.named("process t")}
    assert followed == {40: header(1), 41: "", 43: ""}


def test_memory_is_bounded() -> None:
    """The last traces of a key are remembered, and the last keys; a key is forgotten when rows of it come out."""
    memory = TraceMemory(plan().input)
    keys = [f"k{i}" for i in range(MOST_KEYS + 5)]
    memory.add(0, pl.DataFrame({"k": ["k0"] * 40}), np.arange(40), [header(i) for i in range(40)])
    memory.add(0, pl.DataFrame({"k": keys}), np.arange(1, len(keys)), [header(7)] * (MOST_KEYS + 4))
    assert len(memory) == MOST_KEYS

    memory.add(0, pl.DataFrame({"k": ["x"] * 40}), np.arange(40), [header(i) for i in range(40)])
    ((places, headers),) = memory.take(pl.DataFrame({"k": ["x", "never", "x"]}))
    assert places.tolist() == [0, 2]
    assert headers == [header(i) for i in range(40 - MOST_LINKS, 40)]
    assert memory.take(pl.DataFrame({"k": ["x"]})) == []
