"""From files on the command line to what is to be run."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from tailrace.connectors.discovery import discover
from tailrace.errors import ConfigError, did_you_mean
from tailrace.plan.nodes import Sink
from tailrace.plan.rewrite import optimize
from tailrace.settings import has_effect
from tailrace.sql.session import Session
from tailrace.sql.statements import Explain, Insert, Query, Show, Statement

STDIN = "-"

_log = structlog.get_logger("tailrace.cli")


@dataclass(frozen=True, slots=True)
class Script:
    """A script that was bound: its INSERTs and SELECTs."""

    name: str
    session: Session
    statements: tuple[Statement, ...]
    inserts: tuple[Sink, ...]
    queries: tuple[Sink, ...]

    @property
    def query(self) -> Sink | None:
        """The last SELECT, if there is one."""
        return self.queries[-1] if self.queries else None

    @property
    def sinks(self) -> tuple[Sink, ...]:
        """All plans, sharing what they have in common."""
        found = (*self.inserts, *self.queries)
        return optimize(found) if found else ()

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings in force at the last statement that runs."""
        runs = [s for s in self.statements if isinstance(s, Insert | Query)]
        return self.session.settings if not runs or runs[-1].settings is None else runs[-1].settings

    @property
    def shows(self) -> tuple[Show | Explain, ...]:
        """What is to be shown before the job runs."""
        return tuple(s for s in self.statements if isinstance(s, Show | Explain))


def pairs(given: Sequence[str] | None, option: str) -> dict[str, str]:
    """
    Read NAME=VALUE arguments.

    >>> pairs(["a=1", "b=x=y"], "--set")
    {'a': '1', 'b': 'x=y'}

    Raises:
        ConfigError: one has no `=`.
    """
    found: dict[str, str] = {}
    for text in given or ():
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise ConfigError(f"'{text}' is no NAME=VALUE", hint=f"write {option} NAME=VALUE")
        found[name.strip()] = value
    return found


def new_session(parameters: Sequence[str] | None, settings: Sequence[str] | None, *, fixed: bool = False) -> Session:
    """
    Make a session from the arguments of a command; with `fixed` its settings go before those of the files.

    Raises:
        ConfigError: an argument is no NAME=VALUE, or a setting is wrong.
    """
    allowed = {k: v for k, v in os.environ.items() if k.startswith("TAILRACE_")}
    given = pairs(settings, "--set")
    return Session(pairs(parameters, "--parameter"), {} if fixed else given, allowed, given if fixed else {}, discover)


def load(files: Sequence[Path], parameters: Sequence[str] | None, settings: Sequence[str] | None) -> Script:
    """
    Read and bind the files as one script; nothing runs.

    Raises:
        ConfigError: a file can't be read, or a statement is wrong; points at the place.
    """
    session = new_session(parameters, settings, fixed=True)
    statements = [s for file in files for s in session.bind(read(file), label(file))]
    if not statements:
        raise ConfigError(f"there is no statement in {', '.join(map(label, files))}", hint="write one, as SELECT 1;")
    for key in session.settings:
        if not has_effect(key):
            _log.warning("setting has no effect here", setting=key)
    script = script_of(statements, session, "")
    return replace(script, name=name_of(files, script.settings))


def script_of(statements: Sequence[Statement], session: Session, name: str) -> Script:
    """Sort statements into a script."""
    queries = tuple(s.plan for s in statements if isinstance(s, Query))
    inserts = tuple(sink for s in statements if isinstance(s, Insert) for sink in s.sinks)
    return Script(name, session, tuple(statements), inserts, queries)


def read(file: Path) -> str:
    """
    Read a script; `-` is standard input.

    Raises:
        ConfigError: there is no such file, or it is no text.
    """
    try:
        data = sys.stdin.buffer.read() if str(file) == STDIN else file.read_bytes()
        text = data.decode("utf-8-sig")
    except FileNotFoundError:
        near = [p.name for p in file.parent.glob("*")] if file.parent.is_dir() else []
        hint = did_you_mean(file.name, near)
        raise ConfigError(f"there is no file '{file}'", hint=hint) from None
    except OSError as error:
        raise ConfigError(f"can't read '{file}': {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"'{file}' is no text in UTF-8 (byte {error.start})") from None
    return text


def label(file: Path) -> str:
    """Give the name of a script for people."""
    return "<stdin>" if str(file) == STDIN else str(file)


def name_of(files: Sequence[Path], settings: Mapping[str, str]) -> str:
    """
    Name the job: by `pipeline.name`, or by its last file.

    >>> name_of([Path("etc/fraud.sql")], {})
    'fraud'
    """
    given = settings.get("pipeline.name", "").strip()
    return given or (Path(label(files[-1]).strip("<>")).stem if files else "sql")


def state_folder(script: Script, given: Path | None) -> Path | None:
    """Say where the job keeps its state; a script that only shows rows keeps none unless a folder was named."""
    if given is not None:
        return given
    if not script.inserts:
        return None
    safe = re.sub(r"[^\w.-]+", "-", script.name).strip(".-") or "job"
    return Path(".tailrace") / safe
