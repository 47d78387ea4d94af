"""`tailrace savepoint`: take one of a running job, and list those that there are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tailrace.cli.grid import print_grid
from tailrace.cli.telling import asked, job_at, told
from tailrace.errors import ConfigError
from tailrace.state.savepoints import check_name, savepoints
from tailrace.state.store_folder import RECORD

_TIME = "taken (UTC)"
_NUMBERS = ("epoch", "rows_in", "bytes")


def taken(name: str, where: str, job: str | None, *, stop: bool, as_json: bool) -> None:
    """
    Have a running job take a savepoint, and say where it is.

    Raises:
        TailraceError: it can't have that name, the server can't be reached, or the job can't take it.
    """
    check_name(name)
    answer = told(f"{job_at(where, job)}/checkpoints/savepoint", {"name": name, "stop": stop}, "there is no savepoint")
    if as_json:
        print(json.dumps(answer))
        return
    end = "; the job has stopped" if stop else ""
    print(f"savepoint '{name}' of {answer['rows_in']} rows is in {answer['folder']}{end}")


def listed(state: Path | None, where: str, job: str | None, *, as_json: bool) -> None:
    """
    Print the savepoints in a state folder, or those of a running job, the newest first.

    Raises:
        TailraceError: it is no state folder, or the server can't be reached.
    """
    found = _of_folder(state) if state is not None else _of_job(where, job)
    if as_json:
        for one in found:
            print(json.dumps(one))
        return
    if not found:
        print("no savepoints")
        return
    print_grid(("name", _TIME, *_NUMBERS), [_row(one) for one in found], whole=[_TIME], numbers=_NUMBERS)


def _row(one: Mapping[str, Any]) -> list[str]:
    moment = datetime.fromtimestamp(one["time_ms"] / 1000, UTC)
    return [one["name"], f"{moment:%Y-%m-%d %H:%M:%S}", *(str(one[n]) for n in _NUMBERS)]


def _of_folder(state: Path) -> Sequence[Mapping[str, Any]]:
    if not (state / RECORD).exists():
        hint = "name the folder that the job was given as --state; without it that is .tailrace/NAME"
        raise ConfigError(f"'{state}' is no state folder", hint=hint)
    return [asdict(one) for one in savepoints(state)]


def _of_job(where: str, job: str | None) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = asked(f"{job_at(where, job)}/checkpoints", "the job says nothing")[
        "savepoints"
    ]
    return found
