"""What stands between rows: watermarks, pauses, checkpoints, crashes and the end; payloads, and rows that are refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import tailrace as tr
from tailrace.errors import ConfigError
from tailrace.testing import Change, Checkpoint, Crash, Drive, End, Pause, Watermark


def a_minute(delay: str = "0s") -> Drive:
    """Drive counts by user and minute."""
    clicks = tr.read("datagen", {"user": str, "ts": "TIMESTAMP(3)"}, name="clicks", time=tr.event_time("ts", delay))
    return Drive(clicks.window(tr.tumble("1m")).group_by("user").agg(n=tr.count()).select("user", "n"))


def click(user: str, time: str) -> dict[str, str]:
    """Give a click within the hour."""
    return {"user": user, "ts": f"2026-01-01 00:{time}"}


def test_a_watermark_closes_a_window_without_a_row() -> None:
    """Rows before it are late, whatever came before."""
    drive = a_minute()
    changes = drive.play("clicks", [click("ann", "00:10"), Watermark("2026-01-01 00:01:00"), click("bob", "00:20")])

    assert changes == [Change("+I", {"user": "ann", "n": 1})]
    assert drive.watermark("clicks") == datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
    assert [row["user"] for row in drive.late] == ["bob"]


def test_a_watermark_never_goes_back() -> None:
    """A lesser one changes nothing."""
    drive = a_minute()
    drive.play("clicks", [Watermark("2026-01-01 00:05:00"), Watermark("2026-01-01 00:01:00")])

    assert drive.watermark("clicks") == datetime(2026, 1, 1, 0, 5, tzinfo=UTC)


def test_a_crash_in_the_middle_loses_and_doubles_nothing() -> None:
    """Rows, watermarks and ends since the checkpoint come again; those before do not."""
    rows = [click("ann", "00:10"), click("ann", "00:20"), click("bob", "01:10"), click("ann", "01:20")]
    mark = Watermark("2026-01-01 00:01:00")
    plain, crashed = a_minute(), a_minute()
    plain.play("clicks", [*rows[:2], mark, *rows[2:], End()])
    crashed.play("clicks", [rows[0], Checkpoint(), rows[1], Crash(), mark, *rows[2:], Crash(), End(), Crash()])

    assert crashed.rows() == plain.rows()
    assert len(plain.rows()) == 3
    assert crashed.watermark("clicks") == plain.watermark("clicks")


def test_a_crash_after_an_end_that_was_checkpointed() -> None:
    """The table stays ended, and nothing comes out twice."""
    drive = a_minute()
    drive.play("clicks", [click("ann", "00:10"), End(), Checkpoint(), Crash()])

    drive.expect([{"user": "ann", "n": 1}])
    with pytest.raises(ConfigError, match="table 'clicks' has ended"):
        drive.push("clicks", [click("ann", "00:10")])


def test_a_pause_lets_partitions_become_idle() -> None:
    """The clock goes on by it."""
    drive = a_minute()
    drive.push("clicks", [click("ann", "00:10")], partition="slow")
    before = drive.clock.now_ms()
    changes = drive.play("clicks", [click("bob", "02:00"), Pause("1h"), click("bob", "02:01")], partition="fast")

    assert drive.clock.now_ms() - before == 3_600_000
    assert changes == [Change("+I", {"user": "ann", "n": 1})]


def test_one_of_two_tables_ends() -> None:
    """The other goes on, and then holds the join's state no longer."""
    left = tr.read("datagen", {"id": int, "ts": "TIMESTAMP(3)"}, name="lefts", time=tr.event_time("ts"))
    right = tr.read("datagen", {"id": int, "ts": "TIMESTAMP(3)"}, name="rights", time=tr.event_time("ts"))
    windows = [t.window(tr.tumble("1m")).group_by("id").agg(n=tr.count()).select("id", "n") for t in (left, right)]
    drive = Drive(windows[0].union(windows[1]))
    drive.push("lefts", [{"id": 1, "ts": "2026-01-01 00:00:01"}])
    drive.push("rights", [{"id": 2, "ts": "2026-01-01 00:00:01"}])

    assert drive.end("lefts") == [Change("+I", {"id": 1, "n": 1})]
    assert drive.push("rights", [{"id": 2, "ts": "2026-01-01 00:00:02"}]) == []
    assert drive.end("rights") == [Change("+I", {"id": 2, "n": 2})]


@pytest.mark.parametrize(
    ("items", "message"),
    [([Watermark("soon")], "'soon' is no time"), ([Pause("ten")], "'ten' is no span of time"), ([b"{}"], "push rows")],
)
def test_sentinels_that_can_not_be(items: list[object], message: str) -> None:
    """The error says how it is written."""
    with pytest.raises(ConfigError, match=message):
        a_minute().play("clicks", items)  # type: ignore[arg-type]


