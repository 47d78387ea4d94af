"""Nodes of windows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tailrace.expressions.nodes import AggregateCall
from tailrace.plan.nodes.base import Unary


class WindowKind(Enum):
    """How a window table function cuts time."""

    TUMBLE = "TUMBLE"
    HOP = "HOP"
    CUMULATE = "CUMULATE"
    SESSION = "SESSION"


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """
    A window over the time attribute `time_column`; all lengths in milliseconds.

    `slide` is the step of HOP and CUMULATE and equals `size` for TUMBLE. Windows start at multiples of the slide (the
    size for CUMULATE) since 1970, shifted by `offset`. The size of a SESSION is its gap; it has sessions for each value of
    the `partition` columns.

    With `attached` the rows are in windows already, each in the one that ends at its `time_column`; `local` tells that this
    is in the job's time zone. It is then a TUMBLE of a millisecond.
    """

    kind: WindowKind
    time_column: str
    size: int
    slide: int
    offset: int = 0
    processing_time: bool = False
    partition: tuple[str, ...] = ()
    attached: bool = False
    local: bool = False

    def __str__(self) -> str:
        if self.attached:
            return f"the windows that end at {self.time_column}"
        step = "" if self.kind in (WindowKind.TUMBLE, WindowKind.SESSION) else f", step {self.slide} ms"
        return f"{self.kind.value}({self.time_column}, size {self.size} ms{step})"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowTable(Unary):
    """A window table function: each row with `window_start`, `window_end`, `window_time`, once for each window it is in."""

    window: WindowSpec


class WindowProperty(Enum):
    """The columns that a window adds."""

    START = "window_start"
    END = "window_end"
    TIME = "window_time"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowAggregate(Unary):
    """
    Aggregates by `keys` and window, and puts each window out once, when the watermark has passed its end.

    The schema is keys, then one field for each aggregate, then one for each of `properties`.
    """

    window: WindowSpec
    keys: tuple[str, ...]
    aggregates: tuple[AggregateCall, ...]
    properties: tuple[WindowProperty, ...]
