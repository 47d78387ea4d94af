"""The scripts that start real servers: what they do without starting one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
RECIPES = sorted(p for p in HERE.glob("*.sh") if p.name != "common.sh")


def run(recipe: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script with a folder of its own."""
    environment = os.environ | {"TAILRACE_SERVICES_HOME": str(home)}
    return subprocess.run(
        [str(recipe), *arguments], env=environment, capture_output=True, text=True, timeout=30, check=False
    )


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda p: p.name)
def test_recipe(recipe: Path, tmp_path: Path) -> None:
    """Each says how it is used, that it is stopped, and stops again without harm; nothing is left behind."""
    usage, status, stop = run(recipe, tmp_path), run(recipe, tmp_path, "status"), run(recipe, tmp_path, "stop")

    assert (usage.returncode, status.returncode, stop.returncode) == (2, 3, 0), usage.stderr + stop.stderr
    assert "start|stop|status" in usage.stderr
    assert status.stdout.strip() == "stopped"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda p: p.name)
def test_a_foreign_process_is_not_ours(recipe: Path, tmp_path: Path) -> None:
    """A process id that belongs to somebody else by now is neither shown nor stopped."""
    folder = tmp_path / "run" / recipe.stem
    folder.mkdir(parents=True)
    (folder / "pid").write_text(str(os.getpid()))

    assert run(recipe, tmp_path, "status").returncode == 3
    assert run(recipe, tmp_path, "stop").returncode == 0
