"""Lookup joins: each row meets what a table has for its key when it comes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from tailrace.engine.batch import ORIGIN, Batch, hidden
from tailrace.engine.checks import checked
from tailrace.engine.lookup_cache import LookupCache
from tailrace.engine.lookups import Asker
from tailrace.engine.operator import Operator, Rejected, Times
from tailrace.engine.predicate import Predicate, with_time
from tailrace.engine.tracing import SpanKind
from tailrace.engine.user_steps import UserSteps
from tailrace.errors import TerminalError
from tailrace.expressions.lower import Check, Lowering, needs
from tailrace.expressions.nodes import Expr, columns
from tailrace.plan.nodes import LookupJoin
from tailrace.state.kernels import I64

_AT, _ROW = "$at", "$row"


class LookupJoinOperator(Operator):
    """
    Asks for the distinct keys of a batch that its cache does not know, and joins the batch with what is found.

    It waits for the answers: a batch is through when it has them, so there is nothing to keep for a checkpoint.
    """

    passes_rows = True

    def __init__(self, node: LookupJoin, asker: Asker, timezone: str) -> None:
        self._node = node
        self._asker = asker
        self._needs = {name for k in node.keys for name in needs(k.value)}
        self._values, self._value_checks, self._steps = _lowered([k.value for k in node.keys], timezone)
        wanted = [*node.exprs, *([] if node.predicate is None else [node.predicate])]
        found, self._checks, self._found_steps = _lowered(wanted, timezone)
        self._found_needs = {name for e in wanted for name in needs(e)}
        self._found = [x.alias(f.name) for f, x in zip(node.found, found, strict=False)]
        self._where = None if node.predicate is None else found[-1]
        self._condition = None if node.condition is None else Predicate(node.condition, timezone)
        asked = columns(node.condition) if node.condition is not None else set()
        self._asked = tuple([n for n in names if n in asked] for names in (node.input.schema.names, node.found.names))
        self._out = tuple(
            [n for n in names if n in node.schema] for names in (node.input.schema.names, node.found.names)
        )
        keys = {k.column: node.table.schema[k.column].type.polars for k in node.keys}
        self._keys = keys
        self._cache = LookupCache({_key(n): t for n, t in keys.items()}, node.found.polars, asker.rules)

    def process(self, port: int, batch: Batch, times: Times) -> list[Batch]:
        batch, keys = self._keys_of(batch, times)
        if not len(batch):
            return []
        complete = np.flatnonzero(~keys.select(pl.any_horizontal(pl.all().is_null())).to_series().to_numpy())
        whole = len(complete) == len(batch)
        self._renew(times)
        slots = self._cache.slots(keys if whole else keys[complete])
        lost = self._ask(keys if whole else keys[complete], slots, times)
        if lost is not None and self._asker.rejects:
            batch, complete, slots = self._without(batch, complete, slots, lost[slots])
        out = self._joined(batch, complete, slots, times)
        self._cache.finish()
        return [out] if len(out) else []

    def _keys_of(self, batch: Batch, times: Times) -> tuple[Batch, pl.DataFrame]:
        """Give the rows whose keys can be computed, and these."""
        ready = self._steps.add(with_time(batch, times, self._needs), self)
        ready = checked(ready, self._value_checks, self)
        names = [k.column for k in self._node.keys]
        exprs = [v.cast(self._keys[n]).alias(_key(n)) for n, v in zip(names, self._values, strict=True)]
        keys = ready.with_columns(exprs).select([_key(n) for n in self._keys])
        return ready.select(batch.columns), keys

    def _renew(self, times: Times) -> None:
        """Take up the whole table, if that is how it comes."""
        table = self._asker.table() if self._asker.whole else None
        if table is not None:
            self._cache.clear()
            self._take(None, table, times)

    def _ask(self, keys: pl.DataFrame, slots: I64, times: Times) -> np.ndarray | None:
        """Ask for what is not known; tell by slot which keys are lost."""
        if self._asker.whole:
            return None
        places = self._cache.missing(slots, times.now)
        if not len(places):
            return None
        wanted = keys[places].rename({_key(n): n for n in self._keys})
        with self.outbox.call(f"lookup {self._node.table.name}", SpanKind.CLIENT, keys=len(wanted)):
            answer = self._asker.get(wanted)
        asked = slots[places]
        if answer.lost is None:
            self._take(asked, answer.rows, times)
            return None
        self._take(asked[~answer.lost], answer.rows, times)
        lost = np.zeros(int(slots.max()) + 1, dtype=np.bool_)
        lost[asked[answer.lost]] = True
        return lost

    def _take(self, asked: I64 | None, rows: pl.DataFrame, times: Times) -> None:
        """Keep an answer: what is read of its rows, under the names of the join, and their keys."""
        rows = self._found_steps.add(with_time(rows, times, self._found_needs), self)
        for check in self._checks:
            if rows.select(check.mask.fill_null(value=False).any()).item():
                message = f"a row that was looked up in table '{self._node.table.name}': {check.message}"
                raise TerminalError(message, hint="mend the row, or write TRY_CAST", location=check.location)
        if self._where is not None:
            rows = rows.filter(self._where)
        rows = rows.filter(pl.all_horizontal(pl.col(list(self._keys)).is_not_null()))
        rows = rows.select([*(pl.col(n).alias(_key(n)) for n in self._keys), *self._found])
        slots = asked if asked is not None else self._cache.slots(rows)
        self._cache.put(slots, rows, times.now)

    def _without(self, batch: Batch, complete: I64, slots: I64, lost: np.ndarray) -> tuple[Batch, I64, I64]:
        """Reject the rows whose keys could not be looked up; give the others, and which of them have which slots."""
        kept = np.ones(len(batch), dtype=np.bool_)
        kept[complete[lost]] = False
        rows = batch.filter(pl.Series(~kept))
        origin = rows[ORIGIN].to_numpy() if ORIGIN in rows.columns else np.full(len(rows), -1)
        reason = f"table '{self._node.table.name}' could not be asked for the row's key"
        self.outbox.rejected.append(
            Rejected("lookup", "TR250", reason, rows, origin, self.name, location=self._node.location)
        )
        places = np.cumsum(kept) - 1
        return batch.filter(pl.Series(kept)), places[complete[~lost]], slots[~lost]

    def _joined(self, batch: Batch, complete: I64, slots: I64, times: Times) -> Batch:
        """Put rows together with what is known for their slots; `complete` are the places of those with a slot."""
        at, found = self._cache.rows.pairs(slots)
        at = complete[at]
        if self._condition is not None:
            at, found = self._passing(self._condition, batch, at, found, times)
        if self._node.kind.keeps_left:
            alone = np.ones(len(batch), dtype=np.bool_)
            alone[at] = False
            at = np.concatenate([at, np.flatnonzero(alone)])
            found = np.concatenate([found, np.full(len(at) - len(found), -1)])
            order = np.argsort(at, kind="stable")
            at, found = at[order], found[order]
        own = batch.select([*self._out[0], *hidden(batch)])
        if own.width and not (len(at) == len(own) and (at == np.arange(len(at))).all()):
            own = own[at]
        right = self._cache.rows.gather_known(found, self._out[1]) if self._out[1] else pl.DataFrame()
        out = pl.DataFrame([*own.get_columns(), *right.get_columns()])
        return out.select([*self._node.schema.names, *hidden(batch)])

    def _passing(self, condition: Predicate, batch: Batch, at: I64, found: I64, times: Times) -> tuple[I64, I64]:
        names = [*self._asked[0], *hidden(batch)]
        left = batch.select(names)[at].get_columns() if names else []
        right = self._cache.rows.gather(found, self._asked[1]).get_columns() if self._asked[1] else []
        pairs = pl.DataFrame([*left, *right, pl.Series(_AT, at), pl.Series(_ROW, found)])
        passing = condition.passing(pairs, times, self)
        return passing[_AT].to_numpy(), passing[_ROW].to_numpy()


def _key(name: str) -> str:
    """Name a key's column apart from all others."""
    return f"$key {name}"


def _lowered(exprs: Sequence[Expr], timezone: str) -> tuple[list[pl.Expr], list[Check], UserSteps]:
    """Lower expressions over one frame, with the checks of all; each call of the user has a column of its own."""
    lowering, values, checks = Lowering(timezone), [], []
    for expr in exprs:
        values.append(lowering.lower(expr))
        # a call of the next expression has no part in them
        checks += lowering.checks
        lowering.checks.clear()
    return values, checks, UserSteps(lowering.steps)
