"""`tailrace schema` against a real registry."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from tailrace.cli.commands import app
from tailrace.errors import ConfigError
from tailrace.formats.confluent.access import Access
from tailrace.formats.confluent.client import IncompatibleSchemaError, Registry, RegistrySchema

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def _logs() -> Iterator[None]:
    """Let logs go where they went before: the runner's streams are closed behind a test."""
    yield
    structlog.reset_defaults()


def said(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, ["schema", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == status, result.output
    return result.stdout


def schema(**fields: Any) -> str:
    made = [{"name": n, "type": t} | ({"default": None} if isinstance(t, list) else {}) for n, t in fields.items()]
    return json.dumps(
        {"type": "record", "name": "record", "namespace": "org.apache.flink.avro.generated", "fields": made}
    )


def test_schema_commands(schema_registry: str, tmp_path: Path) -> None:
    topic = f"t-{uuid.uuid4().hex[:8]}"
    subject = f"{topic}-value"
    registry = Registry(Access(schema_registry))
    script = tmp_path / "job.sql"
    script.write_text(
        f"""CREATE TABLE t (id BIGINT NOT NULL, name STRING) WITH ('connector' = 'kafka', 'topic' = '{topic}',
        'properties.bootstrap.servers' = 'localhost:1', 'format' = 'avro-confluent', 'avro-confluent.url' = '{schema_registry}');
        CREATE TABLE other (a INT) WITH ('connector' = 'datagen');"""
    )
    assert f"{subject}: not registered, AVRO" in said("show", str(script))
    assert "no such subject yet" in said("diff", str(script))
    assert f"{subject}: compatible" in said("check", str(script))
    registry.register(subject, RegistrySchema(schema(id="int", gone=["null", "string"])))
    registry._connected().set_compatibility(subject, "FULL")

    assert said("diff", str(script)).splitlines()[1:] == [
        "  ~ id: int -> long",
        "  - gone: string or null = null",
        "  + name: string or null = null",
    ]
    assert f"{subject}: NOT compatible (FULL)" in said("check", str(script), status=1)
    with pytest.raises(IncompatibleSchemaError):
        said("register", str(script))
    registry._connected().set_compatibility(subject, "NONE")
    (registered,) = json.loads(said("register", str(script), "--json"))
    assert said("show", str(script)).startswith(f"{subject}: id {registered['id']}, AVRO")
    assert said("show", subject, "--registry", schema_registry).startswith(
        f"{subject}: version 2, id {registered['id']}"
    )
    (first,) = json.loads(said("show", subject, "--registry", schema_registry, "--version", "1", "--json"))
    assert first["version"] == 1
    assert "~ id: int -> long" in said("diff", subject, "--registry", schema_registry)
    assert "~ id: long -> int" in said("diff", subject, "--registry", schema_registry, "--version", "2", "--to", "1")
    file = tmp_path / "new.avsc"
    file.write_text(schema(id="long", name=["null", "string"], more=["null", "int"]))
    assert "+ more: int or null" in said("diff", subject, "--registry", schema_registry, "--file", str(file))
    assert "compatible" in said("check", subject, "--registry", schema_registry, "--file", str(file))
    said("register", subject, "--registry", schema_registry, "--file", str(file))
    assert registry.versions(subject) == [1, 2, 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "no-such-subject"], "in which registry"),
        (["show", "no-such-subject", "--registry", "nowhere"], "--registry can't be"),
        (["check", "no-such-subject", "--registry", "URL"], "which schema is meant"),
        (["show", "no-such-subject", "--registry", "URL"], "there is no subject"),
        (["check", "s", "--registry", "URL", "--file", "/no/such.avsc"], "can't be read"),
        (["check", "s", "--registry", "URL", "--file", "/etc/hostname"], "is no file of a schema"),
        (["show", "job.sql", "--registry", "URL"], "--registry goes with a subject, not with a script"),
        (["check", "job.sql", "--file", "s.avsc"], "--file goes with a subject"),
        (["diff", "job.sql", "--to", "1"], "--to goes with a subject"),
        (["diff", "job.sql", "--version", "1"], "--version goes with a subject"),
    ],
)
def test_mistakes(schema_registry: str, arguments: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        said(*(schema_registry if a == "URL" else a for a in arguments))


@pytest.mark.parametrize("command", ["diff", "check", "register"])
@pytest.mark.parametrize(("name", "kind"), [("bad.avsc", "Avro"), ("bad.json", "JSON")])
def test_a_file_that_is_no_schema(schema_registry: str, tmp_path: Path, command: str, name: str, kind: str) -> None:
    file = tmp_path / name
    file.write_text('{"type": "record"')
    with pytest.raises(ConfigError, match=f"is no schema of {kind}"):
        said(command, "s", "--registry", schema_registry, "--file", str(file))


@pytest.mark.parametrize("command", ["diff", "check", "register"])
def test_a_file_that_is_no_protobuf(schema_registry: str, tmp_path: Path, command: str) -> None:
    """The compiler says where it is wrong; a registry may say no more than that it failed."""
    file = tmp_path / "bad.proto"
    file.write_text('syntax = "proto3";\nmessage R { strin a = 1; }\n')
    with pytest.raises(
        ConfigError, match=r'no Protobuf that can be compiled: .*bad\.proto:2:13: "strin" is not defined'
    ):
        said(command, "s", "--registry", schema_registry, "--file", str(file))


def test_all_or_none_are_registered(schema_registry: str, tmp_path: Path) -> None:
    """A subject that does not take its schema keeps the others from being registered; names that are nearly right are told."""
    first, second = (f"t-{uuid.uuid4().hex[:8]}" for _ in range(2))
    registry = Registry(Access(schema_registry))
    registry.register(f"{second}-value", RegistrySchema(schema(id="int", gone="string")))
    registry._connected().set_compatibility(f"{second}-value", "FULL")
    with pytest.raises(ConfigError, match=f"'{second}-value' has one version, 1, and no other"):
        said("diff", f"{second}-value", "--registry", schema_registry)
    with pytest.raises(ConfigError, match="there is no subject") as wrong:
        said("show", f"{second}-valeu", "--registry", schema_registry)
    assert f"{second}-value" in str(wrong.value.hint)
    script = tmp_path / "job.sql"
    script.write_text(
        "".join(
            f"""CREATE TABLE `{topic}` (id BIGINT NOT NULL) WITH ('connector' = 'kafka', 'topic' = '{topic}',
            'properties.bootstrap.servers' = 'localhost:1', 'format' = 'avro-confluent', 'avro-confluent.url' = '{schema_registry}');"""
            for topic in (first, second)
        )
    )
    with pytest.raises(IncompatibleSchemaError, match=f"nothing is registered: .* '{second}-value'"):
        said("register", str(script))
    assert registry.versions(f"{first}-value") == []


def test_tables_of_other_registries(tmp_path: Path) -> None:
    script = tmp_path / "job.sql"
    script.write_text(
        """CREATE TABLE t (id BIGINT) WITH ('connector' = 'kafka', 'topic' = 't', 'properties.bootstrap.servers' = 'localhost:1',
        'format' = 'avro-azure', 'avro-azure.url' = 'http://127.0.0.1:9');"""
    )
    with pytest.raises(ConfigError, match="has a format of a registry with Confluent's API"):
        said("show", str(script))
