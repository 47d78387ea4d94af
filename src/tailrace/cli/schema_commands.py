"""The commands `tailrace schema …`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tailrace.cli.arguments import Json, Parameters

schema_app = typer.Typer(
    help="The schemas of a script's tables, and those in a schema registry: show, compare, check and register them.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

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

    command.diff(command.Asked(what, registry, user, token, file, version, parameter or (), to), json=json)


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
    """Register the schemas that a script writes, or the one in a file: none of them if a subject does not take its own."""
    from tailrace.cli import schema as command  # noqa: PLC0415  loaded when called

    command.register(command.Asked(what, registry, user, token, file, None, parameter or ()), json=json)
