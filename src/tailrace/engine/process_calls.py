"""Calls of a process function row by row: one changes all that it should, or, if it fails, nothing."""

from __future__ import annotations

from collections.abc import Callable
from types import GeneratorType
from typing import Any

from tailrace.engine.batch import MIN_WATERMARK, Batch
from tailrace.engine.keyed_slots import KeyedSlots
from tailrace.engine.process_objects import ObjectStates
from tailrace.engine.process_outputs import Output, taking
from tailrace.plan.nodes import Process
from tailrace.schema import Kind
from tailrace.user_functions.contexts import Context, TimerChange
from tailrace.user_functions.faults import PASSED_ON, caused


def is_zoned(node: Process) -> bool:
    """Tell whether the function sees times with a zone: those of TIMESTAMP_LTZ, and where there is no time column."""
    return node.time is None or node.input.schema[node.time].type.kind is Kind.TIMESTAMP_LTZ


class Caller:
    """Calls methods of the objects of a function, and keeps the rows that they give until they are taken."""

    def __init__(self, node: Process, objects: ObjectStates) -> None:
        self._declaration = node.declaration
        self._objects = objects
        self._take = taking(node.function.result)
        self._outputs = {name: Output(node, name) for name in ("", *node.function.sides)}
        self._own = self._outputs[""].add
        sides = {name: taking(type_) for name, type_ in node.function.sides.items()}
        self.context = Context(sides, zoned=is_zoned(node))
        self.fired: TimerChange | None = None

    def call(self, method: Callable[..., Any], slot: int, given: Any, time: int, mark: int) -> str:
        """
        Call a method; give why it failed, empty if it did not.

        The rows that it gives have a `time`, and `mark` is the watermark before them. What it asks for by its context is left
        there.
        """
        held, context = self._objects.objects[slot], self.context
        before = self._objects.saved(held)
        try:
            found = method(held, given, context)
            # asked here and not in a function of its own: this is done for each row
            if found is None:
                rows = []
            elif isinstance(found, list | GeneratorType):
                rows = [self._take(row) for row in found]
            else:
                rows = [self._take(found)]
            if self.fired is not None:
                self._check_timers(context.changes)
        except PASSED_ON:
            raise
        except BaseException as error:  # noqa: BLE001  whatever it is, it is this row's; the others go on
            self._objects.undo(held, before)
            context.renew()
            return caused(self._declaration, error)
        for row in rows:
            self._own((row, slot, time, mark))
        if context.put:
            for name, row in context.put:
                self._outputs[name].add((row, slot, time, mark))
        return ""

    def _check_timers(self, changes: list[TimerChange]) -> None:
        """Refuse timers that would be called again and again at one time."""
        if not changes or self.fired is None:
            return
        _, clock, now = self.fired
        for name, by_clock, at in changes:
            if at is not None and by_clock == clock and at <= (now or MIN_WATERMARK):
                raise ValueError(f"on_timer sets the timer '{name}' for a time that is not after its own")

    def taken(self, slots: KeyedSlots, *, marked: bool) -> list[Batch]:
        """Give the rows of all outputs, and begin anew; with `marked` each has the watermark before it."""
        found = (output.taken(slots, marked=marked) for output in self._outputs.values())
        return [batch for batch in found if batch is not None]
