"""
What the operator of a job is to be told of: conditions that are found by looking at it once a second.

They are those of the rules for Prometheus (`rules.py`), for jobs that nobody scrapes; each has a section in the runbook.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tailrace.observe.usual import Usual
from tailrace.runtime.observation import Observation

PREFIX = "tailrace.alerts."
CHANNELS = ("slack.url", "teams.url", "pagerduty.routing-key", "webhook.url", "email.url")
"""The settings behind `PREFIX` by which people are told; one of them switches it on."""

AWAY_SECONDS = 60.0
SHARE_SECONDS = 300.0
LETTERS_SECONDS = 60.0
RESTART_SECONDS = 900.0
USUAL_SECONDS = 600.0
_KEPT_SECONDS = 900.0
ENDED = ("finished", "stopped")
"""The states of a job that has come to its end."""
_FEW = 100
"""Of fewer rows no share is computed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """
    From where on something is told of.

    Seconds without rows, of a watermark or checkpoints that stand still; rows that wait; the share of bad rows; rows of state
    (0: none); and how many times more or less than usual the rate may be.
    """

    no_data: float = 300.0
    stuck: float = 300.0
    lag: int = 10_000
    share: float = 0.01
    state_rows: int = 0
    factor: float = 3.0


def wanted(settings: Mapping[str, str]) -> bool:
    """
    Tell whether the settings name a channel.

    >>> wanted({"tailrace.alerts.webhook.url": "https://example.org"}), wanted({})
    (True, False)
    """
    return any(settings.get(PREFIX + key) for key in CHANNELS)


class Condition(NamedTuple):
    """Something that holds just now: the rule, what it is about (a table), how bad it is, and a sentence."""

    rule: str
    about: str
    severity: str
    text: str

    @property
    def key(self) -> str:
        """What makes it the same as a second ago."""
        return f"{self.rule} {self.about}".strip()


@dataclass(frozen=True, slots=True)
class _Counts:
    """What is counted of a source (or a sink): rows, those that were bad, dead letters, and the rows that wait."""

    rows: int
    bad: int
    letters: int
    lag: int | None = None


@dataclass(frozen=True, slots=True)
class _Look:
    at: float
    counts: Mapping[str, _Counts]
    restarts: int


