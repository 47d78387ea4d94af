"""
The commands of `tailrace`, their options and their help.

Each command is a module of its own that is loaded when it is called, so that `--help` answers at once.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

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
    """
    from tailrace.cli import run as command  # noqa: PLC0415  loaded when called
    from tailrace.cli.serving import served_at  # noqa: PLC0415

    serve = served_at(listen, ui, actions=allow_actions)
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
        Path, typer.Option("--database", metavar="FILE", help="The SQLite file that takes the suspicious cards.")
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
    nexmark = "nexmark"


@app.command(epilog="Example: `tailrace bench file --rows 2000000`")
def bench(
    what: Annotated[Bench, typer.Argument(help="What to measure; `kafka` needs a broker.")] = Bench.all,
    rows: Annotated[int, typer.Option("--rows", "--events", min=10_000, help="Rows of each pipeline.")] = 2_000_000,
    kafka: Annotated[
        str | None, typer.Option("--kafka", metavar="HOST:PORT", help="The broker; topics are made and deleted.")
    ] = None,
    runs: Annotated[int, typer.Option("--runs", min=1, max=20, help="Runs of each; the median is shown.")] = 3,
    queries: Annotated[str, typer.Option("--queries", help="Of `nexmark`: some queries, as `q0,q5,cep1`.")] = "all",
    rate: Annotated[
        int, typer.Option("--rate", min=1, help="Of `nexmark`: events for each second of event time.")
    ] = 100_000,
    keys: Annotated[
        int, typer.Option("--keys", min=0, help="Of `nexmark`: bids for so many auctions, by so many persons, evenly.")
    ] = 0,
    live: Annotated[bool, typer.Option("--live", help="Of `nexmark`: make events while the query runs.")] = False,
    json: Json = False,
) -> None:
    """
    Measure this machine: the window aggregate alone, functions in Python, the pipeline over a file and over Kafka, the first row of a run.

    The rows of each pipeline are compared with one batch computation; status 1 if they differ. `nexmark` measures the
    queries of that benchmark, each in a process of its own on one core, with checkpoints each second and the events in memory.
    `formats` measures how fast rows of each format are read and written, beside the usual way in Python.
    """
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


observe_app = typer.Typer(
    help="Make what watches a job: alert rules, a scrape config, a dashboard, an index template for logs.",
    no_args_is_help=True,
)
app.add_typer(observe_app, name="observe")


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
app.add_typer(alerts_app, name="alerts")


@alerts_app.command("test", epilog="Example: `tailrace alerts test fraud.sql`")
def alerts_test(files: Files, parameter: Parameters = None, set_: Settings = None, json: Json = False) -> None:
    """
    Send a sample to each channel of each table of alerts that a script defines.

    Ends with status 1 if a channel does not take it.
    """
    from tailrace.cli import alerts as command  # noqa: PLC0415  loaded when called

    command.test(files, parameter, set_, json_=json)


