"""
The folder that all members of a pipeline see.

    replicas                how many replicas there are
    members/<name>          locked by a member while it lives
    replica-k-of-n.lock     locked by the member that runs replica k; holds the member's name
    replica-k-of-n/         the state folder of replica k, which its job locks once more

Nothing here goes by a clock: who is alive holds a lock.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from tailrace.errors import ConfigError
from tailrace.state.file_lock import FileLock, holder_of
from tailrace.state.store_folder import RECORD, has_finished
from tailrace.state.store_lock import LOCK

_COUNT = "replicas"
_MEMBERS = "members"
_OTHER = "name another folder with --state"


class SharedFolder:
    """
    The shared folder of a pipeline of `count` replicas.

    Raises:
        ConfigError: it can't be written, or is of another count, or of a run without replicas.
    """

    def __init__(self, path: Path, count: int) -> None:
        self.path = path
        self.count = count
        if (path / RECORD).exists():
            raise ConfigError(f"state folder '{path}' has the state of a run without --replicas", hint=_OTHER)
        try:
            (path / _MEMBERS).mkdir(mode=0o700, parents=True, exist_ok=True)
            found = _settled(path / _COUNT, count)
        except OSError as error:
            message = f"state folder '{path}' can't be written: {error.strerror or error}"
            raise ConfigError(message, hint=_OTHER) from None
        if found != str(count):
            hint = f"write --replicas {found}; another count needs a new state folder, and begins anew"
            raise ConfigError(f"state folder '{path}' is of {found} replicas, not of {count}", hint=hint)

    @property
    def numbers(self) -> range:
        """The numbers of the replicas."""
        return range(1, self.count + 1)

    def state(self, number: int) -> Path:
        """Give the state folder of a replica."""
        return self.path / f"replica-{number}-of-{self.count}"

    def is_done(self, number: int) -> bool:
        """Tell whether a replica has come to its end, as its own state says."""
        return has_finished(self.state(number))

    def in_use(self, number: int) -> bool:
        """Tell whether a job still has the state of a replica; asked only by who holds the replica."""
        return holder_of(self.state(number) / LOCK) is not None

    def join(self) -> FileLock:
        """Become a member; the name is that of the lock's file."""
        name = f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(2)}"
        # under another name until it is locked: nobody may take it for that of a dead member
        hidden = self.path / _MEMBERS / f".{name}"
        lock = FileLock.take(hidden, b"")
        assert lock is not None, "nobody else has this name"
        lock.path = hidden.rename(self.path / _MEMBERS / name)
        return lock

    def members(self, me: str) -> frozenset[str]:
        """Give who is alive, `me` among them; what the dead left is removed."""
        files = [p for p in (self.path / _MEMBERS).iterdir() if not p.name.startswith(".") and p.name != me]
        dead = [p for p in files if holder_of(p) is None]
        for path in dead:
            path.unlink(missing_ok=True)
        return frozenset({me} | {p.name for p in files if p not in dead})

    def claim(self, number: int, me: str) -> FileLock | None:
        """Take a replica; None if another member has it, or looks at it just now."""
        return FileLock.take(self._lock(number), me.encode())

    def holders(self, numbers: Iterable[int]) -> dict[int, str]:
        """Give which member holds which replica, of those that somebody holds."""
        found = {k: holder_of(self._lock(k)) for k in numbers}
        return {k: note.decode(errors="replace") for k, note in found.items() if note is not None}

    def _lock(self, number: int) -> Path:
        return self.path / f"replica-{number}-of-{self.count}.lock"


def _settled(path: Path, count: int) -> str:
    """Give the count in a file; who comes first writes it."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        if not (found := os.pread(fd, 20, 0)):
            found = str(count).encode()
            os.pwrite(fd, found, 0)
            os.fsync(fd)
        return found.decode(errors="replace").strip()
    finally:
        os.close(fd)
