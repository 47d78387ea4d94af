"""The arguments and options that several commands take."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Output(StrEnum):
    """How the rows of a SELECT are written."""

    table = "table"
    jsonl = "jsonl"
    csv = "csv"


Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE.sql", help="SQL files; several are one script; - is standard input.", show_default=False
    ),
]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="Replaces ${NAME} in the files. May be repeated."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", metavar="KEY=VALUE", help="A setting, as by SET. May be repeated."),
]
State = Annotated[
    Path | None,
    typer.Option("--state", metavar="DIR", help="Where checkpoints are kept.", show_default="./.tailrace/<name>"),
]
Replicas = Annotated[
    int | None,
    typer.Option(
        "--replicas",
        metavar="N",
        min=1,
        max=1000,
        help="Run N replicas of the script, each with its own `${REPLICA}` (as 1/4), and share them out with all other "
        "processes that are started so with the same `--state`, on this machine or others.",
        show_default=False,
    ),
]
Listen = Annotated[
    str | None,
    typer.Option(
        "--listen",
        metavar="[HOST:]PORT",
        help="Serve metrics for Prometheus (`/metrics`) and health (`/health/live`, `/health/ready`) while it runs.",
        show_default=False,
    ),
]
Ui = Annotated[
    str | None,
    typer.Option(
        "--ui",
        metavar="[[HOST:]PORT]",
        help="Show a dashboard in the browser while it runs, with no address at http://127.0.0.1:9280.",
        show_default=False,
    ),
]
AllowActions = Annotated[
    bool,
    typer.Option(
        "--allow-actions", help="Let the dashboard change something, as replay dead letters; else it only shows."
    ),
]


class LogFormat(StrEnum):
    """How log lines are written."""

    console = "console"
    json = "json"


LogFormats = Annotated[
    LogFormat | None,
    typer.Option(
        "--log-format",
        help="How log lines are written; `json` in the Elastic Common Schema.",
        show_default="console, or as --json says",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]
