"""Where files are: paths and URIs, listing a folder or glob, natural order, and partition folders `key=value`."""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tailrace.errors import ConfigError, Location, TerminalError, UnsupportedError, did_you_mean

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_ESCAPED = frozenset("\"#%'*/:=?\\{}[]^\x7f") | {chr(c) for c in range(0x20)}


@dataclass(frozen=True, slots=True)
class Found:
    """A file that matches: its name relative to the root, its path, and what `stat` said."""

    name: str
    path: Path
    status: os.stat_result


def absolute(path: str | Path) -> Path:
    """Give a path from the root, without `..`; links in it stay as they are."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links, and a loop of them raises


def local_path(text: str, location: Location | None = None) -> Path:
    """
    Give the absolute path of an option `path`, which may be a `file:` URI.

    >>> str(local_path("file:///data/in%20box"))
    '/data/in box'

    Raises:
        ConfigError: another scheme or host, or nothing at all.
    """
    if not text.strip():
        raise ConfigError("option 'path' is empty", location=location)
    match = _SCHEME.match(text)
    if match is None:
        return absolute(text)
    uri = urlsplit(text)
    if uri.scheme.lower() != "file":
        hint = "name a local path; to read a file whose name has a colon, write './name'"
        raise UnsupportedError(f"file system '{uri.scheme}:' is not supported", hint=hint, location=location)
    if uri.netloc not in ("", "localhost"):
        hint = "a file URI has three slashes: file:///folder/file"
        raise ConfigError(f"'{text}' names the host '{uri.netloc}'", hint=hint, location=location)
    return absolute(unquote(uri.path))


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """
    Give a sort key by which numbers in names count as numbers.

    >>> sorted(["part-10", "part-9"], key=natural_key)
    ['part-9', 'part-10']
    """
    parts = re.split(r"([0-9]+)", name)
    return [(1, int(p), p) if p.isascii() and p.isdigit() else (0, 0, p) for p in parts if p]


def is_glob(path: Path) -> bool:
    """Tell whether a path is a pattern: it has wildcards, and no file of just that name exists."""
    return glob.has_magic(str(path)) and not os.path.lexists(path)


def root_of(path: Path) -> Path:
    """Give the folder that names of files are relative to."""
    if is_glob(path):
        parts = path.parts
        first = next(i for i, part in enumerate(parts) if glob.has_magic(part))
        return Path(*parts[:first])
    return path if path.is_dir() else path.parent


def missing(path: Path, location: Location | None = None) -> ConfigError:
    """Give the error for a path that is not there; the hint names what is nearest to it."""
    parent = next(p for p in path.parents if p.exists())
    wanted = path.relative_to(parent).parts[0]
    try:
        neighbours = sorted(p.name for p in parent.iterdir())
    except OSError:
        neighbours = []
    guess = did_you_mean(wanted, neighbours)
    shown = ", ".join(neighbours[:5]) + (", ..." if len(neighbours) > 5 else "")
    hint = guess or (f"'{parent}' has: {shown}" if neighbours else f"'{parent}' is empty")
    return ConfigError(f"path '{path}' does not exist", hint=hint, location=location)


def reason(error: OSError) -> str:
    """Say what the system said, without the path."""
    return error.strerror or type(error).__name__


def list_files(path: Path, pattern: re.Pattern[str] | None, location: Location | None = None) -> list[Found]:
    """
    List the regular files of a file, folder (with its folders) or glob, in natural order of their names.

    Names that begin with `.` or `_` are left out, as are pipes, sockets and devices; a link that leads back to a folder
    already listed is not followed again.

    Raises:
        ConfigError: the path is not there, is no file or folder, or can't be read.
    """
    root = root_of(path)
    try:
        candidates = _candidates(path, location)
        found = [Found(os.path.relpath(p, root), p, p.stat()) for p in candidates if _matches(p, pattern)]
    except FileNotFoundError:
        # a file went away between listing and stat: the next look does not see it
        found = [f for p in _candidates(path, location) if _matches(p, pattern) for f in _status(p, root)]
    except OSError as error:
        name = error.filename or path
        raise ConfigError(f"can't list '{name}': {reason(error)}", location=location) from None
    found = [f for f in found if stat.S_ISREG(f.status.st_mode)]
    return sorted(found, key=lambda f: natural_key(f.name))


def _status(path: Path, root: Path) -> Iterator[Found]:
    try:
        yield Found(os.path.relpath(path, root), path, path.stat())
    except FileNotFoundError:
        return


def _matches(path: Path, pattern: re.Pattern[str] | None) -> bool:
    return pattern is None or pattern.fullmatch(str(path)) is not None


def _candidates(path: Path, location: Location | None) -> list[Path]:
    if is_glob(path):
        return _globbed(path, location)
    try:
        status = path.stat()
    except FileNotFoundError:
        raise missing(path, location) from None
    except OSError as error:
        raise ConfigError(f"can't read '{path}': {reason(error)}", location=location) from None
    if stat.S_ISDIR(status.st_mode):
        return list(_walk(path))
    if not stat.S_ISREG(status.st_mode):
        hint = "name a regular file, a folder or a glob"
        raise ConfigError(f"'{path}' is a {_kind(status.st_mode)}, not a file", hint=hint, location=location)
    return [path]


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISFIFO, "pipe"), (stat.S_ISSOCK, "socket"), (stat.S_ISCHR, "device"), (stat.S_ISBLK, "device"))
    return next((name for test, name in kinds if test(mode)), "special file")


def _globbed(path: Path, location: Location | None) -> list[Path]:
    root = root_of(path)
    if not root.is_dir():
        raise missing(root, location)
    next(root.iterdir(), None)  # a glob says nothing of a folder that can't be read
    hidden = path.name.startswith(("_", "."))
    names = glob.iglob(str(path), recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
    paths = (Path(n) for n in names)
    return [p for p in paths if (hidden or not p.name.startswith("_")) and not p.is_dir()]


def _walk(root: Path) -> Iterator[Path]:
    seen: set[tuple[int, int]] = set()
    for folder, folders, files in os.walk(root, followlinks=True, onerror=_raise):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(f for f in folders if not f.startswith((".", "_")))
        for name in files:
            if name.startswith((".", "_")):
                continue
            path = Path(folder, name)
            if not _is_loop(path):
                yield path


def _is_loop(path: Path) -> bool:
    """Tell whether it is a link that leads nowhere; such links in a folder are no files."""
    return path.is_symlink() and not path.exists()


def _raise(error: OSError) -> None:
    raise error


def escape(value: str) -> str:
    """
    Write a partition's value as a folder name, as Hive and Flink do.

    >>> escape("10:30 a/b")
    '10%3A30 a%2Fb'
    """
    return "".join(f"%{ord(c):02X}" if c in _ESCAPED else c for c in value)


def partition_folder(keys: tuple[str, ...], values: tuple[str | None, ...], default: str) -> str:
    """
    Give the folder of a partition, relative to the table's.

    >>> partition_folder(("day", "shop"), ("2024-01-01", None), "NONE")
    'day=2024-01-01/shop=NONE'
    """
    return "/".join(f"{escape(k)}={escape(v) if v else default}" for k, v in zip(keys, values, strict=True))


def partition_values(name: str, keys: tuple[str, ...], default: str) -> dict[str, str | None]:
    """
    Read the values of the partition columns from the folders of a file's name.

    >>> partition_values("day=2024-01-01/part-0.json", ("day",), "NONE")
    {'day': '2024-01-01'}

    Raises:
        TerminalError: a folder `key=value` is missing.
    """
    folders = dict(part.split("=", 1) for part in name.split("/")[:-1] if "=" in part)
    values: dict[str, str | None] = {}
    for key in keys:
        text = folders.get(escape(key))
        if text is None:
            hint = f"PARTITIONED BY ({', '.join(keys)}) means folders as '{'/'.join(f'{k}=...' for k in keys)}'"
            raise TerminalError(f"file '{name}' has no folder '{key}=...'", hint=hint)
        values[key] = None if text == default else unquote(text)
    return values


def check_folder(root: Path, location: Location | None = None) -> None:
    """
    Make sure that a folder can be written, or made.

    Raises:
        ConfigError: it can't.
    """
    if root.exists() and not root.is_dir():
        hint = "a sink writes part files into a folder; name a folder"
        raise ConfigError(f"'{root}' is a file", hint=hint, location=location)
    there = next(p for p in (root, *root.parents) if p.exists())
    if not there.is_dir():
        raise ConfigError(f"'{root}' can't be made: '{there}' is a file", location=location)
    if not os.access(there, os.W_OK | os.X_OK):
        hint = "change its rights, or the option 'path'"
        raise ConfigError(f"'{there}' can't be written by this user", hint=hint, location=location)
    try:
        read_only = os.statvfs(there).f_flag & os.ST_RDONLY
    except OSError as error:
        raise ConfigError(f"can't look at '{there}': {reason(error)}") from None
    if read_only:
        raise ConfigError(f"'{there}' is on a read-only file system", location=location)
