"""Which objects a path names: one, all below a prefix, or those of a pattern; in natural order."""

from __future__ import annotations

import glob
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tailrace.connectors.filesystem.objects.place import Place, reaching
from tailrace.connectors.filesystem.paths import natural_key
from tailrace.errors import ConfigError

_HIDDEN = (".", "_")


@dataclass(frozen=True, slots=True)
class Entry:
    """An object as it was listed: its name below the root of the path, its key, and what tells it from another."""

    name: str
    key: str
    size: int
    etag: str | None
    modified: datetime

    @property
    def identity(self) -> str:
        """What is another as soon as the object is."""
        return self.etag or f"{self.modified.isoformat()} {self.size}"


def is_pattern(place: Place) -> bool:
    """Tell whether a path has wildcards."""
    return glob.has_magic(place.key)


def matcher(pattern: str) -> re.Pattern[str]:
    """
    Make a regular expression of a pattern: `*` and `?` stay within a folder, `**` goes through any number of them.

    >>> bool(matcher("in/**/part-*.json").fullmatch("in/a/b/part-1.json"))
    True
    >>> bool(matcher("in/*.json").fullmatch("in/a/b.json"))
    False
    """
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]/]+\])", pattern)
    words = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile(
        "".join(words.get(p) or (_set(p) if p.startswith("[") else re.escape(p)) for p in parts), re.DOTALL
    )


def _set(text: str) -> str:
    inner = text[1:-1].replace("\\", "\\\\")
    return f"[^{inner[1:]}]" if inner.startswith("!") else f"[{inner}]"


def list_objects(place: Place, pattern: re.Pattern[str] | None) -> list[Entry]:
    """
    List the objects of a path. Names with a part that begins with `.` or `_` are left out, and so is what stands for a folder.

    Raises:
        ConfigError: there is no such bucket.
        TransientError, TerminalError: the store is away, or refuses.
    """
    with reaching(place, f"list '{place}'"):
        found = [e for e in _entries(place) if e.name and not e.key.endswith("/")]
    if pattern is not None:
        found = [e for e in found if pattern.fullmatch(place.uri(e.key))]
    return sorted(found, key=lambda e: natural_key(e.name))


def _entries(place: Place) -> Iterator[Entry]:
    if is_pattern(place):
        wanted = matcher(place.key)
        yield from (e for e in _below(place, _root(place)) if wanted.fullmatch(e.key))
        return
    single = one(place, place.key)
    if single is not None:
        yield single
        return
    yield from _below(place, place.key)


def _root(place: Place) -> str:
    """Give what stands before the first wildcard, as whole folders."""
    folders = place.key.split("/")
    return "/".join(itertools.takewhile(lambda f: not glob.has_magic(f), folders))


def key_of(place: Place, name: str) -> str:
    """Give the key of an object that was listed under a name."""
    if not is_pattern(place) and place.key.rpartition("/")[2] == name:
        return place.key
    root = _root(place)
    return f"{root}/{name}" if root else name


def one(place: Place, key: str, root: str | None = None) -> Entry | None:
    """Give an object by its key, as it is now; None if it is not there. `root` is the folder above it, if no other is given."""
    import obstore  # noqa: PLC0415  an extra

    if not key:
        return None
    try:
        meta = obstore.head(place.store, key)
    except FileNotFoundError:
        return None
    return _entry(meta, key.rpartition("/")[0] if root is None else root)


def _below(place: Place, root: str) -> Iterator[Entry]:
    import obstore  # noqa: PLC0415  an extra

    for chunk in obstore.list(place.store, root or None, chunk_size=1000):
        for meta in chunk:
            entry = _entry(meta, root)
            if not any(part.startswith(_HIDDEN) for part in entry.name.split("/")):
                yield entry


def _entry(meta: Mapping[str, Any], root: str) -> Entry:
    key = meta["path"]
    name = key.removeprefix(f"{root}/") if root else key
    return Entry(name, key, meta["size"], meta["e_tag"], meta["last_modified"])


def nothing_at(place: Place) -> ConfigError:
    """Give the error for a path that names no object."""
    if is_pattern(place):
        return ConfigError(
            f"no object matches '{place}'", hint="`*` stays within a folder, `**` does not", location=place.location
        )
    hint = "mend the option 'path'; what begins with `.` or `_` is left out"
    return ConfigError(f"there is no object '{place}', and none below it", hint=hint, location=place.location)
