"""The checkpoint store on a real folder."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from structlog.testing import capture_logs

from tailrace.clock import ManualClock
from tailrace.errors import ConfigError, TerminalError
from tailrace.state.delta import StateDelta
from tailrace.state.files import LocalFiles
from tailrace.state.store import Snapshot, StateStore
from tailrace.state.store_folder import prepare_folder
from tailrace.state.store_frames import MAX_LINKS
from tailrace.state.store_manifest import Damaged, JobRecord, seal

FINGERPRINT = {"scan": "source of kafka", "window": "TUMBLE", "sink": "sink of files"}


def opened(folder: Path, files: LocalFiles | None = None) -> StateStore:
    """Open a store for the pipeline of these tests."""
    store = StateStore(folder, "test", ManualClock(1000), files)
    store.match(FINGERPRINT)
    return store


def increment(value: int) -> StateDelta:
    """Give a delta of one row."""
    return StateDelta(base=False, frames={"rows": pl.DataFrame({"v": [value]})}, scalars={"v": value})


def checkpoint(store: StateStore, epoch: int, delta: StateDelta, *, final: bool = False) -> None:
    """Take a checkpoint."""
    store.write(epoch, Snapshot({"scan": {"0": epoch}}, {"window": delta}, 10 * epoch, final))
    store.publish(epoch, {"sink": {"files": [epoch]}})
    store.retire()


def filled(folder: Path, epochs: int = 3) -> StateStore:
    """Give a store with checkpoints: a base, and increments."""
    store = opened(folder)
    store.resume(0)
    checkpoint(store, 1, StateDelta(base=True, frames={"rows": pl.DataFrame({"v": [1]})}, scalars={"v": 1}))
    for epoch in range(2, epochs + 1):
        checkpoint(store, epoch, increment(epoch))
    return store


def names_in(folder: Path) -> list[str]:
    """List the files of a job's checkpoints."""
    return [p.name for p in (folder / "checkpoints").iterdir()]


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    """Positions, staged output, scalars, and frames of base and increments in order."""
    filled(tmp_path / "job").close()
    store = opened(tmp_path / "job")
    read = store.load(3)
    assert read.manifest.positions == {"scan": {"0": 3}}
    assert read.manifest.staged == {"sink": {"files": [3]}}
    assert [d.base for d in read.deltas["window"]] == [True, False, False]
    assert_frame_equal(pl.concat(d.frames["rows"] for d in read.deltas["window"]), pl.DataFrame({"v": [1, 2, 3]}))
    assert read.deltas["window"][-1].scalars == {"v": 3}
    store.close()


def test_two_checkpoints_are_kept_and_data_that_they_need(tmp_path: Path) -> None:
    """Old manifests go; the data of an old base stays while an increment builds on it."""
    store = filled(tmp_path / "job", 5)
    names = names_in(tmp_path / "job")
    assert sorted(n for n in names if n.endswith(".manifest")) == ["0000000004.manifest", "0000000005.manifest"]
    assert "0000000001.data" in names
    for epoch in range(6, 9):
        checkpoint(store, epoch, StateDelta(base=True, frames={"rows": pl.DataFrame({"v": [epoch]})}))
    names = names_in(tmp_path / "job")
    assert "0000000001.data" not in names
    assert len(names) <= 6
    store.close()


def test_an_epoch_without_changes_writes_no_data(tmp_path: Path) -> None:
    """An increment without rows renews the scalars alone."""
    store = filled(tmp_path / "job", 2)
    checkpoint(store, 3, StateDelta(base=False, frames={"rows": pl.DataFrame({"v": [1]}).clear()}, scalars={"v": 9}))
    assert "0000000003.data" not in names_in(tmp_path / "job")
    assert store.load(3).deltas["window"][-1].scalars == {"v": 9}
    store.close()


def test_chains_of_increments_stay_short(tmp_path: Path) -> None:
    """Hundreds of small increments are folded, in order, into few."""
    store = filled(tmp_path / "job", 400)
    deltas = store.load(400).deltas["window"]
    assert len(deltas) <= MAX_LINKS + 1
    assert [v for d in deltas for v in d.frames["rows"]["v"].to_list()] == list(range(1, 401))
    assert len(names_in(tmp_path / "job")) < 2 * MAX_LINKS
    store.close()


