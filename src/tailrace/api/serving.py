"""The dashboard, metrics and health of pipelines that run in a program, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.api.running import Running
from tailrace.web.opening import server

if TYPE_CHECKING:
    from tailrace.web.server import Server


def serve(*jobs: Running, listen: str = "9249", actions: bool = False) -> Server:
    """
    Serve the dashboard, metrics (`/metrics`) and health (`/health/live`, `/health/ready`) of running pipelines, while it is open.

    `listen` is a port or `HOST:PORT`; port 0 takes one that is free, and `url` says which. The dashboard only shows, unless
    `actions` are allowed. Needs the extra `ui`.

    Raises:
        ConfigError: the port is taken, or an address that others can reach has no token (`TAILRACE_TOKEN`).

    >>> import urllib.request
    >>> import polars as pl
    >>> import tailrace as tr
    >>> job = tr.from_polars(pl.DataFrame({"v": [1, 2]}), name="rows").to("blackhole").start("counted")
    >>> job.wait().rows_in
    2
    >>> with tr.serve(job, listen="0") as server:
    ...     with urllib.request.urlopen(server.url + "/metrics") as answer:
    ...         b'tailrace_source_rows_total{job_name="counted"' in answer.read()
    True
    """
    return server(listen, lambda: jobs, actions=actions)
