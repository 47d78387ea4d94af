"""A dashboard for Grafana with what a job's metrics say, built with Grafana's own library."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable, Row
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from tailrace.observe.process import PROCESS
from tailrace.observe.queries import Selector
from tailrace.observe.rules import Needs

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart: its queries, each with the name of its lines, and their unit as Grafana calls it."""

    title: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    about: str = ""


def sections(job: str, needs: Needs) -> Iterator[tuple[str, list[Panel]]]:
    """Give the charts of a job, by section: those that will have data."""
    of = Selector(job)
    yield "Overview", list(_overview(of))
    yield "Sources", [*_sources(of), *(_times(of) if needs.event_time else ())]
    yield "Operators", list(_operators(of))
    if needs.functions:
        yield "Functions", list(_functions(of))
    yield "Sinks and checkpoints", list(_ends(of))
    yield "Process", list(_process(of))


def _overview(of: Selector) -> Iterator[Panel]:
    rates = ((of.rate("source_rows"), "in"), (of.rate("sink_rows"), "out"))
    yield Panel("Rows", "rowsps", rates)
    quantiles = tuple((of.quantile("engine_latency_seconds", q), f"p{q * 100:g}") for q in (0.5, 0.95, 0.99))
    yield Panel("Latency", "s", quantiles, "From when rows were read until what came of them was handed to the sinks.")
    bad = ((of.rate("rows_dropped", by="reason"), "{{reason}}"), (of.rate("dead_letters"), "dead letters"))
    yield Panel("Rows not taken", "rowsps", bad)


def _sources(of: Selector) -> Iterator[Panel]:
    yield Panel("Rows by source", "rowsps", ((of.rate("source_rows", by="table"), "{{table}}"),))
    yield Panel("Lag", "short", ((of("source_lag_rows"), "{{table}}"),), "Rows that wait at the source.")
    held = f"rate({of('source_held_seconds')}[5m])"
    yield Panel("Held back", "percentunit", ((held, "{{table}}"),), "Near 1: the engine is slower than the source.")


def _times(of: Selector) -> Iterator[Panel]:
    behind = f"time() - {of('partition_watermark_seconds')}"
    yield Panel("Watermark behind the clock", "s", ((behind, "{{table}} {{partition}}"),))
    delay = of.quantile("source_delay_seconds", 0.95, by="table")
    yield Panel("Delay of rows (p95)", "s", ((delay, "{{table}}"),), "How old rows are when they come.")


def _operators(of: Selector) -> Iterator[Panel]:
    busy = f"rate({of('operator_busy_seconds')}[5m])"
    yield Panel("Busy share", "percentunit", ((busy, "{{operator}}"),), "Near 1: this one is the bottleneck.")
    yield Panel("Rows out", "rowsps", ((of.rate("operator_rows_out", by="operator"), "{{operator}}"),))
    yield Panel("State", "short", ((f"{of('operator_state_rows')} > 0", "{{operator}}"),), "Rows of state.")


def _functions(of: Selector) -> Iterator[Panel]:
    busy = f"rate({of('udf_busy_seconds')}[5m])"
    yield Panel("Time in functions", "percentunit", ((busy, "{{function}}"),), "Of the engine's one thread.")
    rows = ((of.rate("udf_rows", by="function"), "{{function}}"),)
    yield Panel("Rows given to functions", "rowsps", rows)
    failed = ((of.rate("udf_failed_rows", by="function"), "{{function}}"),)
    yield Panel("Rows that functions did not take", "rowsps", failed)


def _process(of: Selector) -> Iterator[Panel]:
    """Give the charts of the process that the job runs in; its metrics have no name of a job."""
    here = f"and on (instance) {of('job_up')}"
    cpu = f"rate({PROCESS['process.cpu.time'].full_name}[5m]) {here}"
    yield Panel("CPU", "short", ((cpu, "cores"),))
    memory = f"{PROCESS['process.memory.usage'].full_name} {here}"
    yield Panel("Memory", "bytes", ((memory, "resident"),))
    network = f"rate({PROCESS['system.network.io'].full_name}[5m]) {here}"
    yield Panel("Network", "Bps", ((network, "{{network_io_direction}}"),), "Of the whole machine or container.")


def _ends(of: Selector) -> Iterator[Panel]:
    yield Panel("Rows written", "rowsps", ((of.rate("sink_rows", by="table"), "{{table}}"),))
    waits = ((f"rate({of('sink_waits')}[5m])", "{{table}}"),)
    yield Panel("Waits for sinks", "ops", waits, "How often the engine had to wait: back-pressure.")
    taken = ((of("checkpoint_seconds"), "taken"), (of("checkpoint_stall_seconds"), "engine stood still"))
    yield Panel("Checkpoints", "s", taken)
    yield Panel("Checkpoint size", "bytes", ((of("checkpoint_bytes"), "written"),))


def dashboard(job: str, needs: Needs) -> str:
    """Give the dashboard of a job as JSON, to be imported; it asks for the data source."""
    uid = "tailrace-" + hashlib.sha256(job.encode()).hexdigest()[:12]
    board = Dashboard(f"Tailrace: {job}").uid(uid).tags(["tailrace"]).refresh("10s").time("now-30m", "now")
    board = board.with_variable(DatasourceVariable("datasource").type("prometheus").label("Data source"))
    numbers = count(1)
    for title, panels in sections(job, needs):
        board = board.with_row(Row(title).id(next(numbers)))
        for panel in panels:
            board = board.with_panel(_chart(panel, 24 // min(len(panels), 3)).id(next(numbers)))
    return JSONEncoder(sort_keys=True, indent=2).encode(board.build())


def _chart(panel: Panel, width: int) -> TimeSeries:
    chart = TimeSeries().title(panel.title).description(panel.about).unit(panel.unit).datasource(SOURCE)
    chart = chart.min(0).span(width).height(8)
    for query, legend in panel.queries:
        chart = chart.with_target(Dataquery().expr(query).legend_format(legend).datasource(SOURCE))
    return chart
