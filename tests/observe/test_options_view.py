"""Options in force and texts of scripts, without secrets."""

from __future__ import annotations

import json
from dataclasses import asdict

from tailrace.observe.options_view import job_settings, script_text, table_options
from tailrace.sql.session import Session

CANARY = "c4n4ry"
TEXT = f"""
CREATE TABLE paid (card STRING, n INT) WITH ('connector' = 'kafka', 'topic' = 'paid', 'format' = 'json',
  'properties.bootstrap.servers' = 'localhost:1', 'json.ignore-parse-errors' = 'true',
  'properties.sasl.password' = '{CANARY}-1', 'properties.sasl.jaas.config' = 'x password="{CANARY}-2";',
  'properties.ssl.key.password' /* between */ = '{CANARY}-it''s-3');
CREATE TABLE told (card STRING) WITH ('connector' = 'alert', 'webhook.url' = 'https://hooks/{CANARY}-4',
  'webhook.secret' = '{CANARY}-5', 'email.url' = 'smtp://me:{CANARY}-6@host', 'email.to' = 'a@b.example', 'alert.title' = 't');
CREATE TABLE framed (a INT) WITH ('connector' = 'kafka', 'topic' = 't', 'properties.bootstrap.servers' = 'localhost:1',
  'format' = 'avro-confluent', 'avro-confluent.url' = 'http://me:{CANARY}-7@registry',
  'avro-confluent.basic-auth.user-info' = 'me:{CANARY}-8');
SET 'pipeline.name' = 'canaries';
"""


def test_no_secret_is_shown() -> None:
    """Neither in the options of tables, nor in the text of the script, wherever the value stands."""
    session = Session({"WHO": "me"})
    session.bind(TEXT, "job.sql")
    options = [asdict(o) for t in session.tables.values() for o in table_options(t)]
    text = script_text(session.texts[0][1], session.tables.values())
    assert TEXT.count(CANARY) == 8
    assert CANARY not in json.dumps(options)
    assert CANARY not in text
    assert text.count("\n") == TEXT.count("\n")
    values = {o["key"]: o["value"] for o in options}
    assert values["properties.sasl.password"] == "***"
    assert values["webhook.url"] == "***"
    assert values["avro-confluent.url"] == "http://***@registry"
    assert values["topic"] in {"paid", "t"}


def test_options_in_force() -> None:
    """What was given comes first, then the defaults, with what they mean."""
    session = Session()
    session.bind(TEXT, "job.sql")
    options = {o.key: o for o in table_options(session.tables["paid"])}
    assert (options["json.ignore-parse-errors"].value, options["json.ignore-parse-errors"].given) == ("true", True)
    assert options["scan.startup.mode"].given is False
    assert options["scan.startup.mode"].value == "group-offsets"
    assert options["scan.startup.mode"].doc
    assert list(options)[:2] == ["connector", "topic"]
    settings = {o.key: o for o in job_settings(session.settings)}
    assert (settings["pipeline.name"].value, settings["pipeline.name"].given) == ("canaries", True)
    assert (settings["execution.checkpointing.interval"].value, settings["tailrace.tick.rows"].given) == ("1 s", False)
