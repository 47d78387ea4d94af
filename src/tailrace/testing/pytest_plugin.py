"""
The pytest plugin: fixtures that drive pipelines, and rows that are not as expected shown as a table of differences.

Every pytest of an environment with Tailrace loads this module, so that it imports nothing but pytest: the rest is
loaded by the test that asks for a fixture.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tailrace.api.pipelines import Pipeline
    from tailrace.api.table import Table
    from tailrace.clock import ManualClock
    from tailrace.testing.drive import Drive
    from tailrace.testing.fault_proxy import FaultProxy

    class Proxies(Protocol):
        """Makes proxies that are closed when the test is over."""

        def __call__(self, target: str, *, port: int = 0) -> FaultProxy:
            """Stand before a server (`host:port`), on any free port or on this one."""

    class Driver(Protocol):
        """Makes drives on the clock of the test."""

        def __call__(
            self,
            what: Table | Pipeline | str,
            *,
            at: datetime | None = None,
            settings: Mapping[str, str] | None = None,
        ) -> Drive:
            """Drive a table, a pipeline or a script; `at` is where the clock goes before."""


@pytest.fixture
def tailrace_clock() -> ManualClock:
    """The clock of the pipelines that a test drives; it begins at 2026-01-01 (UTC) and moves when it is told to."""
    from tailrace.clock import ManualClock  # noqa: PLC0415  loaded when asked for
    from tailrace.testing.drive import BEGIN  # noqa: PLC0415

    return ManualClock(int(BEGIN.timestamp() * 1000))


@pytest.fixture
def drive(tailrace_clock: ManualClock) -> Iterator[Driver]:
    """
    Drive a table, a pipeline or a script: `drive(busy)` gives a `tailrace.testing.Drive`.

    A pipeline that would have failed fails the test, unless the test has looked at `failure`.
    """
    from tailrace.testing.drive import Drive  # noqa: PLC0415  loaded when asked for
    from tailrace.testing.sentinels import milliseconds  # noqa: PLC0415

    made: list[Drive] = []

    def new(
        what: Table | Pipeline | str, *, at: datetime | None = None, settings: Mapping[str, str] | None = None
    ) -> Drive:
        if at is not None:
            tailrace_clock.advance(milliseconds(at) - tailrace_clock.now_ms())
        made.append(Drive(what, clock=tailrace_clock, settings=settings))
        return made[-1]

    yield new
    for one in made:
        if one.unseen_failure is not None:
            pytest.fail(f"the pipeline would have failed: {one.unseen_failure}", pytrace=False)


@pytest.fixture
def fault_proxy() -> Iterator[Proxies]:
    """
    Break the network before a server: `fault_proxy("127.0.0.1:6379")` gives a `tailrace.testing.FaultProxy`.

    It is closed when the test is over.
    """
    from tailrace.testing.fault_proxy import FaultProxy  # noqa: PLC0415  loaded when asked for

    with ExitStack() as made:
        yield lambda target, *, port=0: made.enter_context(FaultProxy(target, port=port))


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Show how rows that came out differ from those expected."""
    emitted = sys.modules.get("tailrace.testing.emitted")
    if emitted is None or op != "==" or not isinstance(left, list) or not isinstance(right, list):
        return None
    if isinstance(left, emitted.Emitted):
        got, expected = left, right
    elif isinstance(right, emitted.Emitted):
        got, expected = right, left
    else:
        return None
    from tailrace.testing.comparing import difference  # noqa: PLC0415  loaded with the first difference

    return difference(got, expected) or None
