"""Who runs which replica: the rules by which members come to even shares, each by what it sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class View:
    """
    What a member sees: who is there (`me` too), who holds which replica, which are free.

    A holder that is not among the members has just gone, or has just come: its replicas are held all the same.
    """

    me: str
    members: frozenset[str]
    held: Mapping[int, str]
    free: frozenset[int]

    @property
    def mine(self) -> frozenset[int]:
        """The replicas that this member holds."""
        return frozenset(k for k, who in self.held.items() if who == self.me)

    @property
    def loads(self) -> Mapping[str, int]:
        """How many replicas each member holds."""
        found = dict.fromkeys((*self.members, self.me), 0)
        for who in self.held.values():
            if who in found:
                found[who] += 1
        return found

    def with_holder(self, number: int, who: str) -> View:
        """Give the view in which somebody has taken a free replica."""
        return replace(self, held={**self.held, number: who}, free=self.free - {number})


def to_take(view: View) -> int | None:
    """
    Give the free replica that this member should take; None if it should take none.

    It takes what is its own in any case, and more only while nobody has fewer.

    >>> to_take(View("a", frozenset("ab"), {1: "a"}, frozenset({2, 3})))
    >>> to_take(View("b", frozenset("ab"), {1: "a"}, frozenset({2, 3})))
    2
    """
    loads = view.loads
    own = (len(view.held) + len(view.free)) // len(loads)
    if not view.free or (loads[view.me] >= own and loads[view.me] > min(loads.values())):
        return None
    return min(view.free)


def to_give(view: View) -> int | None:
    """
    Give the replica that this member should give up, so that who has fewer can take it; None if it should keep all.

    One at a time over all members: only while none is free, and of several with most the first by name.

    >>> to_give(View("a", frozenset("ab"), {1: "a", 2: "a"}, frozenset()))
    2
    >>> to_give(View("a", frozenset("ab"), {1: "a", 2: "a", 3: "b"}, frozenset()))
    """
    loads = view.loads
    most = max(loads.values())
    if view.free or most - min(loads.values()) < 2 or view.me != min(m for m, n in loads.items() if n == most):
        return None
    return max(view.mine)
