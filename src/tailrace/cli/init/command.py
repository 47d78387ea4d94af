"""`tailrace init`: a small project with a pipeline, its test, a Dockerfile and a README."""

from __future__ import annotations

import json as json_module
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from tailrace import __version__
from tailrace.errors import ConfigError

LONGEST = 63
"""A name is that of a host too, where an image of the project runs."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_SUFFIX = ".txt"  # what a template has that its file has not, so that no tool takes it for one of its own
_DOT = "dot_"
_COMMANDS = {
    "python": ["python", "pipeline.py"],
    "sql": ["tailrace", "run", "pipeline.sql", "--state", "data/state"],
}


def init(name: str, *, sql: bool, json: bool) -> None:
    """
    Write a new project into a folder of its name, and say how to go on.

    Raises:
        ConfigError: the name can't be one, or there is something in the folder.
    """
    folder = Path(check_name(name))
    _check_folder(folder)
    kind = "sql" if sql else "python"
    written = write(folder, kind)
    if json:
        print(json_module.dumps({"name": name, "folder": str(folder.resolve()), "files": written}))
        return
    run = " ".join(_COMMANDS[kind])
    print(f"made {name}/ with {', '.join(written)}\nnext:\n  cd {name}\n  python -m pytest\n  {run}")


def check_name(name: str) -> str:
    """
    Give a name that a project can have.

    Raises:
        ConfigError: it can't; the hint has one that can.

    >>> check_name("fraud-alerts")
    'fraud-alerts'
    """
    if _NAME.fullmatch(name) and len(name) <= LONGEST:
        return name
    if "/" in name or "\\" in name or name in (".", ".."):
        what, hint = "is a path", "go to the folder that shall hold the project, and give a name"
    else:
        what = f"is longer than {LONGEST} characters" if _NAME.fullmatch(name) else "is no name of a project"
        hint = "letters, digits, - and _, a letter first"
    near = re.sub(r"[^A-Za-z0-9_-]+", "-", name).lstrip("0123456789-_").rstrip("-")[:LONGEST]
    raise ConfigError(f"'{name}' {what}", hint=f"{hint}: tailrace init {near or 'payments'}")


def _check_folder(folder: Path) -> None:
    if folder.is_dir():
        if any(folder.iterdir()):
            hint = "nothing was changed; give another name, or empty the folder first"
            raise ConfigError(f"there is a folder '{folder}' already, and it is not empty", hint=hint)
    elif folder.exists() or folder.is_symlink():
        raise ConfigError(f"there is a file '{folder}' already", hint="give another name")


def write(folder: Path, kind: str) -> list[str]:
    """
    Write the files of a project, `python` or `sql`; give their names.

    Raises:
        ConfigError: the folder can't be written.
    """
    values = {
        "name": folder.name,
        "image": folder.name.lower(),
        "version": __version__,
        "command": json_module.dumps(_COMMANDS[kind])[1:-1],
    }
    texts = {target: _filled(text, values) for target, text in _templates(kind)}
    try:
        folder.mkdir(exist_ok=True)
        for target, text in texts.items():
            (folder / target).parent.mkdir(exist_ok=True)
            (folder / target).write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"'{error.filename or folder}' can't be written: {error.strerror}"
        raise ConfigError(message, hint="go to a folder that you may write to") from None
    return sorted(texts)


def _templates(kind: str) -> Iterator[tuple[str, str]]:
    root = files("tailrace.cli.init") / "templates"
    for part in (root / "common", root / kind):
        yield from _below(part, "")


def _below(part: Traversable, path: str) -> Iterator[tuple[str, str]]:
    for template in part.iterdir():
        name = template.name.removesuffix(_SUFFIX)
        target = path + (f".{name.removeprefix(_DOT)}" if name.startswith(_DOT) else name)
        if template.is_dir():
            yield from _below(template, f"{target}/")
        else:
            yield target, template.read_text(encoding="utf-8")


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{{{name}}}}}", value)
    return text
