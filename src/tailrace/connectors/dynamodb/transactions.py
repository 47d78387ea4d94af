"""The sink of transactions: the items of a checkpoint and a mark with its number, up to 100 actions a transaction."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import polars as pl
from botocore.exceptions import ClientError

from tailrace.connectors.aws.failures import ThrottledError, code_of, is_passing, reported, throttled_backoff
from tailrace.connectors.base import Guarantee, Report, TransactionalSink
from tailrace.connectors.dynamodb.client import Found, Place, check, look, require_key
from tailrace.connectors.dynamodb.items import Layout, Write, refusal, size_of, writes
from tailrace.connectors.dynamodb.marks import FencedError, Marks
from tailrace.connectors.dynamodb.requests import delete, put, update
from tailrace.connectors.epoch_rows import EpochRows
from tailrace.errors import TerminalError, TransientError

ITEMS = 99
"""So many items has a transaction beside its mark."""
BYTES = 4_000_000
RETRY_SECONDS = 30.0

_CANCELLED = "TransactionCanceledException"
_PASSING = ("TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded", "TransactionInProgressException")


class TransactionSink(TransactionalSink):
    """
    Keeps the rows of a checkpoint, and writes them when it is durable.

    Up to 99 items are written all or none, with the mark. More are several transactions, the mark in the last; each holds only while
    the mark is that of the checkpoint before. A job that dies between two of them writes the items again, which is why this
    is effectively-once.
    """

    guarantee = Guarantee.EFFECTIVELY_ONCE

    def __init__(self, place: Place, layout: Layout, rows: EpochRows, marks: Marks) -> None:
        self._place = place
        self._layout = layout
        self._rows = rows
        self._marks = marks
        self._client: Any = None
        self._mark = 0
        self._run = uuid.uuid4().hex
        self._throttled = 0.0

    @property
    def throttled(self) -> float:
        return self._throttled

    def open(self) -> int:
        self.close()  # what an open that failed has left
        self._rows.clear()
        self._client = self._place.client()
        self._usable(look(self._client, self._place))
        self._marks.make(self._client)
        self._mark = self._marks.read(self._client)
        return self._mark

    def _usable(self, found: Found) -> None:
        require_key(found, self._place, self._layout.schema, self._layout.key)

    def write(self, batch: pl.DataFrame) -> None:
        self._rows.add(batch)

    def prepare(self, epoch: int) -> None:
        self._rows.replace(self.sift(self._rows.batches()))

    def sift(self, batches: Iterable[pl.DataFrame]) -> list[pl.DataFrame]:
        """Leave out the rows that DynamoDB can't take: a transaction would be refused as a whole."""
        found = []
        for batch in batches:
            refused = [r for i, w in enumerate(writes(batch, self._layout)) if (r := refusal(i, w)) is not None]
            for r in refused:
                self.refusals.refuse(batch.slice(r.row, 1), r.code, r.reason, r.hint)
            bad = pl.Series([r.row for r in refused], dtype=pl.UInt32)
            found.append(
                batch.with_row_index("$").filter(~pl.col("$").is_in(bad.implode())).drop("$") if refused else batch
            )
        return found

    def commit(self, epoch: int) -> None:
        try:
            self._write(epoch)
        except FencedError:
            # the mark is in the last transaction: where it is ours, all was done before, and an answer was lost
            if not self._marks.moved_by(self._client, epoch, self._run):
                raise
        self._mark = epoch
        self._rows.clear()

    def _write(self, epoch: int) -> None:
        parts = list(self._parts(self._last(), epoch)) or [[]]
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            mark = self._marks.move(self._mark, epoch, self._run) if last else self._marks.hold(self._mark)
            self._transact([*part, mark])

    def _last(self) -> pl.DataFrame:
        """Give the last row of each key."""
        batches = list(self._rows.batches())
        if not batches:
            return self._layout.schema.empty()
        rows = pl.concat(batches, how="diagonal")
        return rows.unique(subset=list(self._layout.key), keep="last", maintain_order=True)

    def _parts(self, rows: pl.DataFrame, epoch: int) -> Iterator[list[dict[str, Any]]]:
        """Give the actions of each transaction."""
        part: list[dict[str, Any]] = []
        size = 0
        for write in writes(rows, self._layout, epoch):
            more = size_of(write.item)
            if part and (len(part) >= ITEMS or size + more > BYTES):
                yield part
                part, size = [], 0
            part.append(self._action(write, epoch))
            size += more
        if part:
            yield part

    def _action(self, write: Write, epoch: int) -> dict[str, Any]:
        word, make = ("Delete", delete) if write.gone else ("Update", update) if self._layout.partial else ("Put", put)
        return {word: {"TableName": self._place.table, **make(write, self._layout, epoch)}}

    def _transact(self, actions: Sequence[dict[str, Any]]) -> None:
        """
        Write all or nothing; sent again with the same token it is written once.

        Raises:
            TransientError: it was not taken for so long.
            TerminalError: another run has written since this one began, or an item is refused.
        """
        token = hashlib.sha256(json.dumps(actions, default=repr).encode()).hexdigest()[:36]
        backoff, until = throttled_backoff(), time.monotonic() + RETRY_SECONDS
        while True:
            try:
                return self._ask(actions, token)
            except TransientError as error:
                if time.monotonic() > until:
                    raise
                pause = backoff.next()
                time.sleep(pause)
                self._throttled += pause if isinstance(error, ThrottledError) else 0.0

    def _ask(self, actions: Sequence[dict[str, Any]], token: str) -> None:
        with reported(self._place.shown):
            try:
                self._client.transact_write_items(TransactItems=actions, ClientRequestToken=token)
            except ClientError as error:
                if code_of(error) == "TransactionInProgressException":
                    raise TransientError(f"{self._place.shown}: the same transaction is under way") from None
                if code_of(error) != _CANCELLED:
                    raise
                raise self._cancelled(error.response.get("CancellationReasons", [])) from None

    def _cancelled(self, reasons: Sequence[dict[str, Any]]) -> TransientError | TerminalError:
        """Say why a transaction was taken back; its last action is that of the mark."""
        if reasons and reasons[-1].get("Code") == "ConditionalCheckFailed":
            return self._marks.fenced(self._place.shown)
        why = next((r for r in reasons if r.get("Code") not in (None, "None")), {})
        code, said = str(why.get("Code", _CANCELLED)), str(why.get("Message") or "")
        if code in _PASSING or is_passing(code):
            kind = TransientError if code == "TransactionConflict" else ThrottledError
            return kind(f"{self._place.shown} took a transaction back: {code} {said}".rstrip())
        return TerminalError(f"{self._place.shown} refuses a transaction: {code} {said}".rstrip())

    def check(self) -> Report:
        return check(self._place, self._usable)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
