"""What a page of the dashboard is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.routing import Route

from tailrace.web.site import Site


def _none(_: Site) -> list[Route]:
    return []


@dataclass(frozen=True, slots=True)
class Page:
    """
    One page: its entry in the navigation, its module `static/pages/NAME.js`, and what that asks the server for.

    The addresses of `routes` begin with `/api/jobs/{job}/`; with methods that change something they are made by
    `Site.action`, so that they are refused where actions are not allowed.
    """

    name: str
    title: str
    routes: Callable[[Site], list[Route]] = _none
