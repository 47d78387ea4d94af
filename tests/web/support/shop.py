"""A pipeline with windows, dead letters and state, that the tests of the dashboard ask and tell things."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tailrace.runtime.script import Script
from tailrace.sql.session import Session

HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e"
TEXT = """
CREATE TABLE letters (`source` STRING, `partition` STRING, `offset` BIGINT, stage STRING, operator STRING, code STRING,
  reason STRING, payload BYTES, `time` TIMESTAMP_LTZ(3)) WITH ('connector' = 'filesystem', 'path' = '{folder}/letters',
  'format' = 'json', 'sink.rolling-policy.inactivity-interval' = '50 ms');
CREATE TABLE payments (card STRING, pin STRING, amount INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = '{folder}/in', 'format' = 'json', 'source.monitor-interval' = '50 ms',
  'scan.watermark.idle-timeout' = '0', 'tailrace.on-error' = 'dead-letter', 'tailrace.dead-letter.table' = 'letters');
CREATE TABLE paid (card STRING, secret STRING, amount INT) WITH ('connector' = 'filesystem', 'path' = '{folder}/out',
  'format' = 'json', 'sink.rolling-policy.inactivity-interval' = '50 ms');
CREATE TABLE counts (card STRING, n BIGINT, window_end TIMESTAMP(3)) WITH ('connector' = 'filesystem',
  'path' = '{folder}/counts', 'format' = 'json');
SET 'tailrace.redact' = '{redact}';
INSERT INTO paid SELECT card, 'pin ' || pin AS secret, amount FROM payments;
INSERT INTO counts SELECT card, COUNT(*), window_end
FROM TABLE(TUMBLE(TABLE payments, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY card, window_start, window_end;
"""


def until(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Wait for something, and give it."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)
    return found


class Shop:
    """The running pipeline, and the folder that it reads."""

    def __init__(self, folder: Path, script: Script) -> None:
        self.folder = folder
        self.script = script
        self._files = 0

    def pay(self, *rows: dict[str, Any] | bytes) -> None:
        """Give it rows: as JSON, or as they are."""
        lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
        self._files += 1
        hidden = self.folder / "in" / f".{self._files}"
        hidden.write_bytes(b"\n".join(lines) + b"\n")
        hidden.rename(self.folder / "in" / f"{self._files}.json")

    def paid(self) -> list[tuple[str, int]]:
        """Give card and amount of the rows that are written and seen."""
        lines = [line for part in (self.folder / "out").glob("part-*") for line in part.read_text().splitlines()]
        return sorted((row["card"], row["amount"]) for row in map(json.loads, lines))


def payment(card: str, amount: Any = 1, second: int = 0) -> dict[str, Any]:
    """Give a payment at a second of 1970."""
    return {"card": card, "pin": "4711", "amount": amount, "ts": f"1970-01-01 00:{second // 60:02}:{second % 60:02}"}


@contextmanager
def open_shop(folder: Path, redact: str = "pin") -> Iterator[Shop]:
    """Run the pipeline meanwhile."""
    (folder / "in").mkdir()
    session = Session(settings={"execution.checkpointing.interval": "100 ms"})
    statements = session.bind(TEXT.format(folder=folder, redact=redact), "shop.sql")
    script = Script("shop", statements, session.tables, session.settings, state=folder / "state", texts=session.texts)
    thread = threading.Thread(target=script.run, name="shop", daemon=True)
    thread.start()
    try:
        until(lambda: script.control)
        yield Shop(folder, script)
    finally:
        script.stop()
        thread.join(30)
