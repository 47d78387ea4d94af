"""What an operator hands to a checkpoint: named frames of what changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl


@dataclass(frozen=True, slots=True)
class StateDelta:
    """
    What changed in an operator since its last snapshot.

    With `base` it is the whole state, and earlier deltas are of no more use. `frames` are written as column files,
    `scalars` (a JSON value each) into the manifest. An operator without changes gives no frames and the same scalars.
    """

    base: bool
    frames: dict[str, pl.DataFrame] = field(default_factory=dict)
    scalars: dict[str, Any] = field(default_factory=dict)
