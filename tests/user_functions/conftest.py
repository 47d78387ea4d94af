"""A folder of its own for each test of functions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from function_kit import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give a folder whose modules are forgotten at the end."""
    before, path = set(sys.modules), list(sys.path)
    yield World(tmp_path)
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]
