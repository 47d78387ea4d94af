"""Health: ready when it reads, alive while it gets on, and why not."""

from __future__ import annotations

from dataclasses import replace

from tailrace.observe.health import StallDetector, readiness
from tailrace.runtime.observation import Observation, PartitionStatus
from tailrace.runtime.summary import CheckpointStatus, SinkStatus, SourceStatus, Status

SOURCE = SourceStatus("scan-t", "t", 100, 1000, 5, None, {}, 0, 0)
SINK = SinkStatus("sink-o", "o", 10, 0, 0)
SEEN = Observation(Status("j", "running", 9.0, (SOURCE,), (SINK,), CheckpointStatus()))


def with_partitions(*rows_and_lags: tuple[int, int | None]) -> Observation:
    """Make an observation of partitions that have given so many rows, and have so many left."""
    parts = [PartitionStatus("scan-t", "t", str(i), rows, lag=lag) for i, (rows, lag) in enumerate(rows_and_lags)]
    return replace(SEEN, partitions=tuple(parts))


def test_a_job_that_runs_is_ready() -> None:
    assert readiness(SEEN).ok


def test_a_job_that_starts_is_not_ready() -> None:
    starting = replace(SEEN, status=replace(SEEN.status, state="starting"))
    assert readiness(starting).reasons == ("job 'j' is starting",)


def test_a_job_that_waits_for_a_system_is_not_ready() -> None:
    away = replace(SEEN, status=replace(SEEN.status, sources=(replace(SOURCE, waiting="broker is away"),)))
    assert readiness(away).reasons == ("source 't' waits: broker is away",)


def test_one_partition_that_stands_still_is_a_stall() -> None:
    """Though the others move; a partition with nothing to read may stand."""
    detector = StallDetector(60)
    assert detector.look([with_partitions((5, 3), (7, 0), (1, 9))], 0).ok
    assert detector.look([with_partitions((5, 3), (7, 0), (2, 9))], 59).ok
    stalled = detector.look([with_partitions((5, 3), (7, 0), (3, 9))], 61)
    assert stalled.reasons == ("partition '0' of 't' has 3 rows to read, and none has moved for 61 s",)
    assert detector.look([with_partitions((6, 2), (7, 0), (4, 9))], 62).ok


def test_what_has_begun_to_wait_later_is_given_its_time() -> None:
    detector = StallDetector(60)
    detector.look([with_partitions((5, 0))], 0)
    assert detector.look([with_partitions((5, 4))], 100).ok
    assert detector.look([with_partitions((5, 4))], 159).ok
    assert not detector.look([with_partitions((5, 4))], 160).ok


def test_a_sink_that_takes_nothing_is_a_stall() -> None:
    detector = StallDetector(60)
    full = replace(SEEN, status=replace(SEEN.status, sinks=(replace(SINK, queued_bytes=9),)))
    detector.look([full], 0)
    assert detector.look([full], 60).reasons == (
        "sink 'o' has rows that wait to be written, and none has moved for 60 s",
    )


def test_a_job_that_has_ended_is_no_stall() -> None:
    detector = StallDetector(60)
    detector.look([with_partitions((5, 3))], 0)
    over = replace(with_partitions((5, 3)), status=replace(SEEN.status, state="finished"))
    assert detector.look([over], 500).ok


def test_jobs_are_told_apart() -> None:
    """Two jobs with tables of one name."""
    other = replace(with_partitions((5, 3)), status=replace(SEEN.status, name="other"))
    detector = StallDetector(60)
    detector.look([with_partitions((5, 3)), other], 0)
    moved = replace(other, partitions=(replace(other.partitions[0], rows=6),))
    found = detector.look([with_partitions((5, 3)), moved], 60)
    assert len(found.reasons) == 1
