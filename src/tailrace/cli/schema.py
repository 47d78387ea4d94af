"""`tailrace schema`: the schemas of a script's tables and those in its registry: show, compare, check, register."""

from __future__ import annotations

import difflib
import json as jsons
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from tailrace.cli import logs
from tailrace.cli.failures import FAILED
from tailrace.cli.script import load
from tailrace.connectors import registry as connectors
from tailrace.connectors.encoding import RowEncoder
from tailrace.errors import ConfigError, did_you_mean
from tailrace.formats.avro.differences import differences
from tailrace.formats.avro.types import parse
from tailrace.formats.confluent.access import Access, address
from tailrace.formats.confluent.client import IncompatibleSchemaError, Registry, RegistrySchema, Version, registry
from tailrace.formats.confluent.registering import Contract, RegisteringEncoder
from tailrace.formats.protobuf import compiling
from tailrace.observe.plain import plain
from tailrace.plan.catalog import Table

KINDS = {".avsc": "AVRO", ".proto": "PROTOBUF", ".json": "JSON"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command is about: a script, or a subject of a registry with the file of a schema."""

    what: str
    registry: str | None = None
    user: str | None = None
    token: str | None = None
    file: Path | None = None
    version: int | None = None
    parameters: Sequence[str] = field(default_factory=tuple)
    to: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of one subject: lines for people, values for programs."""

    subject: str
    lines: list[str]
    values: dict[str, Any]
    good: bool = True


def show(asked: Asked, *, json: bool) -> None:
    """
    Print the schemas of a script's tables, or a version of a subject.

    Raises:
        ConfigError: there is none.
    """
    logs.to_stderr(as_json=json)
    if _is_script(asked.what):
        _print([_shown(c) for c in _contracts(asked)], as_json=json)
        return
    version = _version(_registry(asked), asked.what, asked.version)
    head = f"{version.subject}: version {version.version}, id {version.id}, {version.schema.kind}"
    values = {"version": version.version, "id": version.id, "kind": version.schema.kind, "schema": version.schema.text}
    _print([Answer(version.subject, [head, _pretty(version.schema)], values)], as_json=json)


def diff(asked: Asked, *, json: bool) -> None:
    """
    Print what is different between the newest version of each subject and what the script writes, or between two versions.

    Raises:
        ConfigError: a schema is not to be had.
    """
    logs.to_stderr(as_json=json)
    if _is_script(asked.what):
        _print([_compared(c) for c in _contracts(asked)], as_json=json)
        return
    client = _registry(asked)
    new = asked.file and RegistrySchema(*_read(asked.file))
    old = _version(client, asked.what, asked.version if new else asked.version or _last_but_one(client, asked))
    other = new or _version(client, asked.what, asked.to).schema
    _print([_difference(asked.what, old, other)], as_json=json)


def _last_but_one(client: Registry, asked: Asked) -> int | None:
    """Give the version to compare with the newest; None if there is no subject."""
    numbers = client.versions(asked.what)
    if len(numbers) == 1 and asked.to is None:
        hint = "compare it with the schema in a --file"
        raise ConfigError(f"subject '{asked.what}' has one version, {numbers[0]}, and no other", hint=hint)
    return numbers[-2] if len(numbers) > 1 else None


def check(asked: Asked, *, json: bool) -> None:
    """
    Say whether each subject takes the schema that the script writes, or that is in the file.

    Raises:
        typer.Exit: one does not.
    """
    logs.to_stderr(as_json=json)
    answers = [_checked(c) for c in _given(asked)]
    _print(answers, as_json=json)
    if not all(a.good for a in answers):
        raise typer.Exit(FAILED)


def register(asked: Asked, *, json: bool) -> None:
    """
    Register the schemas that the script writes, or the one in the file: all of them, or none if a subject does not take its own.

    Raises:
        IncompatibleSchemaError: a subject does not take it.
    """
    logs.to_stderr(as_json=json)
    contracts, answers = _given(asked), []
    refused = [c.subject for c in contracts if not c.registry.compatible(c.subject, c.schema)]
    if refused:
        hint = "look with 'tailrace schema diff', or change the compatibility of the subject"
        listed = ", ".join(f"'{subject}'" for subject in refused)
        raise IncompatibleSchemaError(f"nothing is registered: it would break the compatibility of {listed}", hint=hint)
    for contract in contracts:
        number = contract.register()
        answers.append(Answer(contract.subject, [f"{contract.subject}: registered, id {number}"], {"id": number}))
    _print(answers, as_json=json)


def _is_script(what: str) -> bool:
    return what.endswith(".sql") or what == "-"


def _contracts(asked: Asked) -> list[Contract]:
    """Give what the tables of a script promise."""
    _refuse_ignored(asked)
    script = load([Path(asked.what)], asked.parameters, ())
    found: dict[str, Contract] = {}
    for table in script.session.tables.values():
        for contract in _of_table(table):
            found.setdefault(contract.subject, contract)
    if not found:
        hint = "such a format is 'avro-confluent'; of AWS Glue's and Azure's registries 'tailrace check' says what is there"
        raise ConfigError(f"no table of '{asked.what}' has a format of a registry with Confluent's API", hint=hint)
    return list(found.values())


def _refuse_ignored(asked: Asked) -> None:
    given = {"--registry": asked.registry, "--file": asked.file, "--version": asked.version, "--to": asked.to}
    for option, value in given.items():
        if value is not None:
            hint = f"name a subject in place of '{asked.what}', whose tables say where their schemas are"
            raise ConfigError(f"{option} goes with a subject, not with a script", hint=hint)


def _of_table(table: Table) -> list[Contract]:
    options = connectors.options_of(table)
    chosen = [c for c in (options.value, options.key) if c is not None]
    if not any("tailrace.auto-register" in c.options for c in chosen):
        return []
    given = [getattr(e, "inner", e) for e in RowEncoder(table, options).encoders]
    encoders = [e for e in given if isinstance(e, RegisteringEncoder)]
    return [contract for e in encoders if (contract := e.contract) is not None]


def _given(asked: Asked) -> list[Contract]:
    """Give the schemas of a script's tables, or the one in a file."""
    if _is_script(asked.what):
        return _contracts(asked)
    if asked.file is None:
        raise ConfigError(f"which schema is meant for subject '{asked.what}'?", hint="name its file with --file")
    client, schema = _registry(asked), RegistrySchema(*_read(asked.file))
    return [Contract(client, asked.what, schema, lambda: client.register(asked.what, schema))]


def _registry(asked: Asked) -> Registry:
    if not asked.registry:
        hint = "name its address with --registry, or a script that has it"
        raise ConfigError(f"in which registry is the subject '{asked.what}'?", hint=hint)
    try:
        url = address(asked.registry)
    except ValueError as error:
        raise ConfigError(f"--registry can't be '{asked.registry}': {error}") from None
    return registry(Access(url, asked.user or "", asked.token or ""))


def _read(file: Path) -> tuple[str, str]:
    """Give the text and the kind of the schema in a file."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"'{file}' can't be read: {error}") from None
    if file.suffix not in KINDS:
        raise ConfigError(f"'{file}' is no file of a schema", hint=f"its name ends with {', '.join(KINDS)}")
    kind = KINDS[file.suffix]
    try:
        if kind == "JSON":
            jsons.loads(text)
        elif kind == "AVRO":
            parse(text)
        elif compiling.is_there():
            compiling.compile_files(file, ())
    except ValueError as error:
        raise ConfigError(f"'{file}' is no schema of {'Avro' if kind == 'AVRO' else kind}: {error}") from None
    return text, kind


def _version(client: Registry, subject: str, number: int | None) -> Version:
    found = client.latest(subject) if number is None else client.version(subject, number)
    if found is not None:
        return found
    numbers = client.versions(subject)
    if numbers:
        hint = f"it has {', '.join(map(str, numbers))}"
        raise ConfigError(f"subject '{subject}' has no version {number}", hint=hint)
    known = client.subjects()
    hint = did_you_mean(subject, known) or f"subjects: {', '.join(known[:20]) or 'none'}"
    raise ConfigError(f"there is no subject '{subject}'", hint=hint)


def _shown(contract: Contract) -> Answer:
    number = contract.registry.registered(contract.subject, contract.schema)
    head = f"{contract.subject}: {f'id {number}' if number is not None else 'not registered'}, {contract.schema.kind}"
    values = {"id": number, "kind": contract.schema.kind, "schema": contract.schema.text}
    return Answer(contract.subject, [head, _pretty(contract.schema)], values)


def _compared(contract: Contract) -> Answer:
    newest = contract.registry.latest(contract.subject)
    if newest is None:
        line = f"{contract.subject}: there is no such subject yet"
        return Answer(contract.subject, [line], {"version": None, "differences": []})
    return _difference(contract.subject, newest, contract.schema)


def _difference(subject: str, old: Version, new: RegistrySchema) -> Answer:
    lines = _lines(old.schema, new)
    head = f"{subject}: version {old.version} and the other schema are {'not ' if lines else ''}the same"
    return Answer(subject, [head, *(f"  {line}" for line in lines)], {"version": old.version, "differences": lines})


def _lines(old: RegistrySchema, new: RegistrySchema) -> list[str]:
    """Compare by fields where both are of Avro, else by lines."""
    if old.kind == new.kind == "AVRO" and not (old.references or new.references):
        return differences(parse(old.text), parse(new.text))
    before, after = (_pretty(s).splitlines() for s in (old, new))
    return [
        line
        for line in difflib.unified_diff(before, after, lineterm="", n=0)
        if not line.startswith(("---", "+++", "@@"))
    ]


def _checked(contract: Contract) -> Answer:
    kept = contract.registry.compatibility(contract.subject)
    if contract.registry.compatible(contract.subject, contract.schema):
        said = f"{contract.subject}: compatible ({kept})"
        return Answer(contract.subject, [said], {"compatible": True, "compatibility": kept})
    newest = contract.registry.latest(contract.subject)
    lines = _lines(newest.schema, contract.schema) if newest is not None else []
    said = f"{contract.subject}: NOT compatible ({kept})"
    values = {"compatible": False, "compatibility": kept, "differences": lines}
    return Answer(contract.subject, [said, *(f"  {line}" for line in lines)], values, good=False)


def _pretty(schema: RegistrySchema) -> str:
    if schema.kind == "PROTOBUF":
        return schema.text.rstrip()
    try:
        return jsons.dumps(jsons.loads(schema.text), indent=2, ensure_ascii=False)
    except ValueError:
        return schema.text


def _print(answers: list[Answer], *, as_json: bool) -> None:
    if as_json:
        print(jsons.dumps([{"subject": a.subject, **a.values} for a in answers]))
        return
    for answer in answers:
        for text in answer.lines:
            for line in text.splitlines():
                print(plain(line))
