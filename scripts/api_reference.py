"""Writes the reference of the Python API: from signatures, docstrings, and the examples beside this file."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import api_functions
from api_names import PAGES, Page, entries

EXAMPLES = Path(__file__).resolve().parent / "api_examples"
_RAISES = re.compile(r"^Raises:\n((?:    .*\n?)+)", re.MULTILINE)
MADE_BY_USERS = ("testing", "errors")
"""Pages whose classes users make themselves."""

SETUP = "setup"
_BEGIN = "What the examples below begin with:"


def examples(page: Page) -> dict[str, str]:
    """Give the examples of a page that stand beside this file, by the names that they are of; under `setup` what all begin with."""
    path = EXAMPLES / f"{page.file}.txt"
    if not path.exists():
        return {}
    parts = re.split(r"^== (.*) ==\n", path.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], (text.rstrip() for text in parts[2::2]), strict=True))


def example_of(found: Any) -> str:
    """Give the example of a docstring; empty if it has none."""
    text = inspect.getdoc(found) or ""
    match = re.search(r"^>>> (?:.|\n)*?(?=\n\n(?!>>>)|\Z)", text, re.MULTILINE)
    return "" if match is None else match[0].rstrip()


def written(page: Page) -> str:
    """Give a page as Markdown."""
    own = examples(page)
    out = [f"# {page.title}", page.about]
    if own.get(SETUP):
        out += [_BEGIN, _block(own[SETUP])]
    for name, found in entries(page):
        made = page.file in MADE_BY_USERS or name == "Match" or not inspect.isclass(found)
        out += _entry(name, found, own, made=made)
    return "\n\n".join(out) + "\n"


def _entry(name: str, found: Any, own: Mapping[str, str], *, made: bool) -> list[str]:
    text = (inspect.getdoc(found) or "").strip()
    example = example_of(found)
    raises = _RAISES.search(text + "\n")
    prose = (
        _RAISES.sub("", text.replace(example, "") + "\n").strip() if example else _RAISES.sub("", text + "\n").strip()
    )
    out = [f"{'###' if '.' in name else '##'} {name}", *(_signature(name, found) if made else []), prose]
    if raises:
        out += ["Raises:", *_raised(raises[1])]
    return [*out, _block(own.get(name) or example)]


def _raised(text: str) -> list[str]:
    lines = re.sub(r"\n {5,}", " ", text).splitlines()
    items = (line.strip().partition(": ") for line in lines if line.strip())
    return ["\n".join(f"- `{what}`: {why}" for what, _, why in items)]


def _signature(name: str, found: Any) -> list[str]:
    """Give what is written to call it, and its arguments with their types."""
    callable_ = found.__func__ if isinstance(found, classmethod) else found
    try:
        signature = inspect.signature(callable_)
    except (TypeError, ValueError):
        return []
    given = [p for p in signature.parameters.values() if p.name != "self" and not p.name.startswith("_")]
    plain = signature.replace(
        parameters=[p.replace(annotation=p.empty, name=p.name) for p in given], return_annotation=signature.empty
    )
    gives = "" if signature.return_annotation is signature.empty else f" -> {_type(signature.return_annotation)}"
    called = f"`{name.rpartition('.')[2]}{plain}{gives}`"
    if not given:
        return [called]
    rows = ["| Argument | Type | Default |", "| --- | --- | --- |"]
    rows += [f"| `{p.name}` | {_cell(_type(p.annotation))} | {_default(p)} |" for p in given]
    return [called, "\n".join(rows)]


def _type(annotation: Any) -> str:
    if annotation is inspect.Parameter.empty:
        return ""
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    return str(text)


def _cell(text: str) -> str:
    return f"`{text}`".replace("|", "\\|") if text else ""


def _default(parameter: inspect.Parameter) -> str:
    if parameter.default is parameter.empty:
        return "any number" if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) else "required"
    return f"`{parameter.default!r}`" if " at 0x" not in repr(parameter.default) else "made anew"


def _block(text: str) -> str:
    shown = text.replace("<BLANKLINE>", "")
    return f"```pycon\n{shown}\n```"


def pages() -> dict[str, str]:
    """Give the pages of the reference by their names."""
    found = {f"python/reference/{page.file}.md": written(page) for page in PAGES}
    return found | {"python/reference/functions.md": api_functions.page()}
