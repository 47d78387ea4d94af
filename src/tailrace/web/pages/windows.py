"""The page of open windows: what each waits for, in words."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tailrace.engine.batch import MIN_WATERMARK
from tailrace.engine.progress import SourceTime
from tailrace.observe.window_reasons import OperatorReason, WindowReasons
from tailrace.web.pages.asking import inspection, told
from tailrace.web.pages.page import Page
from tailrace.web.site import Site


def _routes(site: Site) -> list[Route]:
    reasons: dict[str, WindowReasons] = {}

    @told
    def windows(request: Request) -> Response:
        """Tell why the windows of a job are open."""
        states, times = inspection(site, request).windows()
        known = reasons.setdefault(request.path_params["job"], WindowReasons())
        found = known.look(states, times, time.monotonic(), time.time_ns() // 1_000_000)
        return JSONResponse({"operators": [_operator(o) for o in found]})

    return [Route("/api/jobs/{job}/windows", windows)]


def _operator(reason: OperatorReason) -> dict[str, Any]:
    state = reason.state
    return {
        "name": state.operator,
        "title": state.title,
        "count": state.windows.count,
        "reached": state.reached,
        "why": reason.text,
        "windows": [
            asdict(w.window) | {"missing": w.missing, "seconds": w.seconds, "text": w.text} for w in reason.windows
        ],
        "partitions": [p for s in reason.sources for p in _partitions(s, set(reason.holding))],
    }


def _partitions(source: SourceTime, holding: set[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {
            "table": source.table,
            "name": name,
            "watermark": None if p.watermark == MIN_WATERMARK else p.watermark,
            "idle": p.idle,
            "ended": p.ended,
            "holding": (source.table, name) in holding,
            "silent": source.silent.get(name),
        }
        for name, p in source.partitions.items()
    ]


PAGE = Page("windows", "Windows", _routes)
