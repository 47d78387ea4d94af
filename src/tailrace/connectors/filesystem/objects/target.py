"""
The target of a sink in an object store: part files are written on this machine and put into the store by the commit.

Each is one conditional PUT: seen whole or not at all, and never in place of another object. There are no uploads of many parts,
so none can be left behind.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

from tailrace.connectors.base import Report
from tailrace.connectors.filesystem.objects.listing import one
from tailrace.connectors.filesystem.objects.place import Place, reaching
from tailrace.connectors.filesystem.staging import (
    Staged,
    drop_leftovers,
    hidden_name,
    make_folders,
    number_of,
    sync_folder,
)
from tailrace.connectors.filesystem.target import Target
from tailrace.errors import TailraceError, TerminalError

SMALL = 16 << 20
"""Files up to this size are put by several threads at once; each is in memory while it is."""
THREADS = 8
LARGEST = 1 << 30
_PIECE = 8 << 20


class ObjectTarget(Target):
    """A folder of an object store. `folder` holds what is not there yet; it belongs to the state of the job."""

    def __init__(self, place: Place, folder: Path) -> None:
        self._place = place
        self.folder = folder
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="tailrace-objects-put")

    def begin(self, tag: str) -> tuple[str, int]:
        shutil.rmtree(self.folder, ignore_errors=True)
        make_folders(self.folder, "")
        # a name that no run had before: a list of what is there might be late
        return f"{tag}-{secrets.token_hex(4)}", 0

    def recover(self, staged: Staged) -> None:
        make_folders(self.folder, "")
        for name in [n for n in staged.publish if not (self.folder / hidden_name(n)).exists()]:
            self._must_be_there(name)
        self.publish(staged.publish)
        drop_leftovers(self.folder, staged)
        self._refuse_later(staged)

    def _key(self, name: str) -> str:
        return f"{self._place.key}/{name}" if self._place.key else name

    def _must_be_there(self, name: str) -> None:
        """Make sure that a staged file which is not here was put into the store."""
        uri = self._place.uri(self._key(name))
        with reaching(self._place, f"look for '{uri}'"):
            if one(self._place, self._key(name)) is None:
                hint = f"the state of the job has the rows of this object in '{self.folder}': restore that folder too"
                raise TerminalError(f"staged object '{uri}' is neither in the store nor on this machine", hint=hint)

    def _refuse_later(self, staged: Staged) -> None:
        """
        Make sure that no part of a later epoch was published: its rows would come twice.

        Raises:
            TerminalError: one was.
        """
        import obstore  # noqa: PLC0415  an extra

        known = {*staged.publish}
        begin = f"part-{staged.tag}-"
        with reaching(self._place, f"list '{self._place}'"):
            for chunk in obstore.list(self._place.store, self._place.key or None, chunk_size=1000):
                for meta in chunk:
                    name = meta["path"].removeprefix(f"{self._place.key}/" if self._place.key else "")
                    number = number_of(name, staged.tag) if begin in name else None
                    begun = name in staged.open or name in staged.pieces
                    if begun or (number is not None and number >= staged.counter and name not in known):
                        hint = "its rows would come twice: move it and those behind it away, or start with a new state"
                        where = self._place.uri(meta["path"])
                        raise TerminalError(f"'{where}' was published after the checkpoint that is restored", hint=hint)

    def publish(self, names: Iterable[str]) -> None:
        waiting = [n for n in names if (self.folder / hidden_name(n)).exists()]
        small = [n for n in waiting if (self.folder / hidden_name(n)).stat().st_size <= SMALL]
        futures = [self._pool.submit(self._put, n) for n in small]
        wait(futures)  # a failure must not leave others under way: the commit is tried again
        for future in futures:
            future.result()
        for name in waiting:
            if name not in small:
                self._put(name)
        for folder in {(self.folder / n).parent for n in waiting}:
            sync_folder(folder)

    def _put(self, name: str) -> None:
        """Put a whole file into the store, and delete it here; one that is there already with the same bytes is done."""
        import obstore  # noqa: PLC0415  an extra
        from obstore import exceptions  # noqa: PLC0415

        path, key = self.folder / hidden_name(name), self._key(name)
        uri = self._place.uri(key)
        with reaching(self._place, f"write '{uri}'"):
            try:
                obstore.put(self._place.store, key, path.read_bytes(), mode="create", use_multipart=False)
            except (exceptions.AlreadyExistsError, exceptions.PreconditionError):
                if not self._is_same(key, path):
                    hint = "move it away; the job then goes on from its last checkpoint"
                    raise TerminalError(f"can't publish '{uri}': an object of this name exists", hint=hint) from None
        path.unlink()

    def _is_same(self, key: str, path: Path) -> bool:
        """Tell whether an object has the bytes of a file: a put whose answer was lost is tried again."""
        import obstore  # noqa: PLC0415  an extra

        size = path.stat().st_size
        if obstore.head(self._place.store, key)["size"] != size:
            return False
        with path.open("rb") as file:
            for begin in range(0, size, _PIECE):
                end = min(begin + _PIECE, size)
                if bytes(obstore.get_range(self._place.store, key, start=begin, end=end)) != file.read(end - begin):
                    return False
        return True

    def mark(self, folders: Iterable[str], name: str) -> None:
        import obstore  # noqa: PLC0415  an extra

        for folder in folders:
            key = self._key(f"{folder}/{name}" if folder else name)
            with reaching(self._place, f"write '{self._place.uri(key)}'"):
                obstore.put(self._place.store, key, b"", use_multipart=False)

    def check(self) -> Report:
        import obstore  # noqa: PLC0415  an extra

        try:
            with reaching(self._place, f"list '{self._place}'"):
                next(iter(obstore.list(self._place.store, self._place.key or None, chunk_size=1)), None)
        except TailraceError as error:
            return Report.failed(error)
        return Report(ok=True, message=f"writes part files as objects below {self._place}; exactly once")

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
