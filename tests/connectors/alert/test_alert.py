"""Alerts end to end: what receivers get, in which form, and what happens while they are away."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema_rs
import polars as pl
import pytest
from aiosmtpd.controller import Controller
from server_kit import free_ports
from slack_sdk.models.blocks import Block
from structlog.testing import capture_logs

import tailrace as tr
from tailrace.connectors.alert import messages
from tailrace.connectors.alert.board import Alert, Notice
from tailrace.errors import ConfigError, TailraceError
from tailrace.state.savepoints import start_from

EVIL = "<script> *bold* [x](http://y) @here & \x07"
NOTICE = Notice(
    "7-1", 1_700_000_000_000, Alert('["k"]', "critical", EVIL, EVIL, "https://x/?c=1", {"card": EVIL}), same=2
)


class Receiver:
    """An HTTP server that keeps what it gets, and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.bodies: list[bytes] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if receiver.status == 200:
                    receiver.bodies.append(body)
                    receiver.got.append((self.path, dict(self.headers), json.loads(body)))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Give a receiver of webhooks."""
    made = Receiver()
    yield made
    made.close()


def table(rows: list[dict[str, Any]], options: dict[str, str], **parameters: Any) -> tr.Pipeline:
    """Make a pipeline of rows into alerts."""
    return tr.from_rows(rows, name="found").to("alert", options=options, **parameters)


def watched(folder: Path) -> tr.Table:
    """Read the files of a folder as they come."""
    options = {"source.monitor-interval": "50 ms"}
    return tr.read_files(str(folder), {"card": str, "n": int}, name="found", options=options)


ROWS = [{"card": "c1", "n": 11}, {"card": "c2", "n": 12}, {"card": "c1", "n": 13}]


def test_a_webhook_gets_each_key_once(receiver: Receiver) -> None:
    """With the values of the row, a signature, and an id to know it by if it comes again."""
    options = {
        "webhook.url": receiver.url + "/hook",
        "webhook.secret": "s3cret",
        "alert.key": "card",
        "alert.title": "{card} paid {n} times",
        "alert.severity": "critical",
        "alert.link": "https://board/?card={card}",
    }
    table(ROWS, options).run()

    assert [(body["state"], body["title"], body["severity"], body["link"]) for _, _, body in receiver.got] == [
        ("firing", "c1 paid 11 times", "critical", "https://board/?card=c1"),
        ("firing", "c2 paid 12 times", "critical", "https://board/?card=c2"),
    ]
    path, headers, body = receiver.got[0]
    assert path == "/hook"
    assert body["values"] == {"card": "c1", "n": "11"}
    signed = hmac.new(b"s3cret", receiver.bodies[0], hashlib.sha256).hexdigest()
    assert headers["x-tailrace-signature"] == f"sha256={signed}"
    assert headers["idempotency-key"] == body["id"]


def test_a_value_is_no_part_of_the_address_of_a_link(receiver: Receiver) -> None:
    """Whatever it is: a channel refuses a message with a wrong address, and nobody would be told."""
    options = {"webhook.url": receiver.url, "alert.key": "card", "alert.link": "https://board/{card}?card={card}"}
    table([{"card": "../a b&n=1\n<é>", "n": 1}], options).run()
    (link,) = [body["link"] for _, _, body in receiver.got]
    value = "..%2Fa%20b%26n%3D1%0A%3C%C3%A9%3E"
    assert link == f"https://board/{value}?card={value}"


@pytest.mark.parametrize(
    ("value", "link"),
    [("https://board/a?b=c d", "https://board/a?b=c%20d"), ("javascript:alert(1)", None), ("", None)],
    ids=["web", "script", "empty"],
)
def test_a_value_that_is_the_address_is_one_of_the_web(receiver: Receiver, value: str, link: str | None) -> None:
    table([{"card": value, "n": 1}], {"webhook.url": receiver.url, "alert.key": "n", "alert.link": "{card}"}).run()
    assert [body["link"] for _, _, body in receiver.got] == [link]


def test_an_alert_is_resolved_when_its_row_goes(receiver: Receiver, tmp_path: Path) -> None:
    """A query that updates: the condition ends, and its row is deleted."""
    data = tmp_path / "in"
    data.mkdir()
    pl.DataFrame([{"card": "c1", "n": 15}]).write_ndjson(data / "1.json")
    total = watched(data).group_by("card").agg(total=tr.col("n").sum()).filter(tr.col("total") > 4)
    with total.alert("{card}: {total}", key="card", severity="error", options={"webhook.url": receiver.url}).start():
        _wait(lambda: len(receiver.got) == 1)
        pl.DataFrame([{"card": "c1", "n": -12}]).write_ndjson(data / "2.json")
        _wait(lambda: len(receiver.got) == 2)
    found = [(body["state"], body["title"], body["severity"]) for _, _, body in receiver.got]
    assert found == [("firing", "c1: 15", "error"), ("resolved", "c1: 15", "error")]


def test_severity_from_a_column(receiver: Receiver) -> None:
    """What is no severity is the table's."""
    rows = [{"s": "critical"}, {"s": "ERROR"}, {"s": "odd"}]
    table(rows, {"webhook.url": receiver.url, "alert.severity.column": "s", "alert.severity": "info"}).run()
    assert [body["severity"] for _, _, body in receiver.got] == ["critical", "error", "info"]


