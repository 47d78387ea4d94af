"""`tailrace run`: a script as a job."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TextIO

import structlog

from tailrace.cli import logs
from tailrace.cli.compiling import told_of_compiling
from tailrace.cli.failures import silence_stdout
from tailrace.cli.jobs import stopped_by_signals
from tailrace.cli.output import OutputSink, output_sink, print_frame
from tailrace.cli.progress import Progress, summary_json, summary_lines
from tailrace.cli.screen import LiveLines
from tailrace.cli.script import Script, load, state_folder
from tailrace.cli.serving import Served, served
from tailrace.connectors.base import Sink as RowSink
from tailrace.engine.tracing import Tracer
from tailrace.errors import ConfigError
from tailrace.observe.exporting.telemetry import telemetry
from tailrace.observe.logs.setup import tell_rest
from tailrace.plan.changelog import INSERT_ONLY, changelog_modes
from tailrace.plan.explain import explain
from tailrace.plan.nodes import Sink
from tailrace.runtime.job import Job
from tailrace.runtime.script import Script as Runner
from tailrace.runtime.summary import Summary
from tailrace.settings import value
from tailrace.sql.statements import Done, Explain, Show
from tailrace.state.savepoints import start_from

_log = structlog.get_logger("tailrace.cli")


def run(
    files: Sequence[Path],
    output: str,
    parameters: Sequence[str] | None,
    settings: Sequence[str] | None,
    state: Path | None,
    *,
    allow_state_drop: bool = False,
    from_savepoint: Path | None = None,
    json: bool = False,
    log_format: str | None = None,
    serve: Served | None = None,
) -> None:
    """
    Bind the files, run them, and say at the end what happened.

    Raises:
        TailraceError: the script is wrong, or the job failed.
    """
    logs.to_stderr(as_json=json, log_format=log_format)
    script = load(files, parameters, settings)
    log_format = log_format or value(script.settings, "tailrace.logs.format")
    logs.to_stderr(as_json=json, log_format=log_format)
    if script.sinks:
        folder = state_folder(script, state)
        if from_savepoint is not None:
            _begin_from(script, from_savepoint, folder)
        drop = allow_state_drop
        summaries = run_script(
            script, output, folder, allow_state_drop=drop, json=json, log_format=log_format, serve=serve
        )
        for summary in summaries:
            tell(summary, json=json)
    else:
        show(script, sys.stdout if output == "table" else sys.stderr)


def _begin_from(script: Script, savepoint: Path, folder: Path | None) -> None:
    """
    Make the state of a script's one job of a savepoint.

    Raises:
        ConfigError: there is nothing to begin so, the savepoint can't be read, or the folder has state already.
    """
    if folder is None or len(runner_of(script, lambda plan: sink_of(plan, "jsonl", Gone(), sys.stdout)).runs) != 1:
        raise ConfigError("a savepoint is of one job", hint="run a script of INSERTs that are one job, with --state")
    made = _made(folder)
    assert made is not None
    start_from(savepoint, made)


def show(script: Script, stream: TextIO) -> None:
    """Print what SHOW, DESCRIBE and EXPLAIN of a script say."""
    for statement in script.shows:
        show_one(statement, stream)


def show_one(statement: Show | Explain | Done, stream: TextIO) -> None:
    """Print what one statement says; DDL and SET say nothing in a script."""
    if isinstance(statement, Show):
        print_frame(statement.frame, stream)
    elif isinstance(statement, Explain):
        stream.write(explain(statement.sinks) + "\n")
    stream.flush()


class Gone:
    """Hears that nobody reads standard output any more, and stops what runs once there is something."""

    def __init__(self) -> None:
        self.job: Job | Runner | None = None

    def __call__(self) -> None:
        """Stop the job: its rows have no reader."""
        silence_stdout()
        if self.job is not None:
            self.job.stop()


def query_sink(script: Script, output: str, gone: Gone) -> OutputSink | None:
    """Make the sink of the script's SELECT, if it has one."""
    return None if script.query is None else sink_of(script.query, output, gone, sys.stdout)