def test_a_checkpoint_costs_three_syncs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data, manifest and folder are synced, in this order, and nothing else: checkpoints come each second."""
    store = filled(tmp_path / "job")
    synced: list[str] = []
    real = os.fsync

    def sync(fd: int) -> None:
        synced.append(Path(f"/proc/self/fd/{fd}").readlink().name)
        real(fd)

    monkeypatch.setattr(os, "fsync", sync)
    checkpoint(store, 4, increment(4))
    assert synced == ["0000000004.data", "0000000004.manifest.tmp", "checkpoints"]
    store.close()


def test_everything_is_for_the_owner_alone(tmp_path: Path) -> None:
    """Folders are 0700 and files 0600, whatever the umask says."""
    before = os.umask(0)
    try:
        filled(tmp_path / "job").close()
    finally:
        os.umask(before)
    root = tmp_path / "job"
    assert {stat.S_IMODE(p.stat().st_mode) for p in [root, *root.rglob("*")] if p.is_dir()} == {0o700}
    assert {stat.S_IMODE(p.stat().st_mode) for p in root.rglob("*") if p.is_file()} == {0o600}


def test_a_second_process_is_refused_and_told_who_holds_the_folder(tmp_path: Path) -> None:
    """The lock names process and host; it goes with the process that held it."""
    script = (
        "import sys, time; from pathlib import Path; from tailrace.clock import SystemClock;"
        "from tailrace.state.store import StateStore; s = StateStore(Path(sys.argv[1]), 'x', SystemClock());"
        "print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "job")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ConfigError, match=rf"process {holder.pid} on host {os.uname().nodename}"):
            StateStore(tmp_path / "job", "test", ManualClock())
        holder.kill()
    StateStore(tmp_path / "job", "test", ManualClock()).close()


def test_jobs_that_start_at_once_share_a_new_parent(tmp_path: Path) -> None:
    """Each makes the parent of its folder, if it is not there; none minds that another was first."""
    with ThreadPoolExecutor(8) as pool:
        for i in range(50):
            list(pool.map(prepare_folder, [tmp_path / str(i) / f"job{k}" for k in range(8)]))
            list(pool.map(prepare_folder, [tmp_path / str(i) / "same"] * 8))


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    """State goes into a real folder, not wherever a link leads."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(ConfigError, match="symbolic link"):
        StateStore(tmp_path / "link", "test", ManualClock())


def test_a_folder_far_from_any_is_refused(tmp_path: Path) -> None:
    """One missing parent is made; a path that is likely mistyped is not."""
    StateStore(tmp_path / "a" / "job", "test", ManualClock()).close()
    with pytest.raises(ConfigError, match="can't be written"):
        StateStore(tmp_path / "b" / "c" / "d" / "job", "test", ManualClock())


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    """The error names the path."""
    (tmp_path / "job").write_text("x")
    with pytest.raises(ConfigError, match=r"state folder '.*job' can't be written"):
        StateStore(tmp_path / "job", "test", ManualClock())