def test_a_restart_does_not_alert_again(receiver: Receiver, tmp_path: Path) -> None:
    """What was told of is in the checkpoint."""
    data = tmp_path / "in"
    data.mkdir()
    pl.DataFrame(ROWS[:2]).write_ndjson(data / "1.json")
    found = tr.read_files(
        str(data), {"card": str, "n": int}, name="found", options={"source.monitor-interval": "50 ms"}
    )
    pipeline = found.to("alert", options={"webhook.url": receiver.url, "alert.key": "card", "alert.title": "{card}"})

    def until(count: int) -> None:
        with pipeline.start("told", state=tmp_path / "state"):
            _wait(lambda: len(receiver.got) >= count)

    until(2)
    pl.DataFrame([{"card": "c1", "n": 14}, {"card": "c3", "n": 1}]).write_ndjson(data / "2.json")
    until(3)
    assert [body["title"] for _, _, body in receiver.got] == ["c1", "c2", "c3"]


def test_a_job_from_a_savepoint_knows_what_was_told(receiver: Receiver, tmp_path: Path) -> None:
    """It goes on with the state of the alerts, and sends nothing that was sent before."""
    data = tmp_path / "in"
    data.mkdir()
    pl.DataFrame(ROWS[:2]).write_ndjson(data / "1.json")
    found = tr.read_files(
        str(data), {"card": str, "n": int}, name="found", options={"source.monitor-interval": "50 ms"}
    )
    pipeline = found.to("alert", options={"webhook.url": receiver.url, "alert.key": "card", "alert.title": "{card}"})
    with pipeline.start("told", state=tmp_path / "state") as job:
        _wait(lambda: len(receiver.got) >= 2)
        control = job._background.script.control
        assert control is not None
        control.savepoint("told", stop=True)
    start_from(tmp_path / "state" / "savepoints" / "told", tmp_path / "other")
    with pipeline.start("told", state=tmp_path / "other"):
        pl.DataFrame([{"card": "c1", "n": 14}, {"card": "c3", "n": 1}]).write_ndjson(data / "2.json")
        _wait(lambda: len(receiver.got) >= 3)
    assert [body["title"] for _, _, body in receiver.got] == ["c1", "c2", "c3"]


def test_a_receiver_that_is_away_gets_it_later(receiver: Receiver, tmp_path: Path) -> None:
    """The job goes on meanwhile; after a restart too the message is there."""
    receiver.status = 503
    data = tmp_path / "in"
    data.mkdir()
    pl.DataFrame(ROWS[:1]).write_ndjson(data / "1.json")
    found = tr.read_files(
        str(data), {"card": str, "n": int}, name="found", options={"source.monitor-interval": "50 ms"}
    )
    pipeline = found.to("alert", options={"webhook.url": receiver.url, "alert.title": "{card}"})
    with pipeline.start("late", state=tmp_path / "state") as job:
        _wait(lambda: (s := job.status()) is not None and s.checkpoint.epoch >= 2)
    receiver.status = 200
    with pipeline.start("late", state=tmp_path / "state"):
        _wait(lambda: bool(receiver.got))
    assert [body["title"] for _, _, body in receiver.got] == ["c1"]


