"""
What a file sink has staged, and the steps on disk that make it seen: each can be done again after a crash.

A file is written under a hidden name and renamed when it is whole; folders are synced so that names outlive a power cut.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tailrace.connectors.filesystem.paths import reason
from tailrace.errors import TerminalError

HIDDEN = "."
IN_PROGRESS = ".inprogress"

_HINTS = {
    errno.ENOSPC: "free some space; the job goes on from its last checkpoint",
    errno.EDQUOT: "free some space; the job goes on from its last checkpoint",
    errno.EROFS: "the file system is mounted read-only; mount it writable or set another 'path'",
    errno.EACCES: "give this user the right to write there, or set another 'path'",
    errno.EPERM: "give this user the right to write there, or set another 'path'",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.EIO: "the disk reports an error; check it before going on",
}


def failed(what: str, path: Path | str, error: OSError) -> TerminalError:
    """Give the error for something that the system did not do; files that were published are as they were."""
    hint = _HINTS.get(error.errno or 0, "files published before are intact")
    return TerminalError(f"can't {what} '{path}': {reason(error)}", hint=hint)


def hidden_name(name: str) -> str:
    """
    Give the name under which a part file is written.

    >>> hidden_name("day=1/part-ab-0.json")
    'day=1/.part-ab-0.json.inprogress'
    """
    folder, _, last = name.rpartition("/")
    hidden = f"{HIDDEN}{last}{IN_PROGRESS}"
    return f"{folder}/{hidden}" if folder else hidden


def piece_name(name: str, number: int) -> str:
    """
    Give the name of a piece of a part file that is still gathered.

    >>> piece_name("day=1/part-ab-0.parquet", 2)
    'day=1/.part-ab-0.parquet.2.inprogress'
    """
    return hidden_name(f"{name}.{number}")


@dataclass(slots=True)
class Staged:
    """
    An epoch of the sink: files by their final names, relative to its folder.

    `publish` are whole and wait for their rename; `open` are still written, with the length that is valid; `mark` are
    folders whose partition is committed by a success file. `counter` is the number of the next part. `pieces` are files
    that are still gathered, with how many pieces of them are durable.
    """

    tag: str
    counter: int
    publish: list[str] = field(default_factory=list)
    open: dict[str, int] = field(default_factory=dict)
    mark: list[str] = field(default_factory=list)
    born: dict[str, int] = field(default_factory=dict)
    """When the first row of each partition that is not yet committed came, in milliseconds since 1970."""
    pieces: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Give it as a JSON value."""
        return {
            "tag": self.tag,
            "counter": self.counter,
            "publish": list(self.publish),
            "open": dict(self.open),
            "mark": list(self.mark),
            "born": dict(self.born),
            "pieces": dict(self.pieces),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Staged:
        """
        Read what `to_json` gave.

        Raises:
            TerminalError: it is something else.
        """
        try:
            return cls(
                str(value["tag"]),
                int(value["counter"]),
                [str(n) for n in value["publish"]],
                {str(n): int(size) for n, size in value["open"].items()},
                [str(n) for n in value["mark"]],
                {str(n): int(ms) for n, ms in value["born"].items()},
                {str(n): int(count) for n, count in value.get("pieces", {}).items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TerminalError(f"the checkpoint has no staged files: {error}") from None


def sync_folder(folder: Path) -> None:
    """
    Make the names in a folder durable.

    Raises:
        TerminalError: the disk refuses.
    """
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as error:
        raise failed("sync folder", folder, error) from None


def make_folders(root: Path, relative: str) -> None:
    """Make the folders of a partition below the root, each durable."""
    missing = []
    folder = root / relative
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(exist_ok=True)
        sync_folder(new.parent)


def publish(root: Path, names: Iterable[str], *, again: bool) -> None:
    """
    Rename whole files to their final names.

    With `again` (after a crash) those that have no hidden file were renamed before.

    Raises:
        TerminalError: a file is not there, or the name is taken.
    """
    folders: dict[Path, None] = {}
    for name in names:
        target, source = root / name, root / hidden_name(name)
        folders[target.parent] = None
        if not source.exists():
            if again or target.exists():
                continue
            raise TerminalError(f"staged file '{source}' is gone", hint="nothing but the job may touch hidden files")
        if target.exists():
            hint = "move it away; the job then goes on from its last checkpoint"
            raise TerminalError(f"can't publish '{target}': a file of this name exists", hint=hint)
        try:
            source.replace(target)
        except OSError as error:
            raise failed("publish", target, error) from None
    for folder in folders:
        if folder.is_dir():
            sync_folder(folder)


def mark_done(root: Path, folders: Iterable[str], name: str) -> None:
    """
    Write the success file of each folder.

    Raises:
        TerminalError: it can't be written.
    """
    for folder in folders:
        path = root / folder / name
        try:
            with path.open("wb") as file:
                os.fsync(file.fileno())
            sync_folder(path.parent)
        except OSError as error:
            raise failed("write", path, error) from None


def parts_of(root: Path, tag: str) -> list[str]:
    """List the part files of a job below the root, hidden or not, by their names relative to it."""
    prefix = f"part-{tag}-"
    found = []
    for folder, _, files in os.walk(root):
        relative = os.path.relpath(folder, root)
        base = "" if relative == "." else f"{relative}/"
        found += [base + name for name in files if name.removeprefix(HIDDEN).startswith(prefix)]
    return found


def number_of(name: str, tag: str) -> int | None:
    """
    Give the number of a part file of a job.

    >>> number_of("day=1/.part-ab-12.json.gz.inprogress", "ab")
    12
    """
    last = name.rpartition("/")[2].removeprefix(HIDDEN)
    digits = last.removeprefix(f"part-{tag}-").partition(".")[0]
    return int(digits) if digits.isascii() and digits.isdigit() else None


def drop_leftovers(root: Path, staged: Staged) -> None:
    """
    Delete the hidden files of this job that the checkpoint does not know.

    Raises:
        TerminalError: the folder has published files of a later epoch, which can't be undone.
    """
    kept = {hidden_name(n) for n in [*staged.open, *staged.publish]}
    kept |= {piece_name(n, i) for n, count in staged.pieces.items() for i in range(count)}
    later = []
    for name in parts_of(root, staged.tag):
        number = number_of(name, staged.tag)
        if name.endswith(IN_PROGRESS):
            if name not in kept:
                (root / name).unlink(missing_ok=True)
        elif name in staged.open or name in staged.pieces or (number is not None and number >= staged.counter):
            later.append(name)
    if later:
        hint = f"its rows would come twice: move it and {len(later) - 1} more away, or start with a new state"
        where = root / min(later)
        raise TerminalError(f"'{where}' was published after the checkpoint that is restored", hint=hint)
