"""Writes the pages of the documentation that come from the code."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tailrace import schema, settings
from tailrace.cli.connectors import uses
from tailrace.connectors import registry as connector_registry
from tailrace.connectors.lookup_options import LOOKUP
from tailrace.connectors.table_options import COMMON, FORMATS
from tailrace.engine.histogram import BOUNDS
from tailrace.expressions.docs import markdown
from tailrace.formats import registry
from tailrace.observe.metrics import METRICS
from tailrace.observe.process import PROCESS
from tailrace.observe.samples import MOST_PARTITIONS
from tailrace.options import Option, written

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
sys.path.append(str(ROOT / "tests" / "conformance"))
TABLE_OPTIONS = """# Options of every table

Every table takes these in `WITH (…)`, beside the options of its connector and format. Durations are written as `10 s`, sizes as `64 mb`.

{common}

Tables of connectors with formats take these too. The options of a format have its name before them, as `json.ignore-parse-errors`; for a
`key.format` or `value.format` that word comes first, as `key.json.ignore-parse-errors`.

{formats}

Tables of connectors with [lookups](../concepts/lookups.md) take these too.

{lookups}
"""
SETTINGS = """# Settings

`SET 'key' = 'value'` in a script, or `--set key=value` on the command line.

{options}

A key that is none of these is an error, unless it begins as Flink's own do (`parallelism.default`, `table.…`): such a setting is taken, has no effect, and is said to have none.
"""


METRICS_PAGE = """# Metrics

What `/metrics` of [`tailrace run --listen`](monitoring.md) gives. `python_info` and more of `process_…` come beside these.

{metrics}

## Of the process

OTLP and DogStatsD send these under their names in OpenTelemetry's conventions.

{process}

Histograms have the classes {bounds} seconds. `source_delay_seconds` is told from about a hundred rows of each batch. Of sources with more than {most} partitions
only the first ones have series of their own, and partitions that have ended (as files that were read) have none.
"""


def metric_rows() -> str:
    """Write the metrics as a table."""
    rows = ["| Metric | Kind | Labels | Meaning |", "| --- | --- | --- | --- |"]
    labels = {m.name: ", ".join(f"`{label}`" for label in m.labels) for m in METRICS.values()}
    return "\n".join(rows + [f"| `{m.full_name}` | {m.kind} | {labels[m.name]} | {m.help} |" for m in METRICS.values()])


def process_rows() -> str:
    """Write the metrics of the process as a table, with the names that each way out has for them."""
    rows = ["| OTLP, DogStatsD | Prometheus | Kind | Labels | Meaning |", "| --- | --- | --- | --- | --- |"]
    labels = {m.name: ", ".join(f"`{label}`" for label in m.labels) for m in PROCESS.values()}
    return "\n".join(
        rows + [f"| `{m.name}` | `{m.full_name}` | {m.kind} | {labels[m.name]} | {m.help} |" for m in PROCESS.values()]
    )


def option_rows(options: Iterable[Option]) -> str:
    """Write options as a table."""
    rows = ["| Option | Default | Meaning |", "| --- | --- | --- |"]
    return "\n".join(rows + [f"| `{o.key}` | {default(o)} | {o.doc} |" for o in options])


def default(option: Option) -> str:
    """Write the default of an option as a script would."""
    value = option.default
    if option.required:
        return "required"
    if value is None or value in ("", ()):
        return "none"
    return f"`{written(option.parse, value)}`"


def types_table() -> str:
    """Give the table of the types out of its module."""
    head, line, *rows = (x for x in (schema.__doc__ or "").splitlines() if x.startswith("|"))
    cells = ([c.strip() for c in row.strip("|").split("|")] for row in rows)
    return "\n".join([head, line, *(f"| `{flink}` | `{polars}` |" for flink, polars in cells)])


def format_options(page: str) -> str:
    """Fill the tables of options into the page of the formats."""
    for name in registry.names():
        page = filled(page, f"options: {name}", "options", option_rows(registry.get(name).options.options))
    return page


def filled(page: str, begin: str, end: str, text: str) -> str:
    """Put a text between the marks `begin` and `end` of a page."""
    between = f"<!-- {begin} -->\n\n{text}\n\n<!-- /{end} -->"
    return re.sub(rf"<!-- {begin} -->.*?<!-- /{end} -->", lambda _: between, page, flags=re.DOTALL)


def support() -> str:
    """Give the page of what is supported, from the conformance cases."""
    from support import page  # noqa: PLC0415  beside the cases, which the path above leads to

    return page()


def reference() -> dict[str, str]:
    """Give the pages of the reference of the Python API."""
    from api_reference import pages  # noqa: PLC0415  it loads the API

    return pages()


def conformance() -> list[Any]:
    """Give all conformance cases."""
    from cases import all_cases  # noqa: PLC0415  beside the cases, which the path above leads to

    return list(all_cases())


CONNECTORS = """# Connectors

