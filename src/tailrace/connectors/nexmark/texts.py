"""
Texts: words made once for each seed, from which each event takes one.

A column is then a gather of 16-byte views into shared bytes, whatever the length of its texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import polars as pl

from tailrace.connectors import draws
from tailrace.connectors.nexmark.events import I64, Events
from tailrace.formats.buffers import text_column

WORDS = 1 << 16
LEAST_LENGTH = 3
_SPECIAL_RATE = 13
_LETTERS = 26
_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Text:
    """A column of texts: which word each event has."""

    words: pl.Series
    at: I64

    @property
    def column(self) -> pl.Series:
        """The texts themselves."""
        return self.words.gather(self.at)


def text(events: Events, name: str, longest: int, special: str = " ") -> Text:
    """Draw words of 3 to below `longest` characters; one in 13 is `special`, spaces at the ends are cut off."""
    words = random_words(events.shape.seed, name, longest, special)
    return Text(words, events.draw(name).first(len(words)))


def padding(events: Events, name: str, used: I64, size: int) -> pl.Series:
    """Give letters that fill up what has `used` bytes to about `size`."""
    wanted = np.maximum(size - used, 0)
    spread = np.rint(wanted * 0.2).astype(np.int64)
    drawn = events.draw(name)
    lengths = wanted - spread + drawn.second(np.maximum(2 * spread, 1))
    words = letters(events.shape.seed, name, max(1, _longest(size)), _longest(size))
    column = words.gather(drawn.first(len(words)))
    return column.to_frame("x").select(pl.col("x").str.head(pl.Series(lengths))).to_series()


def fixed_padding(events: Events, name: str, used: int, size: int) -> Text:
    """Give the same for events of which all have `used` bytes."""
    wanted = max(size - used, 0)
    spread = round(wanted * 0.2)
    words = letters(events.shape.seed, name, wanted - spread, wanted - spread + max(2 * spread, 1) - 1)
    return Text(words, events.draw(name).first(len(words)))


def _longest(size: int) -> int:
    return size + round(size * 0.2)


@lru_cache(maxsize=64)
def random_words(seed: int, name: str, longest: int, special: str, count: int = WORDS) -> pl.Series:
    """
    Make words; the same arguments give the same ones.

    >>> random_words(0, "doc", 7, "_", 3).str.len_chars().is_between(3, 6).all()
    True
    """
    of, rows = draws.stream(seed, f"{name}/words"), np.arange(count, dtype=np.int64)
    sizes = draws.between(of, rows, LEAST_LENGTH, longest - 1)
    drawn = _shorts(of, count, longest - 1) % (_SPECIAL_RATE * _LETTERS)
    cells = np.where(drawn < _LETTERS, ord(special), ord("a") + drawn % _LETTERS).astype(np.uint8)
    return _cut(cells, sizes).str.strip_chars(" ")


@lru_cache(maxsize=64)
def letters(seed: int, name: str, least: int, most: int) -> pl.Series:
    """
    Make texts of `least` to `most` letters.

    >>> letters(0, "doc", 5, 6).str.contains("^[a-z]{5,6}$").all()
    True
    """
    count = min(WORDS, _BYTES // max(most, 1))
    of, rows = draws.stream(seed, f"{name}/letters"), np.arange(count, dtype=np.int64)
    cells = (ord("a") + _shorts(of, count, max(most, 1)) % _LETTERS).astype(np.uint8)
    return _cut(cells, draws.between(of, rows, least, most))


def _shorts(of: int, count: int, width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    """Give `count` lines of `width` random 16-bit numbers."""
    words = -(-width // 4)
    drawn = draws.bits(of, np.arange(count * words, dtype=np.int64), word=1)
    return drawn.view(np.uint16).reshape(count, words * 4)[:, :width]


def _cut(cells: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], sizes: I64) -> pl.Series:
    """Make texts of the first `sizes` bytes of each line."""
    offsets = np.zeros(len(sizes) + 1, dtype=np.int64)
    np.cumsum(sizes, out=offsets[1:])
    data = cells[np.arange(cells.shape[1]) < sizes[:, None]]
    return text_column(offsets, data, np.ones(len(sizes), dtype=np.uint8))
