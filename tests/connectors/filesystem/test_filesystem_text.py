"""Reading rows of bytes: cutting, resuming, compression and hostile files."""

from __future__ import annotations

import gzip
import os
import random
import re
from pathlib import Path

import filesystem_kit as kit
import numpy as np
import polars as pl
import pytest

from tailrace.connectors.base import Block, Limit
from tailrace.connectors.filesystem import texts
from tailrace.connectors.filesystem.cutting import cut_lines, cut_quoted
from tailrace.errors import ConfigError, TerminalError
from tailrace.plan.catalog import MetadataColumn, Table
from tailrace.schema import BIGINT, STRING, timestamp_ltz


def _table(path: Path, **options: str) -> Table:
    return kit.table({"path": str(path), "format": "json"} | {k.replace("_", "."): v for k, v in options.items()})


def _read(path: Path, folder: Path, options: dict[str, str] | None = None) -> list[Block]:
    declared = kit.table({"path": str(path), "format": "json"} | (options or {}))
    return kit.drain(kit.source(declared, folder).open({}))


def test_lines_of_a_file_are_rows_with_byte_offsets(tmp_path: Path) -> None:
    """Rows come in order; line ends and blank lines belong to nobody; the last row needs no line end."""
    path = tmp_path / "in.json"
    path.write_bytes(b'{"id":1}\n\n{"id":2}\r\n{"id":3}')
    blocks = _read(path, tmp_path)
    assert kit.lines(blocks) == [b'{"id":1}', b'{"id":2}', b'{"id":3}']
    offsets = [int(o) for b in blocks if b.offsets is not None for o in b.offsets]
    assert offsets == [0, 10, 20]
    assert {b.partition for b in blocks} == {"in.json"}


def test_every_position_resumes_with_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the position of any block, exactly the rows after it come again, whatever the chunk size."""
    monkeypatch.setattr(texts, "CHUNK", 64)
    path = tmp_path / "in.json"
    path.write_bytes(kit.json_rows(range(50)))
    source = kit.source(_table(path), tmp_path)
    blocks = kit.drain(source.open({}), Limit(rows=3, wait_seconds=0.0))
    every = kit.lines(blocks)
    assert every == kit.json_rows(range(50)).splitlines()
    assert len(blocks) > 15
    for i, block in enumerate(blocks):
        rest = kit.lines(kit.drain(source.open({"in.json": block.position})))
        assert rest == kit.lines(blocks[i + 1 :])


@pytest.mark.parametrize("seed", range(20))
def test_cutting_does_not_depend_on_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Random bytes with line ends and quotes give the same rows in small chunks as split at once."""
    rng = random.Random(seed)  # noqa: S311 - a seeded test
    monkeypatch.setattr(texts, "CHUNK", rng.choice((1, 2, 7, 64)))
    data = bytes(rng.choice(b'ab,"\n\r') for _ in range(300))
    path = tmp_path / "in.txt"
    path.write_bytes(data)
    declared = kit.table({"path": str(path), "format": "raw"}, {"line": STRING})
    expected = [line.removesuffix(b"\r") for line in data.split(b"\n")]
    if not expected[-1] and not data.endswith(b"\r"):
        expected.pop()
    rows = kit.lines(kit.drain(kit.source(declared, tmp_path).open({})))
    assert [r.rstrip(b"\r") for r in rows] == [r.rstrip(b"\r") for r in expected]


