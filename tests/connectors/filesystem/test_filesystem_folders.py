"""Folders, globs and partitions of files; watching; files that are rotated, cut or replaced."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import filesystem_kit as kit
import pytest

from tailrace.clock import ManualClock
from tailrace.connectors.base import Assigned, Block, Ended, Limit
from tailrace.connectors.filesystem.paths import escape, local_path, natural_key, partition_folder, partition_values
from tailrace.connectors.filesystem.source import FileReader
from tailrace.errors import ConfigError, TerminalError, UnsupportedError
from tailrace.plan.catalog import Table
from tailrace.schema import BIGINT, BOOLEAN, DATE, STRING


def _table(path: Path, **options: str) -> Table:
    return kit.table({"path": str(path), "format": "json"} | {k.replace("__", "-"): v for k, v in options.items()})


def _write(path: Path, *ids: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.writelines(b"%d\n" % i for i in ids)


def _ids(blocks: list[Block], partition: str | None = None) -> list[int]:
    return [int(row) for row in kit.lines(blocks, partition)]


def test_a_folder_is_read_in_natural_order_with_all_files_assigned_first(tmp_path: Path) -> None:
    """Every file is assigned before any row; part-9 is read before part-10; folders are searched."""
    for i, name in enumerate(("part-9.json", "part-10.json", "sub/a.json")):
        _write(tmp_path / "in" / name, i)
    _write(tmp_path / "in" / "_SUCCESS", 99)
    _write(tmp_path / "in" / ".part-11.inprogress", 99)
    reader = kit.source(_table(tmp_path / "in"), tmp_path).open({})
    assert reader.poll(Limit()) == []
    first = reader.changes()
    assert first == [Assigned("part-9.json"), Assigned("part-10.json"), Assigned("sub/a.json")]
    blocks = reader.poll(Limit())
    assert _ids(blocks) == [0, 1, 2]
    assert reader.changes() == [Ended("part-9.json"), Ended("part-10.json"), Ended("sub/a.json")]


def test_poll_keeps_to_its_limit(tmp_path: Path) -> None:
    """A poll gives at most the rows asked for, over several files."""
    _write(tmp_path / "in" / "a", *range(5))
    _write(tmp_path / "in" / "b", *range(5, 9))
    reader = kit.source(_table(tmp_path / "in"), tmp_path).open({})
    reader.changes()
    sizes = [sum(map(len, reader.poll(Limit(rows=3)))) for _ in range(4)]
    assert sizes == [3, 3, 3, 0]


def test_a_limit_of_bytes_still_gives_one_row(tmp_path: Path) -> None:
    """However small the limit, reading goes on."""
    _write(tmp_path / "a", *range(20))
    reader = kit.source(_table(tmp_path / "a"), tmp_path).open({})
    assert _ids(kit.drain(reader, Limit(bytes=1))) == list(range(20))


def test_resuming_a_folder_goes_on_in_each_file(tmp_path: Path) -> None:
    """Files that were read are not read again; one in the middle goes on; all others begin."""
    folder = tmp_path / "in"
    for i in range(4):
        _write(folder / f"f{i}", *range(i * 10, i * 10 + 10))
    source = kit.source(_table(folder), tmp_path)
    reader = source.open({})
    reader.changes()
    first = reader.poll(Limit(rows=15))
    assert _ids(first) == list(range(15))
    assert _ids(kit.drain(source.open(kit.last_positions(first)))) == list(range(15, 40))


def test_globs_and_patterns_choose_files(tmp_path: Path) -> None:
    """A glob matches as in a shell; the pattern must match the whole absolute path."""
    for i, name in enumerate(("a1.json", "a2.json", "b1.json", "a1.csv")):
        _write(tmp_path / "in" / name, i)
    assert _ids(kit.drain(kit.source(_table(tmp_path / "in" / "a?.json"), tmp_path).open({}))) == [0, 1]
    pattern = {"source.path.regex-pattern": r".*/[ab]1\.json"}
    declared = kit.table({"path": str(tmp_path / "in"), "format": "json"} | pattern)
    assert _ids(kit.drain(kit.source(declared, tmp_path).open({}))) == [0, 2]
    with pytest.raises(ConfigError, match="no file matches"):
        kit.source(_table(tmp_path / "in" / "c*"), tmp_path).open({})


def test_a_missing_path_names_its_neighbour(tmp_path: Path) -> None:
    """The hint is the name that was likely meant."""
    _write(tmp_path / "events.json", 1)
    source = kit.source(_table(tmp_path / "event.json"), tmp_path)
    with pytest.raises(ConfigError, match=r"did you mean 'events.json'"):
        source.open({})
    assert not source.check().ok


def test_an_empty_folder_has_no_partitions(tmp_path: Path) -> None:
    """A folder without files is a source without rows, and not an error."""
    (tmp_path / "in").mkdir()
    reader = kit.source(_table(tmp_path / "in"), tmp_path).open({})
    assert reader.changes() == []
    assert reader.poll(Limit()) == []


def test_a_link_that_leads_back_is_not_followed_for_ever(tmp_path: Path) -> None:
    """D14: a loop of links is walked once; a link to itself is an error when named, and no file in a folder."""
    _write(tmp_path / "in" / "a", 1)
    (tmp_path / "in" / "back").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "self").symlink_to(tmp_path / "in" / "self")
    assert _ids(kit.drain(kit.source(_table(tmp_path / "in"), tmp_path).open({}))) == [1]
    with pytest.raises(ConfigError, match="can't read"):
        kit.source(_table(tmp_path / "in" / "self"), tmp_path).open({})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("file:///a/b%20c", "/a/b c"),
        ("file:/a/b", "/a/b"),
        ("file://localhost/a", "/a"),
        ("/a/../b", "/b"),
    ],
)
def test_paths_and_uris(text: str, expected: str) -> None:
    """A file URI is decoded; a path is made absolute."""
    assert str(local_path(text)) == expected


def test_other_file_systems_are_refused() -> None:
    """An object store or a host is not silently taken for a folder."""
    with pytest.raises(UnsupportedError, match="s3:"):
        local_path("s3://bucket/x")
    with pytest.raises(ConfigError, match="host"):
        local_path("file://data/x")


def test_a_relative_path_is_of_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path without a root begins at the current folder."""
    monkeypatch.chdir(tmp_path)
    assert local_path("in/a.json") == tmp_path / "in" / "a.json"


