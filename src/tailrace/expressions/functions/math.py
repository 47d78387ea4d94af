"""Functions of numbers in DOUBLE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.expressions.nodes import Call, Expr
from tailrace.expressions.registry import (
    NUMBER,
    Context,
    LowerCall,
    define,
    doubles,
    fixed,
    never_null,
    simple,
    takes,
    values,
)
from tailrace.schema import DOUBLE

Doubles = npt.NDArray[np.float64]
_POLARS = (
    ("SQRT", "sqrt", "The square root; NaN below 0."),
    ("EXP", "exp", "e to the power of a."),
    ("LN", "log", "The natural logarithm."),
    ("SIN", "sin", "The sine."),
    ("COS", "cos", "The cosine."),
    ("TAN", "tan", "The tangent."),
    ("COT", "cot", "The cotangent."),
    ("ASIN", "arcsin", "The arc sine."),
    ("ACOS", "arccos", "The arc cosine."),
    ("ATAN", "arctan", "The arc tangent."),
    ("DEGREES", "degrees", "Radians in degrees."),
    ("RADIANS", "radians", "Degrees in radians."),
    ("SINH", "sinh", "The hyperbolic sine."),
    ("COSH", "cosh", "The hyperbolic cosine."),
    ("TANH", "tanh", "The hyperbolic tangent."),
)
_NUMPY: tuple[tuple[str, Callable[[Any], Any], str], ...] = (
    ("LOG10", np.log10, "The logarithm to base 10."),
    ("LOG2", lambda x: np.log(x) / np.log(2.0), "The logarithm to base 2."),
)


def _computed(f: Callable[..., Any]) -> LowerCall:
    """Lower a function of whole columns; NULL for a NULL argument."""

    def batch(columns: pl.Series) -> pl.Series:
        fields = columns.struct.unnest()
        with np.errstate(all="ignore"):
            out = pl.Series(f(*(c.to_numpy() for c in fields)), dtype=pl.Float64)
        nulls = fields.select(pl.any_horizontal(pl.all().is_null())).to_series()
        return out.set(nulls, None) if nulls.any() else out

    def lower(ctx: Context, e: Call) -> pl.Expr:
        packed = pl.struct([v.alias(str(i)) for i, v in enumerate(values(ctx, e))])
        return packed.map_batches(batch, return_dtype=pl.Float64())

    return lower


def _numbers(args: list[Expr]) -> list[Expr]:
    return doubles(takes(NUMBER)(args))


for _name, _method, _doc in _POLARS:
    define(
        _name,
        "math",
        f"{_name}(a)",
        _doc,
        fixed(DOUBLE),
        simple(lambda a, m=_method: getattr(a, m)()),
        1,
        convert=_numbers,
    )
for _name, _f, _doc in _NUMPY:
    define(_name, "math", f"{_name}(a)", _doc, fixed(DOUBLE), _computed(_f), 1, convert=_numbers)
define(
    "POWER",
    "math",
    "POWER(a, b)",
    "a to the power of b.",
    fixed(DOUBLE),
    simple(lambda a, b: a.pow(b)),
    2,
    convert=_numbers,
)
define(
    "ATAN2",
    "math",
    "ATAN2(y, x)",
    "The angle of the point (x, y).",
    fixed(DOUBLE),
    simple(pl.arctan2),
    2,
    convert=_numbers,
)


def _log(x: Doubles, y: Doubles | None = None) -> Doubles:
    found: Doubles = np.log(x) if y is None else np.log(y) / np.log(x)
    return found


define(
    "LOG",
    "math",
    "LOG([base,] a)",
    "The logarithm; natural without a base.",
    fixed(DOUBLE),
    _computed(_log),
    1,
    2,
    _numbers,
)
for _name, _value, _doc in (
    ("PI", np.pi, "The circle's constant."),
    ("E", np.e, "Euler's number."),
):
    define(_name, "math", f"{_name}()", _doc, never_null(DOUBLE), lambda *_, v=_value: pl.lit(v), 0)
