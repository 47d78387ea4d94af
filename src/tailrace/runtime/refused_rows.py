"""The error policy of a table that is written: rows that can't be fail the job, are counted, or become dead letters."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from tailrace.connectors.base import Refusals
from tailrace.engine.batch import TRACEPARENT
from tailrace.errors import DataError, TerminalError
from tailrace.runtime.bad_rows import FEW, Tally, sample
from tailrace.runtime.dead_letters import Letter, as_json
from tailrace.runtime.policy import DROP, FAIL, Policy
from tailrace.schema import Schema

STAGE = "sink"


class RefusedRows(Refusals):
    """Decides about the rows that one sink could not take, on its thread; `send` takes the dead letters."""

    def __init__(self, policy: Policy, schema: Schema, operator: str, send: Callable[[list[Letter]], None]) -> None:
        self.tally: Tally = Tally()
        self.tolerates = policy.on_error != FAIL
        self._policy = policy
        self._not_null = [f.name for f in schema if not f.type.nullable]
        self._operator = operator
        self._send = send

    def without_nulls(self, batch: pl.DataFrame) -> pl.DataFrame:
        """
        Give the rows that have values in all columns that must have one.

        Raises:
            DataError: a row has not, and the policy is to fail.
        """
        for name in self._not_null:
            if not batch[name].null_count():
                continue
            bad = batch[name].is_null()
            hint = "declare the column without NOT NULL, or leave such rows out with WHERE"
            self.refuse(batch.filter(bad), "not-null", f"column '{name}' is NOT NULL, and the query gives NULL", hint)
            batch = batch.filter(~bad)
        return batch

    def refuse(self, rows: pl.DataFrame, code: str, reason: str, hint: str = "") -> None:
        policy, rows = self._policy, rows.drop(TRACEPARENT, strict=False)
        if policy.on_error == FAIL:
            shown = sample(as_json(rows, 0), policy.redacted) if policy.samples else ""
            hint = f"{hint}; or set" if hint else "set"
            hint += " 'tailrace.on-error' = 'drop' or 'dead-letter' for the table"
            raise DataError(f"table '{policy.table}': {reason} (stage {STAGE}){shown}", hint=hint)
        self.tally.bad += len(rows)
        if policy.on_error == DROP:
            self.tally.dropped[f"{STAGE}: {code}"] += len(rows)
            return
        self.tally.dead_letters += len(rows)
        self._send([self._letter(rows, row, code, reason) for row in range(len(rows))])

    def _letter(self, rows: pl.DataFrame, row: int, code: str, reason: str) -> Letter:
        return Letter(self._policy.table, None, None, STAGE, self._operator, code, reason, as_json(rows, row))

    def check_share(self, given: int) -> None:
        """
        Stop a job most of whose rows are refused; so many were `given`.

        Raises:
            TerminalError: the share of refused rows has passed its limit.
        """
        share, bad = self._policy.max_share, self.tally.bad
        if share is not None and given >= FEW and bad > share * given:
            message = f"{bad} of {given} rows for table '{self._policy.table}' are refused, more than the limit of "
            hint = "look at the dead letters or counts, mend the query or the table, and start again"
            raise TerminalError(f"{message}{share:g} ('tailrace.max-error-share')", hint=hint)
