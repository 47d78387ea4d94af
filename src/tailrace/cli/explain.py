"""`tailrace explain`: the plan of a script as a tree."""

from __future__ import annotations

import json as jsons
from collections.abc import Sequence
from pathlib import Path

from tailrace.cli import logs
from tailrace.cli.run import check_options
from tailrace.cli.script import load
from tailrace.errors import ConfigError
from tailrace.plan.explain import as_nodes
from tailrace.plan.explain import explain as draw
from tailrace.plan.warnings import warnings


def explain(
    files: Sequence[Path], parameters: Sequence[str] | None, settings: Sequence[str] | None, *, json: bool = False
) -> None:
    """
    Print the plans of the script's INSERTs and of its SELECT.

    Raises:
        ConfigError: a statement is wrong, or there is nothing that would run.
    """
    logs.to_stderr(as_json=json)
    script = load(files, parameters, settings)
    check_options(script)
    sinks = script.sinks
    if not sinks:
        raise ConfigError("the script has no INSERT and no SELECT: there is no plan", hint="add one")
    if json:
        tables = [s.table.name if s.table else None for s in sinks]
        found = {"name": script.name, "sinks": tables, "nodes": as_nodes(sinks), "warnings": warnings(sinks)}
        print(jsons.dumps(found | {"plan": draw(sinks)}))
    else:
        print(draw(sinks))
