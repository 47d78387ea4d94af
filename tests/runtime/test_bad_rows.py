"""Rows that can't be taken: fail, drop, dead letters; each with its place."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest

from tailrace.clock import ManualClock
from tailrace.connectors.base import Block
from tailrace.engine.operator import Rejected
from tailrace.errors import ConfigError, DataError, TerminalError
from tailrace.formats.base import Decoded, Reject, Rows
from tailrace.runtime.bad_rows import ErrorPolicies
from tailrace.runtime.dead_letters import Letter, check_table, envelopes
from tailrace.runtime.fetch import Arrived
from tailrace.runtime.policy import Policy
from tailrace.schema import BIGINT, BYTES, DOUBLE, INT, STRING, map_type, timestamp, timestamp_ltz

LINES: list[bytes | None] = [b'{"id": 1}', b"nonsense", b'{"id": 3}', b'{"id": "x\x07"}', b'{"id": 5}']


def arrived(*, block: bool = True) -> Arrived:
    """Give five rows of which the second and fourth could not be read."""
    offsets = pl.Series([100, 101, 102, 103, 104]).to_numpy()
    raw = Block("7", Rows.of(LINES), 105, offsets, headers=pl.Series([[{"key": "h", "value": b"v"}]] * 5))
    kept = pl.Series([0, 2, 4]).to_numpy()
    rejects = (Reject(1, "JSON", "no object"), Reject(3, "TYPE", "'id' is no number"))
    frame = pl.DataFrame({"id": [1, 3, 5]})
    return Arrived("7", 105, frame, kept, rejects, offsets, raw if block else None, 5, 60)


def rejected(stage: str, origins: list[int], scan: str | None = "scan-t") -> Rejected:
    """Give rows that an operator could not take."""
    rows = pl.DataFrame({"id": origins})
    return Rejected(stage, "TR220", "division by zero", rows, rows["id"].to_numpy(), "calc", scan)


def policies(**options: Any) -> ErrorPolicies:
    """Give the policies of one table `t`."""
    return ErrorPolicies({"scan-t": Policy("t", **options)})


def test_fail_names_source_partition_and_offset_and_no_payload() -> None:
    """The default stops the job at the first bad row; what is in it is not shown unless asked for."""
    with pytest.raises(DataError) as caught:
        policies().unread("scan-t", arrived())
    assert "source 't', partition '7', offset 101: no object (stage decode)" in str(caught.value)
    assert "nonsense" not in str(caught.value)
    assert "'tailrace.on-error' = 'drop'" in caught.value.hint


@pytest.mark.parametrize(("redacted", "shown"), [(("id",), '{"id": "***"}'), (("other",), '{"id": "x')])
def test_samples_do_not_show_redacted_columns(redacted: tuple[str, ...], shown: str) -> None:
    """What is no JSON object is not shown at all: its columns can't be told apart."""
    readable = dataclasses.replace(arrived(), rejects=(Reject(3, "TYPE", "'id' is no number"),))
    lines = Rows.of([*LINES[:3], b'{"id": "xsecret"}', LINES[4]])
    assert readable.block is not None
    readable = dataclasses.replace(readable, block=dataclasses.replace(readable.block, values=lines))
    with pytest.raises(DataError) as caught:
        policies(samples=True, redacted=redacted).unread("scan-t", readable)
    assert shown in str(caught.value)
    assert ("xsecret" in str(caught.value)) is (redacted == ("other",))
    with pytest.raises(DataError) as caught:
        policies(samples=True, redacted=redacted).unread("scan-t", arrived())
    assert "8 bytes, hidden" in str(caught.value)


def test_samples_are_shown_when_asked_for_and_harmless() -> None:
    """With `tailrace.error-samples` the row's start is shown, without control characters."""
    only = Arrived(**{f: getattr(arrived(), f) for f in Arrived.__slots__} | {"rejects": arrived().rejects[1:]})
    with pytest.raises(DataError, match="12 bytes") as caught:
        policies(samples=True).unread("scan-t", only)
    assert "\x07" not in str(caught.value)


def test_drop_counts_by_reason() -> None:
    """Dropped rows leave a count for each stage and code."""
    errors = policies(on_error="drop")
    assert errors.unread("scan-t", arrived()) == []
    assert errors.rejected([("scan-t", arrived())], rejected("cast", [0, 2])) == []
    assert errors.tallies["scan-t"].dropped == {"decode: JSON": 1, "decode: TYPE": 1, "cast: TR220": 2}


def test_a_dead_letter_has_the_original_bytes_and_place() -> None:
    """Rows rejected by the format and by operators alike: bytes, headers, partition, offset, stage, reason."""
    errors = policies(on_error="dead-letter", dead_letters="dlq")
    letters = errors.unread("scan-t", arrived())
    letters += errors.rejected([("scan-t", arrived()), ("scan-t", arrived())], rejected("cast", [1, 5]))
    assert {table for table, _ in letters} == {"dlq"}
    found = [(x.partition, x.offset, x.stage, x.code, x.payload) for _, x in letters]
    assert found == [
        ("7", 101, "decode", "JSON", LINES[1]),
        ("7", 103, "decode", "TYPE", LINES[3]),
        ("7", 102, "cast", "TR220", LINES[2]),
        ("7", 104, "cast", "TR220", LINES[4]),
    ]
    assert letters[0][1].headers == [{"key": "h", "value": b"v"}]
    assert errors.tallies["scan-t"].dead_letters == 4


