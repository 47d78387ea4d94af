"""What was seen of a job before: a bounded number of samples, for the time lines."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from tailrace.web.rates import View, quantile, rated

KEPT = 900
"""So many samples are kept of a job: a quarter of an hour, at one a second."""

Sample = dict[str, float | None]


class JobHistory:
    """The samples of one job; each look adds one."""

    def __init__(self) -> None:
        self._before: View | None = None
        self._samples: deque[tuple[int, Sample]] = deque(maxlen=KEPT)

    def take(self, view: View, at: int) -> dict[str, Any]:
        """Take a look at the job, `at` in milliseconds since 1970; give it with rates and its sample."""
        before = self._before if self._before is not None and _follows(self._before, view) else view
        self._before = view
        shown = rated(view, before)
        sample = _sample(shown, before, at)
        self._samples.append((at, sample))
        return shown | {"sample": sample}

    def columns(self) -> dict[str, list[float | None]]:
        """Give all samples, as lists by name; `at` has their times."""
        samples = list(self._samples)
        columns: dict[str, list[float | None]] = {"at": [at for at, _ in samples]}
        for name in samples[-1][1] if samples else ():
            columns[name] = [sample.get(name) for _, sample in samples]
        return columns


def _follows(before: View, now: View) -> bool:
    """Tell whether it is the same run: a job that went on after an interruption counts anew."""
    return bool(now["seconds"] >= before["seconds"] and now["restarts"] == before["restarts"])


def _sample(shown: View, before: View, at: int) -> Sample:
    sources, operators, sinks = shown["sources"], shown["operators"], shown["sinks"]
    latency = [n - b for n, b in zip(shown["latency"]["counts"], before["latency"]["counts"], strict=True)]
    marks = [s["watermark"] for s in sources if s["watermark"] is not None]
    lags = [s["lag"] for s in sources if s["lag"] is not None]
    return {
        "rows_in": _sum(s["rows_rate"] for s in sources),
        "rows_out": _sum(s["rows_rate"] for s in sinks),
        "latency_p50": quantile(latency, 0.5),
        "latency_p95": quantile(latency, 0.95),
        "latency_p99": quantile(latency, 0.99),
        "lag": sum(lags) if lags else None,
        "watermark_delay": max(0.0, (at - min(marks)) / 1000) if marks else None,
        "state_rows": _sum(o["state_rows"] for o in operators),
        "busy": min(1.0, _sum(o["busy"] for o in operators)),
        "held": max((s["held"] for s in (*sources, *sinks)), default=0.0),
        "checkpoint_seconds": shown["checkpoint"]["seconds"],
        "checkpoint_stall": shown["checkpoint"]["stall_seconds"],
        "checkpoint_bytes": shown["checkpoint"]["bytes"],
        "not_taken": _sum(sum(s["dropped"].values()) + s["dead_letters"] for s in (*sources, *sinks)),
    }


def _sum(values: Iterable[float]) -> float:
    return float(sum(values))
