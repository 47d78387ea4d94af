"""Threads of a job: what they log says of which job it is."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable


def thread(target: Callable[[], None], name: str) -> threading.Thread:
    """Make a thread that ends with the program and has the context of who makes it."""
    context = contextvars.copy_context()
    return threading.Thread(target=context.run, args=(target,), name=name, daemon=True)
