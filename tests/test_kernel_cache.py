"""Where kernels are kept when the usual places can't be written."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tailrace import kernel_cache

VARIABLE = "NUMBA_CACHE_DIR"


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a place where nothing can be written, below a file, and make it the user's."""
    (tmp_path / "file").touch()
    (tmp_path / "tmp").mkdir()
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    return tmp_path / "file" / "package"


def test_the_usual_places_are_left_to_numba(nowhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package or a user's folder that can be written, or made, needs nothing."""
    kernel_cache.prepare(tmp_path)
    assert VARIABLE not in os.environ
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "new" / "cache"))
    kernel_cache.prepare(nowhere)
    assert VARIABLE not in os.environ


def test_a_private_temporary_folder_is_taken(nowhere: Path, tmp_path: Path) -> None:
    """The same one each time, so that the next start is warm."""
    kernel_cache.prepare(nowhere)
    folder = tmp_path / "tmp" / f"tailrace-kernels-{os.getuid()}"
    assert os.environ.pop(VARIABLE) == str(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    kernel_cache.prepare(nowhere)
    assert os.environ[VARIABLE] == str(folder)


def test_a_folder_of_others_is_not_trusted(nowhere: Path, tmp_path: Path) -> None:
    """What is in the cache is run: nobody else may have put it there."""
    folder = tmp_path / "tmp" / f"tailrace-kernels-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    kernel_cache.prepare(nowhere)
    assert os.environ[VARIABLE] != str(folder)
    assert Path(os.environ[VARIABLE]).stat().st_mode & 0o777 == 0o700


def test_a_named_folder_counts(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names one has it."""
    monkeypatch.setenv(VARIABLE, "/mine")
    kernel_cache.prepare(nowhere)
    assert os.environ[VARIABLE] == "/mine"


def test_a_user_without_a_home(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user number that the system does not know has no home."""
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    kernel_cache.prepare(nowhere)
    assert "tailrace-kernels" in os.environ[VARIABLE]
