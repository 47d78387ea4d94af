"""
Testing pipelines: driven step by step on a clock of their own, without servers, threads or waiting.

Beside it a proxy that breaks the network before a real server.

Names are loaded when they are first used: the pytest plugin stands below this package, and is loaded by every pytest.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tailrace.testing.comparing import assert_rows as assert_rows
    from tailrace.testing.drive import Drive as Drive
    from tailrace.testing.emitted import Change as Change
    from tailrace.testing.emitted import Emitted as Emitted
    from tailrace.testing.emitted import Refused as Refused
    from tailrace.testing.fault_proxy import FaultProxy as FaultProxy
    from tailrace.testing.fault_rules import FaultCounts as FaultCounts
    from tailrace.testing.sentinels import Checkpoint as Checkpoint
    from tailrace.testing.sentinels import Crash as Crash
    from tailrace.testing.sentinels import End as End
    from tailrace.testing.sentinels import Pause as Pause
    from tailrace.testing.sentinels import Watermark as Watermark

_LAZY = {
    "comparing": ("assert_rows",),
    "drive": ("Drive",),
    "emitted": ("Change", "Emitted", "Refused"),
    "fault_proxy": ("FaultProxy",),
    "fault_rules": ("FaultCounts",),
    "sentinels": ("Checkpoint", "Crash", "End", "Pause", "Watermark"),
}
_HOME = {name: f"tailrace.testing.{module}" for module, names in _LAZY.items() for name in names}


__all__ = [
    "Change",
    "Checkpoint",
    "Crash",
    "Drive",
    "Emitted",
    "End",
    "FaultCounts",
    "FaultProxy",
    "Pause",
    "Refused",
    "Watermark",
    "assert_rows",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'tailrace.testing' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
