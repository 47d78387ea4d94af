"""One replica as a child process: started, listened to, ended."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import IO, TextIO

_PROGRAM = (sys.executable, "-P", "-m", "tailrace.cli.member_child")


class Child:
    """
    A process that runs one replica, in a process group of its own: a Ctrl-C reaches the member alone.

    It ends when the member is gone, since it has the other end of the pipe at its standard input.
    """

    def __init__(self, label: str, arguments: Sequence[str], told: TextIO, *, as_json: bool) -> None:
        self._popen = subprocess.Popen(  # noqa: S603  this program, and a list of arguments
            [*_PROGRAM, *arguments],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            process_group=0,
        )
        assert self._popen.stderr is not None
        listen = (self._popen.stderr, told, label, as_json)
        self._listener = threading.Thread(target=_pass_on, args=listen, name=f"replica-{label}", daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    def status(self) -> int | None:
        """Give its exit status, below 0 if a signal ended it; None while it runs."""
        return self._popen.poll()

    def stop(self) -> None:
        """Have it take its last checkpoint and end; said a second time, have it end at once."""
        self._popen.terminate()

    def close(self) -> None:
        """End it if it still runs, and free what it has here."""
        if self._popen.poll() is None:
            self._popen.kill()
        self._popen.wait()
        self._listener.join(5.0)
        for pipe in (self._popen.stdin, self._popen.stderr):
            if pipe is not None:
                pipe.close()


def _pass_on(lines: IO[str], told: TextIO, label: str, as_json: bool) -> None:
    for line in lines:
        told.write(labelled(line.rstrip("\n"), label, as_json=as_json) + "\n")
        told.flush()


def labelled(line: str, label: str, *, as_json: bool) -> str:
    """
    Say of which replica a line is; in JSON by a field of its own.

    >>> labelled("finished job", "1/4", as_json=False)
    '[1/4] finished job'
    >>> labelled('{"event": "a"}', "1/4", as_json=True), labelled("b", "1/4", as_json=True)
    ('{"event": "a", "replica": "1/4"}', '{"event": "b", "replica": "1/4"}')
    """
    if not as_json:
        return f"[{label}] {line}"
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    fields = found if isinstance(found, dict) else {"event": line}
    return json.dumps(fields | {"replica": label}, ensure_ascii=False)
