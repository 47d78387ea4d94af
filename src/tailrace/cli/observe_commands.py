"""The commands `tailrace observe …` and `tailrace alerts …`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tailrace.cli.arguments import Files, Json, Parameters, Settings

observe_app = typer.Typer(
    help="Make what watches a job: alert rules, a scrape config, a dashboard, an index template for logs.",
    no_args_is_help=True,
)


@observe_app.command(epilog="Example: `tailrace observe rules fraud.sql > fraud.rules.yml`")
def rules(
    files: Files,
    parameter: Parameters = None,
    set_: Settings = None,
    runbook: Annotated[
        str, typer.Option("--runbook", metavar="URL", help="Where the runbook is; each alert links to its section.")
    ] = "docs/runbook.md",
) -> None:
    """Write alert rules for Prometheus that fit a script."""
    from tailrace.cli import observe as command  # noqa: PLC0415  loaded when called

    command.rules(files, parameter, set_, runbook)


@observe_app.command(epilog="Example: `tailrace observe grafana fraud.sql > fraud.dashboard.json`")
def grafana(files: Files, parameter: Parameters = None, set_: Settings = None) -> None:
    """Write a dashboard for Grafana, to be imported."""
    from tailrace.cli import observe as command  # noqa: PLC0415  loaded when called

    command.grafana(files, parameter, set_)


@observe_app.command(epilog="Example: `tailrace observe scrape --listen host:9249`")
def scrape(
    listen: Annotated[str, typer.Option("--listen", metavar="[HOST:]PORT", help="Where the job listens.")] = "9249",
    token_file: Annotated[
        Path | None, typer.Option("--token-file", metavar="FILE", help="Where Prometheus finds the token.")
    ] = None,
) -> None:
    """Write the configuration by which Prometheus reads a job's metrics."""
    from tailrace.cli import observe as command  # noqa: PLC0415  loaded when called

    command.scrape(listen, token_file)


@observe_app.command(epilog="Example: `tailrace observe index-template > template.json`")
def index_template(
    index: Annotated[str, typer.Option("--index", metavar="NAME", help="The data stream of log lines.")] = (
        "logs-tailrace"
    ),
) -> None:
    """Write an index template for log lines, for OpenSearch (with its Dashboards) and Elasticsearch (with Kibana)."""
    from tailrace.cli import observe as command  # noqa: PLC0415  loaded when called

    command.template(index)


alerts_app = typer.Typer(help="Try the channels of alerts.", no_args_is_help=True)


@alerts_app.command("test", epilog="Example: `tailrace alerts test fraud.sql`")
def alerts_test(files: Files, parameter: Parameters = None, set_: Settings = None, json: Json = False) -> None:
    """
    Send a sample to each channel of each table of alerts that a script defines.

    Ends with status 1 if a channel does not take it.
    """
    from tailrace.cli import alerts as command  # noqa: PLC0415  loaded when called

    command.test(files, parameter, set_, json_=json)
