"""The key index against a dictionary."""

from __future__ import annotations

import numpy as np
import pytest

from tailrace.state.index import KeyIndex


@pytest.mark.parametrize("keys", [1, 100, 5_000, 200_000])
def test_slots_are_those_of_a_dictionary(keys: int) -> None:
    """Equal keys have equal slots, numbered by first sight, through growth and after some were dropped."""
    rng = np.random.default_rng(keys)
    index = KeyIndex()
    known: dict[tuple[int, int], int] = {}
    for _ in range(5):
        a = rng.integers(0, keys, 3_000).astype(np.uint64)
        b = rng.integers(0, 2, 3_000).astype(np.uint64)
        slots, fresh = index.slots(a, b)
        want = []
        new = []
        for i, key in enumerate(zip(a.tolist(), b.tolist(), strict=True)):
            if key not in known:
                known[key] = len(known)
                new.append(i)
            want.append(known[key])
        assert slots.tolist() == want
        assert fresh.tolist() == new
        kept = np.flatnonzero(rng.integers(0, 3, len(index)) > 0)
        by_slot = {slot: key for key, slot in known.items()}
        index.keep(kept)
        known = {by_slot[slot]: i for i, slot in enumerate(kept.tolist())}
        assert len(index) == len(known)