def test_quoted_line_feeds_of_csv_are_within_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A CSV row may have line ends in quotes, also across chunks."""
    monkeypatch.setattr(texts, "CHUNK", 8)
    path = tmp_path / "in.csv"
    path.write_bytes(b'1,"a\nb"\n2,"say ""x""\r\n, y"\n3,z\n')
    declared = kit.table({"path": str(path), "format": "csv"})
    rows = kit.lines(kit.drain(kit.source(declared, tmp_path).open({})))
    assert rows == [b'1,"a\nb"', b'2,"say ""x""\r\n, y"', b"3,z"]


def test_a_stray_quote_costs_no_other_row() -> None:
    """D13: a quote in the middle of a field opens nothing; the rows behind it stay rows."""
    data = np.frombuffer(b'1,5" pipe\n2,b\n"3\n",c\n', dtype=np.uint8)
    starts, ends, used = cut_quoted(ord('"'), None)(data, False)
    assert (starts.tolist(), ends.tolist(), used) == ([0, 10, 14], [9, 13, 20], len(data))


def test_an_escaped_quote_closes_nothing() -> None:
    """With an escape character, a quote behind it does not count; an escaped escape character does not escape."""
    data = np.frombuffer(b'1,"a\\"\nb"\n2,"c\\\\"\n', dtype=np.uint8)
    starts, _, used = cut_quoted(ord('"'), ord("\\"))(data, False)
    assert (starts.tolist(), used) == ([0, 10], len(data))


def test_cutting_keeps_a_partial_line() -> None:
    """Bytes after the last line end are not used, unless nothing follows."""
    data = np.frombuffer(b"a\nb", dtype=np.uint8)
    assert cut_lines(data, False)[2] == 2
    assert cut_lines(data, True)[1].tolist() == [1, 3]


@pytest.mark.parametrize("ending", ["gz", "zst"])
def test_compressed_files_are_read_and_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    """Gzip and zstd files of several members give their rows; a position within them resumes."""
    monkeypatch.setattr(texts, "CHUNK", 100)
    path = tmp_path / f"in.json.{ending}"
    path.write_bytes(_pack(kit.json_rows(range(20)), ending) + _pack(kit.json_rows(range(20, 40)), ending))
    source = kit.source(_table(path), tmp_path)
    blocks = kit.drain(source.open({}), Limit(rows=4, wait_seconds=0.0))
    assert kit.lines(blocks) == kit.json_rows(range(40)).splitlines()
    for i, block in enumerate(blocks):
        assert kit.lines(kit.drain(source.open({path.name: block.position}))) == kit.lines(blocks[i + 1 :])


def _pack(data: bytes, ending: str) -> bytes:
    if ending == "gz":
        return gzip.compress(data)
    zstd = pytest.importorskip("backports.zstd")
    packed: bytes = zstd.compress(data)
    return packed


@pytest.mark.parametrize("ending", ["gz", "zst"])
@pytest.mark.parametrize("cut", [30, 200, -1])
def test_a_truncated_file_is_one_reject_after_its_good_rows(tmp_path: Path, ending: str, cut: int) -> None:
    """D2: what came before the cut is read; then one reject names the byte; its position does not repeat it."""
    rng = random.Random(1)  # noqa: S311 - a seeded test
    data = b"".join(b'{"id": %d}\n' % rng.randrange(10**12) for _ in range(100))
    path = tmp_path / f"in.json.{ending}"
    path.write_bytes(_pack(data, ending)[:cut])
    source = kit.source(_table(path), tmp_path)
    blocks = kit.drain(source.open({}))
    rows = kit.lines(blocks)
    assert rows == data.splitlines()[: len(rows)]
    (reject,) = [r for b in blocks for r in b.rejects]
    assert reject.code == "truncated"
    assert re.search(r"at byte \d+", reject.reason)
    assert kit.drain(source.open(kit.last_positions(blocks))) == []


def test_a_damaged_gzip_file_is_one_reject(tmp_path: Path) -> None:
    """A flipped byte is found by the checksum at the latest; the job is told, and does not crash."""
    packed = bytearray(gzip.compress(kit.json_rows(range(1000))))
    packed[-6] ^= 0xFF
    path = tmp_path / "in.json.gz"
    path.write_bytes(packed)
    rejects = [r for b in _read(path, tmp_path) for r in b.rejects]
    assert [r.code for r in rejects] == ["corrupt"]


def test_a_bomb_is_stopped(tmp_path: Path) -> None:
    """D6: a file that grows beyond the ratio is rejected, without holding it in memory."""
    path = tmp_path / "in.json.gz"
    path.write_bytes(gzip.compress(bytes(80 << 20)))
    options = {"tailrace.max-compression-ratio": "100", "tailrace.max-row-bytes": "1 kb"}
    rejects = [r.code for b in _read(path, tmp_path, options) for r in b.rejects]
    assert rejects[-1] == "bomb"


@pytest.mark.parametrize("size", [200, 5_000, 9_000_000])
def test_a_row_that_is_too_long_is_rejected_alone(tmp_path: Path, size: int) -> None:
    """D7: the long row is one reject at its offset; rows around it are read."""
    path = tmp_path / "in.json"
    path.write_bytes(b'{"id":1}\n' + b"x" * size + b'\n{"id":2}\n')
    blocks = _read(path, tmp_path, {"tailrace.max-row-bytes": "100"})
    assert kit.lines(blocks) == [b'{"id":1}', b'{"id":2}']
    ((block, reject),) = [(b, r) for b in blocks for r in b.rejects]
    assert reject.code == "too-long"
    assert block.offsets is not None
    assert block.offsets[reject.row] == 9


def test_an_endless_last_row_is_rejected(tmp_path: Path) -> None:
    """A file of one endless line ends with one reject."""
    path = tmp_path / "in.json"
    path.write_bytes(b"x" * 10_000_000)
    blocks = _read(path, tmp_path, {"tailrace.max-row-bytes": "1 kb"})
    assert [r.code for b in blocks for r in b.rejects] == ["too-long"]


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    """D3: a UTF-8 byte order mark at the start is no part of the first row."""
    path = tmp_path / "in.json"
    path.write_bytes(b'\xef\xbb\xbf{"id":1}\n')
    assert kit.lines(_read(path, tmp_path)) == [b'{"id":1}']


@pytest.mark.parametrize("name", ["empty.json", "empty.json.gz"])
def test_an_empty_file_has_no_rows(tmp_path: Path, name: str) -> None:
    """D14: a file of 0 bytes begins and ends, without rows."""
    path = tmp_path / name
    path.touch()
    reader = kit.source(_table(path), tmp_path).open({})
    assert kit.drain(reader) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PAR1" + bytes(100), "a Parquet file"),
        (gzip.compress(b"{}\n", mtime=0), "gzip data"),
        (bytes(100), "binary data"),
        ("ab".encode("utf-16") * 20, "UTF-16"),
        (b"SQLite format 3\x00", "SQLite"),
    ],
)
def test_a_foreign_file_is_one_clear_error(tmp_path: Path, content: bytes, said: str) -> None:
    """A file that is plainly no text stops the source, which says what it looks like."""
    path = tmp_path / "in.json"
    path.write_bytes(content)
    source = kit.source(_table(path), tmp_path)
    with pytest.raises(TerminalError, match=said):
        kit.drain(source.open({}))
    assert said in source.check().message


def test_a_file_that_only_ends_as_gzip_is_refused(tmp_path: Path) -> None:
    """The ending promises gzip; other content is an error that names the option."""
    path = tmp_path / "in.json.gz"
    path.write_bytes(b'{"id":1}\n')
    with pytest.raises(TerminalError, match="no gzip data"):
        _read(path, tmp_path)
    assert kit.lines(_read(path, tmp_path, {"tailrace.compression": "none"})) == [b'{"id":1}']


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    """D14: a FIFO named as the path is an error; in a folder it is left out; neither blocks."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="is a pipe"):
        kit.source(_table(tmp_path / "pipe"), tmp_path).open({})
    (tmp_path / "a.json").write_bytes(b"{}\n")
    assert kit.lines(_read(tmp_path, tmp_path)) == [b"{}"]


def test_metadata_columns_tell_the_file(tmp_path: Path) -> None:
    """The four metadata keys are given by key, with Flink's types, only when asked for."""
    path = tmp_path / "in.json"
    path.write_bytes(b"{}\n{}\n")
    os.utime(path, (1_700_000_000.5, 1_700_000_000.5))
    keys = {"file.path": STRING, "file.name": STRING, "file.size": BIGINT, "file.modification-time": timestamp_ltz(3)}
    columns = tuple(MetadataColumn(f"m{i}", t, k) for i, (k, t) in enumerate(keys.items()))
    declared = kit.table({"path": str(path), "format": "json"}, metadata=columns)
    (block,) = kit.drain(kit.source(declared, tmp_path).open({}))
    assert block.metadata is not None
    assert block.metadata.schema == {k: t.polars for k, t in keys.items()}
    time = pl.Series([1_700_000_000_500]).cast(pl.Datetime("ms", "UTC"))[0]
    assert block.metadata.rows() == [(str(path), "in.json", 6, time)] * 2
    (plain,) = kit.drain(kit.source(declared, tmp_path, ("id",)).open({}))
    assert plain.metadata is None