def test_natural_order() -> None:
    """Numbers count as numbers; names sort totally, also when they mix."""
    names = ["a10", "a9", "10", "9", "b", "a", "²"]
    assert sorted(names, key=natural_key) == ["a", "a9", "a10", "b", "²", "9", "10"]


def test_partition_folders_round_trip() -> None:
    """Values with signs are escaped as by Hive; NULL and empty text are the default name."""
    folder = partition_folder(("a", "b"), ("x/y:z=1%", ""), "NONE")
    assert folder == "a=x%2Fy%3Az%3D1%25/b=NONE"
    assert partition_values(f"{folder}/f", ("a", "b"), "NONE") == {"a": "x/y:z=1%", "b": None}
    assert escape("plain name-1.2") == "plain name-1.2"


def test_partition_columns_come_from_folders(tmp_path: Path) -> None:
    """Their values are typed, one for each row of the file; a default name is NULL."""
    _write(tmp_path / "in" / "day=2024-02-29" / "ok=true" / "f", 1, 2)
    _write(tmp_path / "in" / "day=__DEFAULT_PARTITION__" / "ok=FALSE" / "f", 3)
    columns = {"id": BIGINT, "day": DATE, "ok": BOOLEAN}
    declared = kit.table({"path": str(tmp_path / "in"), "format": "json"}, columns, ("day", "ok"))
    blocks = kit.drain(kit.source(declared, tmp_path).open({}))
    given = [row for b in blocks if b.metadata is not None for row in b.metadata.select("day", "ok").rows()]
    assert given == [(date(2024, 2, 29), True), (date(2024, 2, 29), True), (None, False)]


@pytest.mark.parametrize(("name", "said"), [("day=soon/f", "is no DATE"), ("f", "has no folder 'day=...'")])
def test_wrong_partition_folders_are_clear_errors(tmp_path: Path, name: str, said: str) -> None:
    """A folder that does not fit the type, or is missing, stops with the file's name."""
    _write(tmp_path / "in" / name, 1)
    declared = kit.table({"path": str(tmp_path / "in"), "format": "json"}, {"id": BIGINT, "day": DATE}, ("day",))
    with pytest.raises(TerminalError, match=said):
        kit.source(declared, tmp_path).open({})


class Watch:
    """A watched folder under a clock of its own."""

    def __init__(self, tmp_path: Path, **options: str) -> None:
        self.clock = ManualClock()
        self.folder = tmp_path / "in"
        self.folder.mkdir(exist_ok=True)
        given = {"path": str(self.folder), "format": "json", "source.monitor-interval": "1 s"}
        declared = kit.table(given | {k.replace("__", "."): v for k, v in options.items()}, {"id": STRING})
        self.source = kit.source(declared, tmp_path, clock=self.clock)
        self.reader: FileReader = self.source.open({})

    def step(self) -> list[Block]:
        """Let the interval go by and read."""
        self.clock.advance(1000)
        return kit.step(self.reader)


