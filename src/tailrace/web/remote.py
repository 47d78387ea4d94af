"""The jobs of other servers: `tailrace ui` asks each of them once a second, and hands on what pages ask."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import Message
from typing import IO, Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request as Asked
from starlette.responses import Response
from starlette.routing import Route

from tailrace.web.address import TOKEN, Address
from tailrace.web.body import small_object
from tailrace.web.jobs import View, job_id

LOOK_SECONDS = 2.0
"""So long a server may take to tell of its jobs."""

ASK_SECONDS = 30.0
"""So long it may take to answer what a page asks."""

MOST_BYTES = 32_000_000


class _NoRedirects(HTTPRedirectHandler):
    """A server that was named is asked, and no other that it names."""

    def redirect_request(self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str) -> None:
        return None


_ID = re.compile("[0-9a-f]{12}")
_OPENER = build_opener(_NoRedirects)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answers."""

    status: int
    body: bytes
    content_type: str


def ask(where: Address, path: str, seconds: float, body: bytes | None = None) -> Answer:
    """
    Ask a server, with the token of the environment; a body is sent by POST.

    Raises:
        OSError: it does not answer, or says too much.
    """
    headers = {"content-type": "application/json"} if body is not None else {}
    if token := os.environ.get(TOKEN):
        headers["authorization"] = f"Bearer {token}"
    request = Request(where.url() + path, data=body, headers=headers)  # noqa: S310  an address of the command line, by http
    try:
        with _OPENER.open(request, timeout=seconds) as answer:
            return _read(answer.status, answer, answer.headers)
    except HTTPError as error:
        with error:
            return _read(error.code, error, error.headers)


def _read(status: int, body: IO[bytes], headers: Message) -> Answer:
    content = body.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise OSError(f"the answer has more than {MOST_BYTES} bytes")
    return Answer(status, content, headers.get("content-type", ""))


class RemoteJobs:
    """The jobs of servers that listen at some addresses; `away` says which do not answer, and why."""

    def __init__(self, addresses: Sequence[Address]) -> None:
        self._addresses = tuple(addresses)
        self._pool = ThreadPoolExecutor(max_workers=max(1, min(16, len(addresses))), thread_name_prefix="tailrace-ui")
        self._places: dict[str, tuple[Address, str]] = {}
        self.away: dict[str, str] = {}

    def views(self) -> list[View]:
        found: list[View] = []
        places: dict[str, tuple[Address, str]] = {}
        away: dict[str, str] = {}
        for where, (views, why) in zip(self._addresses, self._pool.map(_look, self._addresses), strict=True):
            host = where.url().removeprefix("http://")
            if why:
                away[host] = why
            for view in views:
                mine = job_id(view["name"], host)
                places[mine] = (where, view["id"])
                found.append(view | {"id": mine, "where": host})
        self._places, self.away = places, away
        return found

    def forwarded(self, routes: Sequence[Route]) -> list[Route]:
        """Give for each route of a page one that asks the server of the job; there are no others."""
        return [Route(route.path, self._forward, methods=sorted(route.methods or ())) for route in routes]

    async def _forward(self, request: Asked) -> Response:
        body = json.dumps(await small_object(request)).encode() if request.method == "POST" else None
        place = self._places.get(request.path_params["job"])
        if place is None:
            raise HTTPException(404, "there is no such job")
        return await self._asked(request, *place, body)

    async def _asked(self, request: Asked, where: Address, job: str, body: bytes | None) -> Response:
        rest = request.scope["raw_path"].decode("ascii").split("/", 4)[4]
        query = f"?{request.url.query}" if request.url.query else ""
        try:
            answer = await run_in_threadpool(ask, where, f"/api/jobs/{job}/{rest}{query}", ASK_SECONDS, body)
        except OSError:
            raise HTTPException(502, "the server of the job does not answer") from None
        return Response(answer.body, answer.status, media_type=answer.content_type)


def _look(where: Address) -> tuple[list[View], str]:
    """Give the jobs of a server, and why they can't be had if so."""
    try:
        answer = ask(where, "/api/jobs", LOOK_SECONDS)
        if answer.status in {401, 403}:
            return [], f"it wants a token, or another one: set {TOKEN}"
        if answer.status != 200:
            return [], f"it answers with status {answer.status}"
        jobs: list[Any] = json.loads(answer.body)["jobs"]
        if not all(_ID.fullmatch(job["id"]) for job in jobs):
            return [], "it is no server of this kind"
    except OSError as error:
        reason = getattr(error, "reason", error)  # why it can't be reached stands inside of urllib's own error
        return [], str(getattr(reason, "strerror", None) or reason)
    except (ValueError, KeyError, TypeError):
        return [], "it is no server of this kind"
    return jobs, ""
