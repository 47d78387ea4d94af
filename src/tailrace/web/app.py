"""The routes of the server: metrics, health, and the dashboard."""

from __future__ import annotations

import time

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tailrace.observe.exposition import Exposition
from tailrace.observe.health import StallDetector, readiness
from tailrace.web.assets import asset_routes
from tailrace.web.body import small_object
from tailrace.web.gate import COOKIE, SESSION_SECONDS, Gate
from tailrace.web.pages import PAGES
from tailrace.web.site import Site


class Routes:
    """Answers requests about jobs."""

    def __init__(self, site: Site, gate: Gate) -> None:
        self._site = site
        self._gate = gate
        self._exposition = Exposition(site.jobs.look)
        self._stalls = StallDetector()

    def all(self) -> list[Route]:
        """Give the routes."""
        return [*(self._own() if self._site.remote is None else ()), *self._dashboard(), *asset_routes()]

    def _own(self) -> list[Route]:
        """Give the routes that tell of the jobs of this process to other programs."""
        return [
            Route("/metrics", self.metrics),
            Route("/health/live", self.live),
            Route("/health/ready", self.ready),
            Route("/api/jobs", self.jobs),
        ]

    def _dashboard(self) -> list[Route]:
        pages = [route for page in PAGES for route in page.routes(self._site)]
        return [
            Route("/api/stream", self.stream),
            Route("/api/session", self.session),
            Route("/api/session", self.sign_in, methods=["POST"]),
            Route("/api/session", self.sign_out, methods=["DELETE"]),
            *(pages if self._site.remote is None else self._site.remote.forwarded(pages)),
        ]

    def watch(self) -> None:
        """Look at the jobs, so that a stall is known when somebody asks; called now and then."""
        self._stalls.look(self._site.jobs.look(), time.monotonic())

    def metrics(self, request: Request) -> Response:
        """Give the metrics, for Prometheus."""
        text, content_type = self._exposition.write(request.headers.get("accept", ""))
        return Response(text, headers={"content-type": content_type})

    def live(self, request: Request) -> Response:
        """Tell whether the jobs get on: 503 if one has something to do and has done nothing for a minute."""
        return _health(request, "live", list(self._stalls.look(self._site.jobs.look(), time.monotonic()).reasons))

    def ready(self, request: Request) -> Response:
        """Tell whether the jobs read and write: 503 if one has not started, has ended, or waits for a system."""
        seen = self._site.jobs.look()
        reasons = [r for s in seen for r in readiness(s).reasons]
        return _health(request, "ready", reasons if seen else ["no job has started"])

    def jobs(self, request: Request) -> Response:
        """Give what is seen of the jobs, as JSON."""
        return JSONResponse({"jobs": self._site.jobs.views()})

    async def stream(self, request: Request) -> Response:
        """Give what is seen of the jobs again and again, as events."""
        if self._site.feed.full:
            return JSONResponse({"error": "too many pages listen"}, 503)
        return StreamingResponse(self._site.feed.events(), media_type="text/event-stream")

    def session(self, request: Request) -> Response:
        """Tell a page whether it has to show a token, and what there is to see."""
        if not request.scope["tailrace.known"]:
            return JSONResponse({"known": False})
        pages = [{"name": p.name, "title": p.title} for p in PAGES]
        return JSONResponse({"known": True, "locked": self._gate.locked, "actions": self._site.actions, "pages": pages})

    async def sign_in(self, request: Request) -> Response:
        """Begin a session for who shows the token."""
        shown = (await small_object(request)).get("token")
        if not isinstance(shown, str) or not self._gate.accepts(shown):
            return JSONResponse({"error": "this is not the token, or there were too many wrong ones"}, 401)
        answer = JSONResponse({"known": True})
        safe = request.url.scheme == "https"
        answer.set_cookie(
            COOKIE, self._gate.open(), max_age=SESSION_SECONDS, secure=safe, httponly=True, samesite="strict"
        )
        return answer

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        self._gate.close(request.headers)
        answer = JSONResponse({"known": False})
        answer.delete_cookie(COOKIE)
        return answer


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
    app = Starlette(routes=routes.all(), exception_handlers={HTTPException: _failed, 500: _broken})
    app.router.redirect_slashes = False
    return app
