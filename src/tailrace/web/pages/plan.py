"""The page of the script: its SQL with the plan beside it, and the options in force, without secrets."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tailrace.observe.options_view import job_settings, script_text, table_options
from tailrace.observe.plain import plain
from tailrace.plan import nodes
from tailrace.plan.catalog import Table
from tailrace.plan.changelog import changelog_modes
from tailrace.plan.changelog import shown as mode_text
from tailrace.plan.explain import explain
from tailrace.plan.state_bounds import state_bound
from tailrace.plan.warnings import warnings
from tailrace.runtime.inspection import Inspection
from tailrace.web.pages.asking import inspection, told
from tailrace.web.pages.page import Page
from tailrace.web.site import Site


def _routes(site: Site) -> list[Route]:
    @told
    def plan(request: Request) -> Response:
        """Give the script of a job, its plan and its options."""
        return JSONResponse(plan_view(inspection(site, request)))

    return [Route("/api/jobs/{job}/plan", plan)]


def plan_view(asked: Inspection) -> dict[str, Any]:
    """Give script, plan and options as JSON values, without secrets."""
    sinks = asked.plans
    tables = _tables(asked)
    modes = changelog_modes(sinks)
    found = {id(n): n for sink in sinks for n in nodes.walk(sink)}
    return {
        "texts": [{"file": file, "text": plain(script_text(text, asked.tables))} for file, text in asked.texts],
        "plan": plain(explain(sinks)),
        "warnings": [plain(str(w)) for w in warnings(sinks)],
        "nodes": [
            {
                "operator": name,
                "changes": mode_text(modes[id(node)]),
                "state": state_bound(node) or None,
                "file": node.location.file if node.location else None,
                "line": node.location.line if node.location else None,
            }
            for name, node in asked.nodes.items()
            if id(node) in found
        ],
        "tables": [
            {"name": t.name, "connector": t.connector, "options": [asdict(o) for o in table_options(t)]} for t in tables
        ],
        "settings": [asdict(o) for o in job_settings(asked.settings)],
    }


def _tables(asked: Inspection) -> list[Table]:
    """Give the tables of the job, by name: those that are read, asked, written, and those for dead letters."""
    read = [n.table for n in asked.nodes.values() if isinstance(n, nodes.Scan | nodes.LookupJoin)]
    written = [n.table for n in asked.plans if n.table is not None]
    found = {t.name: t for t in (*read, *written, *asked.letter_tables.values())}
    return [found[name] for name in sorted(found)]


PAGE = Page("plan", "Plan", _routes)