def test_watching_finds_new_files_and_growth(tmp_path: Path) -> None:
    """A new file and new lines of a known one come; nothing comes twice; a line without its end waits."""
    watch = Watch(tmp_path)
    assert not watch.source.bounded
    assert watch.step() == []
    _write(watch.folder / "a", 1, 2)
    assert _ids(watch.step()) == [1, 2]
    with (watch.folder / "a").open("ab") as file:
        file.write(b"3\n4")
    _write(watch.folder / "b", 10)
    assert sorted(_ids(watch.step())) == [3, 10]
    _write(watch.folder / "a", 0)
    assert _ids(watch.step()) == [40]
    assert watch.step() == []


def test_a_watched_file_is_resumed(tmp_path: Path) -> None:
    """After a restart, only lines after the position come."""
    watch = Watch(tmp_path)
    _write(watch.folder / "a", 1, 2)
    positions = kit.last_positions(watch.step())
    _write(watch.folder / "a", 3)
    assert _ids(kit.step(watch.source.open(positions))) == [3]


def _rotate(folder: Path, partial: bytes = b"") -> None:
    with (folder / "a").open("ab") as file:
        file.write(partial)
    (folder / "a").rename(folder / "a.1")
    _write(folder / "a", 7, 8)


def test_rotation_loses_and_repeats_nothing(tmp_path: Path) -> None:
    """D14: the old file is read to its end, also its last line without an end, then the new one under its name."""
    watch = Watch(tmp_path)
    _write(watch.folder / "a", 1, 2)
    assert _ids(watch.step()) == [1, 2]
    _write(watch.folder / "a", 3)
    _rotate(watch.folder, b"4")
    blocks = watch.step()
    assert _ids(blocks) == [3, 4, 7, 8]
    assert {b.partition for b in blocks} == {"a"}
    _write(watch.folder / "a", 9)
    last = watch.step()
    assert _ids(last) == [9]
    assert kit.step(watch.source.open(kit.last_positions(last))) == []


def test_rotation_while_the_job_was_down(tmp_path: Path) -> None:
    """D14: the rest of the rotated file is found by its inode and beginning."""
    watch = Watch(tmp_path)
    _write(watch.folder / "a", 1, 2)
    positions = kit.last_positions(watch.step())
    _write(watch.folder / "a", 3)
    _rotate(watch.folder)
    assert _ids(kit.step(watch.source.open(positions))) == [3, 7, 8]


def _cut(path: Path) -> None:
    os.truncate(path, 2)


def _write_over(path: Path) -> None:
    path.write_bytes(b"5\n6\n7\n8\n")


def _replace(path: Path) -> None:
    other = path.with_name("_new")
    other.write_bytes(b"5\n6\n7\n8\n")
    path.unlink()
    other.rename(path)


@pytest.mark.parametrize("change", [_cut, _write_over])
def test_a_cut_or_overwritten_file_is_said_clearly(tmp_path: Path, change: Callable[[Path], None]) -> None:
    """D14: a live file that lost what was read stops the job, or starts over where the table says so."""
    watch = Watch(tmp_path)
    _write(watch.folder / "a", 1, 2)
    watch.step()
    change(watch.folder / "a")
    with pytest.raises(TerminalError, match=r"has changed since it was read up to 4"):
        watch.step()
    again = Watch(tmp_path, **{"tailrace__on-file-change": "restart"})
    before = _ids(again.step())
    (watch.folder / "a").write_bytes(b"0\n" if change is _cut else b"9\n9\n9\n9\n9\n")
    after = [] if change is _cut else [9] * 5
    assert before
    assert _ids(again.step()) == (after or [0])


@pytest.mark.parametrize("change", [_cut, _write_over, _replace])
@pytest.mark.parametrize("bounded", [True, False])
def test_a_changed_file_is_found_on_resume(tmp_path: Path, change: Callable[[Path], None], bounded: bool) -> None:
    """D14: a file that is not the one of the position stops the start, and names what differs."""
    path = tmp_path / "in" / "a"
    _write(path, 1, 2)
    options = {} if bounded else {"source.monitor__interval": "1 s"}
    source = kit.source(_table(path, **options), tmp_path)
    positions = kit.last_positions(kit.step(source.open({})))
    change(path)
    with pytest.raises(TerminalError, match=r"was cut|was replaced|was written over"):
        kit.step(source.open(positions))
    eager = kit.source(_table(path, **options, **{"tailrace.on__file__change": "restart"}), tmp_path)
    expected = [1] if change is _cut else [5, 6, 7, 8]
    assert _ids(kit.step(eager.open(positions))) == expected


