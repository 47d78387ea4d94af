"""Random numbers: with a seed those that Java's `Random` gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tailrace.expressions.nodes import Call, Literal
from tailrace.expressions.registry import WHOLE, Context, define, fixed, takes, values
from tailrace.schema import DOUBLE, INT

_MULTIPLIER, _ADDEND, _MASK = np.uint64(0x5DEECE66D), np.uint64(0xB), np.uint64((1 << 48) - 1)
_TOP = 1 << 31
Bits = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]


def _first(seeds: Ints) -> Bits:
    """Give the states of fresh generators."""
    found: Bits = (seeds.astype(np.uint64) ^ _MULTIPLIER) & _MASK
    return found


def _next(states: Bits) -> Bits:
    found: Bits = (states * _MULTIPLIER + _ADDEND) & _MASK
    return found


def _doubles(high: Bits, low: Bits) -> Doubles:
    """Give the numbers from 0 up to 1 that two states each mean."""
    return (((high >> np.uint64(22)) << np.uint64(27)) + (low >> np.uint64(21))) * 2.0**-53


def _below(states: Bits, bounds: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Give the numbers below bounds that states mean, and which of them Java would draw again, to be fair to all."""
    drawn = (states >> np.uint64(17)).astype(np.int64)
    power = (bounds & (bounds - 1)) == 0
    rest = drawn % bounds
    return np.where(power, (bounds * drawn) >> 31, rest), ~power & (drawn - rest + bounds - 1 >= _TOP)


class JavaRandom:
    """
    Java's linear congruential generator with one seed, many numbers at once.

    >>> JavaRandom(42).doubles(2).round(6).tolist(), JavaRandom(42).below(100, 3).tolist()
    ([0.727564, 0.683223], [30, 63, 48])
    """

    def __init__(self, seed: int) -> None:
        self._state = _first(np.array([seed], dtype=np.int64))[0]

    def _ahead(self, count: int) -> Bits:
        """Give the next states without going on: the n-th is a linear function of the state now, modulo 2 to the 48th."""
        factors = np.multiply.accumulate(np.full(count, _MULTIPLIER, dtype=np.uint64))
        addends = np.cumsum(np.concatenate([[np.uint64(1)], factors[:-1]]), dtype=np.uint64) * _ADDEND
        found: Bits = (factors * self._state + addends) & _MASK
        return found

    def doubles(self, count: int) -> Doubles:
        """Give numbers from 0 up to 1."""
        states = self._ahead(2 * count)
        self._state = states[-1] if count else self._state
        return _doubles(states[0::2], states[1::2])

    def below(self, bound: int, count: int) -> Ints:
        """Give whole numbers from 0 up to a bound."""
        found: list[Ints] = []
        missing = count
        while missing:
            states = self._ahead(missing)
            numbers, again = _below(states, np.array(bound))
            self._state = states[-1]
            found.append(numbers[~again])
            missing -= len(found[-1])
        return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)


def _seeded_below(seeds: Ints, bounds: Ints) -> Ints:
    """Give the first number below a bound of a generator of each seed."""
    states = _next(_first(seeds))
    numbers, again = _below(states, bounds)
    while again.any():
        states = np.where(again, _next(states), states)
        numbers, again = _below(states, bounds)
    return numbers


def _batch(f: Callable[..., Any], dtype: pl.DataType, *args: pl.Expr) -> pl.Expr:
    """Give `f(count, *columns)`, with as many numbers as there are rows; NULL for a NULL argument."""

    def batch(s: pl.Series) -> pl.Series:
        fields = s.struct.unnest()
        nulls = fields.select(pl.any_horizontal(pl.all().is_null())).to_series()
        columns = [fields[str(i)].fill_null(1).cast(pl.Int64).to_numpy() for i in range(len(args))]
        return pl.Series(f(len(s), *columns), dtype=dtype).set(nulls, None)

    rows = pl.int_range(pl.len()).alias("row")
    packed = pl.struct([rows, *(a.alias(str(i)) for i, a in enumerate(args))])
    return packed.map_batches(batch, return_dtype=dtype)


def _rand(ctx: Context, e: Call) -> pl.Expr:
    if not e.args:
        rng = np.random.default_rng()
        return _batch(rng.random, pl.Float64())
    seed = e.args[0]
    if isinstance(seed, Literal) and seed.value is not None:
        java = JavaRandom(seed.value)
        return _batch(java.doubles, pl.Float64())
    return _batch(lambda _, seeds: _doubles(s := _next(_first(seeds)), _next(s)), pl.Float64(), ctx.lower(seed))


def _rand_integer(ctx: Context, e: Call) -> pl.Expr:
    *seed, bound = values(ctx, e)
    ctx.check(bound <= 0, "RAND_INTEGER: the bound must be positive", e.location)
    if not seed:
        rng = np.random.default_rng()
        return _batch(lambda _, bounds: rng.integers(0, np.maximum(bounds, 1)), pl.Int32(), bound)
    if all(isinstance(a, Literal) and a.value is not None for a in e.args):
        start, limit = (a.value for a in e.args if isinstance(a, Literal))
        java = JavaRandom(start)
        return _batch(lambda count: java.below(max(limit, 1), count), pl.Int32())
    return _batch(lambda _, seeds, bounds: _seeded_below(seeds, np.maximum(bounds, 1)), pl.Int32(), seed[0], bound)


define(
    "RAND",
    "math",
    "RAND([seed])",
    "A random number from 0 up to 1; with a constant seed the same sequence in each run.",
    fixed(DOUBLE),
    _rand,
    0,
    1,
    takes(WHOLE),
)
define(
    "RAND_INTEGER",
    "math",
    "RAND_INTEGER([seed,] bound)",
    "A random whole number from 0 up to the bound; with a constant seed the same sequence in each run.",
    fixed(INT),
    _rand_integer,
    1,
    2,
    takes(WHOLE),
)
