"""The token: who shows it, and who has shown it before."""

from __future__ import annotations

import secrets
import time
from collections import deque
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers

COOKIE = "tailrace_session"
TRIES = 10
"""So many wrong tokens a minute are looked at; then all are refused for the rest of it."""

SESSION_SECONDS = 12 * 3600
MOST_SESSIONS = 100


class Gate:
    """
    Knows the token, if there is one, and the sessions of browsers that have shown it.

    A browser keeps the number of its session, never the token.
    """

    def __init__(self, token: str | None) -> None:
        self._token = token
        self._wrong: deque[float] = deque(maxlen=TRIES)
        self._sessions: dict[str, float] = {}

    @property
    def locked(self) -> bool:
        """Whether a token is asked for."""
        return self._token is not None

    def knows(self, headers: Headers) -> bool:
        """Tell whether a request may be answered: no token is needed, or it shows it, or comes from a session."""
        if self._token is None:
            return True
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.accepts(token.strip())
        return self._sessions.get(session_of(headers), 0.0) > time.monotonic()

    def accepts(self, shown: str) -> bool:
        """Tell whether a token is the right one; after too many wrong ones none is, for a minute."""
        if self._token is None:
            return False
        now = time.monotonic()
        if len(self._wrong) == TRIES and now - self._wrong[0] < 60:
            return False
        right = secrets.compare_digest(shown.encode(), self._token.encode())
        if not right:
            self._wrong.append(now)
        return right

    def open(self) -> str:
        """Begin a session, and give its number; the oldest goes when there are too many."""
        if len(self._sessions) >= MOST_SESSIONS:
            del self._sessions[min(self._sessions, key=self._sessions.__getitem__)]
        session = secrets.token_urlsafe(32)
        self._sessions[session] = time.monotonic() + SESSION_SECONDS
        return session

    def close(self, headers: Headers) -> None:
        """End the session of a request."""
        self._sessions.pop(session_of(headers), None)


def session_of(headers: Headers) -> str:
    """Give the number of the session that a request comes from."""
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return cookie.value if cookie is not None else ""
