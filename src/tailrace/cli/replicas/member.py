"""A member: takes its share of the replicas, gives up what others should have, and ends when all is done."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from tailrace.cli.replicas.charge import Charge, Phase
from tailrace.cli.replicas.child import Child
from tailrace.cli.replicas.shared_folder import SharedFolder
from tailrace.cli.replicas.sharing import View, to_give, to_take
from tailrace.errors import TailraceError

LOOK_SECONDS = 1.0
"""So often a member looks who is there."""
_TEND_SECONDS = 0.1
_UNKNOWN = "another member"

_log = structlog.get_logger("tailrace.cli")


class Member:
    """
    One of the processes that share out the replicas of a pipeline; `stop` has it stop its own and leave.

    `start` starts the child of a replica; for `attempts` and `patience` see `Charge`.
    """

    def __init__(self, folder: SharedFolder, start: Callable[[int], Child], attempts: int, patience: float) -> None:
        self._folder = folder
        self._start = start
        self._attempts, self._patience = attempts, patience
        self._charges: dict[int, Charge] = {}
        self._done: set[int] = set()
        self._lock = folder.join()
        self.name: str = self._lock.path.name
        self._stop = threading.Event()
        self._shown: tuple[frozenset[str], frozenset[int]] | None = None

    def stop(self) -> None:
        """Stop all replicas here in good order, and leave; may be called by a signal handler."""
        self._stop.set()

    def run(self) -> None:
        """
        Be a member until all replicas have come to their end, or `stop`.

        Raises:
            TailraceError: a replica failed here; the others were stopped, and are free for other members.
        """
        try:
            failure = self._shared()
            left = self._left()
        finally:
            for charge in self._charges.values():
                charge.let_go()
            self._lock.path.unlink(missing_ok=True)
            self._lock.release()
        if (first := failure or left) is not None:
            raise first

    def _shared(self) -> TailraceError | None:
        """Run replicas until all are done, or `stop`; give what has failed here."""
        try:
            while not self._stop.is_set() and len(self._done) < self._folder.count:
                self._look()
                self._tend_until(time.monotonic() + LOOK_SECONDS)
        except TailraceError as error:
            return error
        return None

    def _look(self) -> None:
        """See who is there, and take or give up replicas by that."""
        self._done |= {k for k in self._folder.numbers if k not in self._charges and self._folder.is_done(k)}
        view = self._view()
        while (number := to_take(view)) is not None:
            view = view.with_holder(number, self.name if self._taken(number) else _UNKNOWN)
        self._show(view)
        giving = any(c.stopping for c in self._charges.values())
        if not giving and (number := to_give(view)) is not None:
            _log.info("gives up a replica, so that all have as many", replica=self._charges[number].label)
            self._charges[number].stop()

    def _view(self) -> View:
        members = self._folder.members(self.name)
        others = [k for k in self._folder.numbers if k not in self._charges and k not in self._done]
        held = self._folder.holders(others)
        mine = dict.fromkeys(self._charges, self.name)
        return View(self.name, members, held | mine, frozenset(others) - held.keys())

    def _taken(self, number: int) -> bool:
        """Take a replica; False if somebody else was faster."""
        lock = self._folder.claim(number, self.name)
        if lock is None:
            return False
        charge = Charge(self._folder, number, lock, self._start, self._attempts, self._patience)
        self._charges[number] = charge
        if lock.before:
            _log.warning("takes over a replica", replica=charge.label, of=lock.before.decode(errors="replace"))
        else:
            _log.info("takes a replica", replica=charge.label)
        return True

    def _show(self, view: View) -> None:
        if (view.members, view.mine) != self._shown:
            self._shown = (view.members, view.mine)
            mine = ", ".join(self._charges[k].label for k in sorted(view.mine)) or "none, stands by"
            _log.info("replicas of this member", member=self.name, replicas=mine, members=len(view.members))

    def _tend_until(self, end: float) -> None:
        while time.monotonic() < end and not self._stop.is_set():
            self._tend()
            self._stop.wait(_TEND_SECONDS)

    def _tend(self) -> None:
        """See how the children are, and let go of those that have ended."""
        for number, charge in list(self._charges.items()):
            phase = charge.tend()
            if phase is not Phase.running:
                del self._charges[number]
                charge.let_go()
            if phase is Phase.done:
                self._done.add(number)

    def _left(self) -> TailraceError | None:
        """Stop all children and wait for them; give what has failed meanwhile."""
        failure: TailraceError | None = None
        for charge in self._charges.values():
            charge.stop()
        while self._charges:
            try:
                self._tend()
            except TailraceError as error:
                failure = failure or error
            time.sleep(_TEND_SECONDS)
        return failure
