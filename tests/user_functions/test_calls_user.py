"""Whether a plan calls functions of the user is told, whatever their form."""

from __future__ import annotations

import pytest
from function_kit import World

from tailrace.plan.user_calls import calls_user

MODULE = """
@tr.udf(scalar=True)
def doubled(n: int) -> int:
    return 2 * n

@tr.udaf(scalar=True)
class summed:
    def create(self) -> int:
        return 0
    def accumulate(self, acc: int, n: int) -> int:
        return acc + n
    def result(self, acc: int) -> int:
        return acc

@tr.process(result_type={"m": "BIGINT"})
class passed:
    def on_row(self, row, ctx):
        yield row.n
"""


@pytest.mark.parametrize(
    ("query", "calls"),
    [
        ("SELECT 1 + doubled(n) FROM t", True),
        ("SELECT n FROM t WHERE ABS(n) > 3 OR doubled(n) > 3", True),
        ("SELECT summed(n) FROM t", True),
        ("SELECT a.n FROM t AS a JOIN t AS b ON a.n = b.n AND doubled(a.n) > b.n", True),
        ("SELECT m FROM passed(input => TABLE t PARTITION BY n, uid => 'p')", True),
        ("SELECT ABS(n), COUNT(*) FROM t GROUP BY n", False),
    ],
    ids=["value", "condition", "aggregate", "join", "process", "none"],
)
def test_calls_are_found(world: World, query: str, calls: bool) -> None:
    """None is called only because it is known."""
    world.module(MODULE)
    sql = world.table("n BIGINT", [{"n": 1}]) + world.functions("doubled", "summed", "passed")
    (job,) = world.jobs(f"{sql}{query};")
    assert calls_user(job.sinks) is calls
