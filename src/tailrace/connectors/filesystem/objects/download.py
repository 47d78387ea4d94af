"""Objects as files of this machine: fetched in pieces by threads, a few ahead, and always the one that was listed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from tailrace.connectors.filesystem.objects.listing import Entry
from tailrace.connectors.filesystem.objects.place import Place, reaching
from tailrace.errors import TerminalError

PIECE = 8 << 20
AHEAD = 2
"""So many objects are fetched at a time, the one that is read not counted."""


class ReplacedError(TerminalError):
    """The object is not the one that was listed."""


class Downloads:
    """
    Fetches objects into a folder of its own below `folder`; each is deleted when it was read.

    An object that is replaced meanwhile is refused: all its pieces are asked for by its ETag.
    """

    def __init__(self, place: Place, folder: Path) -> None:
        self._place = place
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        self._folder = Path(tempfile.mkdtemp(prefix=f"objects-{os.getpid()}-", dir=folder))
        self._pool = ThreadPoolExecutor(AHEAD, thread_name_prefix="tailrace-objects")
        self._wanted: dict[str, tuple[str, Future[Path]]] = {}
        self._made = 0
        self._over = False

    def want(self, entry: Entry) -> Future[Path]:
        """Begin to fetch an object, unless that was begun already."""
        known = self._wanted.get(entry.key)
        if known is not None and known[0] == entry.identity:
            return known[1]
        self.drop(entry.key)
        self._made += 1
        path = self._folder / f"{self._made}{PurePosixPath(entry.key).suffix}"
        future = self._pool.submit(self._fetch, entry, path)
        self._wanted[entry.key] = (entry.identity, future)
        return future

    def drop(self, key: str) -> None:
        """Delete what was fetched of an object."""
        known = self._wanted.pop(key, None)
        if known is not None:
            known[1].add_done_callback(_delete)

    def _fetch(self, entry: Entry, path: Path) -> Path:
        try:
            with path.open("wb") as file:
                for begin in range(0, entry.size, PIECE):
                    if self._over:
                        break
                    file.write(self._piece(entry, begin))
        except BaseException:  # whatever it is: nothing stays, and it goes on
            path.unlink(missing_ok=True)
            raise
        return path

    def _piece(self, entry: Entry, begin: int) -> bytes:
        import obstore  # noqa: PLC0415  an extra

        uri = self._place.uri(entry.key)
        end = min(begin + PIECE, entry.size)
        options: Any = {"range": (begin, end)} | ({"if_match": entry.etag} if entry.etag else {})
        with reaching(self._place, f"read '{uri}'"), _as_listed(uri):
            got = obstore.get(self._place.store, entry.key, options=options)
            data = bytes(got.bytes())
        if len(data) != end - begin:
            raise ReplacedError(f"object '{uri}' has become shorter while it was read")
        return data

    def close(self) -> None:
        """Stop fetching, and delete all."""
        self._over = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        shutil.rmtree(self._folder, ignore_errors=True)


def _delete(future: Future[Path]) -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().unlink(missing_ok=True)


@contextmanager
def _as_listed(uri: str) -> Iterator[None]:
    from obstore import exceptions  # noqa: PLC0415  an extra

    try:
        yield
    except (exceptions.PreconditionError, exceptions.NotModifiedError):
        raise ReplacedError(f"object '{uri}' was replaced after it was listed") from None
    except FileNotFoundError:
        raise ReplacedError(f"object '{uri}' was deleted after it was listed") from None


def _sweep(folder: Path) -> None:
    """Delete what a process that is no more has left."""
    for left in folder.glob("objects-*-*"):
        pid = left.name.split("-")[1]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(left, ignore_errors=True)
