"""The page of the profile: the engine's time by operator and kernel, and a flame graph when somebody asks for one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tailrace.observe.profiling import Profiler
from tailrace.web.pages.asking import inspection, told
from tailrace.web.pages.page import Page
from tailrace.web.site import Site


def _routes(site: Site) -> list[Route]:
    profilers: dict[int, Profiler] = {}

    @told
    def profile(request: Request, body: dict[str, Any]) -> Response:
        """Look where the engine's time goes, for some seconds."""
        seconds = body.get("seconds", 5)
        if not isinstance(seconds, int | float) or isinstance(seconds, bool):
            raise HTTPException(400, "seconds is a number")
        asked = inspection(site, request)
        profiler = profilers.setdefault(id(asked), Profiler(asked))
        return JSONResponse(asdict(profiler.look(float(seconds))))

    return [site.action("/api/jobs/{job}/profile", profile)]


PAGE = Page("profile", "Profile", _routes)
