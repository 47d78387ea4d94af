"""Formats whose rows say what has changed: `debezium-json`, `ogg-json` and `maxwell-json`."""

from __future__ import annotations

from tailrace.formats.changes.dialects import DEBEZIUM, MAXWELL, OGG
from tailrace.formats.changes.format import ChangeFormat
from tailrace.formats.changes.options import options

FORMATS = tuple(ChangeFormat(d, options(d.name)) for d in (DEBEZIUM, MAXWELL, OGG))
"""All of them."""
