"""What must hold of the whole repository."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import metadata
from pathlib import Path

import pytest

import tailrace

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))
OWN = "tests/test_project.py"
INDEXES = (
    "pypi" + ".org",
    "python" + "hosted.org",
    "repo1" + ".maven",
    "repo.maven" + ".apache",
    "registry.npm" + "js",
    "proxy.golang" + ".org",
    "index" + "-url",
)
OPTIONAL = ("confluent_kafka", "backports.zstd")


def tracked() -> Iterator[Path]:
    """Give the text files that belong to the repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not in a git checkout")
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if name and path.is_file() and b"\0" not in path.read_bytes()[:8000]:
            yield path


def containing(*words: str, but: tuple[str, ...] = ()) -> list[str]:
    """Give the places of words in the repository's files."""
    names = ((path, str(path.relative_to(ROOT))) for path in tracked())
    return [
        f"{name}:{number}: {word}"
        for path, name in names
        if name not in but
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        for word in words
        if word in line
    ]


def test_no_index_addresses() -> None:
    """Nothing names a package index: whose machine it is decides where packages come from."""
    assert not containing(*INDEXES, but=("scripts/lock",))


def test_no_leftovers() -> None:
    """Nothing is marked as to be done later; three X are a time zone in patterns of dates."""
    patterns = [f"tests/conformance/temporal/{name}.sql" for name in ("to_timestamp", "unix_time_and_zones")]
    assert not containing("TO" + "DO", "FIX" + "ME", but=("pyproject.toml",))
    assert not containing("XX" + "X", but=("pyproject.toml", *patterns))


def test_version() -> None:
    """The installed package is this one, and has its version from one place."""
    assert metadata("tailrace")["Version"] == tailrace.__version__


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT / "src")))
def test_module(path: Path) -> None:
    """A module says what it is for, is not too long, and has no function that can't be read at once."""
    text = path.read_text()
    tree = ast.parse(text)

    assert ast.get_docstring(tree)
    assert len(text.splitlines()) <= 800
    assert not [f.name for f in functions(tree) if (f.end_lineno or 0) - f.lineno > 100]


def functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Give all functions of a module."""
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT / "src")))
def test_nothing_evaluated(path: Path) -> None:
    """No text becomes code, nothing is pickled, no shell is asked."""
    tree = ast.parse(path.read_text())
    calls = [n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
    names = [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    names += [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    shells = [n for n in ast.walk(tree) if isinstance(n, ast.keyword) and n.arg == "shell"]

    assert not {"eval", "exec", "compile"} & set(calls)
    assert not {"pickle", "marshal", "shelve", "dill", "cloudpickle"} & {n.partition(".")[0] for n in names}
    assert not shells


@pytest.mark.parametrize("module", ["tailrace", "tailrace.sql.session", "tailrace.connectors.registry"])
def test_import_loads_nothing_optional(module: str) -> None:
    """What an extra brings is loaded when it is used, not before."""
    program = f"import sys, {module}; print([m for m in {OPTIONAL!r} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "name", ["scripts/demo", "scripts/test", "scripts/check", "scripts/lock", "scripts/docs", ".ci/run"]
)
def test_commands_can_run(name: str) -> None:
    """The commands are executable, and are right as far as the shell can tell without running them."""
    path = ROOT / name

    assert path.stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", str(path)], check=False).returncode == 0


def pins() -> dict[str, str]:
    """Give the pinned packages, each with the lines of its hashes."""
    found: dict[str, str] = {}
    name = ""
    for file in ("constraints.txt", "constraints-dev.txt"):
        for line in (ROOT / file).read_text().splitlines():
            if "==" in line:
                name = line.partition("==")[0]
                found[name] = ""
            elif name:
                found[name] += line
    return found


def test_all_dependencies_are_pinned() -> None:
    """Every dependency that is declared has a version with hashes in the constraints."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(r for group in project["optional-dependencies"].values() for r in group)]
    names = {re.split(r"[\[><=;]", w)[0].strip().replace(".", "-") for w in wanted}

    assert names - {"tailrace"} <= pins().keys()
    assert all("--hash=sha256:" in hashes for hashes in pins().values())


def test_licence() -> None:
    """The licence is there in full."""
    text = (ROOT / "LICENSE").read_text()

    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_integration_command_is_the_developers() -> None:
    """The continuous integration runs what a developer runs."""
    lines = [x for x in (ROOT / ".ci" / "run").read_text().splitlines() if x and not x.startswith("#")]

    assert len(lines) == 1
    assert lines[0].endswith('/scripts/test" "$@"')
