"""Every case gives the rows that its oracle gave, however the input is cut and with a restart in the middle."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
CASES = sorted(ROOT.glob("*/*.sql"))


def expected(case: Path) -> Counter[str]:
    """Read the oracle's rows as a multiset."""
    lines = case.with_suffix(".out").read_text().splitlines()
    return Counter(json.dumps(json.loads(line), sort_keys=True) for line in lines[1:])
