"""The marks of transactions: an item for each sink of a job, with the number of the last checkpoint that was written."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tailrace.connectors.aws.failures import code_of, reported
from tailrace.errors import TerminalError, TransientError

_NAME, _EPOCH, _RUN = "sink", "epoch", "run"
_MAKE_SECONDS = 60.0


class FencedError(TerminalError):
    """Another run has moved the mark."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The mark of one sink in its table."""

    table: str
    sink: str
    place: str

    @property
    def _shown(self) -> str:
        return f"DynamoDB table '{self.table}' at {self.place}"

    def make(self, client: Any) -> None:
        """Make the table if it is missing, and wait until it can be used."""
        with reported(self._shown):
            if self._status(client) is None:
                self._create(client)
            until = time.monotonic() + _MAKE_SECONDS
            while self._status(client) != "ACTIVE":
                if time.monotonic() > until:
                    raise TransientError(f"{self._shown} is not there yet")
                time.sleep(0.5)

    def _status(self, client: Any) -> str | None:
        try:
            return str(client.describe_table(TableName=self.table)["Table"]["TableStatus"])
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
            return None

    def _create(self, client: Any) -> None:
        try:
            client.create_table(
                TableName=self.table,
                KeySchema=[{"AttributeName": _NAME, "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": _NAME, "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        except ClientError as error:
            if code_of(error) != "ResourceInUseException":  # another has just made it
                raise

    def read(self, client: Any) -> int:
        """Give the last checkpoint that was written; 0 if none was."""
        with reported(self._shown):
            found = client.get_item(TableName=self.table, Key=self._key, ConsistentRead=True).get("Item")
        return int(found[_EPOCH]["N"]) if found else 0

    @property
    def _key(self) -> dict[str, Any]:
        return {_NAME: {"S": self.sink}}

    def moved_by(self, client: Any, epoch: int, run: str) -> bool:
        """Tell whether a run has written the number of a checkpoint: its answer may be lost, and its token forgotten."""
        with reported(self._shown):
            found = client.get_item(TableName=self.table, Key=self._key, ConsistentRead=True).get("Item") or {}
        return found.get(_EPOCH) == {"N": str(epoch)} and found.get(_RUN) == {"S": run}

    def move(self, before: int, epoch: int, run: str) -> dict[str, Any]:
        """Give the action that writes the number of a checkpoint and who does, if that of the one before stands there."""
        action = self._if_still(before) | {"UpdateExpression": "SET #e = :e, #r = :r"}
        names = action["ExpressionAttributeNames"] | {"#r": _RUN}
        values = action.get("ExpressionAttributeValues", {}) | {":e": {"N": str(epoch)}, ":r": {"S": run}}
        return {"Update": action | {"ExpressionAttributeNames": names, "ExpressionAttributeValues": values}}

    def hold(self, before: int) -> dict[str, Any]:
        """Give the action that only looks whether the number of a checkpoint still stands there."""
        return {"ConditionCheck": self._if_still(before)}

    def _if_still(self, before: int) -> dict[str, Any]:
        common = {"TableName": self.table, "Key": self._key, "ExpressionAttributeNames": {"#e": _EPOCH}}
        if not before:
            return common | {"ConditionExpression": "attribute_not_exists(#e)"}
        values = {":before": {"N": str(before)}}
        return common | {"ConditionExpression": "#e = :before", "ExpressionAttributeValues": values}

    def fenced(self, place: str) -> FencedError:
        """Give the error of a run that was replaced."""
        message = f"{place}: another run of this job has written here since this one began (mark '{self.sink}')"
        return FencedError(message, hint="let one of them go on; no row is written twice")
