"""The server of metrics and health: who is let in, and what they are told."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from tailrace.errors import ConfigError
from tailrace.runtime.observation import Observation
from tailrace.runtime.summary import CheckpointStatus, SinkStatus, SourceStatus, Status
from tailrace.web.address import TOKEN, Address, address, token_for
from tailrace.web.app import Routes
from tailrace.web.gate import TRIES, Gate
from tailrace.web.guard import HEADERS, OPEN
from tailrace.web.jobs import LocalJobs, job_id
from tailrace.web.server import Server
from tailrace.web.site import Site

SECRET = "a secret of the test"  # noqa: S105  of the test
SOURCE = SourceStatus("scan-t", "<script>alert(1)</script>", 1, 1, None, None, {}, 0, 0, "broker is away")
SEEN = Observation(Status("j", "running", 1.0, (SOURCE,), (SinkStatus("o", "o", 1, 0, 0),), CheckpointStatus()))
JOB = job_id("j")
CLIENT = httpx.Client(timeout=10, limits=httpx.Limits(max_keepalive_connections=0))
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


class Fixed:
    """A job that always looks the same."""

    inspection = None
    control = None

    def observe(self) -> Observation:
        return SEEN


def asking_for_a_token() -> Server:
    """Make a server that asks for a token."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(TOKEN, SECRET)
        return Server(Address("127.0.0.1", 0), lambda: [Fixed()])


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Give a server without a token."""
    with Server(Address("127.0.0.1", 0), lambda: [Fixed()]) as made:
        yield made


@pytest.fixture
def locked() -> Iterator[Server]:
    """Give a server that asks for a token."""
    with asking_for_a_token() as made:
        yield made


@pytest.fixture(scope="module")
def tried() -> Iterator[Server]:
    """Give a server that asks for a token, and hears many wrong ones."""
    with asking_for_a_token() as made:
        yield made


@pytest.fixture(scope="module")
def known() -> Iterator[Server]:
    """Give a server that asks for a token, and hears the right one alone."""
    with asking_for_a_token() as made:
        yield made


def ask(server: Server, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    """Ask a server, with headers in words (`sec_fetch_site`)."""
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    CLIENT.cookies.clear()
    with CLIENT.stream(method, server.url + path, headers=named) as answer:
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):  # which has no end
            answer.read()
        return answer


ROUTES = Routes(Site(LocalJobs(list)), Gate(None)).all()


def paths() -> list[str]:
    """Give the paths of all routes."""
    return sorted({r.path.replace("{job}", JOB) for r in ROUTES})


def actions() -> list[str]:
    """Give the paths of those that change something of a job."""
    return sorted({r.path.replace("{job}", JOB) for r in ROUTES if "{job}" in r.path and "POST" in (r.methods or ())})


def test_metrics(server: Server) -> None:
    answer = ask(server, "/metrics")
    assert answer.status_code == 200
    assert 'tailrace_sink_rows_total{job_name="j",sink="o",table="o"} 1.0' in answer.text


def test_health_says_why(server: Server) -> None:
    """Those who may see the job are told the reason."""
    answer = ask(server, "/health/ready")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "reasons": ["source '<script>alert(1)</script>' waits: broker is away"]}
    assert ask(server, "/health/live").json() == {"live": True, "reasons": []}


def test_probes_need_no_token_and_are_told_no_names(locked: Server) -> None:
    assert ask(locked, "/health/ready").json() == {"ready": False}
    assert ask(locked, "/health/live").json() == {"live": True}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", [*paths(), "/", "/nothing", "/metrics/", "/../metrics", "/%2e%2e/metrics", "/METRICS"])
def test_nothing_without_the_token(tried: Server, path: str, method: str) -> None:
    """Each route, by each method; a path that there is not tells nothing either."""
    answer = ask(tried, path, method)
    if path in OPEN and method in ("GET", "HEAD"):
        assert answer.status_code in (200, 503)
    else:
        assert answer.status_code in (401, 403)
        assert "tailrace_" not in answer.text
    wrong = ask(tried, path, method, authorization="Bearer wrong")
    assert wrong.status_code == answer.status_code


@pytest.mark.parametrize("path", paths())
def test_with_the_token(known: Server, path: str) -> None:
    """What can be seen is shown; a job without an engine has no answers yet (409), and actions are not asked for by GET (405)."""
    methods = {m for r in ROUTES if r.path.replace("{job}", JOB) == path for m in r.methods or ()}
    allowed = (200, 409, 503) if "GET" in methods else (405,)
    assert ask(known, path, authorization=f"Bearer {SECRET}").status_code in allowed
    assert ask(known, path, authorization=f"bearer {SECRET}").status_code in allowed


@pytest.mark.parametrize("path", actions())
def test_actions_are_refused_unless_they_are_allowed(server: Server, path: str) -> None:
    """A server that only shows changes nothing; one that may says that the job has not started."""
    refused = CLIENT.post(server.url + path, json={})
    assert (refused.status_code, "--allow-actions" in refused.text) == (403, True)
    with Server(Address("127.0.0.1", 0), lambda: [Fixed()], actions=True) as allowed:
        asked = {"ids": ["x"], "name": "n"}
        assert CLIENT.post(allowed.url + path, json=asked).status_code == 409
        assert CLIENT.post(allowed.url + path, content=b"name=n").status_code == 403
        assert CLIENT.post(allowed.url + path.replace(JOB, "0" * 12), json=asked).status_code == 404


def test_tokens_can_not_be_tried_out(locked: Server) -> None:
    """After some wrong ones the right one is not taken either, for a while."""
    for i in range(TRIES):
        assert ask(locked, "/metrics", authorization=f"Bearer {i}").status_code == 401
    assert ask(locked, "/metrics", authorization=f"Bearer {SECRET}").status_code == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site", "content_type": "application/json"},
        {"sec_fetch_site": "same-site", "content_type": "application/json"},
        {"origin": "http://evil.example", "content_type": "application/json"},
        {"origin": "null", "content_type": "application/json"},
        {"content_type": "text/plain"},
        {},
    ],
    ids=lambda h: "-".join(f"{k}={v}" for k, v in h.items()) or "none",
)
def test_other_pages_change_nothing(server: Server, method: str, headers: dict[str, str]) -> None:
    assert ask(server, "/metrics", method, **headers).status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.2", "", "[::1", "a@127.0.0.2"])
def test_a_name_that_was_made_to_point_here_is_not_served(server: Server, host: str) -> None:
    answer = ask(server, "/metrics", host=host)
    assert answer.status_code in (400, 421)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9999", "LOCALHOST:1", "[::1]:80"])
def test_this_machine_by_all_its_names(server: Server, host: str) -> None:
    assert ask(server, "/metrics", host=host).status_code == 200


def test_headers_that_browsers_obey(server: Server) -> None:
    """On answers and on errors."""
    for path in ("/metrics", "/nothing"):
        answer = ask(server, path)
        assert {k: answer.headers[k] for k in HEADERS} == HEADERS
        assert "server" not in answer.headers


def test_errors_have_one_form(server: Server) -> None:
    answer = ask(server, "/nothing?secret=1")
    assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})
    assert ask(server, "/metrics", "OPTIONS").status_code == 403


def test_a_mistake_of_ours_shows_nothing_of_the_inside() -> None:
    def broken() -> list[Fixed]:
        raise ValueError("a path /etc/secret")

    with Server(Address("127.0.0.1", 0), broken) as server:
        answer = ask(server, "/api/jobs")
    assert answer.status_code == 500
    assert answer.json() == {"error": "the server made a mistake; its log says more"}


def test_too_much_is_cut(server: Server) -> None:
    """Such as a thousand headers."""
    connection = http.client.HTTPConnection("127.0.0.1", server.address.port, timeout=10)
    connection.request("GET", "/metrics", headers={f"x-{i}": "y" * 100 for i in range(1000)})
    assert connection.getresponse().status == 431
    connection.close()


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = Address("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(ConfigError, match=f"can't listen on 127.0.0.1:{where.port}: Address already in use"):
            Server(where, list)


def test_others_are_let_in_by_a_token_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN, raising=False)
    with pytest.raises(ConfigError, match="without a token"):
        token_for(Address("0.0.0.0", 80))  # noqa: S104  that is what is refused
    monkeypatch.setenv(TOKEN, "short")
    with pytest.raises(ConfigError, match="shorter than 16"):
        token_for(Address("127.0.0.1", 80))
    monkeypatch.setenv(TOKEN, SECRET)
    assert token_for(Address("0.0.0.0", 80)) == SECRET  # noqa: S104


@pytest.mark.parametrize("text", ["", "x", ":80", "1.2.3.4", "host:port", "70000", "a b:1", "::1:80", "[::1]", "-1"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ConfigError, match="is no address to listen on"):
        address(text)


def test_ended_jobs_are_told_of(server: Server) -> None:
    """The JSON of the jobs has what is seen of them."""
    job = ask(server, "/api/jobs").json()["jobs"][0]
    assert (job["name"], job["state"], job["sources"][0]["table"]) == ("j", "running", SOURCE.table)
    assert replace(SEEN.status).name == "j"


def test_there_are_no_websockets(locked: Server, server: Server) -> None:
    """A handshake is answered as any request: refused without the token, and never switched."""
    upgrade = {"connection": "Upgrade", "upgrade": "websocket", "sec_websocket_version": "13"}
    upgrade["sec_websocket_key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    for path in paths():
        assert ask(locked, path, **upgrade, origin="http://evil.example").status_code in (401, 200, 503)
        assert ask(server, path, **upgrade).status_code != 101


@pytest.mark.parametrize(
    "path",
    [
        "/static/../server.py",
        "/static/%2e%2e/server.py",
        "/static/..%2fserver.py",
        "/static/..%252fserver.py",
        "/static//etc/passwd",
        "/static/app.js%00.css",
        "/static/pages/..%5capp.js",
        "/static/",
        "/static",
    ],
)
def test_no_file_but_those_that_are_listed(server: Server, path: str) -> None:
    """The path goes out as it stands here: nothing on the way makes it shorter."""
    connection = http.client.HTTPConnection("127.0.0.1", server.address.port, timeout=10)
    connection.request("GET", path)
    assert connection.getresponse().status == 404
    connection.close()


def test_a_session_of_a_browser(locked: Server) -> None:
    """The cookie has the number of a session, not the token; it ends when the browser says so, and is not guessed."""
    own = {"content-type": "application/json", "origin": locked.url}
    with httpx.Client(base_url=locked.url, timeout=10) as client:
        assert client.get("/api/session").json() == {"known": False}
        answer = client.post("/api/session", json={"token": SECRET}, headers=own)
        cookie = answer.headers["set-cookie"]
        assert SECRET not in cookie
        assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
        kept = client.cookies["tailrace_session"]
        assert client.get("/metrics").status_code == 200
        assert client.request("DELETE", "/api/session", headers=own).json() == {"known": False}
    assert ask(locked, "/metrics", cookie=f"tailrace_session={kept}").status_code == 401
    assert ask(locked, "/metrics", cookie=f"tailrace_session={SECRET}").status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"x" * 1_000_000, 413), (b"[" * 30_000, 400), (b"[]", 400), (b"{", 400), (b"\xff", 400), (b'{"token": 1}', 401)],
    ids=["long", "deep", "list", "cut", "bytes", "number"],
)
def test_bodies_are_small_objects(locked: Server, body: bytes, status: int) -> None:
    answer = httpx.post(
        locked.url + "/api/session", content=body, headers={"content-type": "application/json"}, timeout=10
    )
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}


def test_without_the_token_a_browser_is_asked_for_it(locked: Server) -> None:
    answer = ask(locked, "/", accept="text/html")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


def test_only_so_many_pages_listen(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """More are refused; those that are closed make room."""
    monkeypatch.setattr("tailrace.web.feed.MOST_STREAMS", 1)
    with httpx.stream("GET", server.url + "/api/stream", timeout=10) as first:
        lines = first.iter_lines()
        assert next(lines).startswith("data: ")
        assert ask(server, "/api/stream").status_code == 503
    end = time.monotonic() + 10
    while ask(server, "/api/stream").status_code == 503:
        assert time.monotonic() < end
        time.sleep(0.1)
