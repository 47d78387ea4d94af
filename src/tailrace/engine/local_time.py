"""Session time zone: windows over TIMESTAMP_LTZ are cut in local time."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailrace.engine.batch import MAX_WATERMARK, MIN_WATERMARK
from tailrace.state.kernels import I64


class LocalTime:
    """
    Converts milliseconds between UTC and the wall clock of a zone; "UTC" changes nothing.

    >>> LocalTime("Europe/Berlin").local_one(0)
    3600000
    """

    def __init__(self, zone: str) -> None:
        self._zone = None if zone == "UTC" else zone

    def local(self, utc: I64) -> I64:
        """Give local times; the ends of time stay what they are."""
        if self._zone is None:
            return utc
        series = _within(utc).dt.replace_time_zone("UTC")
        local = series.dt.convert_time_zone(self._zone).dt.replace_time_zone(None)
        return self._with_ends(utc, local.to_physical().to_numpy())

    def utc(self, local: I64) -> I64:
        """Give UTC times; a local time that the clocks skip is taken as an hour on, one that comes twice as the first."""
        if self._zone is None:
            return local
        series = _within(local)
        hour_on = series.dt.offset_by("1h")
        first = series.dt.replace_time_zone(self._zone, ambiguous="earliest", non_existent="null")
        skipped = hour_on.dt.replace_time_zone(self._zone, ambiguous="earliest", non_existent="null")
        utc = pl.select(pl.coalesce(first, skipped)).to_series().dt.convert_time_zone("UTC")
        return self._with_ends(local, utc.to_physical().to_numpy())

    def local_one(self, utc: int) -> int:
        """Convert one time."""
        return int(self.local(np.array([utc], dtype=np.int64))[0])

    def utc_one(self, local: int) -> int:
        """Convert one time back."""
        return int(self.utc(np.array([local], dtype=np.int64))[0])

    def _with_ends(self, times: I64, converted: I64) -> I64:
        ends = (times == MIN_WATERMARK) | (times == MAX_WATERMARK)
        return np.where(ends, times, converted)


def _within(times: I64) -> pl.Series:
    """Give times as timestamps; the ends of time, which no calendar has, as 0."""
    ends = (times == MIN_WATERMARK) | (times == MAX_WATERMARK)
    return pl.Series(np.where(ends, 0, times)).cast(pl.Datetime("ms"))


def milliseconds(times: pl.Series) -> I64:
    """
    Give timestamps, none of them NULL, as milliseconds since 1970.

    >>> milliseconds(pl.Series([1_500_000]).cast(pl.Datetime("us"))).tolist()
    [1500]
    """
    if times.dtype.time_unit != "ms":  # type: ignore[attr-defined]
        times = times.dt.cast_time_unit("ms")
    # as they lie in memory: what goes by an expression costs a tenth of a millisecond, which small batches feel
    return times.to_numpy().view(np.int64)
