"""Where the rows of a registry's format are, and the names of their subjects."""

from __future__ import annotations

from dataclasses import dataclass

from tailrace.errors import ConfigError
from tailrace.formats.confluent.client import Registry
from tailrace.formats.confluent.subjects import STRATEGIES, TOPIC_NAME, subject
from tailrace.options import Option, Values, boolean, choice, string

OPTIONS = (
    Option(
        "subject", string, doc="the subject of the schema in the registry; for Kafka `<topic>-value` or `<topic>-key`"
    ),
    Option(
        "tailrace.subject-strategy",
        choice(*STRATEGIES),
        TOPIC_NAME,
        "how the subject is named where it is not given: `TopicNameStrategy`, `RecordNameStrategy` or `TopicRecordNameStrategy`",
    ),
    Option(
        "tailrace.auto-register",
        boolean,
        True,
        "whether a sink registers its schema; else it must be in the registry already",
    ),
)
"""What says under which subject a schema is, and whether a sink puts it there."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where rows are: the topic (empty if there is none), and whether they are keys."""

    topic: str = ""
    key: bool = False

    def subject(self, options: Values, record: str) -> str:
        """
        Name the subject of a schema.

        Raises:
            ConfigError: nothing says what it is.
        """
        if options["subject"]:
            return str(options["subject"])
        try:
            return subject(options["tailrace.subject-strategy"], topic=self.topic, record=record, key=self.key)
        except ValueError as error:
            hint = "name it with the option 'subject'"
            raise ConfigError(f"the subject of the schema is not known: {error}", hint=hint) from None

    def subject_if_known(self, options: Values, record: str) -> str:
        """Name the subject of rows; empty if only the rows themselves tell."""
        by_topic = options["tailrace.subject-strategy"] == TOPIC_NAME
        if options["subject"] or record or (by_topic and self.topic):
            return self.subject(options, record)
        return ""

    def found(self, client: Registry, options: Values, record: str) -> str:
        """Ask the registry for the subject of rows, and say what is there."""
        name = self.subject_if_known(options, record)
        if not name:
            return f"schema registry {client.shown}: {len(client.subjects())} subjects"
        versions = client.versions(name)
        said = f"version {versions[-1]}" if versions else "not there yet"
        return f"schema registry {client.shown}: subject '{name}', {said}"
