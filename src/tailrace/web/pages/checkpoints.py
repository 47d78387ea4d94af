"""The page of checkpoints and savepoints."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tailrace.state.savepoints import folder_of
from tailrace.web.pages.asking import control, inspection, told
from tailrace.web.pages.page import Page
from tailrace.web.site import Site


def _routes(site: Site) -> list[Route]:
    @told
    def checkpoints(request: Request) -> Response:
        """Give the checkpoints of this run, and the savepoints that there are."""
        asked = inspection(site, request)
        return JSONResponse(
            {
                "checkpoints": [asdict(c) for c in asked.checkpoints()],
                "savepoints": [asdict(s) for s in asked.savepoints()],
                "durable": asked.folder is not None,
            }
        )

    @told
    def checkpoint(request: Request, _body: dict[str, Any]) -> Response:
        """Take a checkpoint now."""
        return JSONResponse(asdict(control(site, request).checkpoint()))

    @told
    def savepoint(request: Request, body: dict[str, Any]) -> Response:
        """Take a savepoint; with `stop` the job ends with it."""
        name, stop = body.get("name"), body.get("stop", False)
        if not isinstance(name, str) or not isinstance(stop, bool):
            raise HTTPException(400, 'name the savepoint: {"name": "…", "stop": false}')
        order, folder = control(site, request), inspection(site, request).folder
        taken = asdict(order.savepoint(name, stop=stop))
        assert folder is not None  # else none was taken
        return JSONResponse(taken | {"folder": str(folder_of(folder, name))})

    base = "/api/jobs/{job}/checkpoints"
    return [
        Route(base, checkpoints),
        site.action(f"{base}/take", checkpoint),
        site.action(f"{base}/savepoint", savepoint),
    ]


PAGE = Page("checkpoints", "Checkpoints", _routes)
