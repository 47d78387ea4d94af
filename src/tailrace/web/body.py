"""The body of a request: a small JSON object."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

MOST_BYTES = 65_536
BODY_SECONDS = 10.0


async def small_object(request: Request) -> dict[str, Any]:
    """
    Read the body.

    Raises:
        HTTPException: it is too long (413) or too slow (408), or no JSON object (400).
    """
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _whole(request)
    except TimeoutError:
        raise HTTPException(408, "the body did not come in time", {"connection": "close"}) from None
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise HTTPException(400, "the body is no JSON") from None
    if not isinstance(found, dict):
        raise HTTPException(400, "the body is no JSON object")
    return found


async def _whole(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"the body has more than {MOST_BYTES} bytes")
    return body