def test_a_moved_or_copied_file_is_known_again(tmp_path: Path) -> None:
    """A file with another inode and the same bytes goes on where it stood."""
    path = tmp_path / "in" / "a"
    _write(path, 1, 2)
    source = kit.source(_table(path), tmp_path)
    positions = kit.last_positions(kit.step(source.open({})))
    data = path.read_bytes()
    path.unlink()
    (tmp_path / "in" / "keep").write_bytes(b"")
    path.write_bytes(data + b"3\n")
    assert _ids(kit.step(source.open(positions))) == [3]


def test_a_read_file_may_go_and_an_unread_one_may_not(tmp_path: Path) -> None:
    """A file that was read to its end may be deleted; one with unread bytes stops the start."""
    folder = tmp_path / "in"
    _write(folder / "a", 1, 2)
    source = kit.source(_table(folder), tmp_path)
    reader = source.open({})
    reader.changes()
    half = kit.last_positions(reader.poll(Limit(rows=1)))
    whole = kit.last_positions(reader.poll(Limit(rows=1)))
    (folder / "a").unlink()
    assert kit.drain(source.open(whole)) == []
    with pytest.raises(TerminalError, match="it is gone"):
        kit.step(source.open(half))


def test_a_watched_file_that_is_deleted_ends(tmp_path: Path) -> None:
    """Its partition ends, so that it holds no watermark; a new file of the name begins it again."""
    watch = Watch(tmp_path)
    _write(watch.folder / "a", 1)
    watch.step()
    (watch.folder / "a").unlink()
    watch.clock.advance(1000)
    watch.reader.poll(Limit(wait_seconds=0))
    assert watch.reader.changes() == [Ended("a")]
    _write(watch.folder / "b", 0)  # takes the free inode, perhaps
    _write(watch.folder / "a", 2)
    assert sorted(_ids(watch.step())) == [0, 2]


def test_a_new_file_with_the_inode_of_a_deleted_one_is_read(tmp_path: Path) -> None:
    """Name, inode and size are the same, but what it begins with is not: no row of it is left out."""
    watch = Watch(tmp_path)
    path = watch.folder / "a"
    _write(path, 1)
    watch.step()
    inode = path.stat().st_ino
    path.unlink()
    watch.clock.advance(1000)
    watch.reader.poll(Limit(wait_seconds=0))
    assert watch.reader.changes() == [Ended("a")]
    for i in range(1000):  # file systems give the inode of a deleted file to a new one, sooner or later
        _write(path, 2)
        if path.stat().st_ino == inode:
            break
        path.rename(tmp_path / f"other{i}")
    else:
        pytest.skip("this file system does not give the inode of a deleted file again")
    assert _ids(watch.step()) == [2]


def test_many_watched_files_do_not_keep_many_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a bound the file that has waited longest is closed, and opened again when it grows."""
    monkeypatch.setattr("tailrace.connectors.filesystem.source.MAX_OPEN", 3)
    watch = Watch(tmp_path)
    for i in range(10):
        _write(watch.folder / f"f{i}", i)
    before = kit.open_files()
    assert _ids(watch.step()) == list(range(10))
    assert kit.open_files() <= before + 4
    for i in range(10):
        _write(watch.folder / f"f{i}", 10 + i)
    assert sorted(_ids(watch.step())) == list(range(10, 20))
    watch.reader.close()
    assert kit.open_files() == before


def test_check_says_what_it_found(tmp_path: Path) -> None:
    """The report counts files and bytes and says whether it ends."""
    _write(tmp_path / "in" / "a", 1)
    report = kit.source(_table(tmp_path / "in"), tmp_path).check()
    assert report.ok
    assert report.message == f"reads 1 file (2 bytes) of {tmp_path}/in, then ends"


def test_a_folder_without_rights_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """S5: the folder and the reason are named."""

    def refuse(folder: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(folder))

    (tmp_path / "in").mkdir()
    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(ConfigError, match=r"can't list '.*/in': Permission denied"):
        kit.source(_table(tmp_path / "in"), tmp_path).open({})


def test_rows_before_a_failure_are_given_first(tmp_path: Path) -> None:
    """A broken file in a folder does not take the rows of the files before it."""
    _write(tmp_path / "in" / "a", 1, 2)
    (tmp_path / "in" / "b").write_bytes(b"PAR1" + bytes(100))
    reader = kit.source(_table(tmp_path / "in"), tmp_path).open({})
    reader.changes()
    assert _ids(reader.poll(Limit())) == [1, 2]
    with pytest.raises(TerminalError, match="a Parquet file"):
        reader.poll(Limit())
