"""What functions ask of a regular expression, for whole columns of texts."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import polars as pl

from tailrace.expressions.regex.translate import PatternError, Translation, translate

_LAST_TERMINATOR = r"[\n\r\x{85}\x{2028}\x{2029}]$"


@cache
def matcher(pattern: str) -> Matcher | None:
    """
    Give the matcher of a pattern of Java; None if it is no pattern.

    Raises:
        UnsupportedPatternError: no engine here has what it asks for.
    """
    try:
        found = Matcher(pattern, translate(pattern))
        if found.translation.polars is not None:
            pl.Series([""]).str.contains(found.translation.polars)
    except (PatternError, pl.exceptions.ComputeError):
        return None
    return found


class Matcher:
    """One expression; runs on the engine of Polars, or on Python's for what that one lacks."""

    def __init__(self, pattern: str, translation: Translation) -> None:
        self.pattern = pattern
        self.translation = translation
        self.groups = translation.groups
        self._python = None if translation.python is None else re.compile(translation.python)
        self._empty = bool(self._python and self._python.search(""))

    def contains(self, texts: pl.Series) -> pl.Series:
        """Tell whether a part matches."""
        if native := self._native(texts):
            return texts.str.contains(native)
        return self._each(texts, lambda p, v: p.search(v) is not None, pl.Boolean())

    def extract(self, texts: pl.Series, group: int) -> pl.Series:
        """Give a group of the first match; NULL if there is none."""
        if native := self._native(texts):
            return texts.str.extract(native, group)
        return self._each(texts, lambda p, v: (found := p.search(v)) and found[group], pl.String())

    def extract_all(self, texts: pl.Series, group: int) -> pl.Series:
        """Give a group of each match."""
        if (native := self._native(texts)) and (self._python is None or not (group or self._empty)):
            return texts.str.extract_all(native).list.eval(pl.element().str.extract(native, group))
        return self._each(texts, lambda p, v: [m[group] for m in p.finditer(v)], pl.List(pl.String()))

    def count(self, texts: pl.Series) -> pl.Series:
        """Count the matches."""
        if native := self._native(texts, many=True):
            return texts.str.count_matches(native).cast(pl.Int32)
        return self._each(texts, lambda p, v: sum(1 for _ in p.finditer(v)), pl.Int32())

    def find(self, texts: pl.Series) -> pl.Series:
        """Give the place of the first match, from 1; 0 if there is none."""
        if native := self._native(texts):
            return pl.select(_characters(texts, texts.str.find(native))).to_series()
        return self._each(texts, lambda p, v: 0 if (m := p.search(v)) is None else m.start() + 1, pl.Int32())

    def replace(self, texts: pl.Series, by: str) -> pl.Series:
        """Replace each match by a text, which is taken as it is."""
        if native := self._native(texts, many=True):
            return texts.str.replace_all(native, by.replace("$", "$$"))
        return self._each(texts, lambda p, v: p.sub(lambda _: by, v), pl.String())

    def _native(self, texts: pl.Series, many: bool = False) -> str:
        """
        Give the pattern for Polars; '' where Python must do it.

        Polars finds no empty match right behind another match, and no end of the text before a last line terminator.
        """
        native = self.translation.polars
        if native is None:
            return ""
        other = (many and self._empty) or (self.translation.ends and texts.str.contains(_LAST_TERMINATOR).any())
        return "" if other and self._python is not None else native

    def _each(self, texts: pl.Series, f: Callable[[re.Pattern[str], str], Any], dtype: pl.DataType) -> pl.Series:
        """Ask Python once for each different text."""
        assert self._python is not None
        pattern = self._python
        different = texts.unique()
        results = [None if v is None else f(pattern, v) for v in different.to_list()]
        frame = pl.DataFrame({"text": different, "result": pl.Series(results, dtype=dtype)})
        joined = texts.to_frame("text").join(frame, on="text", how="left", nulls_equal=True, maintain_order="left")
        return joined["result"]


def _characters(texts: pl.Series, offset: pl.Series) -> pl.Expr:
    """Give places in characters, from 1, for offsets in bytes; 0 for none."""
    at = pl.lit(offset)
    before = pl.lit(texts).cast(pl.Binary).bin.slice(0, at).cast(pl.String).str.len_chars().cast(pl.Int32)
    found = pl.when(at.is_not_null()).then(before + 1).otherwise(pl.lit(0, dtype=pl.Int32))
    return pl.when(pl.lit(texts).is_not_null()).then(found)
