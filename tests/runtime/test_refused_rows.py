"""Rows that a sink refuses: alone, once, and in the epoch of their neighbours, whatever crashed when."""

from __future__ import annotations

from typing import Any

import pytest

from tailrace.errors import ConfigError, DataError, TerminalError
from tailrace.schema import BIGINT, STRING

LETTERS = {"source": STRING, "stage": STRING, "code": STRING, "reason": STRING, "payload": STRING}
WANT = {i for i in range(200) if i % 7}
REFUSED = sorted(f'{{"id":{i},"name":"{i}"}}' for i in range(0, 200, 7))


def plan(world: Any, make: Any, kind: str, policy: str, letters: str = "staged", **more: str) -> Any:
    """Give a plan of two hundred rows into a sink that refuses some of them."""
    world.table("letters", LETTERS, kind=letters)
    scan = world.scan("numbers", *(make(i, i + 10) for i in range(0, 200, 10)))
    return world.into(
        scan, "out", kind, **{"tailrace.on_error": policy, "tailrace.dead_letter.table": "letters", **more}
    )


def written(world: Any) -> list[int]:
    """Give the ids that can be seen."""
    return [row[0] for row in world.target("out").seen]


@pytest.mark.parametrize("kind", ["choosy", "picky"])
def test_a_refused_row_goes_alone(world: Any, make: Any, kind: str) -> None:
    """The rows around it are written; it is a dead letter with table, stage, code, reason and its values, and counted."""
    summary = world.job(plan(world, make, kind, "dead-letter")).run()
    assert set(written(world)) == WANT
    assert len(written(world)) == len(WANT)
    seen = world.target("letters").seen
    assert {row[:4] for row in seen} == {("out", "sink", "seven", "a multiple of seven")}
    assert sorted(row[4] for row in seen) == REFUSED
    (out,) = (s for s in summary.sinks if s.table == "out")
    assert (out.rows, out.dead_letters, out.dropped) == (len(WANT), len(REFUSED), {})


@pytest.mark.parametrize("kind", ["choosy", "picky"])
def test_refused_rows_are_counted_or_stop_the_job(world: Any, make: Any, kind: str) -> None:
    """With `drop` they are counted by reason; with `fail`, the default, the first one stops the job."""
    summary = world.job(plan(world, make, kind, "drop"), state="drops").run()
    assert set(written(world)) == WANT
    assert summary.sinks[0].dropped == {"sink: seven": len(REFUSED)}
    world.targets.clear()
    with pytest.raises(DataError, match=r"table 'out': a multiple of seven \(stage sink\)") as caught:
        world.job(plan(world, make, kind, "fail"), state="fails").run()
    assert "'tailrace.on-error' = 'drop'" in caught.value.hint


MOMENTS = [
    ("out", "prepare", 2),
    ("out", "commit", 2),
    ("out", "committed", 2),
    ("letters", "prepare", 2),
    ("letters", "commit", 2),
    ("letters", "committed", 2),
    ("letters", "write", 2),
]


@pytest.mark.parametrize("letters", ["staged", "marked"])
@pytest.mark.parametrize("kind", ["choosy", "picky"])
@pytest.mark.parametrize(("who", "call", "count"), MOMENTS, ids=[f"{w}-{c}" for w, c, _ in MOMENTS])
def test_letters_are_exactly_once(
    world: Any, make: Any, boom: type[Exception], kind: str, letters: str, who: str, call: str, count: int
) -> None:
    """A crash at any step of a checkpoint loses no dead letter and gives none twice."""
    world.settings["execution.checkpointing.interval"] = "1 ms"
    world.settings["tailrace.tick.rows"] = "10"
    world.faults_of("numbers").delay["poll"] = 0.005
    sink = plan(world, make, kind, "dead-letter", letters)
    world.faults_of(who).at[(call, count)] = boom()
    died = 0
    for _ in range(3):
        try:
            world.job(sink).run()
            break
        except boom:
            died += 1
    reached = world.faults_of(who).counts.get(call, 0) >= count
    assert died == int(reached)
    assert reached or (kind, letters) != ("picky", "staged")
    assert sorted(written(world)) == sorted(WANT)
    assert sorted(row[4] for row in world.target("letters").seen) == REFUSED


def test_null_where_none_may_be(world: Any, make: Any) -> None:
    """A row with NULL in a column that is NOT NULL is refused before the sink sees it."""
    world.table("letters", LETTERS, kind="staged")
    frame = make(0, 20)
    feed = frame.with_columns(frame["name"].replace("7", None).alias("name"))
    schema = {"id": BIGINT, "name": STRING.with_nullable(False)}

    def into(policy: str) -> Any:
        scan = world.scan("numbers", feed)
        sink = world.into(scan, "out", "staged")
        options = {"kind": "staged", "tailrace.on_error": policy, "tailrace.dead_letter.table": "letters"}
        return type(sink)(schema=sink.schema, input=scan, table=world.table("out", schema, **options))

    world.job(into("dead-letter"), state="letters").run()
    assert len(written(world)) == 19
    assert world.target("letters").seen[0][2:] == (
        "not-null",
        "column 'name' is NOT NULL, and the query gives NULL",
        '{"id":7,"name":null}',
    )
    with pytest.raises(DataError, match="column 'name' is NOT NULL"):
        world.job(into("fail"), state="fails").run()


def test_a_table_that_refuses_most_rows_stops_the_job(world: Any, make: Any) -> None:
    """`tailrace.max-error-share` counts for rows that are written too."""
    world.table("letters", LETTERS, kind="staged")
    scan = world.scan("numbers", *(make(i, i + 100) for i in range(0, 5000, 100)))
    options = {"tailrace.on_error": "drop", "tailrace.max_error_share": "0.05"}
    with pytest.raises(TerminalError, match="rows for table 'out' are refused, more than the limit"):
        world.job(world.into(scan, "out", "picky", **options)).run()


def test_a_table_takes_no_letters_of_its_own(world: Any, make: Any) -> None:
    """It would refuse them too."""
    sink = plan(world, make, "picky", "dead-letter", **{"tailrace.dead_letter.table": "out"})
    with pytest.raises(ConfigError, match="table 'out' can't take its own dead letters"):
        world.job(sink).run()
