"""Telling a running job something by its server, as the dashboard does."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tailrace.cli.top import look
from tailrace.errors import ConfigError, TerminalError, did_you_mean
from tailrace.web.address import TOKEN, address

TELL_SECONDS = 90.0


def job_at(where: str, name: str | None = None) -> str:
    """
    Give the address of the job that a server shows; of several, of the one with this name.

    Raises:
        TailraceError: the server can't be reached, or does not show that job.
    """
    url = address(where).url()
    jobs = {str(job["name"]): str(job["id"]) for job in look(url)}
    if name is None and len(jobs) != 1:
        hint = f"name one of them: {', '.join(jobs)}" if jobs else "a job is shown once it has started"
        raise ConfigError(f"{url} shows {len(jobs)} jobs", hint=hint)
    if name is not None and name not in jobs:
        hint = did_you_mean(name, list(jobs)) or f"it shows: {', '.join(jobs)}"
        raise ConfigError(f"{url} shows no job '{name}'", hint=hint)
    return f"{url}/api/jobs/{jobs[name] if name is not None else next(iter(jobs.values()))}"


def asked(url: str, what: str) -> Any:
    """
    Ask a job something; `what` begins the sentence that says why it does not answer.

    Raises:
        TerminalError: it does not answer, or says no.
    """
    return _sent(Request(url, headers=_token()), what)  # noqa: S310  http, of the command line


def told(url: str, body: Mapping[str, Any], what: str) -> Any:
    """
    Tell a job something and give its answer; `what` begins the sentence that says why it does not do it.

    Raises:
        TerminalError: it does not answer, or says no.
    """
    headers = {"content-type": "application/json"} | _token()
    return _sent(Request(url, data=json.dumps(body).encode(), headers=headers), what)  # noqa: S310  as above


def _token() -> dict[str, str]:
    token = os.environ.get(TOKEN)
    return {"authorization": f"Bearer {token}"} if token else {}


def _sent(request: Request, what: str) -> Any:
    try:
        with urlopen(request, timeout=TELL_SECONDS) as answer:  # noqa: S310  as above
            return json.load(answer)
    except HTTPError as error:
        with error:
            why = _reason(error)
        raise TerminalError(f"{what}: {why}") from None
    except (URLError, OSError, ValueError) as error:
        raise TerminalError(f"nothing answers at {request.full_url}: {getattr(error, 'reason', error)}") from None


def _reason(error: HTTPError) -> str:
    try:
        return str(json.loads(error.read())["error"])
    except (ValueError, KeyError, TypeError):
        return f"status {error.code}"
