"""Calls of functions of the user, made between the Polars expressions that stand below and above them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl

from tailrace.engine.batch import ORIGIN, Batch
from tailrace.engine.checks import checked
from tailrace.engine.operator import Operator, Rejected
from tailrace.errors import Location, TerminalError
from tailrace.expressions.lower import Step
from tailrace.expressions.names import USER_CALL
from tailrace.user_functions.running import Argument, Runner

STAGE, CODE = "udf", "TR221"
_GUARD = "$guard"


class UserSteps:
    """The calls of one operator, in the order in which they need each other."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps = [(step, _runner(step)) for step in steps]

    def add(self, batch: Batch, operator: Operator) -> Batch:
        """Give the rows with what the functions gave, without those that failed, which the operator rejects."""
        for step, runner in self._steps:
            batch = checked(batch, step.checks, operator)
            if not len(batch):
                break
            batch = _added(batch, step, runner, operator)
        return batch

    def without(self, batch: Batch) -> Batch:
        """Give a batch without the columns that were added."""
        return batch.drop([c for c in batch.columns if c.startswith(USER_CALL)]) if self._steps else batch


def _runner(step: Step) -> Runner:
    call = step.call
    known = [Argument(a.type, spared) for a, spared in zip(call.args, call.spared, strict=True)]
    nullable = call.function.result.nullable or call.function.is_table
    return Runner(call.function.declaration, known, call.type, nullable=nullable)


def _added(batch: Batch, step: Step, runner: Runner, operator: Operator) -> Batch:
    names = [f"$arg{i}" for i in range(len(step.args))]
    wanted = [a.alias(n) for a, n in zip(step.args, names, strict=True)]
    wanted += [step.guard.alias(_GUARD)] if step.guard is not None else []
    # with_columns gives constants the length of the batch
    read = batch.with_columns(wanted) if wanted else batch
    use = read[_GUARD] if step.guard is not None else None
    try:
        with operator.calling(step.call.function.declaration.__name__, len(batch)) as used:
            out = runner.run([read[n] for n in names], len(batch), use)
            used.failed += len(out.failed)
    except TerminalError as error:
        error.location = step.call.location
        raise
    batch = batch.with_columns(out.values.alias(step.name))
    return rejecting(batch, out.failed, operator, step.call.location) if out.failed else batch


def rejecting(batch: Batch, failed: Sequence[tuple[int, str]], operator: Operator, location: Location | None) -> Batch:
    """Give the batch without the rows at these places, which the operator rejects, each for its reason."""
    by_reason: dict[str, list[int]] = {}
    for place, reason in failed:
        by_reason.setdefault(reason, []).append(place)
    for reason, places in by_reason.items():
        rows = batch[places]
        origin = rows[ORIGIN].to_numpy() if ORIGIN in rows.columns else np.full(len(rows), -1)
        shown = rows.select([c for c in rows.columns if not c.startswith("$")])
        rejected = Rejected(STAGE, CODE, reason, shown, origin, operator.name, location=location)
        operator.outbox.rejected.append(rejected)
    kept = np.ones(len(batch), dtype=np.bool_)
    kept[[place for place, _ in failed]] = False
    return batch.filter(pl.Series(kept))
