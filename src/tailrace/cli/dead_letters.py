"""`tailrace dead-letters`: list, show and replay them, as the dashboard does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tailrace.cli import logs
from tailrace.cli.grid import print_grid
from tailrace.cli.script import load
from tailrace.cli.telling import job_at, told
from tailrace.clock import SystemClock
from tailrace.errors import ConfigError, did_you_mean
from tailrace.observe.letters import letter_row, letter_view
from tailrace.runtime.letter_box import LetterBox
from tailrace.settings import value

_COLUMNS = ("id", "time", "source", "stage", "code", "reason", "preview")


def listed(
    files: Sequence[Path],
    parameters: Sequence[str] | None,
    settings: Sequence[str] | None,
    *,
    table: str | None,
    search: str,
    most: int,
    as_json: bool,
) -> None:
    """
    Print the newest dead letters of a script's tables, with a text in them.

    Raises:
        TailraceError: a table can't be read, or the script has none for dead letters.
    """
    logs.to_stderr(as_json=as_json)
    box = _box(files, parameters, settings, table)
    found = [letter_row(x, box.hidden) for name in box.tables for x in box.look(name, search, most).letters][:most]
    if as_json:
        for row in found:
            print(json.dumps(row, ensure_ascii=False))
        return
    if not found:
        print("no dead letters")
        return
    print_grid(_COLUMNS, [[str(row.get(name) or "") for name in _COLUMNS] for row in found], whole=["id"])


def shown(
    files: Sequence[Path],
    parameters: Sequence[str] | None,
    settings: Sequence[str] | None,
    id_: str,
    *,
    as_json: bool,
) -> None:
    """
    Print all of one dead letter.

    Raises:
        ConfigError: there is no such letter.
    """
    logs.to_stderr(as_json=as_json)
    box = _box(files, parameters, settings, None)
    letter = box.find(id_)
    if letter is None:
        hint = "'tailrace dead-letters list' gives the ids of those that there are"
        raise ConfigError(f"there is no dead letter '{id_}'", hint=hint)
    view = letter_view(letter, box.hidden)
    if as_json:
        print(json.dumps(view, ensure_ascii=False))
        return
    for name, text in view["values"].items():
        print(f"{name}: {text if text is not None else ''}")
    payload = view["payload"]
    print(f"payload ({payload['kind']}):")
    print(payload["text"])


def replayed(where: str, ids: Sequence[str], *, as_json: bool) -> None:
    """
    Have a running job replay dead letters, and say what became of them.

    Raises:
        TailraceError: its server can't be reached, or the job can't replay them.
    """
    done = told(f"{job_at(where)}/dead-letters/replay", {"ids": list(ids)}, "the job does not replay them")
    if as_json:
        print(json.dumps(done))
    else:
        print(
            f"{done['rows'] - done['refused']} of {done['rows']} rows were taken; they are in checkpoint {done['epoch']}"
        )


def _box(
    files: Sequence[Path], parameters: Sequence[str] | None, settings: Sequence[str] | None, table: str | None
) -> LetterBox:
    """
    Give the dead letters of a script; of one table, if it is named.

    Raises:
        ConfigError: there are none, or the script is wrong.
    """
    script = load(files, parameters, settings)
    tables = script.session.tables
    texts = (t.option("tailrace.dead-letter.table") for t in tables.values())
    names = list(dict.fromkeys(text.value for text in texts if text is not None and text.value in tables))
    if table is not None and table not in names:
        raise ConfigError(f"'{table}' takes no dead letters", hint=did_you_mean(table, names) or ", ".join(names))
    if not names:
        hint = "a table names it with 'tailrace.dead-letter.table'"
        raise ConfigError("the script has no table for dead letters", hint=hint)
    chosen = [table] if table is not None else names
    hidden = value(script.settings, "tailrace.redact")
    return LetterBox({n: tables[n] for n in chosen}, script.settings, SystemClock(), hidden)
