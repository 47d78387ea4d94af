"""The folder that members share: who is alive holds a lock, and nothing else counts."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tailrace.cli.replicas.shared_folder import SharedFolder
from tailrace.errors import ConfigError
from tailrace.state.file_lock import FileLock, holder_of
from tailrace.state.store_lock import FolderLock

HOLD = """
import sys, time
from pathlib import Path
from tailrace.cli.replicas.shared_folder import SharedFolder
folder = SharedFolder(Path(sys.argv[1]), 2)
lock = folder.join()
claim = folder.claim(1, lock.path.name)
print(lock.path.name, flush=True)
time.sleep(600)
"""


def test_members_by_their_locks(tmp_path: Path) -> None:
    """A member is seen while it holds its lock; what one that died has left is removed."""
    folder = SharedFolder(tmp_path / "s", 2)
    first, second = folder.join(), folder.join()
    names = {first.path.name, second.path.name}
    assert len(names) == 2
    assert folder.members(first.path.name) == folder.members(second.path.name) == names
    second.release()
    assert folder.members(first.path.name) == {first.path.name}
    assert [p.name for p in (tmp_path / "s" / "members").iterdir()] == [first.path.name]
    first.release()


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    """The kernel frees the locks of a process that is killed, and what it held names it still."""
    folder = SharedFolder(tmp_path, 2)
    me = folder.join()
    other = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    name = other.stdout.readline().strip()
    assert folder.members(me.path.name) == {me.path.name, name}
    assert folder.holders(folder.numbers) == {1: name}
    assert folder.claim(1, me.path.name) is None
    other.send_signal(signal.SIGKILL)
    assert other.wait(30) == -signal.SIGKILL
    other.stdout.close()
    assert folder.members(me.path.name) == {me.path.name}
    assert folder.holders(folder.numbers) == {}
    claim = folder.claim(1, me.path.name)
    assert claim is not None
    assert claim.before.decode() == name
    claim.release(wiped=True)
    again = folder.claim(1, "x")
    assert again is not None
    assert again.before == b"", "who let go in good order is no dead holder"
    again.release()
    me.release()


def test_who_looks_disturbs_nobody(tmp_path: Path) -> None:
    """A look at a lock does not take it, and does not wait for it."""
    path = tmp_path / "lock"
    assert holder_of(path) is None
    assert not path.exists()
    lock = FileLock.take(path, b"me")
    assert lock is not None
    assert FileLock.take(path, b"you") is None
    assert holder_of(path) == holder_of(path) == b"me"
    lock.release()
    assert holder_of(path) is None


def test_the_state_of_a_replica_in_use(tmp_path: Path) -> None:
    """The lock of a job's own state is seen."""
    folder = SharedFolder(tmp_path, 2)
    assert not folder.in_use(1)
    folder.state(1).mkdir()
    lock = FolderLock(folder.state(1))
    assert folder.in_use(1)
    lock.release()
    assert not folder.in_use(1)
    assert not folder.is_done(1)


def test_another_count(tmp_path: Path) -> None:
    """A folder is of one count of replicas, for good."""
    SharedFolder(tmp_path, 4)
    SharedFolder(tmp_path, 4)
    with pytest.raises(ConfigError, match="is of 4 replicas, not of 3") as error:
        SharedFolder(tmp_path, 3)
    assert "--replicas 4" in error.value.hint


def test_folders_that_can_not_be_shared(tmp_path: Path) -> None:
    """The state of a run without replicas is left alone; a file is no folder."""
    (tmp_path / "job.json").write_text("{}")
    with pytest.raises(ConfigError, match="a run without --replicas"):
        SharedFolder(tmp_path, 4)
    with pytest.raises(ConfigError, match="can't be written"):
        SharedFolder(tmp_path / "job.json" / "below", 4)
    assert list(tmp_path.iterdir()) == [tmp_path / "job.json"]