def test_late_rows_are_counted_by_their_source() -> None:
    """By default late rows never fail a job, and are counted for the source that gave them."""
    errors = ErrorPolicies({"scan-t": Policy("t"), "scan-u": Policy("u")})
    inputs = [("scan-t", arrived()), ("scan-u", arrived())]
    assert errors.rejected(inputs, rejected("late", [0, 3, 5], None)) == []
    assert (errors.tallies["scan-t"].dropped["late"], errors.tallies["scan-u"].dropped["late"]) == (1, 2)


def test_late_rows_can_be_dead_letters() -> None:
    """`tailrace.on-late` is apart from `tailrace.on-error`."""
    errors = policies(on_late="dead-letter", dead_letters="dlq")
    (letter,) = errors.rejected([("scan-t", arrived())], rejected("late", [2]))
    assert (letter[1].stage, letter[1].offset) == ("late", 104)


def test_a_row_without_a_known_place_still_fails() -> None:
    """A bad row is never silent, even if nobody knows where it came from."""
    with pytest.raises(DataError, match="division by zero"):
        policies(on_error="drop").rejected([], rejected("cast", [-1], None))


def test_rows_of_columnar_sources_become_json() -> None:
    """A source without bytes gives the row as a line of JSON."""
    raw = Block("0", pl.DataFrame({"id": [1, 2]}), 2)
    item = Arrived("0", 2, pl.DataFrame({"id": [1, 2]}), None, (), None, raw, 2, 10)
    errors = policies(on_error="dead-letter", dead_letters="dlq")
    (letter,) = errors.rejected([("scan-t", item)], rejected("cast", [1]))
    assert (letter[1].payload, letter[1].offset) == (b'{"id":2}', None)


def test_rows_that_came_from_no_input_are_shown_as_the_operator_had_them() -> None:
    """Behind an aggregate there are no original bytes; any type goes into the envelope."""
    rows = pl.DataFrame({"n": [1, 2], "x": [Decimal("1.50"), None], "raw": [b"\xff", b""], "$kind": [0, 0]})
    given = Rejected("cast", "TR220", "division by zero", rows, np.array([-1, -1]), "calc-2", "scan-t")
    errors = policies(on_error="dead-letter", dead_letters="dlq")
    letters = errors.rejected([("scan-t", arrived())], given)
    assert [(x.payload, x.offset, x.operator) for _, x in letters] == [
        (b'{"n":1,"x":"1.50","raw":"/w=="}', None, "calc-2"),
        (b'{"n":2,"x":null,"raw":""}', None, "calc-2"),
    ]


def test_a_dead_letter_has_the_key() -> None:
    """The key of a message is kept beside its value, as it came."""
    item = arrived()
    assert item.block is not None
    keyed = dataclasses.replace(
        item, block=dataclasses.replace(item.block, keys=Rows.of([b"k0", b"k1", None, b"", b"k4"]))
    )
    errors = policies(on_error="dead-letter", dead_letters="dlq")
    assert [x.key for _, x in errors.unread("scan-t", keyed)] == [b"k1", b""]


def test_too_large_a_share_of_bad_rows_stops_the_job() -> None:
    """The circuit breaker counts bad rows against all rows, once there are enough of them."""
    errors = policies(on_error="drop", max_share=0.1)
    for _ in range(60):
        errors.unread("scan-t", arrived())
    errors.check_shares({"scan-t": 999})
    errors.check_shares({"scan-t": 1200})
    with pytest.raises(TerminalError, match=r"120 of 1100 rows of table 't' are bad"):
        errors.check_shares({"scan-t": 1100})


NOW = ManualClock(1_700_000_000_123).now_ms()
LETTERS = [
    Letter("t", "7", 101, "decode", "", "JSON", "no object", b"\xffx", [{"key": "h", "value": b"v"}]),
    Letter("t", None, None, "cast", "calc", "TR220", "division by zero"),
]


def test_an_envelope_has_what_the_table_declares(world: Any) -> None:
    """Columns are taken by name, in the table's order and types."""
    wanted = {"reason": STRING, "offset": INT, "payload": BYTES, "time": timestamp_ltz(3), "job": STRING}
    frame = envelopes(world.table("dlq", wanted), LETTERS, "j", "v", NOW)
    at = datetime.fromtimestamp(NOW / 1000, UTC)
    assert frame.rows() == [("no object", 101, b"\xffx", at, "j"), ("division by zero", None, None, at, "j")]
    assert frame.schema["offset"] == pl.Int32()


def test_an_envelope_as_text(world: Any) -> None:
    """Bytes and headers can be text: what is no UTF-8 is marked, not lost in an error."""
    wanted = {"payload": STRING, "headers": STRING, "time": timestamp(3)}
    frame = envelopes(world.table("dlq", wanted), LETTERS, "j", "v", NOW)
    assert frame.rows()[0] == ("\ufffdx", "h=v", datetime.fromtimestamp(NOW / 1000, UTC).replace(tzinfo=None))