@dataclass(slots=True)
class Watch:
    """Finds what holds; it knows only what it has seen, and what is usual."""

    limits: Limits = field(default_factory=Limits)
    usual: Usual = field(default_factory=Usual)
    _since: dict[tuple[str, str], tuple[Any, float]] = field(default_factory=dict)
    _past: deque[_Look] = field(default_factory=deque)

    def look(self, seen: Observation, now: float, hour: int) -> list[Condition]:
        """
        Look once more, at `now` seconds by the monotonic clock, in this hour since 1970.

        A job that does not run has no conditions; of one that has just ended, rows that came back since the last look are told of.
        """
        if seen.status.state not in ("running", *ENDED):
            return []
        if not self._past:
            self._past.append(_start(seen, now))
        self._past.append(_look(seen, now))
        while now - self._past[0].at > _KEPT_SECONDS:
            self._past.popleft()
        if seen.status.state in ENDED:
            return [*self._letters(seen)]
        self.usual.see({name: c.rows for name, c in self._past[-1].counts.items()}, now, hour)
        return [*self._sources(seen, now, hour), *self._sinks(seen, now), *self._letters(seen), *self._job(seen, now)]

    def _stands(self, what: str, name: str, value: Any, now: float) -> float:
        """Tell for how long a value has been the same."""
        known = self._since.get((what, name))
        if known is None or known[0] != value:
            self._since[what, name] = known = (value, now)
        return now - known[1]

    def _grown(self, name: str, seconds: float) -> _Counts | None:
        """Tell by how much the counts of a source have grown in the last seconds; None if it was not seen for so long."""
        last = self._past[-1]
        first = next((x for x in self._past if last.at - x.at <= seconds and name in x.counts), None)
        if first is None or last.at - self._past[0].at < seconds:
            return None
        a, b = first.counts[name], last.counts[name]
        if b.rows < a.rows:  # counted anew since a restart
            a = _Counts(0, 0, 0, a.lag)
        lag = None if a.lag is None or b.lag is None else b.lag - a.lag
        return _Counts(b.rows - a.rows, b.bad - a.bad, b.letters - a.letters, lag)

    # sources

    def _sources(self, seen: Observation, now: float, hour: int) -> Iterator[Condition]:
        limits = self.limits
        for source in seen.status.sources:
            still = self._stands("rows", source.name, source.rows, now)
            if still >= limits.no_data:
                text = f"No rows have come from {source.table} for {still:.0f} s."
                yield Condition("TailraceNoData", source.table, "warning", text)
            mark = self._stands("watermark", source.name, source.watermark, now)
            if source.watermark is not None and mark >= limits.stuck and still < limits.stuck:
                text = f"Event time of {source.table} has stood still for {mark:.0f} s though rows come."
                yield Condition("TailraceWatermarkStuck", source.table, "warning", text)
            away = self._stands("away", source.name, bool(source.waiting), now)
            if source.waiting and away >= AWAY_SECONDS:
                yield Condition(
                    "TailraceSourceAway", source.table, "warning", f"{source.table} is away: {source.waiting}"
                )
            yield from self._counted(source.name, source.table)
            yield from self._unusual(source.name, source.table, hour)

    def _counted(self, name: str, table: str) -> Iterator[Condition]:
        grown = self._grown(name, SHARE_SECONDS)
        lag = self._past[-1].counts[name].lag
        if lag is not None and lag > self.limits.lag and grown is not None and (grown.lag or 0) > 0:
            text = f"{lag} rows wait in {table}, {grown.lag} more than {SHARE_SECONDS / 60:g} minutes ago."
            yield Condition("TailraceLagGrows", table, "warning", text)
        if grown is not None and grown.rows >= _FEW and grown.bad > self.limits.share * grown.rows:
            text = f"{grown.bad} of {grown.rows} rows of {table} could not be taken in {SHARE_SECONDS / 60:g} minutes."
            yield Condition("TailraceBadRows", table, "warning", text)

    def _letters(self, seen: Observation) -> Iterator[Condition]:
        for source in seen.status.sources:
            yield from self._come_back(source.name, source.table, "TailraceDeadLetters", ("dead letter", "came from"))
        for sink in seen.status.sinks:
            yield from self._come_back(sink.name, sink.table, "TailraceRowsRefused", ("refused row", "came back from"))

    def _come_back(self, name: str, table: str, rule: str, words: tuple[str, str]) -> Iterator[Condition]:
        last = self._past[-1]
        first = next(x for x in self._past if last.at - x.at <= LETTERS_SECONDS)
        before = first.counts[name].letters if name in first.counts else 0
        count = last.counts[name].letters
        if count > before:
            what = words[0] if count - before == 1 else f"{words[0]}s"
            yield Condition(rule, table, "info", f"{count - before} {what} {words[1]} {table} within a minute.")

    # the usual rate of an hour

    def _unusual(self, name: str, table: str, hour: int) -> Iterator[Condition]:
        usual, grown = self.usual.rate(name, hour), self._grown(name, USUAL_SECONDS)
        if not usual or grown is None:
            return
        rate = grown.rows / USUAL_SECONDS
        if not usual / self.limits.factor <= rate <= usual * self.limits.factor:
            text = f"{rate:.3g} rows/s come from {table}; at this hour {usual:.3g} are usual."
            yield Condition("TailraceUnusualRate", table, "info", text)

    # sinks and the whole job

    def _sinks(self, seen: Observation, now: float) -> Iterator[Condition]:
        for sink in seen.status.sinks:
            away = self._stands("away", sink.name, bool(sink.waiting), now)
            if sink.waiting and away >= AWAY_SECONDS:
                yield Condition("TailraceSinkAway", sink.table, "warning", f"{sink.table} is away: {sink.waiting}")

    def _job(self, seen: Observation, now: float) -> Iterator[Condition]:
        still = self._stands("checkpoints", "", (seen.checkpoints, seen.restarts), now)
        if still >= self.limits.stuck:
            text = f"No checkpoint has been completed for {still:.0f} s."
            yield Condition("TailraceNoCheckpoint", "", "critical", text)
        first = next(x for x in self._past if now - x.at <= RESTART_SECONDS)
        if seen.restarts > first.restarts:
            text = f"The job was interrupted and went on by itself, {seen.restarts - first.restarts} times within 15 minutes."
            yield Condition("TailraceRestarted", "", "warning", text)
        state = sum(operator.state_rows for operator in seen.operators)
        if self.limits.state_rows and state > self.limits.state_rows:
            text = f"{state} rows of state are kept, more than the limit of {self.limits.state_rows}."
            yield Condition("TailraceStateLarge", "", "warning", text)


def _start(seen: Observation, now: float) -> _Look:
    """Give what would have been seen when the job was started: what came before the first look counts as well."""
    names = [*(s.name for s in seen.status.sources), *(s.name for s in seen.status.sinks)]
    return _Look(now - seen.status.seconds, {name: _Counts(0, 0, 0) for name in names}, 0)


def _look(seen: Observation, now: float) -> _Look:
    counts = {s.name: _Counts(s.rows, s.errors, s.dead_letters, s.lag) for s in seen.status.sources}
    counts |= {s.name: _Counts(s.rows, 0, s.dead_letters) for s in seen.status.sinks}
    return _Look(now, counts, seen.restarts)
