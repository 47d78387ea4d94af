"""`tailrace init`: a project that runs as it is."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, as a user would after activating the environment."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_"))}
    return subprocess.run(
        command,
        cwd=folder,
        env=kept | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.parametrize(
    ("options", "start"),
    [((), ["python", "pipeline.py"]), (("--sql",), ["tailrace", "run", "pipeline.sql", "--state", "data/state"])],
)
def test_a_new_project_passes_its_tests_and_runs(options: tuple[str, ...], start: list[str], tmp_path: Path) -> None:
    """As it was written: its tests, its pipeline, and what the image would run."""
    made = run(tmp_path, "tailrace", "init", "Hot-sensors", *options)
    project = tmp_path / "Hot-sensors"
    tested = run(project, "python", "-m", "pytest", "-q")
    ran = [run(project, *start) for _ in range(2)]

    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines()[-1].strip() == " ".join(start)
    assert "3 passed" in tested.stdout, tested.stdout
    assert [r.returncode for r in ran] == [0, 0], ran[0].stderr
    assert (project / "data" / "state").is_dir()
    with sqlite3.connect(project / "data" / "hot.db") as connection:
        assert connection.execute("SELECT sensor, mean, peak FROM hot").fetchall() == [("boiler", 86.0, 90.0)]
    connection.close()
    assert f"CMD {json.dumps(start)}" in (project / "Dockerfile").read_text()
    assert not [p.name for p in project.iterdir() if p.is_file() and "{{" in p.read_text(errors="replace")]
    assert "docker build -t hot-sensors ." in (project / "README.md").read_text()


def test_the_files_as_json(tmp_path: Path) -> None:
    """For programs; an empty folder may be there already."""
    (tmp_path / "one").mkdir()
    told = json.loads(run(tmp_path, "tailrace", "init", "one", "--sql", "--json").stdout)

    assert told["name"] == "one"
    assert Path(told["folder"]) == tmp_path / "one"
    assert (
        sorted(str(p.relative_to(tmp_path / "one")) for p in (tmp_path / "one").rglob("*") if p.is_file())
        == told["files"]
    )
    assert {"pipeline.sql", "test_pipeline.py", "Dockerfile", "README.md", "requirements.txt"} <= set(told["files"])


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    """Nothing is written over."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "pipeline.py").write_text("mine")
    (tmp_path / "file").write_text("mine")
    results = [run(tmp_path, "tailrace", "init", name) for name in ("mine", "file")]

    assert [r.returncode for r in results] == [2, 2]
    assert "there is a folder 'mine' already, and it is not empty" in results[0].stderr
    assert "there is a file 'file' already" in results[1].stderr
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["pipeline.py"]
    assert (tmp_path / "mine" / "pipeline.py").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("", "'' is no name of a project", "tailrace init payments"),
        ("my project!", "is no name of a project", "tailrace init my-project"),
        ("1st", "is no name of a project", "tailrace init st"),
        ("a/b", "'a/b' is a path", "tailrace init a-b"),
        ("..", "'..' is a path", "tailrace init payments"),
        ("x" * 64, "is longer than 63 characters", "tailrace init xxx"),
        ("zähler", "is no name of a project", "tailrace init z-hler"),
    ],
)
def test_bad_names(name: str, message: str, hint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The error says which names can be, with one like it; nothing is written."""
    from tailrace.cli.commands import invoke  # noqa: PLC0415
    from tailrace.cli.failures import guarded  # noqa: PLC0415

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        status = guarded(lambda: invoke(["init", "--", name]))

    said = capsys.readouterr().err
    assert status == 2
    assert message in said
    assert hint in said
    assert not list(tmp_path.iterdir())


def test_a_folder_that_can_not_be_written(tmp_path: Path) -> None:
    """It is told, not shown as a traceback."""
    (tmp_path / "link").symlink_to("/proc/nowhere")
    result = run(tmp_path, "tailrace", "init", "link")

    assert result.returncode == 2
    assert "there is a file 'link' already" in result.stderr
    if os.getuid():
        tmp_path.chmod(0o500)
        assert "can't be written" in run(tmp_path, "tailrace", "init", "other").stderr
        tmp_path.chmod(0o700)


def test_help() -> None:
    """It has an example."""
    assert "tailrace init fraud-alerts" in run(Path.cwd(), "tailrace", "init", "--help").stdout
