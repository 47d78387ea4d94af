"""A table of DynamoDB: where it is, what it looks like, and the errors of requests as ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from tailrace.connectors.aws.access import Access
from tailrace.connectors.aws.failures import code_of, reported
from tailrace.connectors.base import Report
from tailrace.connectors.dynamodb.types import letters
from tailrace.errors import ConfigError, DataError, TailraceError
from tailrace.options import Values
from tailrace.schema import Schema

_KINDS = {"S": "STRING", "N": "a number", "B": "BYTES"}
_BAD_ROWS = ("ValidationException", "ItemCollectionSizeLimitExceededException")
_TOO_LARGE = 413


@dataclass(frozen=True, slots=True)
class Place:
    """A table, and how DynamoDB is reached."""

    access: Access
    table: str

    @classmethod
    def of(cls, options: Values, table: str) -> Place:
        """
        Read the options.

        Raises:
            ConfigError: an address is none, or credentials are not whole.
        """
        return cls(Access.of(options), options["table-name"] or table)

    @property
    def shown(self) -> str:
        """The table and where it is, for messages."""
        return f"DynamoDB table '{self.table}' at {self.access.shown}"

    def client(self, connections: int = 10) -> Any:
        """Make a client."""
        return self.access.client("dynamodb", self.shown, connections)

    def streams(self) -> Any:
        """Make a client for streams."""
        return self.access.client("dynamodbstreams", self.shown)


@dataclass(frozen=True, slots=True)
class Found:
    """What a table has: its key (the hash key first) with the type of each attribute, and its stream."""

    key: tuple[str, ...]
    types: Mapping[str, str] = field(default_factory=dict)
    stream: str = ""
    images: str = ""
    ttl: str = ""


@contextmanager
def written(place: str) -> Iterator[None]:
    """
    Turn errors of a write into ours.

    Raises:
        DataError: some row of the request is refused, and none was taken.
        TailraceError: as for `reported`.
    """
    with reported(place):
        try:
            yield
        except ClientError as error:
            if code_of(error) not in _BAD_ROWS and _status(error) != _TOO_LARGE:
                raise
            said = " ".join(str(error.response["Error"].get("Message", "")).split())
            raise DataError(f"{place} refuses a row: {said or code_of(error)}") from None


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def look(client: Any, place: Place) -> Found:
    """
    Look at a table.

    Raises:
        NotFoundError: it is not there.
        TailraceError: as for `reported`.
    """
    with reported(place.shown):
        told = client.describe_table(TableName=place.table)["Table"]
    types = {a["AttributeName"]: a["AttributeType"] for a in told["AttributeDefinitions"]}
    key = tuple(k["AttributeName"] for k in sorted(told["KeySchema"], key=lambda k: k["KeyType"]))
    stream = told.get("StreamSpecification", {})
    live = bool(stream.get("StreamEnabled"))
    return Found(
        key,
        {name: types[name] for name in key},
        told.get("LatestStreamArn", "") if live else "",
        stream.get("StreamViewType", "") if live else "",
    )


def found_at(place: Place) -> Found:
    """
    Look at a table by a client of its own.

    Raises:
        TailraceError: as for `look`.
    """
    client = place.client()
    try:
        return look(client, place)
    finally:
        client.close()


def require_key(found: Found, place: Place, schema: Schema, declared: tuple[str, ...]) -> None:
    """
    Make sure that the declared primary key is the key of the table.

    Raises:
        ConfigError: it has other columns, or one of another type.
    """
    if set(found.key) != set(declared):
        there, here = ", ".join(found.key), ", ".join(declared)
        message = f"{place.shown} has the key ({there}), and is declared with PRIMARY KEY ({here})"
        raise ConfigError(message, hint=f"declare PRIMARY KEY ({there}) NOT ENFORCED")
    refuse_other_types(found, place, schema)


def refuse_other_types(found: Found, place: Place, schema: Schema) -> None:
    """
    Make sure that columns of the key have the types of the table's attributes.

    Raises:
        ConfigError: one has another.
    """
    for name, letter in found.types.items():
        if name in schema and letters(schema[name].type) != letter:
            told = schema[name].type.sql()
            message = f"key attribute '{name}' of {place.shown} is of type {letter}, and column '{name}' is {told}"
            raise ConfigError(message, hint=f"declare it as {_KINDS.get(letter, letter)}")


def check(place: Place, then: Callable[[Found], str | None]) -> Report:
    """Reach a table; `then` looks further at what was found, and gives more to say."""
    try:
        more = then(found_at(place))
    except TailraceError as error:
        return Report.failed(error)
    return Report(True, f"{place.shown}{more or ''}")
