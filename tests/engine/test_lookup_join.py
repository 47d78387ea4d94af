"""Lookup joins against a join of whole frames, and what is asked for with caches of all kinds."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tailrace.engine import lookup_cache
from tailrace.engine.batch import KIND, ORIGIN
from tailrace.engine.lookups import Answer, Asker, CacheRules
from tailrace.engine.operator import Outbox, Times
from tailrace.engine.operators.lookup_join import LookupJoinOperator
from tailrace.expressions import catalogue
from tailrace.expressions.nodes import Column, Expr
from tailrace.plan.catalog import PhysicalColumn, Table
from tailrace.plan.nodes import JoinKind, LookupJoin, LookupKey, Scan
from tailrace.schema import BIGINT, STRING, Field, Schema
from tailrace.state import row_store

LEFT = Schema((Field("id", BIGINT), Field("k", BIGINT), Field("s", STRING)))
TABLE = Schema((Field("key", BIGINT), Field("text", STRING), Field("v", BIGINT)))
FOUND = Schema((Field("text0", STRING), Field("v0", BIGINT)))
CONDITION: Expr = catalogue.call(">", [Column(BIGINT, "v0"), Column(BIGINT, "k")])
ONE = ("key",)
TWO = ("key", "text")


@pytest.fixture(autouse=True)
def _crowded(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (lookup_cache, row_store):
        monkeypatch.setattr(module, "_FEW", 3)


class Frame(Asker):
    """Answers from a frame, and remembers what it was asked for; keys in `away` are lost."""

    def __init__(
        self, rows: pl.DataFrame, rules: CacheRules, away: tuple[int, ...] = (), *, rejects: bool = False
    ) -> None:
        self.rows = rows
        self.rules = rules
        self.rejects = rejects
        self.asked: list[list[tuple[object, ...]]] = []
        self._away = away

    def get(self, keys: pl.DataFrame) -> Answer:
        assert keys.n_unique() == len(keys)
        assert not keys.null_count().sum_horizontal().item()
        self.asked.append(keys.rows())
        lost = keys["key"].is_in(self._away).to_numpy()
        rows = self.rows.join(keys.filter(pl.Series(~lost)), on=keys.columns, how="semi")
        return Answer(rows, lost if lost.any() else None)

    def table(self) -> pl.DataFrame | None:
        return None


def node(kind: JoinKind, keys: tuple[str, ...], condition: Expr | None) -> LookupJoin:
    """Make a lookup by some columns."""
    table = Table("dim", tuple(PhysicalColumn(f.name, f.type) for f in TABLE), TABLE, {})
    scan = Scan(schema=LEFT, table=Table("t", (), LEFT, {}))
    values = {"key": Column(BIGINT, "k"), "text": Column(STRING, "s")}
    return LookupJoin(
        schema=Schema((Field("id", BIGINT), *FOUND.fields)),
        input=scan,
        kind=kind,
        table=table,
        keys=tuple(LookupKey(k, values[k]) for k in keys),
        found=FOUND,
        exprs=(Column(STRING, "text"), Column(BIGINT, "v")),
        condition=condition,
    )


def operator(plan: LookupJoin, asker: Asker) -> LookupJoinOperator:
    """Make the operator ready."""
    made = LookupJoinOperator(plan, asker, "UTC")
    made.outbox = Outbox()
    return made


def dim(rng: random.Random) -> pl.DataFrame:
    """Make a table with several rows of a key, and NULLs."""
    rows = [
        (rng.choice([None, *range(8)]), rng.choice([None, "a", "b"]), rng.choice([None, 1, 5, 9])) for _ in range(30)
    ]
    return pl.DataFrame(rows, schema=TABLE.polars, orient="row")


def batch(rng: random.Random, size: int) -> pl.DataFrame:
    """Make rows, some of whose keys nobody knows."""
    rows = [
        (rng.randrange(10**9), rng.choice([None, *range(12)]), rng.choice([None, "a", "b", "c"])) for _ in range(size)
    ]
    return pl.DataFrame(rows, schema=LEFT.polars, orient="row")


def expected(rows: pl.DataFrame, table: pl.DataFrame, plan: LookupJoin) -> Counter[tuple[object, ...]]:
    """Join the frames as a whole."""
    on = {"key": "k", "text": "s"}
    right = table.rename({"text": "text0", "v": "v0"}).with_columns(pl.col("text0").alias("text"))
    pairs = rows.join(right, left_on=[on[k.column] for k in plan.keys], right_on=[k.column for k in plan.keys])
    if plan.condition is not None:
        pairs = pairs.filter(pl.col("v0") > pl.col("k"))
    out = Counter(pairs.select("id", "text0", "v0").rows())
    if plan.kind is JoinKind.LEFT:
        out += Counter((i, None, None) for i in rows["id"].to_list() if i not in set(pairs["id"].to_list()))
    return out


RULES = {
    "none": CacheRules(),
    "all": CacheRules(keeps=True),
    "few": CacheRules(keeps=True, max_rows=5),
    "found": CacheRules(keeps=True, missing=False),
    "short": CacheRules(keeps=True, after_write=2, after_access=1),
}


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("keys", [ONE, TWO])
@pytest.mark.parametrize("condition", [None, CONDITION])
@pytest.mark.parametrize("kind", [JoinKind.INNER, JoinKind.LEFT])
def test_rows_meet_what_is_found(kind: JoinKind, condition: Expr | None, keys: tuple[str, ...], rules: str) -> None:
    """Whatever is kept, the rows are those of a join, and keys of a batch are asked for once."""
    seed = random.randrange(2**32)  # noqa: S311 - printed
    print(f"seed {seed}")  # noqa: T201
    rng = random.Random(seed)  # noqa: S311 - test data
    table, plan = dim(rng), node(kind, keys, condition)
    running = operator(plan, Frame(table, RULES[rules]))
    for now in range(12):
        rows = batch(rng, rng.choice([1, 3, 40]))
        out = [r for b in running.process(0, rows, Times(now=now)) for r in b.rows()]
        assert Counter(out) == expected(rows, table, plan)


def asked(rules: CacheRules, *ticks: tuple[int, list[int]]) -> list[list[int]]:
    """Give the keys that are asked for in each of these ticks (the time, and the keys of its rows)."""
    table = pl.DataFrame([(n, "x", n) for n in range(5)], schema=TABLE.polars, orient="row")
    asker = Frame(table, rules)
    running = operator(node(JoinKind.INNER, ONE, None), asker)
    out = []
    for now, keys in ticks:
        before = len(asker.asked)
        rows = pl.DataFrame({"id": keys, "k": keys, "s": ["x"] * len(keys)}, schema=LEFT.polars)
        running.process(0, rows, Times(now=now))
        out.append([int(str(k)) for question in asker.asked[before:] for (k,) in question])
    return out


def test_what_is_kept() -> None:
    """Nothing, all, for a time, the last used, or only what was found."""
    assert asked(CacheRules(), (0, [1, 1]), (1, [1])) == [[1], [1]]
    assert asked(CacheRules(keeps=True), (0, [1, 9]), (1, [9, 1, 2])) == [[1, 9], [2]]
    assert asked(CacheRules(keeps=True, missing=False), (0, [1, 9]), (1, [9, 1])) == [[1, 9], [9]]
    written = CacheRules(keeps=True, after_write=10)
    assert asked(written, (0, [1]), (9, [1]), (10, [1]), (19, [1])) == [[1], [], [1], []]
    used = CacheRules(keeps=True, after_access=10)
    assert asked(used, (0, [1]), (9, [1]), (18, [1]), (28, [1])) == [[1], [], [], [1]]
    few = CacheRules(keeps=True, max_rows=2)
    assert asked(few, (0, [1, 2]), (1, [1]), (2, [3]), (3, [1, 3]), (4, [2])) == [[1, 2], [], [3], [], [2]]


def test_order_and_hidden_columns_stay() -> None:
    """Rows come in the order of the batch, with the kinds and places that they had."""
    table = pl.DataFrame([(1, "a", 1), (1, "b", 2), (2, "c", 3)], schema=TABLE.polars, orient="row")
    running = operator(node(JoinKind.LEFT, ONE, None), Frame(table, CacheRules()))
    rows = pl.DataFrame({"id": [7, 8, 9, 10], "k": [2, None, 1, 5], "s": ["", "", "", ""]}, schema=LEFT.polars)
    rows = rows.with_columns(pl.Series(KIND, [0, 1, 2, 3], dtype=pl.Int8), pl.Series(ORIGIN, [0, 1, 2, 3]))
    (out,) = running.process(0, rows, Times())
    assert out["id"].to_list() == [7, 8, 9, 9, 10]
    assert out[KIND].to_list() == [0, 1, 2, 2, 3]
    assert out[ORIGIN].to_list() == [0, 1, 2, 2, 3]


@pytest.mark.parametrize("rejects", [True, False])
def test_keys_that_are_lost(*, rejects: bool) -> None:
    """What could not be asked for counts as nothing, or its rows are rejected; it is asked for again."""
    table = pl.DataFrame([(n, "x", n) for n in range(5)], schema=TABLE.polars, orient="row")
    asker = Frame(table, CacheRules(keeps=True), away=(2, 3), rejects=rejects)
    running = operator(node(JoinKind.LEFT, ONE, None), asker)
    rows = pl.DataFrame({"id": range(6), "k": [1, 2, 3, 2, None, 4], "s": [""] * 6}, schema=LEFT.polars)
    (out,) = running.process(0, rows.with_columns(pl.Series(ORIGIN, np.arange(6))), Times())
    if rejects:
        assert out["id"].to_list() == [0, 4, 5]
        (rejected,) = running.outbox.rejected
        assert (rejected.stage, rejected.origin.tolist()) == ("lookup", [1, 2, 3])
    else:
        assert out["v0"].to_list() == [1, None, None, None, None, 4]
        assert running.outbox.rejected == []
    running.process(0, rows[:2], Times(now=1))
    assert asker.asked == [[(1,), (2,), (3,), (4,)], [(2,)]]


def test_a_view_may_read_the_clock() -> None:
    """The rows that it leaves out, and what it computes, are those of the time when they are looked up."""
    table = pl.DataFrame([(1, "a", 5), (1, "b", 20), (2, "c", 8)], schema=TABLE.polars, orient="row")
    seconds = catalogue.call("UNIX_TIMESTAMP", [])
    plan = replace(
        node(JoinKind.INNER, ONE, None),
        predicate=catalogue.call(">", [Column(BIGINT, "v"), seconds]),
        exprs=(Column(STRING, "text"), seconds),
    )
    running = operator(plan, Frame(table, CacheRules()))
    rows = pl.DataFrame({"id": [1, 2], "k": [1, 2], "s": ["", ""]}, schema=LEFT.polars)
    assert running.process(0, rows, Times(now=7_000))[0].rows() == [(1, "b", 7), (2, "c", 7)]
    assert running.process(0, rows, Times(now=9_000))[0].rows() == [(1, "b", 9)]


@pytest.mark.parametrize("kind", [JoinKind.INNER, JoinKind.LEFT])
def test_rows_without_lost_keys_are_joined(kind: JoinKind) -> None:
    """The others find what they find without them, also under a condition; if all are lost, nothing comes."""
    table = pl.DataFrame([(n, "x", n + 1) for n in range(5)], schema=TABLE.polars, orient="row")
    away = (2, 3)
    running = operator(node(kind, ONE, CONDITION), Frame(table, CacheRules(), away, rejects=True))
    rows = pl.DataFrame({"id": range(7), "k": [3, None, 1, 2, 9, 4, 3], "s": [""] * 7}, schema=LEFT.polars)
    (out,) = running.process(0, rows, Times())
    rest = rows.filter(~pl.col("k").is_in(away).fill_null(value=False))
    assert Counter(out.rows()) == expected(rest, table, node(kind, ONE, CONDITION))
    assert running.process(0, rows.filter(pl.col("k").is_in(away)), Times()) == []
    assert [len(r.rows) for r in running.outbox.rejected] == [3, 3]
