"""Why a window is still open, in words: what time it waits for, who holds that time back, and how long it may take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tailrace.engine.batch import MIN_WATERMARK
from tailrace.engine.open_windows import OpenWindow, WindowState
from tailrace.engine.progress import SourceTime

_NAMED = 3
"""So many partitions are named one by one; of more, how many there are."""

_LEAST_PACE = 0.01
"""Event time that moves less than that, in seconds a second, stands."""


@dataclass(frozen=True, slots=True)
class WindowReason:
    """One open window: how much event time (or wall-clock time) is missing (ms, None: not known), and its likely wait in seconds."""

    window: OpenWindow
    missing: int | None
    seconds: float | None
    text: str


@dataclass(frozen=True, slots=True)
class OperatorReason:
    """The open windows of one operator, and why they are open; `holding` are the partitions that event time waits for."""

    state: WindowState
    text: str
    windows: tuple[WindowReason, ...]
    sources: tuple[SourceTime, ...] = ()
    holding: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class WindowReasons:
    """Tells why windows are open; the pace of event time is known from the second look on."""

    _before: dict[str, tuple[float, int]] = field(default_factory=dict)

    def look(
        self, states: Sequence[WindowState], times: Mapping[str, SourceTime], now: float, now_ms: int
    ) -> list[OperatorReason]:
        """Tell of all operators with windows; `now` is by the monotonic clock."""
        return [self._one(s, [times[n] for n in s.scans if n in times], now, now_ms) for s in states]

    def _one(self, state: WindowState, sources: list[SourceTime], now: float, now_ms: int) -> OperatorReason:
        if state.windows.processing_time:
            windows = tuple(_by_clock(w, now_ms) for w in state.windows.first)
            return OperatorReason(state, "These windows close by the wall clock.", windows)
        pace = self._pace(state, now)
        windows = tuple(_by_event_time(w, state.reached, pace) for w in state.windows.first)
        slowest = [s for s in sources if s.reached == min((x.reached or MIN_WATERMARK for x in sources), default=None)]
        slowest = slowest or [s for s in sources if s.reached is None]
        held = tuple((s.table, n) for s in slowest for n in holding(s))
        return OperatorReason(state, why(state, sources, slowest), windows, tuple(sources), held)

    def _pace(self, state: WindowState, now: float) -> float | None:
        """Give the seconds of event time a second since the last look; None if that is not known, or it stands."""
        before = self._before.get(state.operator)
        if state.reached is None:
            return None
        if before is None or now - before[0] >= 1.0:
            self._before[state.operator] = (now, state.reached)
        if before is None or now <= before[0]:
            return None
        pace = (state.reached - before[1]) / 1000 / (now - before[0])
        return pace if pace >= _LEAST_PACE else None


def _by_clock(window: OpenWindow, now_ms: int) -> WindowReason:
    missing = max(0, window.last + 1 - now_ms)
    return WindowReason(window, missing, missing / 1000, f"closes by the wall clock in {_span(missing)}")


def _by_event_time(window: OpenWindow, reached: int | None, pace: float | None) -> WindowReason:
    if reached is None:
        return WindowReason(window, None, None, f"closes when event time passes {moment(window.last)}")
    missing = max(0, window.last - reached)
    text = f"closes when event time passes {moment(window.last)}: {_span(missing)} more"
    seconds = missing / 1000 / pace if pace else None
    text += f", about {_span(seconds * 1000)} at its present pace" if seconds is not None else ""
    return WindowReason(window, missing, seconds, text)


def why(state: WindowState, sources: Sequence[SourceTime], slowest: Sequence[SourceTime]) -> str:
    """Say what event time an operator has reached, and what holds it back."""
    if not state.windows.count:
        return "No window is open."
    parts = [
        "Event time has not begun here." if state.reached is None else f"Event time here is {moment(state.reached)}."
    ]
    if len(sources) > 1:
        each = ", ".join(f"'{s.table}' {_at(s.reached)}" for s in sources)
        parts.append(f"It is the least of its sources: {each}.")
    for source in slowest:
        parts += _source(source)
    return " ".join(parts)


def holding(source: SourceTime) -> list[str]:
    """Give the active partitions that a source's event time waits for."""
    active = {n: p.watermark for n, p in source.partitions.items() if not p.idle and not p.ended}
    least = min(active.values(), default=None)
    return [n for n, w in active.items() if w == least]


