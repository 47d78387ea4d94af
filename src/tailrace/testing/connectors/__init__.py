"""
The conformance suites: what every connector must show against its real system.

A test of a connector inherits them and gives a few hooks; see `docs/connectors/write-your-own.md`.
"""

from tailrace.testing.connectors.delivery import Delivered, Verdict, assert_delivered
from tailrace.testing.connectors.lookups import LookupConformance
from tailrace.testing.connectors.sinks import SinkConformance
from tailrace.testing.connectors.sources import SourceConformance
from tailrace.testing.connectors.system import System, hook, needs
from tailrace.testing.connectors.trials import Got, Trial, Victim
from tailrace.testing.connectors.values import TYPES

__all__ = [
    "TYPES",
    "Delivered",
    "Got",
    "LookupConformance",
    "SinkConformance",
    "SourceConformance",
    "System",
    "Trial",
    "Verdict",
    "Victim",
    "assert_delivered",
    "hook",
    "needs",
]
