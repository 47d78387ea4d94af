"""Where a file sink publishes: what is common to a folder of this machine and to an object store."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path

from tailrace.connectors.base import Report
from tailrace.connectors.filesystem.paths import check_folder
from tailrace.connectors.filesystem.staging import (
    Staged,
    drop_leftovers,
    make_folders,
    mark_done,
    number_of,
    parts_of,
    publish,
)
from tailrace.errors import ConfigError


class Target(ABC):
    """
    Makes whole part files seen under their final names, each at once and only once.

    Part files are written below `folder` under hidden names. All that can be done twice may be done twice: a crash may
    come between any two steps.
    """

    folder: Path

    @abstractmethod
    def begin(self, tag: str) -> tuple[str, int]:
        """Start without a checkpoint: drop what an older run left unseen, and give the tag and the number of the next part."""

    @abstractmethod
    def recover(self, staged: Staged) -> None:
        """
        Publish what a checkpoint staged, as far as that was not done, and drop what it does not know.

        Raises:
            TerminalError: a staged file is gone, or files of a later epoch were published.
        """

    @abstractmethod
    def publish(self, names: Iterable[str]) -> None:
        """
        Make whole files seen.

        Raises:
            TransientError: not now; it may be tried again.
            TerminalError: a name is taken, or the target refuses.
        """

    @abstractmethod
    def mark(self, folders: Iterable[str], name: str) -> None:
        """Write the success file of each folder."""

    @abstractmethod
    def check(self) -> Report:
        """Reach the target and say what is wrong; changes nothing."""

    def close(self) -> None:
        """Let go of what is open."""


class LocalTarget(Target):
    """A folder of this machine: files are renamed in it."""

    def __init__(self, root: Path) -> None:
        self.folder = root

    def begin(self, tag: str) -> tuple[str, int]:
        make_folders(self.folder, "")
        # an older run with new state has files of the same tag: go on behind their numbers
        numbers = [number_of(n, tag) for n in parts_of(self.folder, tag)]
        counter = max((n + 1 for n in numbers if n is not None), default=0)
        drop_leftovers(self.folder, Staged(tag, counter))
        return tag, counter

    def recover(self, staged: Staged) -> None:
        make_folders(self.folder, "")
        publish(self.folder, staged.publish, again=True)
        drop_leftovers(self.folder, staged)

    def publish(self, names: Iterable[str]) -> None:
        publish(self.folder, names, again=False)

    def mark(self, folders: Iterable[str], name: str) -> None:
        mark_done(self.folder, folders, name)

    def check(self) -> Report:
        try:
            check_folder(self.folder)
        except ConfigError as error:
            return Report.failed(error)
        return Report(ok=True, message=f"writes part files into {self.folder}; exactly once")
