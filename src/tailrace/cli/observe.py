"""`tailrace observe`: files that make Prometheus and Grafana watch a job."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tailrace.cli.run import runner_of
from tailrace.cli.script import load
from tailrace.connectors.blackhole import BlackholeSink
from tailrace.errors import ConfigError
from tailrace.observe.rules import Needs, rule_group
from tailrace.plan import nodes
from tailrace.plan.user_calls import calls_user
from tailrace.runtime.script import Script
from tailrace.web.address import address


def rules(
    files: Sequence[Path], parameters: Sequence[str] | None, settings: Sequence[str] | None, runbook: str
) -> None:
    """
    Write alert rules for a script.

    Raises:
        ConfigError: the script is wrong, or runs nothing.
    """
    runner = _watched(files, parameters, settings)
    groups = [rule_group(runner.name_of(i), _needs(runner, i), runbook) for i in range(len(runner.runs))]
    _write_yaml({"groups": groups})


def grafana(files: Sequence[Path], parameters: Sequence[str] | None, settings: Sequence[str] | None) -> None:
    """
    Write a dashboard for a script; of several jobs the last one's, the only one that may be without end.

    Raises:
        ConfigError: the script is wrong, or runs nothing.
    """
    runner = _watched(files, parameters, settings)
    try:
        from tailrace.observe.grafana import dashboard  # noqa: PLC0415  an extra
    except ModuleNotFoundError as error:
        raise _missing(error) from None
    last = len(runner.runs) - 1
    print(dashboard(runner.name_of(last), _needs(runner, last)))


def scrape(listen: str, token_file: Path | None) -> None:
    """
    Write a scrape configuration.

    Raises:
        ConfigError: the address can't be read.
    """
    where = address(listen)
    config: dict[str, Any] = {"job_name": "tailrace"}
    if token_file is not None:
        config["authorization"] = {"credentials_file": str(token_file)}
    config["static_configs"] = [{"targets": [where.url().removeprefix("http://")]}]
    _write_yaml({"scrape_configs": [config]})


def template(index: str) -> None:
    """
    Write an index template for log lines.

    Raises:
        ConfigError: a package is missing.
    """
    try:
        from tailrace.observe.logs.ecs import index_template  # noqa: PLC0415  an extra
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"this needs the package '{error.name}', which is not installed", hint="pip install 'tailrace[logs]'"
        ) from None
    print(json.dumps(index_template(index), indent=2))


def _watched(files: Sequence[Path], parameters: Sequence[str] | None, settings: Sequence[str] | None) -> Script:
    runner = runner_of(load(files, parameters, settings), lambda _: BlackholeSink())
    if not runner.runs:
        raise ConfigError("there is nothing to watch: the script runs no job", hint="write INSERT INTO or SELECT")
    return runner


def _needs(runner: Script, number: int) -> Needs:
    sinks = runner.runs[number].sinks
    event_time = any(isinstance(n, nodes.AssignWatermark) for sink in sinks for n in nodes.walk(sink))
    return Needs(event_time, all(runner.is_bounded(sink) for sink in sinks), calls_user(sinks))


def _write_yaml(content: dict[str, Any]) -> None:
    try:
        import yaml  # noqa: PLC0415  an extra
    except ModuleNotFoundError as error:
        raise _missing(error) from None
    yaml.safe_dump(content, sys.stdout, sort_keys=False, allow_unicode=True, width=120)


def _missing(error: ModuleNotFoundError) -> ConfigError:
    hint = "pip install 'tailrace[observe]'"
    return ConfigError(f"this needs the package '{error.name}', which is not installed", hint=hint)
