"""Formats whose rows say what has changed: `debezium-json`, `ogg-json`, `maxwell-json` and `canal-json`."""

from __future__ import annotations

from tailrace.formats.changes.dialects import CANAL, DEBEZIUM, MAXWELL, OGG
from tailrace.formats.changes.format import ChangeFormat
from tailrace.formats.changes.options import options

FORMATS = tuple(ChangeFormat(d, options(d.name)) for d in (DEBEZIUM, MAXWELL, OGG, CANAL))
"""All of them."""
