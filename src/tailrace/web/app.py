"""The routes of the server: metrics, health, and what the dashboard shows."""

from __future__ import annotations

import time

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tailrace.observe.exposition import Exposition, Look
from tailrace.observe.health import StallDetector, readiness
from tailrace.web.views import observation_view


class Routes:
    """Answers requests about jobs."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._exposition = Exposition(look)
        self._stalls = StallDetector()

    def all(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/metrics", self.metrics),
            Route("/health/live", self.live),
            Route("/health/ready", self.ready),
            Route("/api/jobs", self.jobs),
        ]

    def watch(self) -> None:
        """Look at the jobs, so that a stall is known when somebody asks; called now and then."""
        self._stalls.look(self._look(), time.monotonic())

    def metrics(self, request: Request) -> Response:
        """Give the metrics, for Prometheus."""
        text, content_type = self._exposition.write(request.headers.get("accept", ""))
        return Response(text, headers={"content-type": content_type})

    def live(self, request: Request) -> Response:
        """Tell whether the jobs get on: 503 if one has something to do and has done nothing for a minute."""
        return _health(request, "live", list(self._stalls.look(self._look(), time.monotonic()).reasons))

    def ready(self, request: Request) -> Response:
        """Tell whether the jobs read and write: 503 if one has not started, has ended, or waits for a system."""
        seen = list(self._look())
        reasons = [r for s in seen for r in readiness(s).reasons]
        return _health(request, "ready", reasons if seen else ["no job has started"])

    def jobs(self, request: Request) -> Response:
        """Give what is seen of the jobs, as JSON."""
        return JSONResponse({"jobs": [observation_view(s) for s in self._look()]})


def _health(request: Request, word: str, reasons: list[str]) -> Response:
    """Answer a probe; the reasons name tables, so they are for those who may see the rest too."""
    answer: dict[str, object] = {word: not reasons}
    if request.scope.get("tailrace.known"):
        answer["reasons"] = reasons
    return JSONResponse(answer, 503 if reasons else 200)


def _failed(_: Request, error: Exception) -> Response:
    """Say what is wrong with a request, in one form for all errors."""
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)


def _broken(_: Request, _error: Exception) -> Response:
    return JSONResponse({"error": "the server made a mistake; its log says more"}, 500)


def make_app(routes: Routes) -> Starlette:
    """Make the application; nobody is kept out of it but by `Guard`."""
    return Starlette(routes=routes.all(), exception_handlers={HTTPException: _failed, 500: _broken})
