"""What is usual: how many rows a second come from a source in each hour of the day, learnt while a job runs and kept over restarts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import structlog

from tailrace.state.files import Files, LocalFiles, replace_durably

FILE = "usual.json"
LEAST_SECONDS = 600.0
"""An hour of which less was seen teaches nothing."""
_WEIGHT = 0.3
"""How much the last day counts in what is usual for an hour."""

_log = structlog.get_logger("tailrace.alerts")


class _Kept(msgspec.Struct, frozen=True):
    """The content of the file: rows a second by the name of a source and the hour of the day."""

    rates: dict[str, dict[int, float]]


class Usual:
    """
    The usual rates; with a `folder` (that of a job's state) they are read from a file there, and written after each hour.

    >>> usual = Usual()
    >>> for second in range(0, 7200, 600):
    ...     usual.see({"scan-t": 5 * second}, second, second // 3600)
    >>> usual.rate("scan-t", 24), usual.rate("scan-t", 25)
    (5.0, None)
    """

    def __init__(self, folder: Path | None = None, files: Files | None = None) -> None:
        self._path = None if folder is None else folder / FILE
        self._files = files or LocalFiles()
        self._rates = self._read()
        self._hour: tuple[int, dict[str, int], float] | None = None

    def rate(self, name: str, hour: int) -> float | None:
        """Give the usual rate of a source in this hour since 1970; None if nothing is known of it."""
        return self._rates.get(name, {}).get(hour % 24)

    def see(self, rows: Mapping[str, int], now: float, hour: int) -> None:
        """Hear how many rows have come of each source, at `now` seconds in this hour since 1970; at its end something is learnt."""
        if self._hour is None:
            self._hour = (hour, dict(rows), now)
            return
        last, before, began = self._hour
        if hour == last:
            return
        if now - began >= LEAST_SECONDS:
            for name, count in rows.items():
                if name in before and count >= before[name]:
                    self._learn(name, last % 24, (count - before[name]) / (now - began))
            self._write()
        self._hour = (hour, dict(rows), now)

    def _learn(self, name: str, hour: int, rate: float) -> None:
        known = self._rates.setdefault(name, {})
        known[hour] = rate if hour not in known else _WEIGHT * rate + (1 - _WEIGHT) * known[hour]

    def _read(self) -> dict[str, dict[int, float]]:
        """Read what is kept; a file that can't be read is told of, and all is learnt anew."""
        if self._path is None or not self._path.exists():
            return {}
        try:
            return msgspec.json.decode(self._files.read(self._path), type=_Kept).rates
        except (OSError, msgspec.DecodeError) as error:
            _log.warning("what is usual can't be read, and is learnt anew", file=str(self._path), error=str(error))
            return {}

    def _write(self) -> None:
        """Keep what is known; a disk that refuses stops nothing, as it is learnt again."""
        if self._path is None:
            return
        try:
            replace_durably(self._files, self._path, msgspec.json.encode(_Kept(self._rates)))
        except OSError as error:
            _log.warning("what is usual can't be kept", file=str(self._path), error=str(error))
