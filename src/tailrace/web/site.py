"""What the pages of the dashboard are about: the jobs, what was seen of them, and whether they may be told anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tailrace.web.body import small_object
from tailrace.web.feed import Feed
from tailrace.web.jobs import LocalJobs, Watched
from tailrace.web.remote import RemoteJobs


@dataclass(slots=True)
class Site:
    """One server's dashboard. Without `actions` it only shows."""

    jobs: LocalJobs
    actions: bool = False
    remote: RemoteJobs | None = None
    """Those of other servers, if these are what is shown."""
    feed: Feed = field(init=False)

    def __post_init__(self) -> None:
        self.feed = Feed(self.remote or self.jobs)

    def job(self, request: Request) -> Watched:
        """
        Find the job that an address is about.

        Raises:
            HTTPException: there is none (404).
        """
        found = self.jobs.find(request.path_params["job"])
        if found is None:
            raise HTTPException(404, "there is no such job")
        return found

    def action(self, path: str, do: Callable[[Request, dict[str, Any]], Response]) -> Route:
        """
        Make the route of something that changes a job or what it has written; refused where that is not allowed.

        `do` is called on a thread that may wait, with the JSON object of the body.
        """

        async def asked(request: Request) -> Response:
            if not self.actions:
                raise HTTPException(403, "this dashboard only shows; start it with --allow-actions")
            return await run_in_threadpool(do, request, await small_object(request))

        return Route(path, asked, methods=["POST"])


def missing() -> JSONResponse:
    """Answer that there is no such job."""
    return JSONResponse({"error": "there is no such job"}, 404)
