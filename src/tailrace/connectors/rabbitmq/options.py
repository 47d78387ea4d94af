"""The options of the connector `rabbitmq`."""

from __future__ import annotations

from tailrace.connectors.bulk import bulk_options
from tailrace.options import Option, OptionSet, boolean, choice, duration, integer, name_list, string

CLASSIC, QUORUM, STREAM = "classic", "quorum", "stream"


def _prefetch(text: str) -> int:
    if not 1 <= (value := integer(text)) <= 65_535:
        raise ValueError("expected a number from 1 to 65535")
    return value


OPTIONS = OptionSet(
    "connector 'rabbitmq'",
    (
        Option(
            "url",
            string,
            doc="the broker, as `amqp://localhost:5672/` with the virtual host behind the slash; `amqps://` for TLS",
            required=True,
        ),
        Option("username", string, doc="the user, if it is not in the URL"),
        Option("password", string, doc="the password of the user", secret=True),
        Option("ssl.ca-location", string, doc="a file with the certificates that the broker's is checked by"),
        Option(
            "queue", name_list, doc="the queue that is read, several as `a;b`, or written to where no exchange is named"
        ),
        Option(
            "queue.type",
            choice(CLASSIC, QUORUM, STREAM),
            CLASSIC,
            "what kind the queue is; a `stream` is read from any offset, and again",
        ),
        Option("queue.declare", boolean, False, "make the queue if it is not there: durable, of the type"),
        Option(
            "queue.exclusive",
            boolean,
            True,
            "this job alone reads the queue; without it several may, each some of its messages, and none can keep state of them",
        ),
        Option(
            "prefetch",
            _prefetch,
            10_000,
            "how many messages the broker gives before the first of them is acknowledged, which is when a checkpoint is complete",
        ),
        Option(
            "scan.startup.mode",
            choice("earliest-offset", "latest-offset"),
            "earliest-offset",
            "where a stream is read from when there is no checkpoint",
        ),
        Option("exchange", string, "", "the exchange that is written to; without it the queue of the routing key"),
        Option(
            "routing-key",
            string,
            doc="the routing key of rows without a metadata column for it; without it the name of the queue",
        ),
        Option("sink.mandatory", boolean, True, "a message that no queue takes is an error of its row"),
        Option("sink.persistent", boolean, True, "messages outlive a restart of the broker"),
        Option("timeout", duration, 10_000, "how long one answer of the broker may take"),
        *bulk_options(rows=1000, in_flight=1),
    ),
)
