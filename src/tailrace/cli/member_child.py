"""
What a member of `tailrace run --replicas` starts for each replica: the command line, for as long as the member lives.

Its standard input is a pipe of which the member has the other end and writes nothing. The kernel closes that end when the
member is gone, however it went; then this process ends at once, as by a kill: others take the replica over.
"""

from __future__ import annotations

import os
import threading

from tailrace.cli.main import main

ORPHANED = 137
"""The status of a process whose member has gone; nobody is there to see it but who looks at the machine."""


def _end_with_the_member() -> None:
    while os.read(0, 4096):
        pass
    os._exit(ORPHANED)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_member, name="member-watch", daemon=True).start()
    main()