def test_a_watermark_of_a_table_without() -> None:
    """It is refused."""
    drive = Drive(tr.read("datagen", {"v": int}, name="rows"))
    with pytest.raises(ConfigError, match="table 'rows' has no watermark"):
        drive.advance_watermark("rows", "2026-01-01")


LETTERS = """
CREATE TABLE orders (id INT, amount STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH (
  'connector' = 'kafka', 'topic' = 't', 'properties.bootstrap.servers' = 'nowhere:1', 'format' = 'json', {options});
CREATE TABLE dead (source STRING, stage STRING, code STRING, reason STRING, payload STRING, `offset` BIGINT)
WITH ('connector' = 'print');
CREATE TABLE sums (w TIMESTAMP(3), total BIGINT) WITH ('connector' = 'print');
INSERT INTO sums SELECT window_end, SUM(CAST(amount AS BIGINT))
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end;
"""
TO_DEAD = (
    "'tailrace.on-error' = 'dead-letter', 'tailrace.on-late' = 'dead-letter', 'tailrace.dead-letter.table' = 'dead'"
)


def order(amount: str, time: str) -> bytes:
    """Give an order as it comes from a topic."""
    return f'{{"id": 1, "amount": "{amount}", "ts": "2026-01-01 00:{time}"}}'.encode()


def test_dead_letters() -> None:
    """What can't be decoded, what fails and what is late goes where the table says, with its payload."""
    drive = Drive(LETTERS.format(options=TO_DEAD))
    good, failing, late = order("5", "00:10"), order("much", "00:20"), order("7", "00:30")
    drive.push_bytes("orders", [good, b"no json", failing, order("1", "02:00")])
    drive.push_bytes("orders", [late])
    drive.end()

    drive.expect([{"w": "2026-01-01 00:01:00", "total": 5}, {"w": "2026-01-01 00:03:00", "total": 1}], "sums")
    assert [(row["stage"], row["payload"], row["offset"]) for row in drive.dead_letters] == [
        ("decode", "no json", 1),
        ("cast", failing.decode(), 2),
        ("late", late.decode(), 4),
    ]
    assert drive.rows("dead") == drive.dead_letters
    assert {r.action for r in drive.refused} == {"dead-letter"}
    assert drive.failure is None


def test_payloads_that_are_none() -> None:
    """One is taken as it is, what is no payload is refused."""
    drive = Drive(LETTERS.format(options=TO_DEAD))
    drive.push_bytes("orders", b"no json")

    assert [row["payload"] for row in drive.dead_letters] == ["no json"]
    with pytest.raises(ConfigError, match="takes payloads, not 7"):
        drive.push_bytes("orders", [7])  # type: ignore[list-item]


def test_dead_letters_since_a_checkpoint_are_taken_back() -> None:
    """And come again, once."""
    drive = Drive(LETTERS.format(options=TO_DEAD))
    drive.push_bytes("orders", [b"first"])
    drive.checkpoint()
    drive.push_bytes("orders", [b"second"])
    drive.crash()

    assert [row["payload"] for row in drive.dead_letters] == ["first", "second"]


def test_a_failure_is_kept() -> None:
    """By the policy `fail` a job would have ended; `drop` leaves nothing but the count."""
    failing = Drive(LETTERS.format(options="'tailrace.on-error' = 'fail'"))
    failing.push_bytes("orders", [order("much", "00:10")])
    dropping = Drive(LETTERS.format(options="'tailrace.on-error' = 'drop'"))
    dropping.push_bytes("orders", [order("much", "00:10")])

    assert "source 'orders', partition '0', offset 0" in str(failing.failure)
    assert [r.action for r in failing.refused] == ["fail"]
    assert dropping.failure is None
    assert [r.action for r in dropping.refused] == ["drop"]


def test_a_dead_letter_table_that_is_not_there() -> None:
    """It is refused as by a job."""
    with pytest.raises(ConfigError, match="did you mean 'dead'"):
        Drive(LETTERS.format(options=TO_DEAD.replace("'dead'", "'deed'")))


def test_settings_of_a_script_hold() -> None:
    """SET before the query counts, as in a job."""
    days = "SELECT EXTRACT(HOUR FROM CAST(ts AS TIMESTAMP(3))) AS h FROM t"
    table = "CREATE TABLE t (ts TIMESTAMP_LTZ(3)) WITH ('connector' = 'datagen');"
    drive = Drive(f"SET 'table.local-time-zone' = 'Asia/Tokyo'; {table} {days}")
    drive.push("t", [{"ts": "2026-01-01 00:00:00"}])

    assert drive.rows() == [{"h": 9}]
