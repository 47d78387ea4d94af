"""Has pyright look at the types of the API: strictly at how it is used, and for public names whose type is not known."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tailrace
from tailrace import testing

ROOT = Path(__file__).resolve().parent.parent
USES = "tests/api/test_api_types.py"
_HOMES = ("tailrace.api.", "tailrace.testing.", "tailrace.user_functions.")
FURTHER = {"tailrace.api.functions", "tailrace.api.sql", "tailrace.errors", "tailrace.schema"}
"""Public modules beside those that the names of `tailrace` and `tailrace.testing` come from."""


def public_modules() -> set[str]:
    """Give the modules that public names are defined in."""
    found = (getattr(package, name) for package in (tailrace, testing) for name in dir(package) if name[0] != "_")
    return {m for m in (getattr(x, "__module__", "") for x in found) if m.startswith(_HOMES)} | FURTHER


def unknown(symbols: Iterable[Mapping[str, Any]]) -> list[str]:
    """Give the public symbols whose type is not known, with what pyright says of them."""
    modules = public_modules()
    return [
        f"{s['name']}: " + "; ".join(d["message"] for d in s["diagnostics"])
        for s in symbols
        if not s["isTypeKnown"] and (s["name"].count(".") == 1 or any(s["name"].startswith(f"{m}.") for m in modules))
    ]


def command() -> list[str]:
    """
    Give the command that starts pyright as it is in its wheel: its own one may fetch Node.js from the web.

    Raises:
        SystemExit: it is not there; with status 3 if Node.js is not.
    """
    package = importlib.util.find_spec("pyright")
    if package is None or package.origin is None:
        sys.exit("pyright is not installed")
    node = shutil.which("node")
    if node is None:
        sys.stderr.write("there is no Node.js\n")
        sys.exit(3)
    return [node, str(Path(package.origin).parent / "dist" / "index.js")]


def pyright(*arguments: str) -> dict[str, Any]:
    """Run it and give its report."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(  # noqa: S603  a tool of ours
        [*command(), *arguments, "--outputjson"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def main() -> None:
    """Say what is wrong; the status tells whether anything is."""
    uses = pyright("--project", str(ROOT / "pyproject.toml"))
    wrong = [
        f"{Path(d['file']).relative_to(ROOT)}:{d['range']['start']['line'] + 1}: {d['message']}"
        for d in uses["generalDiagnostics"]
    ]
    symbols = pyright("--verifytypes", "tailrace", "--ignoreexternal")["typeCompleteness"]["symbols"]
    wrong += unknown(symbols)
    sys.stdout.write("".join(f"{line}\n" for line in wrong))
    checked = uses["summary"]["filesAnalyzed"]
    sys.stdout.write(f"{checked} file of uses, {len(symbols)} symbols, {len(wrong)} problems\n")
    sys.exit(bool(wrong) or not checked or not symbols)


if __name__ == "__main__":
    main()
