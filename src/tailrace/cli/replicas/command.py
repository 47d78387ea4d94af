"""`tailrace run --replicas`: from the options of the command to a member and the command lines of its children."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from tailrace.cli import logs
from tailrace.cli.jobs import stopped_by_signals
from tailrace.cli.replicas.child import Child
from tailrace.cli.replicas.member import Member
from tailrace.cli.replicas.shared_folder import SharedFolder
from tailrace.cli.run import check_options
from tailrace.cli.script import STDIN, Script, load, pairs, read, state_folder
from tailrace.cli.serving import Served
from tailrace.errors import ConfigError
from tailrace.settings import value
from tailrace.sql.source import parameters_in
from tailrace.web.address import address

PARAMETER = "REPLICA"
_SPARE_SECONDS = 30.0
"""So much longer than `tailrace.stop.limit` a child may take to stop before it is killed."""

_log = structlog.get_logger("tailrace.cli")


@dataclass(frozen=True, slots=True)
class Options:
    """What `tailrace run --replicas` was given, and gives its children."""

    count: int
    files: Sequence[Path]
    parameters: Sequence[str] = ()
    settings: Sequence[str] = ()
    state: Path | None = None
    serve: Served | None = None
    json: bool = False
    log_format: str | None = None
    more: Sequence[str] = field(default_factory=tuple)
    """Arguments that each child gets as they are."""

    def arguments(self, number: int, state: Path) -> list[str]:
        """
        Give the command line of the child that runs a replica.

        >>> given = Options(4, [Path("fraud.sql")], ["BROKER=b:9092"], serve=Served("9249"))
        >>> " ".join(given.arguments(2, Path("/shared/fraud/replica-2-of-4")))
        'run --parameter=BROKER=b:9092 --parameter=REPLICA=2/4 --state=/shared/fraud/replica-2-of-4 --listen=127.0.0.1:9251 -- fraud.sql'
        """
        found = ["run", *(f"--parameter={p}" for p in (*self.parameters, f"{PARAMETER}={number}/{self.count}"))]
        found += [f"--set={s}" for s in self.settings]
        found += [f"--state={state}", *_served(self.serve, number), *self.more]
        found += ["--json"] if self.json else []
        found += [f"--log-format={self.log_format}"] if self.log_format is not None else []
        return [*found, "--", *map(str, self.files)]


def _served(serve: Served | None, number: int) -> list[str]:
    """Give each replica a port of its own: the one that was given, and its number more; 0 stays any free one."""
    if serve is None:
        return []
    where = address(serve.listen)
    port = where.port + number if where.port else 0
    host = f"[{where.host}]" if ":" in where.host else where.host
    found = [f"--{'ui' if serve.ui else 'listen'}={host}:{port}"]
    return [*found, "--allow-actions"] if serve.actions else found


def run(options: Options) -> None:
    """
    Be a member of the processes that run a pipeline, until it is done or this one is stopped.

    Raises:
        TailraceError: the script is wrong or has no replicas, or one of them failed here.
    """
    logs.to_stderr(as_json=options.json, log_format=options.log_format)
    _require_ports(options)
    script = _checked(options)
    state = state_folder(script, options.state)
    assert state is not None
    folder = SharedFolder(state, options.count)

    def start(number: int) -> Child:
        arguments = options.arguments(number, folder.state(number))
        return Child(f"{number}/{options.count}", arguments, sys.stderr, as_json=options.json)

    attempts = value(script.settings, "tailrace.restart.attempts")
    member = Member(folder, start, attempts, value(script.settings, "tailrace.stop.limit") / 1000 + _SPARE_SECONDS)
    with stopped_by_signals(member, last=True):
        member.run()


def _checked(options: Options) -> Script:
    """
    Bind the script as its first replica does.

    Raises:
        ConfigError: it is wrong, or is none for several processes.
    """
    _require_parameter(options)
    script = load(options.files, [*options.parameters, f"{PARAMETER}=1/{options.count}"], options.settings)
    if script.queries or not script.inserts:
        hint = "write the rows into a table by INSERT"
        raise ConfigError(
            "--replicas is for a script of INSERTs: rows of a SELECT would be lost with a process", hint=hint
        )
    check_options(script)
    return script


def _require_parameter(options: Options) -> None:
    """
    Make sure that the script lets each process know which replica it is.

    Raises:
        ConfigError: it does not, or the command line says it already.
    """
    if PARAMETER in pairs(options.parameters, "--parameter"):
        raise ConfigError(f"--replicas gives each process its {PARAMETER}", hint=f"leave --parameter {PARAMETER}=… out")
    if STDIN in map(str, options.files):
        raise ConfigError("several processes can't read one script from standard input", hint="name a file")
    if not any(PARAMETER in parameters_in(read(file)) for file in options.files):
        hint = f"write 'tailrace.kafka.replica' = '${{{PARAMETER}}}' in the table of the topic that they share"
        raise ConfigError(f"no table of the script has ${{{PARAMETER}}}: each process would read all rows", hint=hint)


def _require_ports(options: Options) -> None:
    """
    Make sure that there is a port for each replica.

    Raises:
        ConfigError: the last ones would be beyond what there is.
    """
    if options.serve is not None and address(options.serve.listen).port + options.count > 65_535:
        hint = f"name a port below {65_536 - options.count}: replica k listens at port + k"
        raise ConfigError(f"there are no {options.count} ports behind {options.serve.listen}", hint=hint)
