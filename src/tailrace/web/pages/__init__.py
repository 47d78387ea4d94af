"""The pages of the dashboard, in the order of the navigation; each is a module here and one in `static/pages`."""

from __future__ import annotations

from tailrace.web.pages import checkpoints, dead_letters, plan, profile, rows, time_lines, windows
from tailrace.web.pages.page import Page

PAGES: tuple[Page, ...] = (
    Page("jobs", "Jobs"),
    Page("graph", "Graph"),
    time_lines.PAGE,
    Page("sources", "Sources"),
    windows.PAGE,
    rows.PAGE,
    dead_letters.PAGE,
    checkpoints.PAGE,
    plan.PAGE,
    profile.PAGE,
)