@pytest.mark.parametrize(("value", "wanted"), [(BYTES, b"v"), (STRING, "v")], ids=["bytes", "text"])
def test_headers_as_a_map(world: Any, value: Any, wanted: Any) -> None:
    """Headers can be a MAP."""
    frame = envelopes(world.table("dlq", {"headers": map_type(STRING, value)}), LETTERS, "j", "v", NOW)
    assert frame["headers"].to_list() == [[{"key": "h", "value": wanted}], None]


def test_a_table_that_is_no_envelope_is_refused(world: Any) -> None:
    """Names and types are checked before anything runs."""
    with pytest.raises(ConfigError, match="they have no column 'playload'") as caught:
        check_table(world.table("dlq", {"playload": BYTES}))
    assert caught.value.hint == "did you mean 'payload'?"
    with pytest.raises(ConfigError, match="column 'offset' of dead-letter table 'dlq' can't be DOUBLE"):
        check_table(world.table("dlq", {"offset": DOUBLE}))


class Half:
    """A decoder for tests: rows that begin with `!` can't be read."""

    def decode(self, block: Block) -> Decoded:
        """Give the others, with their length as id."""
        assert isinstance(block.values, Rows)
        rows = [block.values.row(i) or b"" for i in range(len(block))]
        good = [i for i, r in enumerate(rows) if not r.startswith(b"!")]
        frame = pl.DataFrame({"id": [len(rows[i]) for i in good], "name": [rows[i].decode() for i in good]})
        rejects = [Reject(i, "BANG", "it begins with a bang") for i in range(len(rows)) if i not in good]
        return Decoded(frame, pl.Series(good, dtype=pl.Int64).to_numpy(), rejects)


@pytest.fixture
def bad_input(world: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a world in which the decoder fails for rows that begin with `!`."""
    monkeypatch.setattr("tailrace.runtime.assembly.BlockDecoder", lambda *_, **__: Half())
    return world


ROWS = [[b"a", b"!b", b"cc"], [b"!d", b"!e"], [b"ffff"]]


@pytest.mark.parametrize("kind", ["flushed", "marked", "staged"])
def test_dead_letters_go_with_the_epoch_of_their_rows(bad_input: Any, kind: str) -> None:
    """In a whole job: good rows go on in order, bad ones arrive in the dead-letter table, and are counted."""
    world = bad_input
    options = {"tailrace_on_error": "dead-letter", "tailrace_dead_letter.table": "dlq"}
    scan = world.scan("lines", *ROWS, **options)
    world.table("dlq", {"source": STRING, "offset": BIGINT, "payload": BYTES}, kind=kind)
    summary = world.job(world.into(scan, "out", "marked")).run()
    assert [r[0] for r in world.target("out").seen] == [1, 2, 4]
    assert world.target("dlq").seen == [("lines", 1, b"!b"), ("lines", 3, b"!d"), ("lines", 4, b"!e")]
    assert summary.sources[0].dead_letters == 3


def test_a_dead_letter_target_that_fails_stops_the_job(bad_input: Any, boom: Any) -> None:
    """Nothing is dropped because the dead letters could not be written."""
    world = bad_input
    scan = world.scan("lines", *ROWS, **{"tailrace_on_error": "dead-letter", "tailrace_dead_letter.table": "dlq"})
    world.table("dlq", {"payload": BYTES})
    world.faults_of("dlq").at["write", 1] = boom()
    with pytest.raises(boom):
        world.job(world.into(scan, "out", "marked")).run()


def test_dead_letters_without_a_declared_table_are_refused(bad_input: Any) -> None:
    """The table must exist; the error says what was meant."""
    world = bad_input
    scan = world.scan("lines", *ROWS, **{"tailrace_on_error": "dead-letter", "tailrace_dead_letter.table": "dql"})
    world.table("dlq", {"payload": BYTES})
    with pytest.raises(ConfigError, match="the dead-letter table 'dql' is not declared") as caught:
        world.job(world.into(scan, "out")).run()
    assert caught.value.hint == "did you mean 'dlq'?"


def test_dropped_rows_are_in_the_summary(bad_input: Any) -> None:
    """`drop` goes on, and the summary says what was dropped and why."""
    scan = bad_input.scan("lines", *ROWS, tailrace_on_error="drop")
    summary = bad_input.job(bad_input.into(scan, "out")).run()
    assert summary.sources[0].dropped == {"decode: BANG": 3}


def test_a_bad_row_fails_the_job_and_nothing_of_its_tick_is_seen(bad_input: Any) -> None:
    """With `fail` (the default) the exactly-once target has nothing beyond the last checkpoint."""
    bad_input.settings["execution.checkpointing.interval"] = "0"
    scan = bad_input.scan("lines", *ROWS)
    with pytest.raises(DataError, match="source 'lines', partition '0', offset 1"):
        bad_input.job(bad_input.into(scan, "out", "marked")).run()
    assert bad_input.target("out").seen == []
