"""Queries of Prometheus over the metrics of one job."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from tailrace.observe.metrics import METRICS


@dataclass(frozen=True, slots=True)
class Selector:
    """
    Writes queries over the metrics of a job.

    >>> Selector("fraud")("source_rows")
    'tailrace_source_rows_total{job_name="fraud"}'
    >>> Selector("fraud").rate("rows_dropped", 'reason="late"')
    'sum by (job_name) (rate(tailrace_rows_dropped_total{job_name="fraud",reason="late"}[5m]))'
    """

    job: str

    def __call__(self, metric: str, labels: str = "", suffix: str = "") -> str:
        """Name a metric of the job; KeyError if there is none."""
        return f"{METRICS[metric].full_name}{suffix}{{{self._chosen(labels)}}}"

    def _chosen(self, labels: str) -> str:
        # a text of PromQL is written as one of JSON
        return ",".join(filter(None, (f"job_name={json.dumps(self.job, ensure_ascii=False)}", labels)))

    def rate(self, metric: str, labels: str = "", by: str = "job_name", over: str = "5m") -> str:
        """Give the rate of a counter, summed by labels."""
        span, _, later = over.partition(" ")
        return f"sum by ({by}) (rate({self(metric, labels)}[{span}]{' ' * bool(later)}{later}))"

    def rate_of_any(self, metrics: Sequence[str], labels: str = "", over: str = "5m") -> str:
        """Give the rate of several counters together; those without any value yet count as none."""
        names = "|".join(METRICS[m].full_name for m in metrics)
        return f'sum by (job_name) (rate({{__name__=~"{names}",{self._chosen(labels)}}}[{over}]))'

    def quantile(self, metric: str, share: float, by: str = "", over: str = "5m") -> str:
        """Give a quantile of a histogram."""
        names = ", ".join(filter(None, ("job_name", "le", by)))
        return f"histogram_quantile({share}, sum by ({names}) (rate({self(metric, suffix='_bucket')}[{over}])))"
