"""Testing pipelines: driven step by step on a clock of their own, without servers, threads or waiting."""

from tailrace.testing.drive import Drive, Refused
from tailrace.testing.emitted import Change

__all__ = ["Change", "Drive", "Refused"]
