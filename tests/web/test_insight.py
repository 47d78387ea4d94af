"""What the pages of insight and actions ask for, and what they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from shop import HOSTILE, Shop, open_shop, payment, until

from tailrace.web.address import Address
from tailrace.web.jobs import job_id
from tailrace.web.server import Server

BASE = f"/api/jobs/{job_id('shop')}"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Give a running pipeline."""
    with open_shop(tmp_path_factory.mktemp("shop")) as made:
        made.pay(payment("c1", 5, 10), payment("c2", 6, 40), payment("c2", HOSTILE, 41), b"\xff\x00 is no text")
        yield made


@pytest.fixture(scope="module")
def client(shop: Shop) -> Iterator[httpx.Client]:
    """Give who asks a server of it that takes orders."""
    with (
        Server(Address("127.0.0.1", 0), lambda: [shop.script], actions=True) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        yield client


def ask(client: httpx.Client, path: str, **query: str) -> Any:
    """Ask, and give the answer."""
    answer = client.get(f"{BASE}/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def tell(client: httpx.Client, path: str, **body: Any) -> httpx.Response:
    """Give an order."""
    return client.post(f"{BASE}/{path}", json=body)


def test_why_a_window_is_open(client: httpx.Client) -> None:
    """With what it waits for, who holds that back, and how much is missing."""

    def operator() -> Any:
        [found] = ask(client, "windows")["operators"]
        return found if found["reached"] == 36_000 else None

    found = until(operator)
    assert found["count"] == 1
    assert found["why"].startswith(
        "Event time here is 1970-01-01 00:00:36.000. It comes from 'payments' (Watermark of ts"
    )
    assert "it is waited for without end" in found["why"]
    [window] = found["windows"]
    assert (window["start"], window["end"], window["rows"], window["missing"]) == (0, 60_000, 2, 23_999)
    assert [p["holding"] for p in found["partitions"] if not p["ended"]] == [True]


def test_rows_are_shown_without_what_is_hidden(client: httpx.Client, shop: Shop) -> None:
    """Nor what is computed of it; and no operator that there is not."""
    sink = next(o.name for o in shop.script.observe().operators if o.name == "sink-paid")  # type: ignore[union-attr]
    number = iter(range(100, 200))

    def seen() -> Any:
        found = ask(client, "rows", operator=sink)
        shop.pay(payment(f"<b>{next(number)}", 7, 42))
        return found if found["rows"] and found["rows"][-1][0].startswith("<b>1") else None

    found = until(seen)
    assert found["columns"] == ["card", "secret", "amount"]
    assert found["hidden"] == ["secret"]
    assert found["rows"][-1][1:] == ["***", "7"]
    assert "4711" not in str(found)
    assert client.get(f"{BASE}/rows?operator=nothing").status_code == 404


def test_dead_letters(client: httpx.Client) -> None:
    """They are searched, and shown as text or as bytes; what steers a terminal is written as escapes."""
    letters = until(lambda: (found := ask(client, "dead-letters"))["matching"] >= 2 and found)
    assert (letters["table"], letters["complete"]) == ("letters", True)
    assert {x["source"] for x in letters["letters"]} == {"payments"}
    views = [ask(client, "dead-letters/letter", id=x["id"]) for x in letters["letters"]]
    kinds = {v["payload"]["kind"]: v["payload"]["text"] for v in views}
    assert kinds["hidden"] == "", "a row whose columns can't be told apart"
    assert '"pin": "***"' in kinds["json"]
    assert "<script>alert(1)</script>\\u001b[31m\\u202e" in kinds["json"]
    assert "4711" not in str(views)
    assert ask(client, "dead-letters", search="4711")["matching"] == 0
    assert client.get(f"{BASE}/dead-letters/letter?id=0").status_code == 404


def test_a_letter_is_mended_and_replayed(client: httpx.Client, shop: Shop) -> None:
    """The answer comes when its checkpoint is complete; then the row is written, once."""
    letters = until(lambda: (found := ask(client, "dead-letters", search="amount"))["letters"] and found)["letters"]
    mended = '{"card": "mended", "pin": "1", "amount": 77, "ts": "1970-01-01 00:00:41"}'
    answer = tell(client, "dead-letters/replay", ids=[letters[0]["id"]], payload=mended)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["rows"], answer.json()["refused"]) == (1, 0)
    assert answer.json()["epoch"] <= shop.script.status().checkpoint.epoch  # type: ignore[union-attr]
    until(lambda: ("mended", 77) in shop.paid())
    assert shop.paid().count(("mended", 77)) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"ids": []}, 400),
        ({"ids": ["x"] * 101}, 400),
        ({"ids": ["nothing"]}, 404),
        ({"ids": ["a", "b"], "payload": "x"}, 400),
        ({"ids": ["a"], "payload": 1}, 400),
    ],
)
def test_replays_that_make_no_sense(client: httpx.Client, body: dict[str, Any], status: int) -> None:
    assert tell(client, "dead-letters/replay", **body).status_code == status


def test_checkpoints_and_savepoints(client: httpx.Client, shop: Shop) -> None:
    """They are listed; one is taken on order, and a name is taken once."""
    taken = tell(client, "checkpoints/take").json()
    found = ask(client, "checkpoints")
    assert found["durable"] is True
    assert taken["epoch"] in [c["epoch"] for c in found["checkpoints"]]
    assert found["checkpoints"][0]["seconds"] > 0
    saved = tell(client, "checkpoints/savepoint", name="today")
    assert saved.status_code == 200, saved.text
    assert (shop.folder / "state" / "savepoints" / "today" / "job.json").exists()
    assert [s["name"] for s in ask(client, "checkpoints")["savepoints"]] == ["today"]
    again = tell(client, "checkpoints/savepoint", name="today")
    assert (again.status_code, "already" in again.text) == (409, True)


@pytest.mark.parametrize("body", [{}, {"name": 1}, {"name": "a", "stop": "yes"}, {"name": "../../etc"}])
def test_savepoints_that_are_refused(client: httpx.Client, body: dict[str, Any]) -> None:
    assert tell(client, "checkpoints/savepoint", **body).status_code in (400, 409)


def test_stop_with_a_savepoint(tmp_path: Path) -> None:
    """The job ends with it, and says so."""
    with (
        open_shop(tmp_path) as shop,
        Server(Address("127.0.0.1", 0), lambda: [shop.script], actions=True) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        answer = tell(client, "checkpoints/savepoint", name="last", stop=True)
        assert answer.status_code == 200, answer.text
        state: Callable[[], str] = lambda: shop.script.status().state  # type: ignore[union-attr]  # noqa: E731
        until(lambda: state() == "stopped")
        assert client.get(f"{BASE}/windows").status_code == 503
