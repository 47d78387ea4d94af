"""
Which rows are told of: the rules of grouping, cool-down, repeating and resolving, without any input or output.

All times are in milliseconds by the wall clock. What a board knows is a JSON value, and part of the checkpoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

MOST_KEYS = 100_000
"""So many keys are remembered; beyond, those told of longest ago are forgotten first."""
MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Alert:
    """What is told of one row; `values` are its columns as text."""

    key: str
    severity: str
    title: str
    text: str
    link: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Notice:
    """
    A message to be sent: an alert, or (`resolved`) its end.

    So many more of its key (`same`) and of other keys (`others`) were not told of since the last message. `id` is the same when
    it is sent once more, `at` when it was made.
    """

    id: str
    at: int
    alert: Alert
    resolved: bool = False
    same: int = 0
    others: int = 0

    def as_json(self) -> dict[str, Any]:
        """Give it as a JSON value."""
        return asdict(self)

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> Notice:
        """Take what `as_json` gave."""
        return cls(**(dict(value) | {"alert": Alert(**value["alert"])}))


@dataclass(slots=True)
class _Known:
    """
    A key: when it was last told of, and how often it was kept quiet since.

    It is `standing` while its row is there; `shown` while people were told that it is, and not that it has ended.
    """

    told: int
    standing: bool
    shown: bool
    quiet: int
    alert: Alert


@dataclass(frozen=True, slots=True)
class Manners:
    """How often one is told: `cool_down` and `repeat` (0: never) in milliseconds, `rate` messages a minute."""

    cool_down: int = 300_000
    repeat: int = 0
    rate: int = 30


@dataclass(slots=True)
class Board:
    """Decides of each row whether it is told of."""

    manners: Manners
    _known: dict[str, _Known] = field(default_factory=dict)
    _sent: list[int] = field(default_factory=list)
    _others: int = 0
    _count: int = 0

    def raised(self, alert: Alert, now: int, *, stands: bool) -> Notice | None:
        """
        Take a row; give the message about it, unless its key was told of a short while ago.

        One that `stands` goes on until `ended`; another one is over when it is told of.
        """
        known = self._known.get(alert.key)
        if known is None or now - known.told >= self.manners.cool_down:
            return self._tell(alert, now, stands=stands)
        known.quiet, known.standing, known.alert = known.quiet + 1, stands, alert
        return None

    def ended(self, key: str, now: int) -> Notice | None:
        """Hear that the row of a key is no more; give the message, if people think that it is."""
        known = self._known.get(key)
        if known is None:
            return None
        known.standing, shown, known.shown = False, known.shown, False
        return self._notice(known.alert, now, resolved=True) if shown else None

    def due(self, now: int) -> list[Notice]:
        """Give the messages of what stands for long, or stands again unseen; forget keys that are of no more use."""
        found = [self._tell(x.alert, now, stands=True) for x in list(self._known.values()) if self._is_due(x, now)]
        self._forget(now)
        return [notice for notice in found if notice is not None]

    def _is_due(self, known: _Known, now: int) -> bool:
        if not known.standing:
            return False
        wait = self.manners.repeat if known.shown else self.manners.cool_down
        return bool(wait) and now - known.told >= wait

    def _tell(self, alert: Alert, now: int, *, stands: bool) -> Notice | None:
        known = self._known.pop(alert.key, None)
        quiet = known.quiet if known is not None else 0
        self._sent = [t for t in self._sent if now - t < MINUTE]
        if self.manners.rate and len(self._sent) >= self.manners.rate:
            if not stands:
                self._others += 1
            else:  # it is told of as soon as there is room
                self._known[alert.key] = _Known(now - self.manners.cool_down, stands, False, quiet, alert)
            return None
        self._sent.append(now)
        self._known[alert.key] = _Known(now, stands, stands, 0, alert)
        others, self._others = self._others, 0
        return self._notice(alert, now, same=quiet, others=others)

    def _notice(self, alert: Alert, now: int, *, resolved: bool = False, same: int = 0, others: int = 0) -> Notice:
        self._count += 1
        return Notice(f"{now}-{self._count}", now, alert, resolved, same, others)

    def _forget(self, now: int) -> None:
        """Forget keys that do not stand and have cooled down; keys are in the order in which they were told of."""
        old = [k for k, x in self._known.items() if not x.standing and now - x.told >= self.manners.cool_down]
        for key in old:
            del self._known[key]
        while len(self._known) > MOST_KEYS:
            del self._known[next(iter(self._known))]

    def as_json(self) -> dict[str, Any]:
        """Give what it knows, for a checkpoint."""
        known = [asdict(x) for x in self._known.values()]
        return {"known": known, "sent": self._sent, "others": self._others, "count": self._count}

    def load(self, value: Mapping[str, Any]) -> None:
        """Take up what a checkpoint knows."""
        entries = [_Known(**(x | {"alert": Alert(**x["alert"])})) for x in value["known"]]
        self._known = {x.alert.key: x for x in entries}
        self._sent, self._others, self._count = list(value["sent"]), int(value["others"]), int(value["count"])
