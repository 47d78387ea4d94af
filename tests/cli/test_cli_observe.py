"""`tailrace observe`: what is made for a script, and scripts for which there is nothing to make."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

BOUNDED = """CREATE TABLE t (id BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '3');
CREATE TABLE o (id BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO o SELECT id FROM t;
"""
TWO_JOBS = BOUNDED + "SELECT COUNT(*) FROM t;"


def observe(folder: Path, *arguments: str, script: str = BOUNDED) -> subprocess.CompletedProcess[str]:
    """Run the command over a script."""
    (folder / "job.sql").write_text(script)
    command = [sys.executable, "-m", "tailrace", "observe", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def rules_of(folder: Path, *arguments: str, script: str = BOUNDED) -> dict[str, dict[str, Any]]:
    """Give the rules of each group by name."""
    done = observe(folder, "rules", "job.sql", *arguments, script=script)
    assert done.returncode == 0, done.stderr
    return {g["name"]: {r["alert"]: r for r in g["rules"]} for g in yaml.safe_load(done.stdout)["groups"]}


def test_rules_fit_the_job(tmp_path: Path) -> None:
    """A job that ends may be silent, and one without row times has no watermark."""
    rules = rules_of(tmp_path)["tailrace job"]
    assert "TailraceSourceAway" in rules
    assert not {"TailraceNoData", "TailraceJobDown", "TailraceWatermarkStuck"} & set(rules)


def test_each_job_of_a_script_has_its_rules(tmp_path: Path) -> None:
    """By the names that they have when they run."""
    rules = rules_of(tmp_path, script=TWO_JOBS)
    assert list(rules) == ["tailrace job-1", "tailrace job-2"]
    assert 'job_name="job-2"' in rules["tailrace job-2"]["TailraceSourceAway"]["expr"]


def test_alerts_link_to_the_runbook(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, "--runbook", "https://wiki/tailrace")["tailrace job"]
    link = rules["TailraceDeadLetters"]["annotations"]["runbook_url"]
    assert link == "https://wiki/tailrace#tailracedeadletters"


def test_a_name_with_quotes_stays_inside_of_the_query(tmp_path: Path) -> None:
    script = "SET 'pipeline.name' = 'a\"b\\c'; " + BOUNDED
    rules = rules_of(tmp_path, script=script)
    assert rules['tailrace a"b\\c']["TailraceSourceAway"]["expr"] == ('tailrace_source_up{job_name="a\\"b\\\\c"} == 0')


def test_the_dashboard_is_json_of_one_job(tmp_path: Path) -> None:
    board = json.loads(observe(tmp_path, "grafana", "job.sql").stdout)
    assert board["title"] == "Tailrace: job"
    ids = [p["id"] for p in board["panels"]]
    assert len(ids) == len(set(ids)) > 10


def test_charts_fit_the_job(tmp_path: Path) -> None:
    """Of event time where there is some, of functions where some are called."""
    plain = titles_of(tmp_path, BOUNDED)
    assert {"Lag", "CPU", "Memory", "Network"} <= plain
    assert not {"Watermark behind the clock", "Time in functions"} & plain
    timed = BOUNDED.replace(")", ", ts TIMESTAMP(3), WATERMARK FOR ts AS ts)", 1)
    assert "Watermark behind the clock" in titles_of(tmp_path, timed)


def titles_of(tmp_path: Path, script: str) -> set[str]:
    """Give the titles of the charts of a script's dashboard."""
    done = observe(tmp_path, "grafana", "job.sql", script=script)
    assert done.returncode == 0, done.stderr
    return {p["title"] for p in json.loads(done.stdout)["panels"]}


def test_scrape(tmp_path: Path) -> None:
    done = observe(tmp_path, "scrape", "--listen", "host:80", "--token-file", "/run/token")
    assert yaml.safe_load(done.stdout)["scrape_configs"] == [
        {
            "job_name": "tailrace",
            "authorization": {"credentials_file": "/run/token"},
            "static_configs": [{"targets": ["host:80"]}],
        }
    ]


@pytest.mark.parametrize(
    ("arguments", "script", "message"),
    [
        (("rules", "job.sql"), "SET 'pipeline.name' = 'x';", "there is nothing to watch"),
        (("grafana", "job.sql"), "SELEC 1;", "SELEC"),
        (("grafana", "none.sql"), "", "none.sql"),
        (("scrape", "--listen", "x"), "", "'x' is no address to listen on"),
    ],
)
def test_what_can_not_be_watched(tmp_path: Path, arguments: tuple[str, ...], script: str, message: str) -> None:
    done = observe(tmp_path, *arguments, script=script)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
