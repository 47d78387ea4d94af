"""
Where compiled kernels are kept when neither the package's folder nor the user's can be written.

numba keeps them beside the code or in the user's cache folder, and refuses to compile when it may write to neither: as
in an image whose files belong to root, run by a user without a home. Then a folder for temporary files is taken.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

_VARIABLE = "NUMBA_CACHE_DIR"


def prepare(package: Path) -> None:
    """Name a folder for kernels, before numba is loaded; only if there is none that numba finds by itself."""
    if os.environ.get(_VARIABLE) or "numba" in sys.modules or _writable(package) or _writable(_of_user()):
        return
    folder = _temporary()
    if folder is not None:
        os.environ[_VARIABLE] = str(folder)


def _of_user() -> Path | None:
    """Give the user's cache folder; None for a user without a home, as in many containers."""
    if named := os.environ.get("XDG_CACHE_HOME"):
        return Path(named)
    try:
        return Path("~/.cache").expanduser()
    except RuntimeError:
        return None


def _writable(folder: Path | None) -> bool:
    """Tell whether a folder can be written, or made."""
    if folder is None:
        return False
    there = next((f for f in (folder, *folder.parents) if f.exists()), folder)
    return there.is_dir() and os.access(there, os.W_OK)


def _temporary() -> Path | None:
    """Give this user's folder, made if need be; None if it can't be trusted: what is in it is run."""
    import tempfile  # noqa: PLC0415  only when needed

    folder = Path(tempfile.gettempdir()) / f"tailrace-kernels-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    private = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
    return folder if private else Path(tempfile.mkdtemp(prefix="tailrace-kernels-"))
