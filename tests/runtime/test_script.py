"""In which order the statements of a script run."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from tailrace.clock import SystemClock
from tailrace.connectors import registry
from tailrace.connectors.base import Context
from tailrace.errors import ConfigError
from tailrace.plan import nodes
from tailrace.runtime.script import Run, Script, Tell, steps
from tailrace.sql.statements import Done, Insert, Query, Statement


@pytest.fixture
def plans(world: Any, make: Any) -> dict[str, nodes.Sink]:
    """Give plans that end (`a`, `b`), plans that do not (`live`), and a query."""
    ends, live = world.scan("ends", make(0, 5)), world.scan("live", make(5, 9), bounded=False)
    query = nodes.Sink(schema=ends.schema, input=ends, table=None)
    asking = nodes.Sink(schema=live.schema, input=live, table=None)
    found = {"a": world.into(ends, "a"), "b": world.into(ends, "b"), "live": world.into(live, "out")}
    return {**found, "query": query, "asking": asking}


def bounded(plan: nodes.Sink) -> bool:
    """Tell whether the plan's table ends."""
    return all(n.table.name != "live" for n in nodes.walk(plan) if isinstance(n, nodes.Scan))


def order(plans: dict[str, nodes.Sink], *names: str) -> list[list[str]]:
    """Give the jobs of a script, each by the names of its plans."""
    statements: list[Statement] = [Query(plans[n]) if plans[n].table is None else Insert((plans[n],)) for n in names]
    by_id = {id(p): n for n, p in plans.items()}
    return [[by_id[id(s)] for s in step.sinks] for step in steps(statements, bounded) if isinstance(step, Run)]


def test_inserts_are_one_job(plans: dict[str, nodes.Sink]) -> None:
    """All INSERTs of a script run together, so that they share sources and checkpoints."""
    assert order(plans, "a", "live", "b") == [["a", "live", "b"]]


def test_bounded_inserts_run_before_a_query(plans: dict[str, nodes.Sink]) -> None:
    """A SELECT sees what the INSERTs before it have written."""
    assert order(plans, "a", "b", "query") == [["a", "b"], ["query"]]
    assert order(plans, "a", "asking") == [["a"], ["asking"]]


def test_unbounded_inserts_run_with_the_query(plans: dict[str, nodes.Sink]) -> None:
    """A job that never ends can't run first, so the SELECT runs with it."""
    assert order(plans, "a", "live", "query") == [["a", "live", "query"]]


def test_what_never_runs_is_refused(plans: dict[str, nodes.Sink]) -> None:
    """A statement behind an endless query would never run; that is told before anything does."""
    with pytest.raises(ConfigError, match="never runs"):
        order(plans, "asking", "a")


def test_a_script_runs_its_jobs_in_order(world: Any, plans: dict[str, nodes.Sink]) -> None:
    """Jobs, queries and what statements have to say come in the order of the script; several jobs have folders each."""
    told: list[str] = []
    rows: list[pl.DataFrame] = []
    statements: list[Statement] = [Done("one"), Insert((plans["a"],)), Query(plans["query"]), Done("two")]
    world.into(plans["a"].input, "answer")

    def query_sink(plan: nodes.Sink) -> Any:
        """Take the rows of the SELECT."""
        assert plan.table is None
        rows.append(plan.schema.empty())
        return world_sink(world)

    script = Script(
        "s",
        statements,
        world.tables,
        world.settings,
        state=world.folder / "state",
        query_sink=query_sink,
        tell=lambda s: told.append(s.message if isinstance(s, Done) else ""),
    )
    summaries = script.run()
    assert [s.rows_out for s in summaries] == [5, 5]
    assert told == ["one", "two"]
    assert [len(world.target(n).seen) for n in ("a", "answer")] == [5, 5]
    assert sorted(p.name for p in (world.folder / "state").iterdir()) == ["job-1", "job-2"]


def test_nothing_runs_when_a_later_job_is_wrong(world: Any, plans: dict[str, nodes.Sink]) -> None:
    """A table of the last statement that can't be written is found before the first one has written anything."""
    world.into(plans["a"].input, "answer")
    plan = plans["query"]
    wrong = nodes.Sink(schema=plan.schema, input=plan.input, table=world.table("wrong", nonsense="1"))
    statements: list[Statement] = [Insert((plans["a"],)), Query(plan), Insert((wrong,))]
    script = Script("s", statements, world.tables, world.settings, query_sink=lambda _: world_sink(world))
    with pytest.raises(ConfigError, match="nonsense"):
        script.run()
    assert world.target("a").seen == []


def test_a_job_has_the_settings_of_its_statement(plans: dict[str, nodes.Sink]) -> None:
    """Settings go with the statement, not with the end of the script."""
    runs = [
        s for s in steps([Query(plans["query"], {"a": "1"}), Query(plans["query"], {})], bounded) if isinstance(s, Run)
    ]
    assert [r.settings for r in runs] == [{"a": "1"}, {}]


def world_sink(world: Any) -> Any:
    """Give a sink that shows its rows in the target `answer`."""
    return registry.sink(world.tables["answer"], Context("j", world.folder, SystemClock()))


def test_a_stopped_script_skips_the_rest(world: Any, plans: dict[str, nodes.Sink]) -> None:
    """After `stop` no further job starts."""
    script = Script("s", [Insert((plans["a"],)), Tell(Done("")).statement], world.tables, world.settings)
    script.stop()
    assert script.run() == []
    assert script.status() is None
