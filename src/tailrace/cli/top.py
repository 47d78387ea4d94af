"""`tailrace top`: what a running job does, on the terminal, from its server."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tailrace.cli.progress import count, lag, span
from tailrace.errors import ConfigError, TerminalError
from tailrace.observe.plain import plain
from tailrace.web.address import TOKEN, address

TIMEOUT_SECONDS = 5.0
Job = Mapping[str, Any]


def top(where: str, seconds: float, *, once: bool, json_: bool) -> None:
    """
    Show the jobs of a server again and again, or once.

    Raises:
        TailraceError: it can't be reached, or it wants another token.
    """
    url = address(where).url()
    if json_:
        print(json.dumps(look(url)))
        return
    console = Console()
    views = _views(url, seconds)
    if once or not console.is_terminal:
        console.print(next(views))
        return
    with Live(console=console, screen=True, auto_refresh=False) as live:
        for view in views:
            live.update(view, refresh=True)


def look(url: str) -> list[Job]:
    """
    Ask a server for its jobs.

    Raises:
        TerminalError: it does not answer.
        ConfigError: it wants a token, or another one.
    """
    token = os.environ.get(TOKEN)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urlopen(Request(f"{url}/api/jobs", headers=headers), timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310  http
            jobs: list[Job] = json.load(answer)["jobs"]
    except HTTPError as error:
        if error.code in {401, 403}:
            raise ConfigError(f"{url} wants a token, or another one", hint=f"set {TOKEN} to that of the job") from None
        raise TerminalError(f"{url} answers with status {error.code}") from None
    except (URLError, OSError, ValueError) as error:
        hint = "start the job with --listen PORT, and name that port here"
        raise TerminalError(f"nothing answers at {url}: {getattr(error, 'reason', error)}", hint=hint) from None
    return jobs


def _views(url: str, seconds: float) -> Iterator[RenderableType]:
    """Give what is to be shown after each pause."""
    before = {j["name"]: j for j in look(url)}
    while True:
        time.sleep(seconds)
        jobs = look(url)
        yield Group(*(render(job, before.get(job["name"], job)) for job in jobs)) if jobs else Text("no job runs")
        before = {j["name"]: j for j in jobs}


def render(job: Job, before: Job) -> RenderableType:
    """Draw a job; rates are those since an earlier look at it."""
    passed = job["seconds"] - before["seconds"]
    rates = _Rates(before, passed)
    latency = job["latency"]
    facts = f"up {span(job['seconds'] * 1000)}, {job['checkpoints']} checkpoints, {job['restarts']} restarts"
    p50, p99 = (_seconds(latency[q]) or "-" for q in ("p50", "p99"))
    head = Text(f"{plain(job['name'])}: {job['state']}, {facts}, latency p50 {p50}, p99 {p99}", style="bold")
    return Group(head, _sources(job, rates), _operators(job, rates), _sinks(job, rates))


class _Rates:
    """What has been added to counters since an earlier look, a second."""

    def __init__(self, before: Job, passed: float) -> None:
        self._before = {part: {x["name"]: x for x in before[part]} for part in ("sources", "operators", "sinks")}
        self._passed = passed

    def of(self, part: str, entry: Mapping[str, Any], counter: str) -> float:
        """Give the rate of a counter of a source, operator or sink."""
        known = self._before[part].get(entry["name"], entry)
        return (entry[counter] - known[counter]) / self._passed if self._passed > 0 else 0.0


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, expand=False)
    # where the terminal is narrow, only names give way
    table.add_column(columns[0], max_width=60)
    for column in columns[1:]:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _name(text: str) -> Text:
    return Text(plain(text), no_wrap=True, overflow="ellipsis")


def _sources(job: Job, rates: _Rates) -> Table:
    table = _table("source", "rows", "rows/s", "lag", "watermark behind", "delay p95", "not taken")
    now = time.time() * 1000
    for s in job["sources"]:
        behind = "" if s["watermark"] is None else span(now - s["watermark"])
        delay = _seconds(job["delays"].get(s["name"], {}).get("p95"))
        bad = sum(s["dropped"].values()) + s["dead_letters"]
        waits = lag(s["lag"], s.get("behind_ms"))  # an older server does not tell the time
        name = f"{s['table']} (waits: {s['waiting']})" if s["waiting"] else s["table"]
        table.add_row(
            _name(name), count(s["rows"]), count(rates.of("sources", s, "rows")), waits, behind, delay, count(bad)
        )
    return table


def _operators(job: Job, rates: _Rates) -> Table:
    table = _table("operator", "rows out/s", "busy", "state rows", "late")
    for o in job["operators"]:
        busy = rates.of("operators", o, "busy_seconds")
        shown = Text(f"{busy:.0%}", style="bold red" if busy > 0.9 else "")
        out = count(rates.of("operators", o, "rows_out"))
        table.add_row(_name(o["title"] or o["name"]), out, shown, count(o["state_rows"]), count(o["late"]))
    return table


def _sinks(job: Job, rates: _Rates) -> Table:
    table = _table("sink", "rows", "rows/s", "waiting bytes", "engine waits", "not taken")
    for s in job["sinks"]:
        bad = sum(s["dropped"].values()) + s["dead_letters"]
        numbers: list[float] = [s["rows"], rates.of("sinks", s, "rows"), s["queued_bytes"], s["waited"], bad]
        table.add_row(_name(s["table"] or "(result)"), *map(count, numbers))
    return table


def _seconds(value: float | None) -> str:
    return "" if value is None else span(value * 1000) if value >= 1 else f"{value * 1000:g} ms"
