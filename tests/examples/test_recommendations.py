"""The example of recommendations: step by step on a clock of its own, against its planted truth, and on a broker."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from recommendations import run
from recommendations.generate import History, generate
from recommendations.pipeline import CLICK, PROFILE, TIME, recommend
from recommendations.report import expected_recommendations, expected_related, report

import tailrace as tr
from tailrace.testing import Drive

ROWS = 3000
BATCHES = 7


def drive() -> Drive:
    """Drive the pipeline with both of its results."""
    clicks = tr.read("datagen", CLICK, name="clicks", time=TIME)
    profiles = tr.read("sqlite", PROFILE, name="profiles", primary_key="user", options={"path": "not-opened.db"})
    found = recommend(clicks, profiles)
    return Drive(found.related.to("blackhole", name="related") + found.recommendations.to("blackhole", name="shown"))


def click(user: str, item: str, time: str) -> dict[str, str]:
    """Give a click of the day."""
    return {"user": user, "item": item, "ts": f"2026-01-01 {time}"}


def profile(user: str, name: str, *, personalised: bool = True) -> dict[str, object]:
    """Give a profile."""
    return {"user": user, "name": name, "personalised": personalised}


def shown(drive: Drive) -> list[tuple[str, int, str, int]]:
    """Give what each visitor is shown, in order."""
    return sorted((row["user"], row["place"], row["item"], row["score"]) for row in drive.rows("shown"))


def test_a_visit_counts_when_its_pause_is_over() -> None:
    """Thirty minutes after its last click, and five seconds that clicks may be late; an item counts once in it."""
    shop = drive()
    shop.push(
        "clicks", [click("ann", "tea", "10:00:00"), click("ann", "cup", "10:20:00"), click("ann", "tea", "10:21:00")]
    )

    assert shop.push("clicks", [click("bob", "hat", "10:51:04")]) == []
    shop.push("clicks", [click("bob", "hat", "10:51:05")])
    pairs = [(row["item"], row["also"], row["together"], row["place"]) for row in shop.rows("related")]
    assert sorted(pairs) == [("cup", "tea", 1, 1), ("tea", "cup", 1, 1)]


def test_what_was_seen_is_not_recommended() -> None:
    """A visitor is shown what others looked at together with the items of the last visit, until the next one."""
    shop = drive()
    shop.push("profiles", [profile("ann", "Ann"), profile("bob", "Bob")])
    shop.push("clicks", [click("bob", item, "10:00:00") for item in ("tea", "cup", "pot")])
    shop.push("clicks", [click("ann", item, "11:00:00") for item in ("tea", "cup")])
    shop.push("clicks", [click("eve", "hat", "12:00:00")])

    assert shown(shop) == [("ann", 1, "pot", 2)]
    assert shop.rows("shown")[0]["since"] == datetime(2026, 1, 1, 11, 29, 59, 999000)
    shop.push("clicks", [click("ann", "pot", "13:00:00")])
    shop.push("clicks", [click("eve", "hat", "14:00:00")])
    assert shown(shop) == [("ann", 1, "cup", 1), ("ann", 2, "tea", 1)]


def test_who_is_unknown_or_unwilling_is_shown_nothing() -> None:
    """Their visits count for others all the same; a profile is asked when a visit is over."""
    shop = drive()
    shop.push("profiles", [profile("ann", "Ann", personalised=False)])
    shop.push("clicks", [click("bob", item, "10:00:00") for item in ("tea", "cup")])
    shop.push("clicks", [click("ann", "tea", "10:00:00"), click("eve", "tea", "10:00:01")])
    shop.push("clicks", [click("ann", "tea", "11:00:00")])
    assert len(shop.rows("related")) == 2
    assert shown(shop) == []

    shop.push("profiles", [profile("ann", "Ann")])
    shop.end()
    assert shown(shop) == [("ann", 1, "cup", 1)]


def test_a_click_that_comes_too_late() -> None:
    """It opens no visit that nobody can see any more."""
    shop = drive()
    shop.push("clicks", [click("ann", "tea", "10:00:00"), click("bob", "hat", "11:00:00")])
    shop.push("clicks", [click("ann", "cup", "10:01:00"), click("bob", "cup", "10:59:00")])

    assert [row["user"] for row in shop.late] == ["ann"]


@pytest.fixture(scope="module")
def history() -> History:
    """Give the clicks of three sets of items."""
    return generate(ROWS, seed=3)


def test_all_of_the_planted_truth_is_found(history: History) -> None:
    """In batches, with a crash in the middle: each row is what a batch over the true visits gives."""
    shop = drive()
    shop.push("profiles", history.profiles)
    size = len(history.clicks) // BATCHES + 1
    for number, batch in enumerate(history.clicks.iter_slices(size)):
        shop.push("clicks", batch)
        if number == BATCHES // 2:
            shop.checkpoint()
        if number == BATCHES // 2 + 1:
            shop.crash()
    shop.end()

    assert shop.late == []
    as_planted(history, {name: shop.frame(table) for name, table in NAMES.items()})


NAMES = {"related": "related", "recommendations": "shown"}


def as_planted(history: History, found: dict[str, pl.DataFrame]) -> None:
    """Make sure that all rows are those of the truth, and that the report says so."""
    scored = expected_related(history.visits)
    assert_frame_equal(found["related"], scored, check_row_order=False)
    assert_frame_equal(
        found["recommendations"],
        expected_recommendations(history, scored),
        check_row_order=False,
    )
    told = report(found["related"], found["recommendations"], history)
    assert told["recall"].to_list() == [1.0] * 4
    assert told.filter(pl.col("what") != "items that visitors want")["precision"].to_list() == [1.0] * 3
    assert told["delay_minutes"].drop_nulls().to_list() == [30.0]


def test_embedded(history: History, tmp_path: Path) -> None:
    """Out of memory, into SQLite."""
    as_planted(history, run.embedded(history, tmp_path))


@pytest.mark.integration
def test_on_kafka(kafka: str, history: History, tmp_path: Path) -> None:
    """Out of a topic, into compacted ones."""
    as_planted(history, run.on_kafka(kafka, history, tmp_path))
