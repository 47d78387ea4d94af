"""The commands `tailrace dead-letters …`."""

from __future__ import annotations

from typing import Annotated

import typer

from tailrace.cli.arguments import Files, Json, Parameters, Settings

letters_app = typer.Typer(
    help="The dead letters of a script's tables: list and show them, and have a running job replay them.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


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
