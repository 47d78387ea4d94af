"""Who runs which replica: members that each go by what they see come to even shares, and move no more than they must."""

from __future__ import annotations

import math
import random

import pytest

from tailrace.cli.replicas.sharing import View, to_give, to_take


class Pipeline:
    """Members that come and go, each with a look now and then, in any order."""

    def __init__(self, count: int, seed: int) -> None:
        self.count = count
        self.draw = random.Random(seed)  # noqa: S311
        self.members: set[str] = set()
        self.held: dict[int, str] = {}
        self.given = 0

    def view(self, me: str) -> View:
        """Give what a member sees."""
        free = frozenset(range(1, self.count + 1)) - self.held.keys()
        return View(me, frozenset(self.members), dict(self.held), free)

    def look(self, me: str) -> None:
        """Let a member look once: it takes all that it should, and gives up one at most."""
        view = self.view(me)
        while (number := to_take(view)) is not None:
            most = math.ceil(self.count / len(self.members))
            assert sum(who == me for who in self.held.values()) < most, "nobody takes more than its share"
            assert number not in self.held
            self.held[number] = me
            view = self.view(me)
        if (number := to_give(view)) is not None:
            assert self.held.pop(number) == me
            self.given += 1

    def settle(self) -> None:
        """Let all look in turn, each time in another order, until nothing changes any more."""
        for _ in range(4 * self.count + 4):
            before = dict(self.held)
            for me in self.draw.sample(sorted(self.members), len(self.members)):
                self.look(me)
            if self.held == before:
                return
        raise AssertionError(f"it never settles: {self.held}")

    def check(self) -> None:
        """Make sure that all replicas run, in shares that differ by one at most."""
        loads = [sum(who == m for who in self.held.values()) for m in self.members]
        assert len(self.held) == self.count
        assert max(loads) - min(loads) <= 1, self.held


@pytest.mark.parametrize("seed", range(60))
def test_members_that_come_and_go(seed: int) -> None:
    """Whoever comes, dies or leaves: the shares are even again, and only as many replicas move as had to."""
    draw = random.Random(seed)  # noqa: S311
    pipeline = Pipeline(draw.randint(1, 12), seed)
    for step in range(30):
        if pipeline.members and draw.random() < 0.4:
            gone = draw.choice(sorted(pipeline.members))
            pipeline.members.discard(gone)
            pipeline.held = {k: who for k, who in pipeline.held.items() if who != gone}
        else:
            pipeline.members.add(f"m{step}")
        if not pipeline.members:
            continue
        share = math.ceil(pipeline.count / len(pipeline.members))
        before, pipeline.given = dict(pipeline.held), 0
        pipeline.settle()
        pipeline.check()
        loads = [sum(who == m for who in before.values()) for m in pipeline.members]
        assert pipeline.given <= sum(max(0, n - math.floor(pipeline.count / len(pipeline.members))) for n in loads)
        assert max(sum(who == m for who in pipeline.held.values()) for m in pipeline.members) <= share


def test_one_at_a_time() -> None:
    """While a replica that was given up is free, nobody gives up another one."""
    held = {1: "a", 2: "a", 3: "a", 4: "a"}
    both = frozenset("ab")
    assert to_give(View("a", both, held, frozenset())) == 4
    del held[4]
    assert to_give(View("a", both, held, frozenset({4}))) is None
    assert to_take(View("a", both, held, frozenset({4}))) is None, "who gave it up does not take it back"
    assert to_take(View("b", both, held, frozenset({4}))) == 4


def test_of_several_with_most_one_gives() -> None:
    """Two members have two each, a third comes: one of them gives up one, the other none."""
    held = {1: "a", 2: "a", 3: "b", 4: "b"}
    views = [View(me, frozenset("abc"), held, frozenset()) for me in "abc"]
    assert [to_give(v) for v in views] == [2, None, None]


def test_a_holder_that_nobody_knows() -> None:
    """A replica of a member that was not seen yet is held all the same."""
    view = View("b", frozenset("ab"), {1: "a", 2: "new"}, frozenset())
    assert to_take(view) is None
    assert to_give(view) is None


def test_more_members_than_replicas() -> None:
    """Those who have none stand by, and the first to look takes what becomes free."""
    view = View("c", frozenset("abc"), {1: "a", 2: "b"}, frozenset())
    assert to_take(view) is None
    assert to_take(View("c", frozenset("bc"), {2: "b"}, frozenset({1}))) == 1
