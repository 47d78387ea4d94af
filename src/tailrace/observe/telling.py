"""Tells people of the conditions of a job, by the channels of the connector `alert`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog

from tailrace.clock import Clock, SystemClock
from tailrace.connectors.alert.board import Alert, Board, Manners, Notice
from tailrace.connectors.alert.channels import Channel, RefusedError, channels
from tailrace.connectors.alert.options import OPTIONS
from tailrace.errors import TransientError
from tailrace.observe.operations import CHANNELS, ENDED, PREFIX, Condition, Limits, Watch
from tailrace.observe.rules import RUNBOOK
from tailrace.observe.usual import Usual
from tailrace.options import OptionText
from tailrace.runtime.observation import Observation
from tailrace.settings import value

_MORE = ("pagerduty.url", "webhook.secret", "email.from", "email.to")
_HOUR_MS = 3_600_000
_MOST_UNSENT = 1_000
_PAGES = {
    "TailraceNoData": "sources",
    "TailraceSourceAway": "sources",
    "TailraceSinkAway": "sources",
    "TailraceWatermarkStuck": "sources",
    "TailraceDeadLetters": "dead-letters",
    "TailraceBadRows": "dead-letters",
    "TailraceRowsRefused": "dead-letters",
    "TailraceNoCheckpoint": "checkpoints",
}
"""The page of the dashboard that shows what a rule is about; that of time lines for all others."""

_log = structlog.get_logger("tailrace.alerts")


class OperationalAlerts:
    """
    Looks at a job, and tells of what begins and ends to hold.

    What a channel can't take for now is sent again later, up to `tailrace.alerts.keep`. What is usual is kept in `folder`.
    """

    def __init__(
        self, job: str, settings: Mapping[str, str], clock: Clock | None = None, folder: Path | None = None
    ) -> None:
        self._job = job
        self._clock = clock or SystemClock()
        given = {key: OptionText(settings[PREFIX + key]) for key in (*CHANNELS, *_MORE) if PREFIX + key in settings}
        self._channels: Sequence[Channel] = channels(OPTIONS.parse(given))
        self._watch = Watch(limits(settings), Usual(folder))
        self._board = Board(Manners(*(value(settings, PREFIX + key) for key in ("cool-down", "repeat", "max-rate"))))
        self._keep = value(settings, PREFIX + "keep")
        self._runbook = value(settings, PREFIX + "runbook") or RUNBOOK
        self._dashboard = value(settings, PREFIX + "dashboard") or ""
        self._standing: set[str] = set()
        self._unsent: list[tuple[Channel, Notice]] = []

    def send(self, seen: Observation) -> int:
        """
        Look once more, and send what is new; give how many messages were sent.

        Raises:
            TransientError: a channel does not answer; the messages are kept.
        """
        now, over = self._clock.now_ms(), seen.status.state in ENDED
        found = {c.key: c for c in self._watch.look(seen, self._clock.monotonic(), now // _HOUR_MS)}
        notices = [
            self._board.raised(self._alert(c), now, stands=not over)
            for k, c in found.items()
            if k not in self._standing
        ]
        standing = set() if over else set(found)
        notices += [self._board.ended(key, now) for key in sorted(self._standing - standing)]
        self._standing = standing
        new = [n for n in (*notices, *self._board.due(now)) if n is not None]
        waiting = [*self._unsent, *((channel, notice) for notice in new for channel in self._channels)]
        return self._sent([(c, n) for c, n in waiting if now - n.at < self._keep][-_MOST_UNSENT:])

    def _sent(self, waiting: list[tuple[Channel, Notice]]) -> int:
        self._unsent = []
        away: dict[str, TransientError] = {}
        count = 0
        for channel, notice in waiting:
            if channel.name in away:
                self._unsent.append((channel, notice))
                continue
            try:
                channel.send(notice)
                count += 1
            except TransientError as error:
                away[channel.name] = error
                self._unsent.append((channel, notice))
            except RefusedError as error:
                _log.error("an alert is refused", channel=channel.name, title=notice.alert.title, error=error.message)
        if away:
            raise next(iter(away.values()))
        return count

    def _alert(self, condition: Condition) -> Alert:
        title = f"{condition.rule} in job {self._job}"
        runbook = f"{self._runbook}#{condition.rule.lower()}" if "://" in self._runbook else ""
        link = page_of(self._dashboard, condition.rule) if self._dashboard else runbook
        values = {"job": self._job, "rule": condition.rule, "table": condition.about}
        if self._dashboard and runbook:
            values["runbook"] = runbook
        return Alert(condition.key, condition.severity, title, condition.text, link, values)


def page_of(dashboard: str, rule: str) -> str:
    """
    Give the address of the page of a dashboard that shows more of what a rule is about.

    >>> page_of("https://jobs.example/", "TailraceDeadLetters")
    'https://jobs.example/#/dead-letters/'
    """
    return f"{dashboard.rstrip('/')}/#/{_PAGES.get(rule, 'time-lines')}/"


def limits(settings: Mapping[str, str]) -> Limits:
    """
    Read from where on something is told of.

    >>> limits({"tailrace.alerts.no-data": "1 min"}).no_data
    60.0

    Raises:
        ConfigError: a setting can't be read.
    """
    return Limits(
        value(settings, PREFIX + "no-data") / 1000,
        value(settings, PREFIX + "stuck") / 1000,
        value(settings, PREFIX + "lag"),
        value(settings, PREFIX + "bad-share"),
        value(settings, PREFIX + "state-rows"),
        value(settings, PREFIX + "usual-factor"),
    )
