"""What to show a visitor next: items that others looked at together with those of the visitor's last visit."""

from __future__ import annotations

from typing import NamedTuple

import tailrace as tr
from tailrace import col, functions

CLICK = {"user": str, "item": str, "ts": "TIMESTAMP(3)"}
TIME = tr.event_time("ts", delay="5s")
PROFILE = {"user": str, "name": str, "personalised": bool}
PAUSE = "30m"
"""A visit is over when its visitor has not clicked for so long."""
TOP = 3


class Found(NamedTuple):
    """What is kept up to date: the items that go with each item, and those to show each visitor."""

    related: tr.Table
    recommendations: tr.Table


def recommend(clicks: tr.Table, profiles: tr.Table) -> Found:
    """Find out what goes together, and what each visitor who agreed to it should see."""
    ended = visits(clicks)
    together = related(ended)
    return Found(together, recommendations(ended, profiles, together))


def visits(clicks: tr.Table) -> tr.Table:
    """Give each visit once, when it is over: its visitor, its items, and when that was."""
    windows = clicks.window(tr.session(PAUSE, by="user")).group_by("user", "window_time")
    return windows.agg(items=col("item").implode().distinct()).select("user", "items", ended=col("window_time"))


def related(ended: tr.Table) -> tr.Table:
    """Count in how many visits two items stand together, and keep the best of each item."""
    pairs = ended.explode("items", "item").explode("items", "also").filter(col("item") != col("also"))
    counted = pairs.group_by("item", "also").agg(together=tr.count())
    return counted.top(TOP, by=[col("together").desc(), "also"], partition_by="item", rank="place")


def recommendations(ended: tr.Table, profiles: tr.Table, together: tr.Table) -> tr.Table:
    """Give each visitor the best of what goes with the items of the last visit, and was not in it."""
    last = willing(ended, profiles).unique("user", keep="last", order_by="ended")
    near = (
        last.explode("items", "item")
        .join(together, "item")
        .filter(~functions.array_contains(col("items"), col("also")))
    )
    scored = near.group_by("user", "name", "ended", item=col("also")).agg(score=col("together").sum())
    best = scored.top(TOP, by=[col("score").desc(), "item"], partition_by="user", rank="place")
    return best.select("user", "place", "item", "score", "name", since=col("ended").cast("TIMESTAMP(3)"))


def willing(ended: tr.Table, profiles: tr.Table) -> tr.Table:
    """Keep the visits of those who are known and agreed, as their profile says when the visit is over."""
    asked = ended.with_columns(now=functions.proctime())
    return asked.join(profiles, "user", as_of="now").filter(col("personalised")).drop("now", "personalised")
