"""Random numbers that are a function of (seed, field, row): any row can be made again, alone or among others."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)
FULL = 1 << 64


def stream(seed: int, name: str) -> int:
    """Give the number of the stream of a field: other names, and other seeds, give unrelated numbers."""
    digest = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def bits(of: int, rows: I64, word: int = 0) -> U64:
    """
    Give 64 random bits for each row (the finalizer of SplitMix64 over the row's place in the stream).

    >>> rows = np.arange(3)
    >>> bool((bits(7, rows) == bits(7, np.arange(2, -1, -1))[::-1]).all())
    True
    """
    x = rows.view(np.uint64) + np.uint64(1)
    x = x * _GOLDEN  # wraps, as it should
    x += np.uint64((of + word * 0xD1342543DE82EF95) % FULL)
    for shift, factor in ((np.uint64(30), _MIX1), (np.uint64(27), _MIX2)):
        x ^= x >> shift
        x *= factor
    x ^= x >> np.uint64(31)
    return x


def unit(of: int, rows: I64, word: int = 0) -> F64:
    """Give a number in [0, 1) for each row."""
    return (bits(of, rows, word) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def between(of: int, rows: I64, low: int, high: int, word: int = 0) -> I64:
    """
    Give an integer in [low, high] for each row.

    >>> int(between(7, np.arange(1000), -3, 3).min()), int(between(7, np.arange(1000), -3, 3).max())
    (-3, 3)
    """
    drawn = bits(of, rows, word)
    span = high - low + 1
    if span < FULL:
        drawn %= np.uint64(span)
    drawn += np.uint64(low % FULL)
    return drawn.view(np.int64)


def raw_bytes(of: int, rows: I64, count: int) -> npt.NDArray[np.uint8]:
    """Give `count` random bytes for each row, one row a line."""
    words = -(-count // 8)
    drawn = np.stack([bits(of, rows, word) for word in range(words)], axis=1)
    return drawn.view(np.uint8).reshape(len(rows), words * 8)[:, :count]
