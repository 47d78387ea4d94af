"""How pages ask a running job, and what they answer when it can't tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tailrace.errors import TailraceError, TransientError
from tailrace.runtime.control import Control
from tailrace.runtime.inspection import Inspection
from tailrace.web.site import Site


def inspection(site: Site, request: Request) -> Inspection:
    """
    Find the job that an address is about, for questions.

    Raises:
        HTTPException: there is none (404), or its engine has not started (409).
    """
    found = site.job(request).inspection
    if found is None:
        raise HTTPException(409, "the job has not started yet")
    return found


def control(site: Site, request: Request) -> Control:
    """
    Find the job that an address is about, for orders.

    Raises:
        HTTPException: there is none (404), or its engine has not started (409).
    """
    found = site.job(request).control
    if found is None:
        raise HTTPException(409, "the job has not started yet")
    return found


P = ParamSpec("P")


def told(answer: Callable[P, Response]) -> Callable[P, Response]:
    """Let a function that answers requests tell errors of the job as such: 503 may be tried again, 409 not."""

    def tell(*args: P.args, **kwargs: P.kwargs) -> Response:
        try:
            return answer(*args, **kwargs)
        except TailraceError as error:
            message = f"{error.message}; {error.hint}" if error.hint else error.message
            raise HTTPException(503 if isinstance(error, TransientError) else 409, message) from None

    return tell
