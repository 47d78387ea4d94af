"""`tailrace connectors` tells of all connectors and their options."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from tailrace.cli.commands import app
from tailrace.cli.connectors import connectors
from tailrace.connectors import registry
from tailrace.errors import ConfigError


def test_all(capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, with what a table of it can be."""
    assert CliRunner().invoke(app, ["connectors"]).exit_code == 0
    connectors()
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert set(lines) == set(registry.names())
    assert "source, sink, lookup" in lines["sqlite"]
    assert "lookup" not in lines["kafka"].partition("Topics")[0]


def test_one(capsys: pytest.CaptureFixture[str]) -> None:
    """All its options, and metadata columns."""
    connectors("kafka")
    said = capsys.readouterr().out
    kafka = registry.get("kafka")
    assert all(o.key in said for o in kafka.options.options)
    assert all(m.key in said for m in kafka.metadata)


def test_as_json() -> None:
    """The same for programs."""
    (one,) = json.loads(CliRunner().invoke(app, ["connectors", "sqlite", "--json"]).stdout)
    assert one["uses"] == ["source", "sink", "lookup"]
    path = next(o for o in one["options"] if o["key"] == "path")
    assert path == {"key": "path", "required": True, "default": None, "secret": False, "doc": path["doc"]}
    every = json.loads(CliRunner().invoke(app, ["connectors", "--json"]).stdout)
    assert [c["name"] for c in every] == list(registry.names())


def test_one_that_is_not_there() -> None:
    """A mistake in the name is told as in a table."""
    with pytest.raises(Exception, match="no connector 'sqlit'"):
        connectors("sqlit")


def test_one_whose_library_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The list says how to get it."""
    real = registry.get
    message = "connector 'kafka' needs a library"

    def get(name: str) -> object:
        if name == "kafka":
            raise ConfigError(message, hint="pip install 'tailrace[kafka]'")
        return real(name)

    monkeypatch.setattr(registry, "get", get)
    connectors()
    assert "not installed: pip install 'tailrace[kafka]'" in capsys.readouterr().out


@pytest.mark.parametrize("name", registry.names())
def test_nothing_is_cut_off_where_the_terminal_is_narrow(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Long texts go on in the next line: all that is shown in a wide one is there."""
    shown = []
    for width in ("80", "500"):
        monkeypatch.setenv("COLUMNS", width)
        connectors(name)
        shown.append(sorted("".join(capsys.readouterr().out.split())))
    assert shown[0] == shown[1]
