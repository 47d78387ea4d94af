"""What is seen of a job, as JSON values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tailrace.engine.histogram import Counted
from tailrace.runtime.observation import Observation


def observation_view(seen: Observation) -> dict[str, Any]:
    """Give all that is seen of a job; lengths of time are in seconds, times in milliseconds since 1970."""
    status = asdict(seen.status)
    return status | {
        "operators": [asdict(o) for o in seen.operators],
        "partitions": [asdict(p) for p in seen.partitions],
        "latency": _quantiles(seen.latency),
        "delays": {source: _quantiles(delay) for source, delay in seen.delays.items()},
        "checkpoints": seen.checkpoints,
        "restarts": seen.restarts,
    }


def _quantiles(counted: Counted) -> dict[str, Any]:
    """Give the usual quantiles (upper ends of classes), the number of rows, and that of each class."""
    return {
        "p50": counted.quantile(0.5),
        "p95": counted.quantile(0.95),
        "p99": counted.quantile(0.99),
        "rows": counted.count,
        "counts": counted.counts,
    }
