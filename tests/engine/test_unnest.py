"""UNNEST against plain Python."""

from __future__ import annotations

import random
from collections.abc import Iterator

import polars as pl
import pytest

from tailrace.engine.batch import KIND
from tailrace.engine.operator import Outbox, Times
from tailrace.engine.operators.unnest import RepeatOperator, UnnestOperator
from tailrace.expressions import catalogue
from tailrace.expressions.nodes import Column, Expr, Literal
from tailrace.plan.catalog import Table
from tailrace.plan.nodes import Repeat, Scan, Unnest
from tailrace.schema import BIGINT, INT, STRING, DataType, Field, Kind, Schema, array, map_type, row

MULTISET = DataType(Kind.MULTISET, children=(BIGINT,))
KINDS: dict[str, tuple[DataType, tuple[Field, ...]]] = {
    "array": (array(BIGINT), (Field("x", BIGINT),)),
    "rows": (array(row({"p": BIGINT, "q": STRING})), (Field("x", BIGINT), Field("y", STRING))),
    "map": (map_type(STRING, BIGINT), (Field("y", STRING), Field("x", BIGINT))),
    "multiset": (MULTISET, (Field("x", BIGINT),)),
}
GREATER: Expr = catalogue.call(">", [Column(BIGINT, "x"), Literal(BIGINT, 1)])


def value(rng: random.Random, kind: str) -> object:
    """Make a collection, or NULL."""
    if rng.random() < 0.2:
        return None
    numbers = [rng.choice([None, 0, 1, 2, 3]) for _ in range(rng.randint(0, 4))]
    if kind == "array":
        return numbers
    if kind == "rows":
        return [rng.choice([None, {"p": v, "q": str(v)}, {"p": v, "q": None}]) for v in numbers]
    often = 1 if kind == "map" else rng.randint(1, 3)
    keys = [f"k{i}" for i in range(len(numbers))] if kind == "map" else numbers
    return [{"key": k, "value": v if kind == "map" else often} for k, v in zip(keys, numbers, strict=True)]


def elements(kind: str, given: object) -> Iterator[tuple[object, ...]]:
    """Give the elements of a collection as rows."""
    assert isinstance(given, list)
    for one in given:
        if kind == "array":
            yield (one,)
        elif kind == "rows" and one is not None:
            yield (one["p"], one["q"])
        elif kind == "map":
            yield (one["key"], one["value"])
        elif kind == "multiset":
            yield from [(one["key"],)] * one["value"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("outer", "condition"), [(False, None), (True, None), (True, GREATER)])
def test_each_element_is_a_row(kind: str, condition: Expr | None, *, outer: bool) -> None:
    """In order, with its number, and with a row of NULLs for a row without elements in an outer one."""
    seed = random.randrange(2**32)  # noqa: S311 - printed
    print(f"seed {seed}")  # noqa: T201
    rng = random.Random(seed)  # noqa: S311 - test data
    dtype, fields = KINDS[kind]
    below = Schema((Field("id", BIGINT), Field("c", dtype)))
    number = "n" if kind != "rows" else None
    added = (*fields, Field("n", INT)) if number else fields
    node = Unnest(
        schema=Schema((Field("id", BIGINT), *added)),
        input=Scan(schema=below, table=Table("t", (), below, {})),
        collection="c",
        elements=tuple(f.name for f in fields),
        ordinality=number,
        outer=outer,
        condition=condition,
    )
    operator = UnnestOperator(node, "UTC")
    operator.outbox = Outbox()
    given = [(i, value(rng, kind), rng.choice([0, 1, 2, 3])) for i in range(200)]
    batch = pl.DataFrame(given, schema={**below.polars, KIND: pl.Int8()}, orient="row")
    (out,) = operator.process(0, batch, Times())
    assert out.rows() == list(expected(given, kind, node))


def expected(given: list[tuple[int, object, int]], kind: str, node: Unnest) -> Iterator[tuple[object, ...]]:
    """Compute the rows one by one."""
    place = [f.name for f in node.schema].index("x") - 1
    for i, collection, sign in given:
        found = list(enumerate(elements(kind, collection), 1)) if collection is not None else []
        if node.condition is not None:
            found = [(n, e) for n, e in found if e[place] is not None and int(str(e[place])) > 1]
        for n, e in found:
            yield (i, *e, *([n] if node.ordinality else []), sign)
        if not found and node.outer:
            yield (i, *[None] * len(node.added), sign)


def test_rows_are_repeated() -> None:
    """As often as their count says, with their kinds."""
    below = Schema((Field("a", STRING), Field("n", BIGINT)))
    scan = Scan(schema=below, table=Table("t", (), below, {}))
    operator = RepeatOperator(Repeat(schema=Schema((below["a"],)), input=scan, count="n"))
    (out,) = operator.process(0, pl.DataFrame({"a": ["x", "y", "z"], "n": [2, 0, 1], KIND: [0, 1, 2]}), Times())
    assert out.rows() == [("x", 0), ("x", 0), ("z", 2)]
