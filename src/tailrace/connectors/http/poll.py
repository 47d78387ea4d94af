"""Polling: an address that is asked again and again, page by page, from a thread of its own."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from tailrace.connectors.base import Assigned, Block, Change, Ended, Limit, Positions, Reader, Report, Source
from tailrace.connectors.http.bodies import BadBodyError, split, text_at
from tailrace.connectors.http.endpoint import Answer, Endpoint
from tailrace.connectors.http.sink import reached
from tailrace.connectors.inbox import Inbox, Message, block
from tailrace.errors import TerminalError, TransientError

PARTITION = "answers"
NOT_MODIFIED = 304
_FIRST_PAUSE = 0.2


@dataclass(frozen=True, slots=True)
class Polling:
    """How an address is polled: what a body is, where its rows are, and what comes next."""

    endpoint: Endpoint
    body: str
    items: str | None
    cursor_field: str | None
    cursor_parameter: str
    links: bool
    interval_seconds: float
    bounded: bool

    @property
    def paged(self) -> bool:
        """Whether answers say what to ask for next."""
        return self.cursor_field is not None or self.links


@dataclass(frozen=True, slots=True)
class At:
    """
    Where polling stands: the cursor of a page, how many of its rows were given, and what the page was.

    The validators (ETag, Last-Modified) are those of a page that was given whole; they are asked with the next time.
    """

    cursor: str | None = None
    rows: int = 0
    digest: str = ""
    etag: str | None = None
    modified: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Give it as a JSON value."""
        given = {"cursor": self.cursor, "rows": self.rows, "digest": self.digest}
        return given | {"etag": self.etag, "modified": self.modified}

    @classmethod
    def from_json(cls, value: Any) -> At:
        """
        Read what `to_json` gave.

        Raises:
            TerminalError: it is something else.
        """
        try:
            return cls(value["cursor"], int(value["rows"]), str(value["digest"]), value["etag"], value["modified"])
        except (KeyError, TypeError, ValueError) as error:
            raise TerminalError(f"the checkpoint has no position of a polled address: {error}") from None


class PollSource(Source):
    """Rows of an address that is polled. A page that is asked for again may be another one: see its guarantee."""

    def __init__(self, polling: Polling) -> None:
        self.polling = polling
        self.bounded = polling.bounded

    def open(self, positions: Positions) -> PollReader:
        at = At.from_json(positions[PARTITION]) if PARTITION in positions else At()
        with self.polling.endpoint.client() as client:
            self.polling.endpoint.reach(client)
        return PollReader(self.polling, at)

    def check(self) -> Report:
        polling = self.polling
        return reached(polling.endpoint, polling.endpoint.method, f"polls {polling.endpoint.shown}")


class PollReader(Reader):
    """Gives what the thread has fetched."""

    def __init__(self, polling: Polling, at: At) -> None:
        self._inbox = Inbox()
        self._changes: list[Change] = [Assigned(PARTITION)]
        self._poller = Poller(polling, at, self._inbox)
        self._thread = threading.Thread(target=self._poller.run, name="tailrace-http-poll", daemon=True)
        self._ended = False
        self._thread.start()

    def poll(self, limit: Limit) -> list[Block]:
        done = self._poller.done
        found = self._inbox.take(limit)
        if done and not found and not self._ended:
            self._ended = True
            self._changes.append(Ended(PARTITION))
        return [block(partition, messages) for partition, messages in found.items()]

    def changes(self) -> list[Change]:
        given, self._changes = self._changes, []
        return given

    def close(self) -> None:
        self._poller.stop()
        self._inbox.close()
        self._thread.join(self._poller.longest)


class Poller:
    """Asks on a thread, and puts rows with their positions into a box."""

    def __init__(self, polling: Polling, at: At, inbox: Inbox) -> None:
        self._polling = polling
        self._at = at
        self._inbox = inbox
        self._stopped = threading.Event()
        self._given = 0
        self.done = False

    @property
    def longest(self) -> float:
        """How long a request that is under way may still take."""
        return self._polling.endpoint.seconds + 1.0

    def stop(self) -> None:
        """Ask no more."""
        self._stopped.set()

    def run(self) -> None:
        """Poll until it is stopped, or the first round of a bounded source is over."""
        pause = _FIRST_PAUSE
        with self._polling.endpoint.client() as client:
            while not self._stopped.is_set():
                try:
                    more = self._page(client)
                    pause = _FIRST_PAUSE
                except TransientError as error:
                    self._inbox.fail(error)
                    self._stopped.wait(max(pause, error.after))
                    pause = min(2 * pause, self._polling.interval_seconds)
                    continue
                except BaseException as error:  # noqa: BLE001  whatever it is, the reader raises it
                    self._inbox.fail(error)
                    return
                if not more and self._polling.bounded:
                    self.done = True
                    return
                if not more:
                    self._stopped.wait(self._polling.interval_seconds)

    def _page(self, client: httpx.Client) -> bool:
        """Ask for one page and put its rows; tell whether the next may be asked for at once."""
        polling, at = self._polling, self._at
        conditions = {"If-None-Match": at.etag, "If-Modified-Since": at.modified}
        headers = {name: value for name, value in conditions.items() if value} | {"Accept": "application/json"}
        answer = polling.endpoint.ask(client, self._url(), None, headers)
        if answer.status == NOT_MODIFIED:
            return False
        error = polling.endpoint.refused(answer)
        if error is not None:
            raise error if isinstance(error, TransientError) else TerminalError(error.message, hint=error.hint)
        try:
            rows = split(answer.body, polling.body, polling.items) if answer.body.strip() else []
            following = self._next(answer)
        except BadBodyError as bad:
            message = f"{polling.endpoint.shown}: the answer can't be read: {bad}"
            raise TerminalError(message, hint="see 'body', 'poll.items' and 'poll.cursor-field'") from None
        self._put(rows, answer)
        if following is None or following == at.cursor:
            return False
        self._at = At(following)
        return True

    def _put(self, rows: list[bytes], answer: Answer) -> None:
        """Put the rows that were not given before; of a page without a cursor all, unless it is the same one."""
        digest = hashlib.blake2b(answer.body, digest_size=16).hexdigest()
        given = self._at.rows if self._polling.paged or digest == self._at.digest else 0
        whole = At(self._at.cursor, len(rows), digest, answer.headers.get("etag"), answer.headers.get("last-modified"))
        for number in range(given, len(rows)):
            last = number == len(rows) - 1
            at = whole if last else replace(whole, rows=number + 1, etag=None, modified=None)
            if not self._inbox.put(PARTITION, Message(rows[number], at.to_json(), self._given)):
                return
            self._given += 1
        self._at = replace(whole, rows=max(given, len(rows)))

    def _url(self) -> str:
        url, cursor = self._polling.endpoint.url, self._at.cursor
        if cursor is None:
            return url
        if self._polling.cursor_field is None:
            return cursor
        return str(httpx.URL(url).copy_merge_params({self._polling.cursor_parameter: cursor}))

    def _next(self, answer: Answer) -> str | None:
        """Give the cursor of the next page, as the answer names it."""
        polling = self._polling
        if polling.cursor_field is not None:
            return text_at(answer.body, polling.cursor_field)
        if not polling.links:
            return None
        link = httpx.Response(200, headers=answer.headers).links.get("next", {}).get("url")
        if link is None:
            return None
        url = urljoin(self._url(), link)
        if urlsplit(url)[:2] != urlsplit(polling.endpoint.url)[:2]:
            hint = "only links to the same server are followed"
            raise TerminalError(f"{polling.endpoint.shown} links to another server", hint=hint)
        return url