letters_app = typer.Typer(
    help="The dead letters of a script's tables: list and show them, and have a running job replay them.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)
app.add_typer(letters_app, name="dead-letters")


@letters_app.command("list", epilog="Example: `tailrace dead-letters list fraud.sql --search amount`")
def letters_list(
    files: Files,
    table: Annotated[str | None, typer.Option("--table", help="Of several tables, this one.")] = None,
    search: Annotated[str, typer.Option("--search", metavar="TEXT", help="Only those with this text in them.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="At most so many, the newest.")] = 50,
    parameter: Parameters = None,
    set_: Settings = None,
    json: Json = False,
) -> None:
    """List dead letters, the newest first, with their ids."""
    from tailrace.cli import dead_letters as command  # noqa: PLC0415  loaded when called

    command.listed(files, parameter, set_, table=table, search=search, most=limit, as_json=json)


@letters_app.command("show", epilog="Example: `tailrace dead-letters show 8c1f0a2b9d3e4f56 fraud.sql`")
def letters_show(
    letter: Annotated[str, typer.Argument(metavar="ID", help="The id that `list` gives.", show_default=False)],
    files: Files,
    parameter: Parameters = None,
    set_: Settings = None,
    json: Json = False,
) -> None:
    """Show all of a dead letter, with the payload as text, JSON or bytes."""
    from tailrace.cli import dead_letters as command  # noqa: PLC0415  loaded when called

    command.shown(files, parameter, set_, letter, as_json=json)


@letters_app.command("replay", epilog="Example: `tailrace dead-letters replay 8c1f0a2b9d3e4f56 --at 9280`")
def letters_replay(
    letters: Annotated[
        list[str], typer.Argument(metavar="ID...", help="The ids that `list` gives.", show_default=False)
    ],
    at: Annotated[
        str, typer.Option("--at", metavar="[HOST:]PORT", help="Where the job's dashboard is; it must allow actions.")
    ] = "9280",
    json: Json = False,
) -> None:
    """
    Have a running job take the rows of dead letters once more, and wait for the checkpoint with what became of them.

    Its dashboard must be started with `--allow-actions`.
    """
    from tailrace.cli import dead_letters as command  # noqa: PLC0415  loaded when called

    command.replayed(at, letters, as_json=json)


def invoke(arguments: list[str]) -> None:
    """
    Carry out a command line; errors pass through.

    Raises:
        TailraceError: the command failed.
    """
    command = typer.main.get_command(app)
    with command.make_context("tailrace", arguments) as context:
        command.invoke(context)


schema_app = typer.Typer(
    help="The schemas of a script's tables, and those in a schema registry: show, compare, check and register them.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)
app.add_typer(schema_app, name="schema")

What = Annotated[
    str,
    typer.Argument(metavar="FILE.sql|SUBJECT", help="A script, or a subject of the registry.", show_default=False),
]
RegistryUrl = Annotated[
    str | None, typer.Option("--registry", metavar="URL", help="The address of the registry.", show_default=False)
]
User = Annotated[
    str | None,
    typer.Option(
        "--user", envvar="TAILRACE_REGISTRY_USER", metavar="USER:PASSWORD", help="Who asks.", show_default=False
    ),
]
Token = Annotated[
    str | None,
    typer.Option("--token", envvar="TAILRACE_REGISTRY_TOKEN", help="A token in place of it.", show_default=False),
]
SchemaFile = Annotated[
    Path | None,
    typer.Option("--file", metavar="FILE", help="A schema: `.avsc`, `.proto` or `.json`.", show_default=False),
]
SchemaVersion = Annotated[
    int | None, typer.Option("--version", help="A version of the subject.", show_default="the newest")
]


@schema_app.command("show", epilog="Example: `tailrace schema show orders-value --registry http://localhost:8081`")
def schema_show(
    what: What,
    registry: RegistryUrl = None,
    version: SchemaVersion = None,
    user: User = None,
    token: Token = None,
    parameter: Parameters = None,
    json: Json = False,
) -> None:
    """Show the schemas that a script's tables write, or a version of a subject."""
    from tailrace.cli import schema as command  # noqa: PLC0415  loaded when called

    command.show(command.Asked(what, registry, user, token, None, version, parameter or ()), json=json)


@schema_app.command("diff", epilog="Example: `tailrace schema diff job.sql`")
def schema_diff(
    what: What,
    registry: RegistryUrl = None,
    version: SchemaVersion = None,
    to: Annotated[int | None, typer.Option("--to", help="The other version.", show_default="the newest")] = None,
    file: SchemaFile = None,
    user: User = None,
    token: Token = None,
    parameter: Parameters = None,
    json: Json = False,
) -> None:
    """
    Compare the newest version of each subject with what a script writes, or two versions, or one with a file.

    A line for each field that is gone (`-`), new (`+`) or changed (`~`).
    """
    from tailrace.cli import schema as command  # noqa: PLC0415  loaded when called

    command.diff(command.Asked(what, registry, user, token, file, version, parameter or ()), to=to, json=json)


@schema_app.command("check", epilog="Example: `tailrace schema check job.sql`")
def schema_check(
    what: What,
    registry: RegistryUrl = None,
    file: SchemaFile = None,
    user: User = None,
    token: Token = None,
    parameter: Parameters = None,
    json: Json = False,
) -> None:
    """
    Ask the registry whether each subject takes what a script writes, or the schema in a file; changes nothing.

    Ends with status 1 if one does not.
    """
    from tailrace.cli import schema as command  # noqa: PLC0415  loaded when called

    command.check(command.Asked(what, registry, user, token, file, None, parameter or ()), json=json)


@schema_app.command(
    "register", epilog="Example: `tailrace schema register orders-value --registry http://… --file o.avsc`"
)
def schema_register(
    what: What,
    registry: RegistryUrl = None,
    file: SchemaFile = None,
    user: User = None,
    token: Token = None,
    parameter: Parameters = None,
    json: Json = False,
) -> None:
    """Register the schemas that a script writes, or the one in a file, if their subjects take them."""
    from tailrace.cli import schema as command  # noqa: PLC0415  loaded when called

    command.register(command.Asked(what, registry, user, token, file, None, parameter or ()), json=json)
