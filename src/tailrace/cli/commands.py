"""
The commands of `tailrace`, their options and their help.

Each command is a module of its own that is loaded when it is called, so that `--help` answers at once.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tailrace.cli.arguments import (
    AllowActions,
    Files,
    Json,
    Listen,
    LogFormats,
    Output,
    Parameters,
    Replicas,
    Settings,
    State,
    Ui,
)
from tailrace.cli.letters_commands import letters_app
from tailrace.cli.observe_commands import alerts_app, observe_app
from tailrace.cli.savepoint_commands import savepoint_app
from tailrace.cli.schema_commands import schema_app
from tailrace.errors import ConfigError

app = typer.Typer(
    name="tailrace",
    help="Streaming SQL (Flink's dialect) over files, Kafka and more, in one process.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 well; 1 it failed while it ran; 2 a mistake in a file, an option or the command; "
    "130 ended by a second Ctrl-C.",
)


def _version(asked: bool) -> None:
    if asked:
        from tailrace import __version__  # noqa: PLC0415  only when asked

        print(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Streaming SQL (Flink's dialect) over files, Kafka and more, in one process."""


@app.command(epilog="Example: `tailrace run fraud.sql --parameter BROKER=localhost:9092`")
def run(
    files: Files,
    output: Annotated[Output, typer.Option("--output", "-o", help="How the rows of a SELECT are written.")] = (
        Output.table
    ),
    parameter: Parameters = None,
    set_: Settings = None,
    state: State = None,
    replicas: Replicas = None,
    allow_state_drop: Annotated[
        bool, typer.Option("--allow-state-drop", help="Drop state that no longer fits the changed script.")
    ] = False,
    from_savepoint: Annotated[
        Path | None,
        typer.Option("--from-savepoint", metavar="DIR", help="Begin where a savepoint was taken, with new state."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Progress and summary as JSON lines.")] = False,
    log_format: LogFormats = None,
    listen: Listen = None,
    ui: Ui = None,
    allow_actions: AllowActions = False,
) -> None:
    """
    Run a script: its INSERTs, and a final SELECT whose rows go to standard output.

    Progress and the summary go to standard error. Ctrl-C (or SIGTERM) lets what was read go through, takes a checkpoint
    and ends with status 0; a second one ends at once with 130. The next run goes on from the last checkpoint.

    With `--replicas` several such processes share a Kafka topic: when one comes it is given replicas with their state, when
    one dies the others take its replicas over. Replica k then listens at the port of `--listen` or `--ui` plus k.
    """
    from tailrace.cli import run as command  # noqa: PLC0415  loaded when called
    from tailrace.cli.serving import served_at  # noqa: PLC0415

    serve = served_at(listen, ui, actions=allow_actions)
    if replicas is not None:
        from tailrace.cli.replicas import command as shared  # noqa: PLC0415

        if from_savepoint is not None:
            raise ConfigError(
                "a savepoint is of one job, and --replicas are several", hint="leave --from-savepoint out"
            )
        shared.run(
            shared.Options(
                replicas,
                files,
                parameter or (),
                set_ or (),
                state,
                serve,
                json,
                None if log_format is None else log_format.value,
                (f"--output={output.value}", *(["--allow-state-drop"] if allow_state_drop else [])),
            )
        )
        return
    command.run(
        files,
        output.value,
        parameter,
        set_,
        state,
        allow_state_drop=allow_state_drop,
        from_savepoint=from_savepoint,
        json=json,
        log_format=None if log_format is None else log_format.value,
        serve=serve,
    )


@app.command(epilog="Example: `tailrace check fraud.sql`")
def check(files: Files, parameter: Parameters = None, set_: Settings = None, json: Json = False) -> None:
    """
    Check a script without running it: bind it, reach every system, say what each sink guarantees.

    Ends with status 1 if a system can't be used.
    """
    from tailrace.cli import check as command  # noqa: PLC0415  loaded when called

    command.check(files, parameter, set_, json=json)


@app.command(epilog="Example: `tailrace connectors kafka`")
def connectors(
    name: Annotated[str | None, typer.Argument(help="Show the options of this one.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """List the systems that tables can stand for, or the options of one."""
    from tailrace.cli import connectors as command  # noqa: PLC0415  loaded when called

    command.connectors(name, json=json)


@app.command(epilog="Example: `tailrace explain fraud.sql`")
def explain(files: Files, parameter: Parameters = None, set_: Settings = None, json: Json = False) -> None:
    """Draw the plan of a script, with the changelog mode and the state of each node."""
    from tailrace.cli import explain as command  # noqa: PLC0415  loaded when called

    command.explain(files, parameter, set_, json=json)


@app.command(epilog="Example: `tailrace sql` or `echo 'SELECT 1;' | tailrace sql --output csv`")
def sql(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE.sql", help="Files to define tables from first.")
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="How rows are written.")] = Output.table,
    parameter: Parameters = None,
    set_: Settings = None,
    json: Json = False,
) -> None:
    """
    Type SQL and see the rows as they come.

    Statements end with a semicolon. Ctrl-C stops the query that runs, Ctrl-D leaves. What comes through a pipe is run
    as a script.
    """
    from tailrace.cli import prompt as command  # noqa: PLC0415  loaded when called

    command.sql(files or [], output.value, parameter, set_, json=json)


@app.command(epilog="Example: `tailrace demo --seconds 20`")
def demo(
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=0.1, help="End after so long.", show_default="until Ctrl-C")
    ] = None,
    kafka: Annotated[
        str | None, typer.Option("--kafka", metavar="HOST:PORT", help="Send the payments through this Kafka broker.")
    ] = None,
    rows_per_second: Annotated[
        int, typer.Option("--rows-per-second", min=1, max=1_000_000, help="Payments a second.")
    ] = 4000,
    database: Annotated[
        Path, typer.Option("--database", metavar="FILE", help="The SQLite file of suspicious cards and dead letters.")
    ] = Path("tailrace-demo.db"),
    json: Json = False,
    ui: Ui = None,
) -> None:
    """
    Watch made-up card payments, find the cards that behave oddly, and keep them in SQLite.

    Needs no server. The scripts that it runs are part of the package: tailrace/cli/demo/*.sql.
    """
    from tailrace.cli.demo import command  # noqa: PLC0415  loaded when called
    from tailrace.cli.serving import served_at  # noqa: PLC0415

    serve = served_at(None, ui, actions=False)
    command.demo(seconds, kafka, rows_per_second, database, json=json, serve=serve)


@app.command(epilog="Example: `tailrace init fraud-alerts`, or `tailrace init fraud-alerts --sql`")
def init(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The project's name, and that of its folder.")],
    sql: Annotated[bool, typer.Option("--sql", help="A pipeline in SQL; without it one in Python.")] = False,
    json: Json = False,
) -> None:
    """
    Write a small project to begin with: a pipeline, a test of it, a Dockerfile and a README.

    It runs as it is, and its tests pass. A folder of that name must not be there, or be empty.
    """
    from tailrace.cli.init import command  # noqa: PLC0415  loaded when called

    command.init(name, sql=sql, json=json)


class Bench(StrEnum):
    """What can be measured."""

    all = "all"
    window = "window"
    file = "file"
    kafka = "kafka"
    start = "start"
    udf = "udf"
    process = "process"
    formats = "formats"
    overhead = "overhead"
    nexmark = "nexmark"


@app.command(epilog="Example: `tailrace bench file --rows 2000000`")
def bench(
    what: Annotated[Bench, typer.Argument(help="What to measure; `kafka` needs a broker.")] = Bench.all,
    rows: Annotated[int, typer.Option("--rows", "--events", min=10_000, help="Rows of each pipeline.")] = 2_000_000,
    kafka: Annotated[
        str | None, typer.Option("--kafka", metavar="HOST:PORT", help="The broker; topics are made and deleted.")
    ] = None,
    runs: Annotated[int, typer.Option("--runs", min=1, max=100, help="Runs of each; the median is shown.")] = 3,
    queries: Annotated[str, typer.Option("--queries", help="Of `nexmark`: some queries, as `q0,q5,cep1`.")] = "all",
    rate: Annotated[
        int, typer.Option("--rate", min=1, help="Of `nexmark`: events for each second of event time.")
    ] = 100_000,
    keys: Annotated[
        int, typer.Option("--keys", min=0, help="Of `nexmark`: bids for so many auctions, by so many persons, evenly.")
    ] = 0,
    live: Annotated[bool, typer.Option("--live", help="Of `nexmark`: make events while the query runs.")] = False,
    way: Annotated[
        list[str] | None,
        typer.Option("--way", help="Of `overhead`: one way of being seen, as `traces`; again for more."),
    ] = None,
    traced: Annotated[
        int, typer.Option("--traced", min=0, help="Of `overhead`: one message of so many has a trace; 0: none.")
    ] = 0,
    json: Json = False,
) -> None:
    """
    Measure this machine: the window aggregate alone, functions in Python, the pipeline over a file and over Kafka, the first row of a run.

    The rows of each pipeline are compared with one batch computation; status 1 if they differ. `nexmark` measures the
    queries of that benchmark, each in a process of its own on one core, with checkpoints each second and the events in memory.
    `formats` measures how fast rows of each format are read and written, beside the usual way in Python. `overhead` compares the
    pipeline with the dashboard, metrics, traces, logs and alerts off and on, in `--runs` pairs.
    """
    if what is Bench.overhead:
        from tailrace.cli import bench_overhead  # noqa: PLC0415  loaded when called

        bench_overhead.bench(rows, runs, kafka, traced, way or (), json=json)
        return
    if what is Bench.formats:
        from tailrace.cli import bench_formats  # noqa: PLC0415  loaded when called

        bench_formats.bench(rows, runs, json=json)
        return
    if what is Bench.nexmark:
        from tailrace.cli import bench_nexmark  # noqa: PLC0415  loaded when called

        bench_nexmark.bench(queries, rows, runs, rate, keys, live=live, json=json)
        return
    from tailrace.cli import bench as command  # noqa: PLC0415  loaded when called

    command.bench(what.value, rows, kafka, runs, json=json)


@app.command(epilog="Example: `tailrace top 9249`")
def top(
    where: Annotated[
        str, typer.Argument(metavar="[HOST:]PORT", help="Where the job listens (its `--listen`).")
    ] = "9249",
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="The time between two looks.")] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="Show it once, and leave.")] = False,
    json: Json = False,
) -> None:
    """Show what a running job does: rates, lag, latency, and how busy each operator is. Ctrl-C leaves."""
    from tailrace.cli import top as command  # noqa: PLC0415  loaded when called

    command.top(where, seconds, once=once, json_=json)


@app.command(epilog="Example: `tailrace ui 9249 host:9249`")
def ui(
    addresses: Annotated[
        list[str], typer.Argument(metavar="[HOST:]PORT", help="Where jobs listen (their `--listen` or `--ui`).")
    ],
    listen: Annotated[str, typer.Option("--listen", metavar="[HOST:]PORT", help="Where the dashboard is.")] = "9280",
    allow_actions: AllowActions = False,
) -> None:
    """Show the jobs of several servers on one dashboard in the browser, until Ctrl-C."""
    from tailrace.cli import logs  # noqa: PLC0415  loaded when called
    from tailrace.cli.serving import show_others  # noqa: PLC0415

    logs.to_stderr()
    show_others(addresses, listen, actions=allow_actions)


app.add_typer(observe_app, name="observe")
app.add_typer(alerts_app, name="alerts")
app.add_typer(letters_app, name="dead-letters")
app.add_typer(savepoint_app, name="savepoint")
app.add_typer(schema_app, name="schema")


def invoke(arguments: list[str]) -> None:
    """
    Carry out a command line; errors pass through.

    Raises:
        TailraceError: the command failed.
    """
    command = typer.main.get_command(app)
    with command.make_context("tailrace", arguments) as context:
        command.invoke(context)