def sink_of(plan: Sink, output: str, gone: Gone, stream: TextIO) -> OutputSink:
    """Make the sink that prints the rows of a SELECT."""
    updating = changelog_modes([plan])[id(plan)] != INSERT_ONLY
    return output_sink(output, plan.schema, stream, updating=updating, on_gone=gone)


def run_script(
    script: Script,
    output: str,
    state: Path | None,
    *,
    allow_state_drop: bool = False,
    json: bool = False,
    log_format: str | None = None,
    serve: Served | None = None,
) -> list[Summary]:
    """
    Run a script's jobs to their end, with progress on standard error.

    Raises:
        TailraceError: one failed; its state is that of the last complete checkpoint.
    """
    stdout, gone = sys.stdout, Gone()
    live = LiveLines(sys.stderr) if sys.stderr.isatty() and not json else None
    if live is not None:
        logs.to_stderr(stream=live, log_format=log_format)

    def rows_of(plan: Sink) -> OutputSink:
        sink = sink_of(plan, output, gone, stdout)
        sink.aside = live.aside if live is not None and stdout.isatty() else None
        return sink

    with redirect_stdout(_beside_rows(output, live)):  # for whatever else writes there, as the connector print
        runner = runner_of(script, rows_of, _made(state), allow_state_drop=allow_state_drop)
        gone.job = runner
        shown = Progress(runner, sys.stderr, live=live, as_json=json)
        with shown, served(runner, serve), told_of_compiling(_log.info), stopped_by_signals(runner, last=True):
            try:
                return runner.run()
            finally:
                tell_rest()


def _beside_rows(output: str, live: TextIO | None) -> TextIO:
    """Say where text goes that is no row of a SELECT: for programs nothing else goes to standard output."""
    if live is not None and (output != "table" or sys.stdout.isatty()):
        return live
    return sys.stdout if output == "table" else sys.stderr


def runner_of(
    script: Script, query_sink: Callable[[Sink], RowSink], state: Path | None = None, *, allow_state_drop: bool = False
) -> Runner:
    """
    Make what runs a script.

    Raises:
        ConfigError: something stands behind a job that never ends, or a table can't be read.
    """
    return Runner(
        script.name,
        script.statements,
        script.session.tables,
        script.settings,
        state=state,
        query_sink=query_sink,
        tell=lambda statement: show_one(statement, sys.stdout),
        allow_state_drop=allow_state_drop,
        telemetry=telemetry,
        texts=script.session.texts,
    )


def check_options(script: Script) -> None:
    """
    Find what `run` would find before it starts, without reaching any system.

    Raises:
        ConfigError: an option of a table is wrong; points at the place.
    """
    runner_of(script, lambda plan: sink_of(plan, "jsonl", Gone(), sys.stdout)).check()


def _made(state: Path | None) -> Path | None:
    """
    Make the folder above a job's state.

    Raises:
        ConfigError: it can't be made.
    """
    if state is not None:
        try:
            state.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"state folder '{state}' can't be written: {error.strerror}"
            raise ConfigError(message, hint="name another folder with --state") from None
    return state


def make_job(
    script: Script,
    state: Path | None,
    query_sinks: dict[str, RowSink],
    *,
    allow_state_drop: bool,
    tracer: Tracer | None = None,
) -> Job:
    """Make the job of a script."""
    return Job(
        script.name,
        script.sinks,
        script.settings,
        state=_made(state),
        query_sinks=query_sinks,
        tables=script.session.tables,
        allow_state_drop=allow_state_drop,
        texts=script.session.texts,
        tracer=tracer,
    )


def tell(summary: Summary, *, json: bool) -> None:
    """Write the summary to standard error."""
    print(summary_json(summary) if json else "\n".join(summary_lines(summary)), file=sys.stderr)