`tailrace connectors` lists them, `tailrace connectors NAME` shows the options of one; `--json` for programs.

{connectors}

## What was tested

The [conformance suite](write-your-own.md) runs whole jobs against the real system: types, checks, kill -9 of the job, the server killed, a network that is cut, held or slow, rows
that are refused, updates. It also measures rows a second of a whole job from its start to its last checkpoint (into a sink of numbers made on the spot, out of a source into `blackhole`, of a
lookup without a cache), beside the plain client in a loop, on two cores that the server shares with other work: the two rates of a row compare, those of different rows hardly.

{results}

`TAILRACE_CONFORMANCE=docs/connectors/conformance.json scripts/test tests/connectors/test_sqlite_conformance.py` runs the tests of one and puts its results in place; `scripts/docs` writes this page.
"""


def connector_rows() -> str:
    """Give the connectors with their uses."""
    lines = ["| Connector | Source | Sink | Lookup | |", "| --- | --- | --- | --- | --- |"]
    for name in connector_registry.names():
        connector = connector_registry.get(name)
        marks = ("yes" if use in uses(connector) else "" for use in ("source", "sink", "lookup"))
        lines.append(f"| [{name}]({name}.md) | {' | '.join(marks)} | {connector.doc} |")
    return "\n".join(lines)


def result_rows() -> str:
    """Give what the last runs of the conformance suites have found."""
    found = json.loads((DOCS / "connectors" / "conformance.json").read_text())
    head = "| System | Tested on | As | Guarantee | Rows/s | Plain client | Last run |"
    lines = [head, "| --- | --- | --- | --- | --- | --- | --- |"]
    for _, r in sorted(found.items()):
        on = r["stand_in"] or f"{r['system']} {r['version']}".strip()
        role = f"{r['role']}: {r['part']}" if r.get("part") else r["role"]
        speeds = f"{r['rows_per_second']:,} | {r['plain_rows_per_second']:,}"
        lines.append(
            f"| {r['system']} (`{r['connector']}`) | {on} | {role} | {r['guarantee']} | {speeds} | {r['last_run']} |"
        )
    return "\n".join(lines)


def generated() -> dict[str, str]:
    """Give each generated page by its name, as it must be."""
    types = (DOCS / "sql" / "types.md").read_text()
    return {
        "functions.md": markdown(),
        "formats.md": format_options((DOCS / "formats.md").read_text()),
        "sql/types.md": filled(types, "types", "types", types_table()),
        "sql/table-options.md": TABLE_OPTIONS.format(
            common=option_rows(COMMON.options),
            formats=option_rows(FORMATS.options),
            lookups=option_rows(LOOKUP.options),
        ),
        "sql/settings.md": SETTINGS.format(options=option_rows(settings.OPTIONS.options)),
        "sql/support.md": support(),
        "connectors/index.md": CONNECTORS.format(connectors=connector_rows(), results=result_rows()),
        "metrics.md": METRICS_PAGE.format(
            metrics=metric_rows(),
            process=process_rows(),
            bounds=", ".join(f"{b:g}" for b in BOUNDS),
            most=MOST_PARTITIONS,
        ),
    }


def main() -> None:
    """Write them."""
    for name, text in {**generated(), **reference()}.items():
        (DOCS / name).parent.mkdir(exist_ok=True)
        (DOCS / name).write_text(text)


if __name__ == "__main__":
    main()