def test_a_receiver_that_refuses_is_not_asked_again(receiver: Receiver) -> None:
    """A wrong key, say: the job goes on, and the log says so without the address, which may be a secret."""
    receiver.status = 403
    with capture_logs() as logged:
        table(ROWS, {"webhook.url": receiver.url + "/secret-path"}).run()
    said = str(logged)
    assert "answers with status 403" in said
    assert "secret-path" not in said


def test_mail() -> None:
    """By a real server; a line break in a value starts no header."""
    got: list[bytes] = []

    class Keeps:
        async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802
            got.append(envelope.content)
            return "250 taken"

    port = free_ports(1)
    controller = Controller(Keeps(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        options = {
            "email.url": f"smtp://127.0.0.1:{port}",
            "email.from": "jobs@example.org",
            "email.to": "a@example.org; b@example.org",
            "alert.title": "{card}",
            "alert.text": "paid {n} times",
        }
        table([{"card": "c1\r\nBcc: evil@example.org", "n": 3}], options).run()
    finally:
        controller.stop()
    message = message_from_bytes(got[0], policy=policy.default)
    assert message["subject"] == "Warning: c1 Bcc: evil@example.org"
    assert message["to"] == "a@example.org, b@example.org"
    assert message["bcc"] is None
    assert "paid 3 times" in message.get_content()


def test_slack_takes_it() -> None:
    """By the rules of Slack's own models; nothing of a row is markup."""
    payload = messages.slack(NOTICE)
    for block in payload["blocks"]:
        parsed = Block.parse(block)
        assert parsed is not None
        parsed.validate_json()
    assert payload["blocks"][0]["text"]["type"] == "plain_text"
    assert "<script>" not in payload["text"]
    long = Notice("1", 0, Alert("k", "info", "x" * 5000, "y" * 9000, "", {str(i): "z" * 5000 for i in range(50)}))
    for block in messages.slack(long)["blocks"]:
        parsed = Block.parse(block)
        assert parsed is not None
        parsed.validate_json()


def test_teams_takes_it() -> None:
    """By the schema of adaptive cards; Markdown in a row is shown as it is."""
    card = messages.teams(NOTICE)["attachments"][0]["content"]
    schema = json.loads((files("adaptive_cards") / "schemas" / "schema-1.4.json").read_text())
    jsonschema_rs.validator_for(schema).validate(card)
    assert "\\*bold\\*" in card["body"][0]["text"]
    assert "[x](" not in json.dumps(card)


def test_pagerduty_opens_and_closes_by_key(receiver: Receiver) -> None:
    """An event that ends has the key of the one that began."""
    begin, end = (messages.pagerduty(Notice("1", 0, NOTICE.alert, resolved=r), "key") for r in (False, True))
    assert (begin["event_action"], end["event_action"]) == ("trigger", "resolve")
    assert begin["dedup_key"] == end["dedup_key"]
    assert begin["payload"]["severity"] == "critical"
    table(ROWS[:1], {"pagerduty.routing-key": "key", "pagerduty.url": receiver.url}).run()
    assert receiver.got[0][2]["routing_key"] == "key"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "needs a channel"),
        ({"slack.url": "nowhere"}, "'slack.url' is no address of a web server"),
        ({"email.url": "http://x"}, "'email.url' is no address of a mail server"),
        ({"email.url": "smtp://x"}, "mails need 'email.from' and 'email.to'"),
        ({"webhook.url": "http://x", "alert.title": "{crad}"}, "'alert.title' names no column 'crad'"),
        ({"webhook.url": "http://x", "alert.key": "crad"}, "'alert.key' names no column 'crad'"),
        ({"webhook.url": "http://x", "alert.severity": "bad"}, "bad"),
        ({"webhook.url": "http://x", "webhok.secret": "x"}, "webhok.secret"),
    ],
)
def test_options_that_are_wrong(options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        table(ROWS, options).run()


def test_secrets_are_not_shown() -> None:
    """Addresses of webhooks are keys."""
    with pytest.raises(TailraceError) as caught:
        table(ROWS, {"slack.url": "htps://hooks/T0/SECRET", "webhook.secret": "SECRET"}).run()
    assert "SECRET" not in str(caught.value)


def _wait(done: Callable[[], bool]) -> None:
    """Wait until it is so."""
    over = threading.Event()
    for _ in range(600):
        if done():
            return
        over.wait(0.05)
    raise AssertionError("it did not come")
