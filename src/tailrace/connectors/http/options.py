"""The options of the connector `http`."""

from __future__ import annotations

from tailrace.connectors.bulk import bulk_options
from tailrace.connectors.http.bodies import ARRAY, LINES, ROW
from tailrace.options import Option, OptionSet, boolean, choice, duration, integer, memory_size, positive, string

OPTIONS = OptionSet(
    "connector 'http'",
    (
        Option(
            "url",
            string,
            doc="what is asked, or written to: `http://` or `https://`; a lookup puts the values of its key where `{column}` stands",
        ),
        Option("listen", string, doc="a webhook: listen on this `HOST:PORT` (`:8080` is this machine alone) for rows"),
        Option("path", string, "/", "a webhook: the path that rows are posted to"),
        Option(
            "method",
            choice("GET", "POST", "PUT", "PATCH"),
            doc="without it `GET` where rows are asked for, and `POST` where they are written; a lookup by `POST` sends many keys at a time",
        ),
        Option(
            "body",
            choice(ROW, LINES, ARRAY),
            doc="what a body is: one `row`, `lines` with a row each, or a JSON `array` of rows; without it `row` for webhooks that"
            " come in, else `array`",
        ),
        Option("header.*", string, doc="a header of each request, as `header.Authorization`", secret=True),
        Option("timeout", positive(duration), 10_000, "how long one request may take, with its answer"),
        Option("max-body-size", positive(memory_size), 1 << 20, "a webhook: a larger body is refused with 413"),
        Option("max-response-size", positive(memory_size), 16 << 20, "a larger answer is an error"),
        Option("ssl.ca-location", string, doc="a file with the certificates that the server's is checked by"),
        Option(
            "allow-link-local",
            boolean,
            False,
            "reach addresses as 169.254.169.254 too, where clouds hand out credentials",
        ),
        Option("hmac.secret", string, doc="signs what is sent, and checks what comes in", secret=True),
        Option("hmac.header", string, "X-Tailrace-Signature", "the header with the signature, as `sha256=<hex>`"),
        Option("hmac.algorithm", choice("sha256", "sha512"), "sha256", "`sha256` or `sha512`"),
        Option(
            "hmac.timestamp-header",
            string,
            doc="the header with the time in seconds, which is then signed too, as `<time>.<body>`",
        ),
        Option("hmac.tolerance", duration, 300_000, "how old or early that time may be when rows come in"),
        Option(
            "allow-anonymous",
            boolean,
            False,
            "a webhook: take rows without a signature although others than this machine can reach it",
        ),
        Option(
            "deduplicate.header", string, "Idempotency-Key", "a webhook: the header by which a request is known again"
        ),
        Option("deduplicate.for", duration, 86_400_000, "how long it is known; `0 s`: not at all"),
        Option("journal.max-rows", positive(integer), 1_000_000, "so many rows may wait for the job; then 429"),
        Option("journal.max-size", positive(memory_size), 256 << 20, "so many bytes of rows may wait; then 429"),
        Option(
            "max-connections", positive(integer), 200, "a webhook: more connections at a time are answered with 503"
        ),
        Option("poll.interval", positive(duration), 10_000, "how long to wait from one round of requests to the next"),
        Option("poll.items", string, doc="where the array of rows is in the answer, as `data.items`"),
        Option("poll.cursor-field", string, doc="where the answer says what to ask for next, as `next_cursor`"),
        Option("poll.cursor-parameter", string, "cursor", "the parameter of the URL that takes it"),
        Option("poll.follow-links", boolean, False, 'go on with the `Link` header\'s `rel="next"`, on the same server'),
        Option("scan.bounded", boolean, False, "polling: end after the first round"),
        Option("sink.ordered", boolean, True, "keep the order of rows; `false` sends requests beside each other"),
        Option(
            "lookup.in-flight", positive(integer), 16, "how many requests of a lookup by `GET` are under way at a time"
        ),
        *bulk_options(rows=100, size=512 << 10),
    ),
)
