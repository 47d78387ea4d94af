"""The page of dead letters: search, look at what came, and replay."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tailrace.observe.letters import letter_row, letter_view
from tailrace.runtime.inspection import Inspection
from tailrace.runtime.letter_box import LetterBox
from tailrace.runtime.replay import GUARANTEE
from tailrace.runtime.stored_letter import StoredLetter
from tailrace.web.pages.asking import control, inspection, told
from tailrace.web.pages.page import Page
from tailrace.web.site import Site

MOST_REPLAYED = 100
"""So many letters are replayed at a time."""


class _Boxes:
    """The letters of each job, as long as it is the same run."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._known: dict[str, tuple[Inspection, LetterBox]] = {}

    def of(self, request: Request) -> LetterBox:
        """Give those of the job that an address is about."""
        asked, job = inspection(self._site, request), request.path_params["job"]
        known = self._known.get(job)
        if known is None or known[0] is not asked:
            box = LetterBox(asked.letter_tables, asked.settings, asked.clock, asked.redacted)
            known = self._known[job] = (asked, box)
        return known[1]

    def letter(self, request: Request, id_: object) -> StoredLetter:
        """
        Give a letter by its id.

        Raises:
            HTTPException: there is none (404).
        """
        box = self.of(request)
        found = box.find(id_) if isinstance(id_, str) else None
        if found is None:
            raise HTTPException(404, "there is no such dead letter")
        return found


def _routes(site: Site) -> list[Route]:
    boxes = _Boxes(site)

    @told
    def letters(request: Request) -> Response:
        """Give the newest letters of a table, with a text in them."""
        box = boxes.of(request)
        table = request.query_params.get("table") or next(iter(box.tables), "")
        if table not in box.tables:
            return JSONResponse({"tables": list(box.tables), "letters": [], "matching": 0, "complete": True})
        found = box.look(table, request.query_params.get("search", ""), 100)
        shown = [letter_row(letter, box.hidden) for letter in found.letters]
        counts = {"matching": found.matching, "seen": found.seen, "complete": found.complete}
        return JSONResponse({"tables": list(box.tables), "table": table, "letters": shown} | counts)

    @told
    def letter(request: Request) -> Response:
        """Give all of one letter."""
        found, hidden = boxes.letter(request, request.query_params.get("id")), boxes.of(request).hidden
        return JSONResponse(letter_view(found, hidden) | {"guarantee": GUARANTEE})

    @told
    def replay(request: Request, body: dict[str, Any]) -> Response:
        """Replay letters; one of them with another payload."""
        ids, payload = body.get("ids"), body.get("payload")
        if not isinstance(ids, list) or not 0 < len(ids) <= MOST_REPLAYED:
            raise HTTPException(400, f'name 1 to {MOST_REPLAYED} letters: {{"ids": ["…"]}}')
        if payload is not None and (not isinstance(payload, str) or len(ids) != 1):
            raise HTTPException(400, "a payload is a text, for one letter")
        chosen = [boxes.letter(request, id_) for id_ in dict.fromkeys(map(str, ids))]
        done = control(site, request).replay(chosen, None if payload is None else payload.encode())
        return JSONResponse({"rows": done.rows, "refused": done.refused, "epoch": done.epoch})

    base = "/api/jobs/{job}/dead-letters"
    return [Route(base, letters), Route(f"{base}/letter", letter), site.action(f"{base}/replay", replay)]


PAGE = Page("dead-letters", "Dead letters", _routes)
