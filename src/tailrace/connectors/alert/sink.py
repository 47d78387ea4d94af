"""Tells people of rows: what is decided is part of the checkpoint, and sent once that is complete."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import structlog

from tailrace.clock import Clock
from tailrace.connectors.alert.board import Alert, Board, Manners, Notice
from tailrace.connectors.alert.channels import Channel, RefusedError
from tailrace.connectors.alert.options import SEVERITIES
from tailrace.connectors.alert.templates import filled, filled_link
from tailrace.connectors.base import Guarantee, Report, StagedSink
from tailrace.connectors.row_text import value_texts
from tailrace.engine.batch import KIND, RowKind
from tailrace.errors import TransientError
from tailrace.schema import Schema

MOST_UNSENT = 1000
"""So many messages wait for channels that do not answer; then the oldest are dropped, and said to be."""

_THERE = frozenset((RowKind.INSERT, RowKind.UPDATE_AFTER))
_log = structlog.get_logger("tailrace.alert")


@dataclass(frozen=True, slots=True)
class Shape:
    """How a row becomes an alert."""

    key: tuple[str, ...]
    title: str
    text: str
    link: str
    severity: str
    severity_column: str | None

    def alert(self, values: dict[str, str]) -> Alert:
        """Make the alert of a row."""
        named = values.get(self.severity_column or "", "").lower()
        severity = named if named in SEVERITIES else self.severity
        key = json.dumps([values[k] for k in self.key], ensure_ascii=False)
        title, text, link = filled(self.title, values), filled(self.text, values), filled_link(self.link, values)
        return Alert(key, severity, " ".join(title.split()), text, link, values)


class AlertSink(StagedSink):
    """
    Decides of each row whether people are told of it, and sends what they are told when the checkpoint is complete.

    A message may come twice where the process dies between sending it and noting that; it has one id then.
    """

    guarantee = Guarantee.AT_LEAST_ONCE

    def __init__(
        self,
        schema: Schema,
        shape: Shape,
        manners: Manners,
        channels: Sequence[Channel],
        *,
        keep: int,
        folder: Path,
        clock: Clock,
    ) -> None:
        self._schema = schema
        self._shape = shape
        self._channels = {c.name: c for c in channels}
        self._keep = keep
        self._mark = folder / "sent"
        self._clock = clock
        self._board = Board(manners)
        self._new: list[Notice] = []
        self._unsent: list[tuple[str, Notice]] = []

    def open(self, staged: Any | None, epoch: int) -> None:
        self._mark.parent.mkdir(parents=True, exist_ok=True)
        if staged is None:
            self._mark.unlink(missing_ok=True)
            return
        self._board.load(staged["board"])
        self.commit(epoch, staged)

    def write(self, batch: pl.DataFrame) -> None:
        now, stands = self._clock.now_ms(), KIND in batch.columns
        # few rows come here: each may be a message to people
        alerts = [self._shape.alert(values) for values in value_texts(batch, self._schema).iter_rows(named=True)]
        found = self._last(alerts, batch[KIND].to_list()) if stands else [(alert, True) for alert in alerts]
        for alert, there in found:
            notice = self._board.raised(alert, now, stands=stands) if there else self._board.ended(alert.key, now)
            self._new += [notice] if notice is not None else []

    @staticmethod
    def _last(alerts: list[Alert], kinds: list[int]) -> list[tuple[Alert, bool]]:
        """Tell of each key whether its row is there at the end of the batch: an update takes it away before it brings it."""
        last = {a.key: (a, kind in _THERE) for a, kind in zip(alerts, kinds, strict=True)}
        return list(last.values())

    def prepare(self, epoch: int) -> Any:
        self._new += self._board.due(self._clock.now_ms())
        waiting = [*self._unsent, *((name, n) for n in self._new for name in self._channels)]
        self._new, self._unsent = [], []
        notices = [{"channel": name, "notice": n.as_json()} for name, n in waiting]
        return {"board": self._board.as_json(), "notices": notices}

    def inherited(self, staged: Any) -> Any | None:
        return {"board": staged["board"], "notices": []}

    def commit(self, epoch: int, staged: Any) -> None:
        if self._sent() >= epoch:
            return
        away: set[str] = set()
        for entry in staged["notices"]:
            self._send(entry["channel"], Notice.of_json(entry["notice"]), away)
        if not self._unsent:
            self._mark.write_text(str(epoch))
        for _, notice in self._unsent[:-MOST_UNSENT]:
            _log.error("an alert is dropped: too many wait", title=notice.alert.title)
        del self._unsent[:-MOST_UNSENT]

    def _sent(self) -> int:
        """Give the last epoch whose messages were all sent."""
        return int(self._mark.read_text()) if self._mark.exists() else 0

    def _send(self, name: str, notice: Notice, away: set[str]) -> None:
        """Send a message; one for a channel that is away is kept for the next time."""
        channel = self._channels.get(name)
        if channel is None:
            return  # the table names that channel no more
        if name in away:
            self._unsent.append((name, notice))
            return
        try:
            channel.send(notice)
        except TransientError as error:
            away.add(name)
            self._wait(name, notice, error.message)
        except RefusedError as error:
            _log.error("an alert is refused", channel=name, title=notice.alert.title, error=error.message)

    def _wait(self, name: str, notice: Notice, why: str) -> None:
        if self._clock.now_ms() - notice.at < self._keep:
            _log.warning("an alert waits", channel=name, because=why)
            self._unsent.append((name, notice))
        else:
            _log.error("an alert is dropped: its channel was away for too long", channel=name, title=notice.alert.title)

    def check(self) -> Report:
        names = ", ".join(sorted(self._channels))
        return Report(True, f"tells {names}; 'tailrace alerts test' sends a sample")

    def close(self) -> None:
        """There is nothing to let go of: each message has a connection of its own."""
