"""The command behind `scripts/record-conformance`."""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cases import ROOT, Answer, Case, all_cases
from changelogs import final, first_wrong
from flink_answers import UnstableError, answer
from flink_gateway import UnavailableError

GATEWAY = os.environ.get("TAILRACE_TEST_FLINK") or "http://localhost:18083"


class WrongCaseError(Exception):
    """A case says something else than its answer."""


def record(case: Case, options: argparse.Namespace) -> str:
    """Ask Flink, and write (or check) the outcome; gives what to say about it."""
    if case.out.exists() and not case.expected.oracle.startswith("Flink "):
        return f"left: its oracle is {case.expected.oracle}"
    found = answer(case, options.gateway, options.timeout, 2 if case.tables_read > 1 else 1)
    if found.refused and "refused" not in case.expects:
        raise WrongCaseError(f"Flink refuses it: {found.refused}")
    if not found.refused and "refused" in case.expects:
        raise WrongCaseError(f"it expects to be refused, and gives {len(found.rows)} rows")
    if first_wrong(found.rows):
        raise WrongCaseError("Flink retracts a row that was not there")
    if options.check:
        return compared(case.expected, found)
    case.out.write_text(found.text())
    return f"refused: {found.refused}" if found.refused else f"{len(found.rows)} rows"


def compared(recorded: Answer, found: Answer) -> str:
    """Say that an answer is the recorded one."""
    missing, more = final(recorded.rows) - final(found.rows), final(found.rows) - final(recorded.rows)
    if missing or more or recorded.refused != found.refused:
        raise WrongCaseError(f"Flink now answers otherwise\n  no longer: {list(missing)}\n  new: {list(more)}")
    return "as recorded"


def chosen(names: list[str]) -> list[Case]:
    """Give the cases of these files and areas; all, where none is named."""
    if not names:
        return all_cases()
    return [Case(path.resolve()) for name in names for path in scripts_of(name)]


def scripts_of(name: str) -> list[Path]:
    """Give the scripts that a name means: a file, a folder, AREA or AREA/CASE."""
    for path in (Path(name), ROOT / name):
        if path.is_dir():
            return sorted(path.glob("*.sql"))
        if path.with_suffix(".sql").is_file():
            return [path.with_suffix(".sql")]
    raise SystemExit(f"no case and no area is named '{name}'")


def options_of(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser("record-conformance", description="Record what real Flink answers to the cases.")
    parser.add_argument("--gateway", default=GATEWAY, help=f"the SQL Gateway ({GATEWAY})")
    parser.add_argument("--check", action="store_true", help="write nothing, compare with what is recorded")
    parser.add_argument("--jobs", type=int, default=3, help="how many cases at once (3)")
    parser.add_argument("--timeout", type=float, default=120, help="seconds that one statement may take (120)")
    parser.add_argument("cases", nargs="*", help="scripts, or areas; all if left out")
    return parser.parse_args(arguments)


def main() -> int:
    """Record the cases that were asked for; the status is 1 if one of them could not be."""
    options = options_of()

    def one(case: Case) -> tuple[str, bool]:
        try:
            return f"{case.name}: {record(case, options)}", True
        except (WrongCaseError, UnstableError, UnavailableError, OSError, ValueError) as error:
            return f"{case.name}: NOT recorded: {error}", False

    failed = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for said, good in pool.map(one, chosen(options.cases)):
            print(said, file=sys.stderr)  # noqa: T201  a command
            failed += not good
    return min(failed, 1)


if __name__ == "__main__":
    raise SystemExit(main())
