"""Members that share out the replicas of a pipeline with state over Kafka: one is killed, one comes, and all rows count once."""

from __future__ import annotations

import json
import random
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import kafka_kit as kit
import pytest
from replicas_kit import MemberProcess, end_all, until

PARTITIONS = 4
CARDS = 40
ROWS = 12_000
WINDOW = 10
ALL = {f"{k}/{PARTITIONS}" for k in range(1, PARTITIONS + 1)}


def payment(card: int, amount: int, second: int) -> Mapping[str, Any]:
    """Give a message; a card is always in one partition."""
    value = b'{"amount": %d, "ts": "2026-01-01 %02d:%02d:%02d"}' % (
        amount,
        second // 3600,
        second // 60 % 60,
        second % 60,
    )
    return {"key": b"card-%d" % card, "value": value, "partition": card % PARTITIONS}


def payments(seed: int) -> list[tuple[int, int, int]]:
    """Give card, amount and second of rows in order of time, with some disorder."""
    draw = random.Random(seed)  # noqa: S311
    return [(draw.randrange(CARDS), i, max(0, i // 100 - draw.randrange(3))) for i in range(ROWS)]


class Feed:
    """Writes rows bit by bit from a thread, so that members come and go while there is something to read."""

    def __init__(self, kafka: str, topic: str, rows: list[tuple[int, int, int]]) -> None:
        self._to = (kafka, topic)
        self._rows = rows
        self._written = 0
        self._thread = threading.Thread()

    def go(self, end: int) -> None:
        """Write the rows up to this one, over some seconds."""
        self.wait()
        self._thread = threading.Thread(target=self._write, args=(self._written, end))
        self._written = end
        self._thread.start()

    def _write(self, begin: int, end: int) -> None:
        for first in range(begin, end, 100):
            kit.produce(*self._to, [payment(*row) for row in self._rows[first : min(end, first + 100)]])
            time.sleep(0.1)

    def wait(self) -> None:
        """Wait until all is written that was asked for."""
        if self._thread.ident is not None:
            self._thread.join()

    def close(self) -> None:
        """Write what is left, and a row far ahead in each partition, which closes all windows."""
        self.go(len(self._rows))
        self.wait()
        kit.produce(*self._to, [payment(CARDS + p, 10 * ROWS, 20_000) for p in range(PARTITIONS)])


def script(kafka: str, topic: str, out: tuple[str, str]) -> str:
    """Give windows, exactly once, and running sums by key."""
    servers = f"'properties.bootstrap.servers' = '{kafka}'"
    once = "'sink.delivery-guarantee' = 'exactly-once', 'sink.transactional-id-prefix' = '" + topic + "'"
    return f"""
SET 'execution.checkpointing.interval' = '300 ms';
CREATE TABLE payments (card STRING, amount BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '3' SECOND)
WITH ('connector' = 'kafka', 'topic' = '{topic}', {servers}, 'value.format' = 'json', 'key.format' = 'raw',
  'key.fields' = 'card', 'value.fields-include' = 'EXCEPT_KEY', 'scan.startup.mode' = 'earliest-offset',
  'tailrace.kafka.replica' = '${{REPLICA}}');
CREATE TABLE windows (card STRING, w TIMESTAMP(3), n BIGINT, total BIGINT)
WITH ('connector' = 'kafka', 'topic' = '{out[0]}', {servers}, 'format' = 'json', {once});
CREATE TABLE sums (card STRING, n BIGINT, total BIGINT, PRIMARY KEY (card) NOT ENFORCED)
WITH ('connector' = 'upsert-kafka', 'topic' = '{out[1]}', {servers}, 'key.format' = 'raw', 'value.format' = 'json', {once});
EXECUTE STATEMENT SET BEGIN
INSERT INTO windows SELECT card, window_start, COUNT(*), SUM(amount)
FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '{WINDOW}' SECOND)) GROUP BY card, window_start, window_end;
INSERT INTO sums SELECT card, COUNT(*), SUM(amount) FROM payments GROUP BY card;
END;
"""


def expected_windows(rows: list[tuple[int, int, int]]) -> Counter[tuple[str, str, int, int]]:
    """Compute the windows from the rows, without Tailrace."""
    groups: dict[tuple[int, int], list[int]] = defaultdict(list)
    for card, amount, second in rows:
        groups[card, second // WINDOW * WINDOW].append(amount)
    return Counter(
        (f"card-{card}", f"2026-01-01 00:{at // 60:02d}:{at % 60:02d}", len(amounts), sum(amounts))
        for (card, at), amounts in groups.items()
    )


def windows(kafka: str, topic: str) -> Counter[tuple[str, str, int, int]]:
    """Give the windows that were written, each as often as it is there."""
    found = [json.loads(m.value()) for m in kit.consume(kafka, topic, settled=False)]
    return Counter((r["card"], r["w"], r["n"], r["total"]) for r in found)


def sums(kafka: str, topic: str) -> dict[str, tuple[int, int]]:
    """Give the last sum of each card."""
    last = {m.key(): json.loads(m.value()) for m in kit.consume(kafka, topic, settled=False)}
    return {r["card"]: (r["n"], r["total"]) for r in last.values() if int(r["card"][5:]) < CARDS}


def expected_sums(rows: list[tuple[int, int, int]]) -> dict[str, tuple[int, int]]:
    """Compute the sums from the rows, without Tailrace."""
    groups: dict[str, list[int]] = defaultdict(list)
    for card, amount, _ in rows:
        groups[f"card-{card}"].append(amount)
    return {card: (len(amounts), sum(amounts)) for card, amounts in groups.items()}


def three_topics(kafka: str) -> tuple[str, str, str]:
    """Make a topic to read and two to write."""
    made = [kit.new_topic(kafka, PARTITIONS) for _ in range(3)]
    return made[0], made[1], made[2]


@pytest.mark.integration
@pytest.mark.slow
def test_one_is_killed_and_one_comes(kafka: str, tmp_path: Path) -> None:
    """Two members, one killed in mid-run, a third comes: windows stand there once, and sums have each row once."""
    topic, *out = three_topics(kafka)
    rows = payments(7)
    (tmp_path / "job.sql").write_text(script(kafka, topic, (out[0], out[1])))
    feed = Feed(kafka, topic, rows)
    feed.go(ROWS // 3)
    members = [MemberProcess(tmp_path, name, PARTITIONS) for name in ("a", "b")]
    a, b = members
    try:
        until(lambda: len(a.mine) == len(b.mine) == 2, a, b)
        until(lambda: windows(kafka, out[0]).total() > 100 and len(sums(kafka, out[1])) == CARDS, a, b)
        feed.go(ROWS * 2 // 3)
        before = sum(n for n, _ in sums(kafka, out[1]).values())
        until(lambda: sum(n for n, _ in sums(kafka, out[1]).values()) > before, a, b)
        assert len(a.children) == 2
        a.end(signal.SIGKILL)
        until(lambda: not a.children and b.mine == ALL, b)
        members.append(c := MemberProcess(tmp_path, "c", PARTITIONS))
        until(lambda: len(b.mine) == len(c.mine) == 2, b, c)
        feed.close()
        until(lambda: windows(kafka, out[0]).total() >= expected_windows(rows).total(), b, c)
        until(lambda: sums(kafka, out[1]) == expected_sums(rows), b, c)
        assert b.mine | c.mine == ALL
        for member in (b, c):
            assert member.end(signal.SIGTERM) == 0, member.said[-3000:]
    finally:
        feed.wait()
        end_all(*members)
    assert "takes over a replica" in b.said
    assert "gives up a replica" in b.said
    assert windows(kafka, out[0]) == expected_windows(rows)
    assert sums(kafka, out[1]) == expected_sums(rows)


COPIED = """
SET 'execution.checkpointing.interval' = '1 min';
CREATE TABLE payments (card STRING, amount BIGINT, p AS PROCTIME())
WITH ('connector' = 'kafka', 'topic' = '{topic}', {servers}, 'value.format' = 'json', 'key.format' = 'raw',
  'key.fields' = 'card', 'value.fields-include' = 'EXCEPT_KEY', 'scan.startup.mode' = 'earliest-offset',
  'tailrace.kafka.replica' = '${{REPLICA}}');
CREATE TABLE copies (card STRING, amount BIGINT, n BIGINT)
WITH ('connector' = 'kafka', 'topic' = '{out}', {servers}, 'format' = 'json');
INSERT INTO copies
SELECT card, amount, COUNT(*) OVER (PARTITION BY card ORDER BY p ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
FROM payments;
"""


@pytest.mark.integration
@pytest.mark.slow
def test_hand_over_in_good_order(kafka: str, tmp_path: Path) -> None:
    """
    Nothing is lost and nothing comes twice when replicas move, even to a sink that shows rows at once.

    Each row is numbered by card, so that state which did not come along, or came twice, is seen too. Checkpoints are so
    rare that only those of the hand-over count.
    """
    topic, out, _ = three_topics(kafka)
    rows = payments(8)
    servers = f"'properties.bootstrap.servers' = '{kafka}'"
    (tmp_path / "job.sql").write_text(COPIED.format(topic=topic, out=out, servers=servers))

    def copies() -> list[tuple[str, int, int]]:
        found = [json.loads(m.value()) for m in kit.consume(kafka, out, settled=False)]
        return sorted((r["card"], r["n"], r["amount"]) for r in found if r["amount"] < ROWS)

    feed = Feed(kafka, topic, rows)
    feed.go(ROWS // 4)
    members = [MemberProcess(tmp_path, "a", PARTITIONS)]
    try:
        until(lambda: len(copies()) > ROWS // 8, *members)
        for part, (name, share) in enumerate((("b", 2), ("c", 1)), 2):
            feed.go(part * ROWS // 4)
            members.append(MemberProcess(tmp_path, name, PARTITIONS))
            until(lambda share=share: len(members[-1].mine) == share, *members)  # type: ignore[misc]
        assert members[1].end(signal.SIGTERM) == 0, members[1].said[-3000:]
        stay = (members[0], members[2])
        until(lambda: len(stay[0].mine) == len(stay[1].mine) == 2, *stay)
        feed.close()
        until(lambda: len({amount for _, _, amount in copies()}) == ROWS, *stay)
        for member in stay:
            assert member.end(signal.SIGTERM) == 0, member.said[-3000:]
    finally:
        feed.wait()
        end_all(*members)
    assert "gives up a replica" in members[0].said
    numbers: Counter[str] = Counter()
    expected = []
    for card, amount, _ in rows:
        numbers[f"card-{card}"] += 1
        expected.append((f"card-{card}", numbers[f"card-{card}"], amount))
    assert copies() == sorted(expected)
