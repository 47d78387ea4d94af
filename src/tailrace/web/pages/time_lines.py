"""The page of time lines: what was seen of a job in the last quarter of an hour."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tailrace.web.pages.page import Page
from tailrace.web.site import Site, missing


def _routes(site: Site) -> list[Route]:
    def history(request: Request) -> JSONResponse:
        """Give the samples of a job, as lists by name."""
        found = site.feed.history(request.path_params["job"])
        return JSONResponse(found) if found is not None else missing()

    return [Route("/api/jobs/{job}/history", history)]


PAGE = Page("time-lines", "Time lines", _routes)
