"""Dead letters: read back from their table, searched, hidden where that is asked for, and replayed."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tailrace.clock import SystemClock
from tailrace.errors import ConfigError
from tailrace.runtime.letter_box import LetterBox, Look
from tailrace.runtime.script import Script
from tailrace.sql.session import Session

TABLES = """
CREATE TABLE letters (`source` STRING, `partition` STRING, `offset` BIGINT, stage STRING, operator STRING, code STRING,
  reason STRING, payload BYTES, `time` TIMESTAMP_LTZ(3))
WITH ('connector' = 'filesystem', 'path' = '{folder}/letters', 'format' = 'json', 'sink.rolling-policy.inactivity-interval' = '50 ms');
CREATE TABLE payments (card STRING, amount INT) WITH ('connector' = 'filesystem', 'path' = '{folder}/in',
  'format' = 'json', 'source.monitor-interval' = '50 ms', 'tailrace.on-error' = '{on_error}',
  'tailrace.dead-letter.table' = 'letters');
CREATE TABLE paid (card STRING, amount INT, share INT) WITH ('connector' = 'filesystem', 'path' = '{folder}/out', 'format' = 'json');
"""
QUERY = "INSERT INTO paid SELECT card, amount, 100 / amount FROM payments;"
EVIL = b'{"card": "<script>\x1b[31m\xe2\x80\xae", "amount": "x"}'
LINES = (
    b'{"card": "c1", "amount": 5}',
    b'{"card": "c2", "amount": "five"}',
    b"4111-1111 is no JSON",
    b'{"card": "c3", "amount": 0}',
    EVIL,
    b'{"card": "c4", "amount": 4}',
)


def until(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Wait for something, and give it."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)
    return found


@contextmanager
def running(folder: Path, on_error: str = "dead-letter", query: str = QUERY, **settings: str) -> Iterator[Script]:
    """Run the pipeline meanwhile."""
    named = {k.replace("_", "."): v for k, v in settings.items()}
    session = Session(settings={"execution.checkpointing.interval": "100 ms", **named})
    statements = session.bind(TABLES.format(folder=folder, on_error=on_error) + query, "job.sql")
    script = Script("paid", statements, session.tables, session.settings, state=folder / "state")
    failures: list[BaseException] = []

    def run() -> None:
        try:
            script.run()
        except Exception as error:  # noqa: BLE001  told below
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        until(lambda: failures or script.control)
        assert not failures
        yield script
    finally:
        script.stop()
        thread.join(30)
    assert not failures


def box(script: Script) -> LetterBox:
    """Give the letters of a running pipeline."""
    inspection = script.inspection
    assert inspection is not None
    return LetterBox(inspection.letter_tables, inspection.settings, inspection.clock, inspection.redacted)


def looked(letters: LetterBox, count: int, search: str = "") -> Look:
    """Look until there are so many."""

    def look() -> Look | None:
        found = letters.look("letters", search)
        return found if found.matching >= count else None

    found: Look = until(look)
    return found


def written(folder: Path) -> list[tuple[str, int, int]]:
    """Give the rows that the pipeline has written and committed or will commit, in order of cards."""
    lines = [line for part in (folder / "out").glob("*part-*") for line in part.read_text().splitlines()]
    return sorted((row["card"], row["amount"], row["share"]) for row in map(json.loads, lines))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with input."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.json").write_bytes(b"\n".join(LINES) + b"\n")
    return tmp_path


def test_letters_are_found(folder: Path) -> None:
    """With the bytes that came; by words in their columns in any case, and by bytes of the payload."""
    with running(folder) as script:
        letters = box(script)
        found = looked(letters, 4)
        assert found.complete
        assert (found.matching, found.seen) == (4, 4)
        assert {x.raw("payload") for x in found.letters} == {LINES[1], LINES[2], LINES[3], EVIL}
        assert [x.raw("payload") for x in letters.look("letters", "4111-").letters] == [LINES[2]]
        [divided] = letters.look("letters", "DIVISION BY").letters
        assert (divided.text("source"), divided.raw("payload")) == ("payments", LINES[3])
        assert letters.look("letters", "nothing like it").letters == ()
        assert len(letters.look("letters", most=2).letters) == 2
        assert letters.find(divided.id) == divided
        assert letters.find("0123456789abcdef") is None
        again = box(script)
        assert again.find(divided.id) == divided, "the id is the same each time"


def test_what_is_hidden_is_neither_shown_nor_found(folder: Path) -> None:
    """Where columns can't be told apart the whole row is hidden; nobody finds a value by trying."""
    with running(folder, tailrace_redact="card") as script:
        letters = box(script)
        shown = [x.shown(letters.hidden) for x in looked(letters, 4).letters]
        assert sorted(x for x in shown if x is not None) == [
            b'{"card": "***", "amount": "five"}',
            b'{"card": "***", "amount": 0}',
        ]
        assert shown.count(None) == 2, "no JSON, and JSON with a control character"
        assert letters.look("letters", "c2").letters == ()
        assert letters.look("letters", "4111").letters == ()


def test_a_letter_that_was_mended_is_replayed_once(folder: Path) -> None:
    """The answer tells of the checkpoint that has it; it is not taken again after a restart."""
    with running(folder) as script:
        letters = box(script)
        [letter] = looked(letters, 1, "c2").letters
        control = script.control
        assert control is not None
        told = control.replay([letter], b'{"card": "c2", "amount": 20}')
        assert (told.rows, told.refused) == (1, 0)
        assert told.epoch <= script.status().checkpoint.epoch  # type: ignore[union-attr]
    with running(folder) as script:
        until(lambda: script.status().checkpoint.epoch > told.epoch)  # type: ignore[union-attr]
    assert written(folder) == [("c1", 5, 20), ("c2", 20, 5), ("c4", 4, 25)]


def test_a_letter_that_is_still_bad_is_a_letter_again(folder: Path) -> None:
    """It is told of; at the decoder as at an operator."""
    with running(folder) as script:
        letters = box(script)
        found = looked(letters, 4).letters
        control = script.control
        assert control is not None
        assert control.replay(found).refused == 4
        assert looked(letters, 8).matching == 8
        assert script.status().sources[0].dead_letters == 8  # type: ignore[union-attr]


def test_what_can_not_be_replayed_is_refused(folder: Path) -> None:
    """With the reason, and the job goes on."""
    with running(folder) as script:
        [letter] = looked(box(script), 1, "c2").letters
    cases = (
        ("fail", QUERY, "one bad row of table 'payments' stops the job"),
        (
            "dead-letter",
            "INSERT INTO paid SELECT card, amount, 1 FROM letters2;",
            "the job does not read table 'payments'",
        ),
    )
    (folder / "in" / "1.json").write_bytes(LINES[0] + b"\n")
    for number, (on_error, query, words) in enumerate(cases):
        more = (
            "CREATE TABLE letters2 (card STRING, amount INT) WITH ('connector' = 'filesystem', "
            f"'path' = '{folder}/in', 'format' = 'json', 'source.monitor-interval' = '50 ms');"
        )
        (folder / str(number)).mkdir()
        (folder / str(number) / "in").mkdir()
        with running(folder / str(number), on_error, more + query) as script:
            control = script.control
            assert control is not None
            with pytest.raises(ConfigError, match=words):
                control.replay([letter])


def test_a_table_of_letters_is_read_without_a_job(folder: Path) -> None:
    """As the command line does."""
    with running(folder) as script:
        looked(box(script), 4)
        tables = script.inspection.letter_tables  # type: ignore[union-attr]
    assert LetterBox(tables, {}, SystemClock(), ()).look("letters").matching == 4
