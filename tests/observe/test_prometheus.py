"""A real Prometheus scrapes a real run: each rule is read and one fires, each chart of the dashboard has data."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tailrace.observe.metrics import METRICS

TAILRACE = [sys.executable, "-m", "tailrace"]
SECRET = "a token of the test"  # noqa: S105  of the test
FUNCTIONS = "import tailrace as tr\n\n@tr.udf(scalar=True)\ndef doubled(n: int) -> int:\n    return 2 * n\n"
SCRIPT = """
CREATE FUNCTION doubled AS 'mine:doubled' LANGUAGE PYTHON;
CREATE TABLE letters (reason STRING) WITH ('connector' = 'blackhole');
CREATE TABLE good (id BIGINT, x AS 100 / MOD(id, 50), ts TIMESTAMP_LTZ(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'datagen', 'rows-per-second' = '5000', 'fields.id.min' = '0', 'fields.id.max' = '99',
  'tailrace.on-error' = 'drop');
CREATE TABLE other (id BIGINT, x AS 100 / MOD(id, 50))
WITH ('connector' = 'datagen', 'rows-per-second' = '100', 'fields.id.min' = '0', 'fields.id.max' = '99',
  'tailrace.on-error' = 'dead-letter', 'tailrace.dead-letter.table' = 'letters');
CREATE TABLE windows (w TIMESTAMP(3), n BIGINT, most INT) WITH ('connector' = 'blackhole');
CREATE TABLE rest (x INT) WITH ('connector' = 'blackhole');
EXECUTE STATEMENT SET BEGIN
INSERT INTO windows SELECT CAST(window_start AS TIMESTAMP(3)), COUNT(*), MAX(CAST(x AS INT))
  FROM TABLE(TUMBLE(TABLE good, DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY window_start, window_end;
INSERT INTO rest SELECT CAST(doubled(CAST(x AS BIGINT)) AS INT) FROM other;
END;
"""


@dataclass(frozen=True)
class Watched:
    """A Prometheus that scrapes a running job, and what was made for it."""

    url: str
    promtool: str
    rules: Path
    dashboard: dict[str, Any]
    told: list[dict[str, Any]]
    """What Alertmanager has told its receiver."""

    def query(self, query: str) -> list[Any]:
        """Ask Prometheus; its error is the test's."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": query}, timeout=10).json()
        assert answer["status"] == "success", f"{query}: {answer}"
        result: list[Any] = answer["data"]["result"]
        return result

    def until(self, query: str) -> list[Any]:
        """Ask until there is something."""
        end = time.monotonic() + 60
        while not (found := self.query(query)) and time.monotonic() < end:
            time.sleep(0.5)
        return found


@pytest.fixture(scope="module")
def watched(
    tmp_path_factory: pytest.TempPathFactory, service: Callable[[str, dict[str, str]], str]
) -> Iterator[Watched]:
    """Start a job that asks for a token, and a Prometheus with what `tailrace observe` has made for it."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        pytest.skip("Prometheus: the server is a Debian package")
    folder = tmp_path_factory.mktemp("watched")
    receiver, told = listening()
    (folder / "job.sql").write_text(SCRIPT)
    (folder / "mine.py").write_text(FUNCTIONS)
    (folder / "token").write_text(SECRET)
    (folder / "rules.yml").write_text(made(folder, "rules"))
    environment = os.environ | {"TAILRACE_TOKEN": SECRET}
    command = [*TAILRACE, "run", "job.sql", "--listen", "0"]
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as job:
        try:
            assert job.stderr is not None
            line_told = next(line for line in job.stderr if "listening" in line)
            target = re.findall(r"http://(\S+)", line_told)[0]
            hook = f"http://127.0.0.1:{receiver.server_port}/"
            manager = service("alertmanager", {"ALERTMANAGER_WEBHOOK": hook}).partition("//")[2]
            given = {"RULES": str(folder / "rules.yml"), "TARGET": target, "TOKEN": str(folder / "token")}
            given["ALERTMANAGER"] = manager
            connection = service("prometheus", {f"PROMETHEUS_{k}": v for k, v in given.items()})
            url, promtool = re.findall(r"=(\S+)", connection)
            yield Watched(url, promtool, folder / "rules.yml", json.loads(made(folder, "grafana")), told)
        finally:
            receiver.shutdown()
            receiver.server_close()
            job.terminate()
            job.communicate(timeout=30)


def listening() -> tuple[HTTPServer, list[dict[str, Any]]]:
    """Start a web server; give it with the list of what it is told."""
    told: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Write nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, told


def made(folder: Path, what: str) -> str:
    """Give what `tailrace observe` makes for the job."""
    command = [*TAILRACE, "observe", what, "job.sql"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=60).stdout


def charts(watched: Watched) -> list[tuple[str, str]]:
    """Give the title and query of each line of the dashboard."""
    panels = watched.dashboard["panels"]
    return [(p["title"], t["expr"]) for p in panels for t in p.get("targets", [])]


def test_each_rule_is_one(watched: Watched) -> None:
    """By Prometheus' own tool."""
    command = [watched.promtool, "check", "rules", str(watched.rules)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    assert "17 rules found" in done.stdout


def test_the_metrics_are_well_named(watched: Watched) -> None:
    """By Prometheus' own tool: names, units, kinds and help."""
    job = watched.until('up{job="tailrace"} == 1')[0]["metric"]["instance"]
    text = httpx.get(f"http://{job}/metrics", headers={"authorization": f"Bearer {SECRET}"}, timeout=10).text
    ours = "".join(line + "\n" for line in text.splitlines() if "tailrace_" in line)
    command = [watched.promtool, "check", "metrics"]
    done = subprocess.run(command, input=ours, capture_output=True, text=True, check=False, timeout=30)
    assert done.stderr == ""
    assert done.returncode == 0


def test_each_chart_has_data(watched: Watched) -> None:
    """Every query of every chart, over the metrics of the run."""
    watched.until('rate(tailrace_operator_busy_seconds_total{job_name="job"}[5m])')
    watched.until('tailrace_checkpoint_epoch{job_name="job"} > 2')
    found = charts(watched)
    assert len(found) > 15
    empty = [(title, query) for title, query in found if not watched.until(query)]
    assert empty == []


def test_an_alert_fires(watched: Watched) -> None:
    """Dead letters arrive in this run; the job is up, so that no alert says that it is down."""
    fired = watched.until('ALERTS{alertname="TailraceDeadLetters", alertstate="firing"}')
    assert [f["metric"]["table"] for f in fired] == ["other"]
    assert watched.query('ALERTS{alertname="TailraceJobDown"}') == []


def test_alertmanager_tells_of_it(watched: Watched) -> None:
    """With the link to the runbook, the severity and the table."""
    end = time.monotonic() + 60
    wanted: list[dict[str, Any]] = []
    while not wanted and time.monotonic() < end:
        alerts = [a for message in list(watched.told) for a in message["alerts"]]
        wanted = [a for a in alerts if a["labels"]["alertname"] == "TailraceDeadLetters"]
        time.sleep(0.2)
    assert wanted, watched.told
    assert wanted[0]["status"] == "firing"
    assert wanted[0]["labels"]["severity"] == "info"
    assert wanted[0]["annotations"]["summary"] == "Dead letters arrive from other."
    assert wanted[0]["annotations"]["runbook_url"].endswith("#tailracedeadletters")


def test_each_rule_has_a_section_in_the_runbook(watched: Watched) -> None:
    """And each metric that a rule or chart asks for is one."""
    runbook = (Path(__file__).parents[2] / "docs" / "runbook.md").read_text()
    sections = set(re.findall(r"^## (\w+)$", runbook, re.MULTILINE))
    rules = [r for g in yaml.safe_load(watched.rules.read_text())["groups"] for r in g["rules"]]
    assert {r["alert"] for r in rules} == sections
    assert all(r["annotations"]["runbook_url"].endswith("#" + r["alert"].lower()) for r in rules)
    names = {m.full_name for m in METRICS.values()}
    asked = [r["expr"] for r in rules] + [query for _, query in charts(watched)]
    for name in re.findall(r"tailrace_\w+", " ".join(asked)):
        assert name.removesuffix("_bucket") in names
