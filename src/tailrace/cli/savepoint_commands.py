"""The commands `tailrace savepoint …`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tailrace.cli.arguments import Json

savepoint_app = typer.Typer(
    help="Savepoints of a running job: take one, list them. `tailrace run --from-savepoint` begins with one.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

_At = Annotated[
    str,
    typer.Option("--at", metavar="[HOST:]PORT", help="Where the job listens: its `--ui` or `--listen`."),
]
_Job = Annotated[
    str | None, typer.Option("--job", metavar="NAME", help="Of several jobs there, this one.", show_default=False)
]


@savepoint_app.command("take", epilog="Example: `tailrace savepoint take before-upgrade --at 9280 --stop`")
def savepoint_take(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits, `-`, `_` and `.`.", show_default=False)],
    at: _At = "9280",
    job: _Job = None,
    stop: Annotated[
        bool, typer.Option("--stop", help="Stop the job with it: no row is written twice by the one that goes on.")
    ] = False,
    json: Json = False,
) -> None:
    """
    Have a running job take a savepoint, wait for it, and say where it is.

    Its server must be started with `--allow-actions`; the token is that in `TAILRACE_TOKEN`.
    """
    from tailrace.cli import savepoints as command  # noqa: PLC0415  loaded when called

    command.taken(name, at, job, stop=stop, as_json=json)


@savepoint_app.command("list", epilog="Example: `tailrace savepoint list .tailrace/fraud`")
def savepoint_list(
    state: Annotated[
        Path | None,
        typer.Argument(
            metavar="STATE", help="The state folder of a job; without it a running job is asked.", show_default=False
        ),
    ] = None,
    at: _At = "9280",
    job: _Job = None,
    json: Json = False,
) -> None:
    """List savepoints, the newest first."""
    from tailrace.cli import savepoints as command  # noqa: PLC0415  loaded when called

    command.listed(state, at, job, as_json=json)
