"""Which envelopes count: those whose names match."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.errors import ConfigError
from tailrace.expressions.regex import Matcher, UnsupportedPatternError, matcher
from tailrace.formats.changes.metadata import strings
from tailrace.formats.json.cutter import Cut
from tailrace.options import Values


class Filters:
    """
    Conditions that fields of an envelope match regular expressions as a whole; `fields` has the field of each option.

    Raises:
        ConfigError: an expression can't be read.
    """

    def __init__(self, fields: Mapping[str, str], options: Values) -> None:
        self._matchers = {
            field: _matcher(options, option) for option, field in fields.items() if options.get(option) is not None
        }

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the envelope that it needs."""
        return tuple(self._matchers)

    def left_out(self, cut: Cut) -> npt.NDArray[np.bool_]:
        """Tell which envelopes don't count."""
        out = np.zeros(len(cut), dtype=np.bool_)
        for field, found in self._matchers.items():
            names = strings(cut[field])
            different = names.unique()
            known = pl.DataFrame({"name": different, "matches": found.contains(different).fill_null(value=False)})
            matches = names.to_frame("name").join(known, on="name", how="left", nulls_equal=True, maintain_order="left")
            out |= ~matches["matches"].to_numpy()
        return out


def _matcher(options: Values, option: str) -> Matcher:
    pattern, place = str(options[option]), options.location(option)
    try:
        found = matcher(rf"\A(?:{pattern})\z")
    except UnsupportedPatternError as error:
        raise ConfigError(f"'{option}': {error}", location=place) from None
    if found is None:
        raise ConfigError(f"'{option}' is no regular expression: {pattern}", location=place)
    return found
