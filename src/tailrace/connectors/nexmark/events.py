"""Events by their numbers: ids, kinds, times, and the random numbers that their fields are drawn from."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from tailrace.connectors import draws
from tailrace.connectors.nexmark.shape import HOT_BATCH, ID_LEAD, EventKind, Shape

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_SHUFFLE = 953
"""Prime to all usual sizes of groups, so that each event of a group gets a place of its own."""
_HALF = np.uint64(32)
_LOWER = np.uint64(0xFFFFFFFF)


class Events:
    """
    Some events, by their ids; what several of their fields need is computed once.

    >>> Events.numbered(Shape(), np.arange(3)).kinds.tolist()
    [0, 1, 1]
    """

    def __init__(self, shape: Shape, ids: I64) -> None:
        self.shape = shape
        self.ids = ids

    @classmethod
    def numbered(cls, shape: Shape, numbers: I64) -> Events:
        """Give the events that come as these numbers of the stream."""
        if shape.group == 1:
            return cls(shape, numbers)
        return cls(shape, numbers // shape.group * shape.group + numbers * _SHUFFLE % shape.group)

    def __len__(self) -> int:
        return len(self.ids)

    def where(self, mask: Mask) -> Events:
        """Give some of them."""
        return self if mask.all() else Events(self.shape, self.ids[mask])

    @cached_property
    def _cycle(self) -> I64:
        cycle: I64 = self.ids // self.shape.cycle
        return cycle

    @cached_property
    def _offset(self) -> I64:
        return self.ids - self._cycle * self.shape.cycle

    @cached_property
    def kinds(self) -> npt.NDArray[np.int32]:
        """Each one's `EventKind`."""
        auction = self._offset >= self.shape.persons
        bid = self._offset >= self.shape.persons + self.shape.auctions
        return auction.astype(np.int32) + bid

    def of_kind(self, kind: EventKind) -> Mask:
        """Tell which are of a kind."""
        mask: Mask = self.kinds == kind
        return mask

    @cached_property
    def times(self) -> I64:
        """Each one's time, in milliseconds since 1970."""
        return self.times_at(self.ids)

    def times_at(self, ids: I64) -> I64:
        """Give the times of other events."""
        times: I64 = self.shape.start_time + ids * 1000 // self.shape.rate
        return times

    @cached_property
    def last_person(self) -> I64:
        """The newest person, counted from 0; a person is its own."""
        return self._cycle * self.shape.persons + np.minimum(self._offset, self.shape.persons - 1)

    @cached_property
    def last_auction(self) -> I64:
        """The newest auction, counted from 0 (-1: there is none); an auction is its own."""
        within = np.minimum(self._offset - self.shape.persons, self.shape.auctions - 1)
        # before the auctions of a cycle the newest one is the last of the cycle before
        return self._cycle * self.shape.auctions + np.maximum(within, -1)

    def draw(self, name: str) -> Draw:
        """Give the random numbers of a field."""
        return Draw(draws.bits(draws.stream(self.shape.seed, name), self.ids))

    def person(self, name: str, hot: int, hot_place: int) -> I64:
        """Draw persons, counted from 0: in `hot` - 1 of `hot` cases the hot one, else one of the active."""
        drawn = self.draw(name)
        active = np.minimum(self.last_person + 1, self.shape.active_people)
        cold = self.last_person + 1 - active + drawn.second(active + ID_LEAD)
        newest = self.last_person // HOT_BATCH * HOT_BATCH + hot_place
        return np.where(drawn.first(hot) > 0, newest, cold)

    def auction(self, name: str, hot: int) -> I64:
        """Draw auctions, counted from 0: in `hot` - 1 of `hot` cases the hot one, else one of those in flight."""
        drawn = self.draw(name)
        oldest = np.maximum(self.last_auction - self.shape.auctions_in_flight, 0)
        cold = oldest + drawn.second(self.last_auction - oldest + 1 + ID_LEAD)
        return np.where(drawn.first(hot) > 0, self.last_auction // HOT_BATCH * HOT_BATCH, cold)


class Draw:
    """
    64 random bits for each event, spent in two halves.

    >>> Draw(np.array([1 << 63], dtype=np.uint64)).first(10).tolist()
    [5]
    """

    def __init__(self, bits: draws.U64) -> None:
        self._bits = bits

    def first(self, span: int | I64) -> I64:
        """Give a number from 0 to below `span`, from the upper half."""
        return _scaled(self._bits >> _HALF, span)

    def second(self, span: int | I64) -> I64:
        """Give a number from 0 to below `span`, from the lower half."""
        return _scaled(self._bits & _LOWER, span)

    def unit(self) -> draws.F64:
        """Give a number in [0, 1), from all bits."""
        return (self._bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _scaled(half: draws.U64, span: int | I64) -> I64:
    scaled: draws.U64 = (half * np.asarray(span, dtype=np.int64).view(np.uint64)) >> _HALF
    return scaled.view(np.int64)
