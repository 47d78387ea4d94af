"""The page of rows: the newest that came out of an operator, taken only while somebody looks."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tailrace.engine.batch import KIND, RowKind
from tailrace.observe.plain import cell
from tailrace.runtime.inspection import Sample
from tailrace.web.pages.asking import inspection
from tailrace.web.pages.page import Page
from tailrace.web.site import Site


def _routes(site: Site) -> list[Route]:
    def rows(request: Request) -> Response:
        """Give the newest rows of an operator, and go on taking them for some seconds."""
        asked = inspection(site, request)
        sample = asked.sample(request.query_params.get("operator", ""))
        if sample is None:
            raise HTTPException(404, "there is no such operator")
        return JSONResponse(_view(sample, frozenset(asked.redacted)))

    return [Route("/api/jobs/{job}/rows", rows)]


def _view(sample: Sample, redacted: frozenset[str]) -> dict[str, Any]:
    frame = sample.frame
    columns = [c for c in sample.columns if frame is None or c in frame.columns]
    kinds = [] if frame is None or KIND not in frame.columns else frame[KIND].to_list()
    found = [] if frame is None else frame.select(columns).rows()
    return {
        "operator": sample.operator,
        "columns": columns,
        "hidden": sorted(sample.hidden & set(columns)),
        "rows": [
            [cell(v, redacted, whole=c in sample.hidden) for c, v in zip(columns, row, strict=True)] for row in found
        ],
        "changes": [RowKind(k).sign for k in kinds] if kinds else None,
        "age": sample.age,
        "passed": sample.passed,
    }


PAGE = Page("rows", "Rows", _routes)