def test_a_folder_that_can_not_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only file system is found by writing, as a superuser's rights don't tell."""
    folder = tmp_path / "job"
    StateStore(folder, "test", ManualClock()).close()
    real = os.open

    def read_only(path: str | Path, flags: int, *args: int) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        return real(path, flags, *args)

    monkeypatch.setattr(os, "open", read_only)
    with pytest.raises(ConfigError, match="Read-only file system"):
        StateStore(folder, "test", ManualClock())


@pytest.mark.parametrize("harm", ["cut", "flip", "empty", "gone"])
@pytest.mark.parametrize("kind", ["data", "manifest"])
def test_a_damaged_checkpoint_is_found(tmp_path: Path, kind: str, harm: str) -> None:
    """A part that was cut, flipped, emptied or removed is told from what was written; the one before still reads."""
    filled(tmp_path / "job").close()
    path = tmp_path / "job" / "checkpoints" / f"0000000003.{kind}"
    content = bytearray(path.read_bytes())
    if harm == "cut":
        path.write_bytes(content[:-7])
    elif harm == "flip":
        content[len(content) // 2] ^= 0x40
        path.write_bytes(content)
    elif harm == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()
    store = opened(tmp_path / "job")
    with pytest.raises(Damaged):
        store.load(3)
    assert store.load(2).manifest.epoch == 2
    store.close()


def test_a_checkpoint_of_another_job_is_not_taken(tmp_path: Path) -> None:
    """A manifest that was copied from another folder is damage, not state."""
    filled(tmp_path / "one").close()
    filled(tmp_path / "two").close()
    name = "checkpoints/0000000003.manifest"
    (tmp_path / "one" / name).write_bytes((tmp_path / "two" / name).read_bytes())
    store = opened(tmp_path / "one")
    with pytest.raises(Damaged, match="of another job"):
        store.load(3)
    store.close()


def test_a_folder_without_its_checkpoints_is_not_new(tmp_path: Path) -> None:
    """Where there were checkpoints and are none, the job does not begin from the beginning as if nothing was."""
    filled(tmp_path / "job").close()
    for path in (tmp_path / "job" / "checkpoints").iterdir():
        path.unlink()
    store = StateStore(tmp_path / "job", "test", ManualClock())
    with pytest.raises(TerminalError, match="are gone"):
        store.match(FINGERPRINT)
    store.close()


def test_a_folder_without_its_record_is_refused(tmp_path: Path) -> None:
    """Checkpoints without `job.json` belong to nobody that is known."""
    filled(tmp_path / "job").close()
    (tmp_path / "job" / "job.json").unlink()
    with pytest.raises(ConfigError, match=r"'job\.json' is gone"):
        StateStore(tmp_path / "job", "test", ManualClock())


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    """State of a newer version is left alone; the error names both versions."""
    filled(tmp_path / "job").close()
    record = JobRecord(format=99, job="j", name="test", fingerprint={})
    (tmp_path / "job" / "job.json").write_bytes(seal(record))
    with pytest.raises(ConfigError, match="state format 99; this version of Tailrace reads up to format 1"):
        StateStore(tmp_path / "job", "test", ManualClock())


def test_a_changed_pipeline_is_refused_and_listed(tmp_path: Path) -> None:
    """Each difference has its line; with the flag only what matches is taken up, and the rest is told."""
    filled(tmp_path / "job").close()
    changed = {"scan": "source of kafka", "window": "HOP", "limit": "5"}
    store = StateStore(tmp_path / "job", "test", ManualClock())
    with pytest.raises(ConfigError) as caught:
        store.match(changed)
    for line in ("limit: is new (5)", "sink: is gone (was sink of files)", "window: was TUMBLE, is HOP"):
        assert line in str(caught.value)
    with capture_logs() as logs:
        store.match(changed, allow_drop=True)
    assert len(logs) == 3
    read = store.load(3)
    assert (read.deltas, read.manifest.staged, read.manifest.positions) == ({}, {}, {"scan": {"0": 3}})
    store.close()


def test_a_finished_job_begins_anew(tmp_path: Path) -> None:
    """After the end of bounded input the next run has another id and no checkpoints; a stopped one goes on."""
    store = filled(tmp_path / "job")
    first = store.job
    store.close()
    store = opened(tmp_path / "job")
    assert (store.job, store.epochs) == (first, [2, 3])
    store.finish()
    store.close()
    store = opened(tmp_path / "job")
    assert store.job != first
    assert store.epochs == []
    store.close()


class FullDisk(LocalFiles):
    """A disk that takes half of a write, and then no more."""

    full = False

    def write(self, path: Path, parts: Iterable[bytes]) -> None:
        if not self.full:
            return super().write(path, parts)
        data = b"".join(parts)
        path.write_bytes(data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device", str(path))


@pytest.mark.parametrize("step", ["write", "publish"])
def test_a_full_disk_leaves_the_last_checkpoint_as_it_was(tmp_path: Path, step: str) -> None:
    """The error says what to do; after space was freed the job goes on from the checkpoint before."""
    filled(tmp_path / "job").close()
    disk = FullDisk()
    store = opened(tmp_path / "job", disk)
    store.load(3)
    store.resume(3)
    snapshot = Snapshot({"scan": {"0": 4}}, {"window": increment(4)}, 40)
    take = {"write": lambda: store.write(4, snapshot), "publish": lambda: store.publish(4, {})}
    if step == "publish":
        store.write(4, snapshot)
    disk.full = True
    with pytest.raises(TerminalError, match="No space left on device") as caught:
        take[step]()
    assert "free some space" in caught.value.hint
    store.close()
    store = opened(tmp_path / "job")
    assert store.load(store.epochs[-1]).manifest.epoch == 3
    store.resume(3)
    assert not [n for n in names_in(tmp_path / "job") if "4" in n or n.endswith(".tmp")]
    checkpoint(store, 4, increment(4))
    store.close()


def test_going_back_an_epoch_frees_its_number(tmp_path: Path) -> None:
    """A checkpoint whose transaction was never committed is removed before another takes its number."""
    store = filled(tmp_path / "job")
    store.load(2)
    store.resume(2)
    assert store.epochs == [2]
    checkpoint(store, 3, increment(33))
    values = [v for d in store.load(3).deltas["window"] for v in d.frames["rows"]["v"].to_list()]
    assert values == [1, 2, 33]
    store.close()


def open_files() -> int:
    """Count this process's open files."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_opening_and_closing_leaks_nothing(tmp_path: Path) -> None:
    """Fifty starts leave no open files and no threads behind."""
    opened(tmp_path / "job").close()
    files, threads = open_files(), set(threading.enumerate())
    for _ in range(50):
        opened(tmp_path / "job").close()
    assert open_files() <= files
    assert set(threading.enumerate()) <= threads