def _source(source: SourceTime) -> list[str]:
    held = holding(source)
    if not source.partitions:
        return [f"'{source.table}' has no partitions yet."]
    if not held:
        return [_nobody(source)]
    parts = [_held(source, held), _silence(source, held)]
    idle = sorted(n for n, p in source.partitions.items() if p.idle and not p.ended)
    parts += [f"{_named(idle)} {_is(idle)} idle and not waited for."] if idle else []
    return [p for p in parts if p]


def _nobody(source: SourceTime) -> str:
    """Say that no partition moves event time."""
    if all(p.ended for p in source.partitions.values()):
        return f"'{source.table}' has come to its end."
    return f"All partitions of '{source.table}' are idle: event time stands until a row comes."


def _held(source: SourceTime, held: list[str]) -> str:
    """Say which partitions hold event time back, and how far the others are."""
    known = source.partitions[held[0]]
    others = [p.watermark for n, p in source.partitions.items() if n not in held and not p.idle and not p.ended]
    of = f" of '{source.table}'"
    if known.watermark == MIN_WATERMARK:
        return f"{_named(held)}{of} {'has' if len(held) == 1 else 'have'} not had a row with a time yet."
    if not others:
        alone = "its only active partition" if len(held) == 1 else "its active partitions are"
        where = f"{_named(held)} is {alone}" if len(held) == 1 else f"{alone} all there"
        return f"It comes from '{source.table}' ({source.rule}): {where}."
    further = f"the other{'s are' if len(others) > 1 else ' is'} at {moment(min(others))}" + (
        " or later" if len(others) > 1 else ""
    )
    return f"It is held back by {_lower(_named(held))}{of} ({source.rule}); {further}."


def _silence(source: SourceTime, held: list[str]) -> str:
    """Say how long those that hold have been silent, and what will happen."""
    silent = min(source.silent.get(n, 0.0) for n in held)
    told = (
        f"Its last row came {_span(silent * 1000)} ago"
        if len(held) == 1
        else f"Their last row came {_span(silent * 1000)} ago"
    )
    if source.idle_timeout is None:
        return f"{told}; it is waited for without end ('scan.watermark.idle-timeout' is not set)."
    left = max(0.0, source.idle_timeout - silent)
    return f"{told}; without a row it is left out as idle in {_span(left * 1000)}."


def _at(reached: int | None) -> str:
    return "has not begun" if reached is None else f"is at {moment(reached)}"


def _named(partitions: Sequence[str]) -> str:
    shown = [f"'{p}'" for p in partitions[:_NAMED]]
    more = len(partitions) - len(shown)
    names = ", ".join(shown) + (f" and {more} more" if more else "")
    return f"Partition{'s' if len(partitions) > 1 else ''} {names}"


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]


def _is(partitions: Sequence[str]) -> str:
    return "is" if len(partitions) == 1 else "are"


def moment(ms: int) -> str:
    """
    Write a time as SQL does.

    >>> moment(0), moment(2**63 - 1)
    ('1970-01-01 00:00:00.000', '9223372036854775807 ms')
    """
    try:
        return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.") + f"{ms % 1000:03d}"
    except (ValueError, OverflowError, OSError):
        return f"{ms} ms"


def _span(ms: float) -> str:
    """
    Write a length of time.

    >>> _span(900), _span(18_999), _span(125_000), _span(7_300_000)
    ('0.9 s', '19 s', '2 min 5 s', '2 h 1 min')
    """
    seconds = ms / 1000
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min" if whole < 172_800 else f"{whole // 86_400} days"
