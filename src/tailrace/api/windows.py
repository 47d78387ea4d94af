"""Windows over time: what `Table.window` takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from tailrace.api import trees
from tailrace.api.durations import Span, span
from tailrace.api.trees import placed
from tailrace.sql.dialect import nodes as n


@dataclass(frozen=True, slots=True)
class Window:
    """A kind of window with its lengths; `time` is the time column, if it is not the only one of the table."""

    kind: str
    lengths: tuple[timedelta, ...]
    time: str = ""
    keys: tuple[str, ...] = ()
    offset: timedelta | None = None

    def tree(self, table: n.Node, time: str) -> n.TableFunction:
        """Give the table function over a table or query."""
        partition = [trees.name(k) for k in self.keys]
        arguments: list[n.Node] = [
            placed(n.TableArgument(this=table, partition=partition)),
            placed(n.Descriptor(columns=[trees.identifier(time)])),
            *(trees.interval(length) for length in self.lengths),
        ]
        if self.offset is not None:
            arguments.append(trees.interval(self.offset))
        return placed(n.TableFunction(this=self.kind, arguments=arguments))

    def alike(self) -> Window:
        """Give a window that adds the same columns and needs no group behind it."""
        return Window("TUMBLE", self.lengths[:1], self.time)


def tumble(size: Span, *, time: str = "", offset: Span | None = None) -> Window:
    """
    Give windows of a fixed size, one after the other.

    >>> import tailrace as tr
    >>> tr.tumble("1m").lengths
    (datetime.timedelta(seconds=60),)
    """
    return Window("TUMBLE", (span(size),), time, offset=_offset(offset))


def hop(slide: Span, size: Span, *, time: str = "", offset: Span | None = None) -> Window:
    """
    Give windows of a size that begin every `slide`, and so may overlap.

    >>> import tailrace as tr
    >>> tr.hop("10s", "1m").kind
    'HOP'
    """
    return Window("HOP", (span(slide), span(size)), time, offset=_offset(offset))


def cumulate(step: Span, size: Span, *, time: str = "", offset: Span | None = None) -> Window:
    """
    Give windows that grow by `step` up to `size`, and then begin anew.

    >>> import tailrace as tr
    >>> tr.cumulate("1h", "1d").kind
    'CUMULATE'
    """
    return Window("CUMULATE", (span(step), span(size)), time, offset=_offset(offset))


def session(gap: Span, *, by: str | Iterable[str] = (), time: str = "") -> Window:
    """
    Give windows that end when no row came for `gap`; of each key by itself with `by`.

    >>> import tailrace as tr
    >>> tr.session("30m", by="user").keys
    ('user',)
    """
    return Window("SESSION", (span(gap),), time, keys=(by,) if isinstance(by, str) else tuple(by))


def _offset(value: Span | None) -> timedelta | None:
    return None if value is None else span(value)
