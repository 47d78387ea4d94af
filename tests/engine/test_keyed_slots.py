"""How long keys live, against what is told of each key by itself."""

from __future__ import annotations

import random

import numpy as np
import polars as pl

from tailrace.engine.keyed_slots import KeyedSlots

KEYS: dict[str, pl.DataType] = {"k": pl.Int64()}
TTL = 7


def keys(*values: int) -> pl.DataFrame:
    """Make rows of keys."""
    return pl.DataFrame({"k": values}, schema=KEYS)


def shown(slots: KeyedSlots, now: int) -> list[int]:
    """Give the keys that are due, sorted."""
    return sorted(slots.rows(slots.expired(now))["k"].to_list())


def test_keys_are_due_when_their_time_is_over() -> None:
    """Whenever that is asked, if the clock is set back too, and also those that their owner let live on."""
    seed = random.randrange(2**32)  # noqa: S311 - printed
    print(f"seed {seed}")  # noqa: T201
    rng = random.Random(seed)  # noqa: S311 - test data
    slots, ends, now = KeyedSlots(KEYS, TTL), dict[int, int](), 0
    for _ in range(400):
        now = max(0, now + rng.choice([0, 1, 2, 5, 9, -4]))
        due = sorted(k for k, end in ends.items() if end <= now)
        assert shown(slots, now) == due
        gone = [k for k in due if rng.random() < 0.7]
        slots.drop(slots.find(keys(*gone)))
        ends = {k: end for k, end in ends.items() if k not in gone}
        touched = rng.sample(range(20), rng.randrange(4))
        found = slots.find(keys(*touched))
        slots.touch(found, now)
        slots.live[found] = True
        ends |= dict.fromkeys(touched, now + TTL)


def test_keys_of_a_checkpoint_are_due_in_their_time() -> None:
    """Though they are taken up by slots that have found nothing due yet."""
    before = KeyedSlots(KEYS, TTL)
    before.live[before.touch(before.find(keys(1, 2)), 3)] = True
    after = KeyedSlots(KEYS, TTL)
    assert shown(after, 9) == []
    after.load(before.columns(np.array([0, 1])))
    assert (shown(after, 9), shown(after, 10)) == ([], [1, 2])
