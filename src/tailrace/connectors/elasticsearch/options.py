"""The options of the connector `elasticsearch`; Flink's names where Flink has them."""

from __future__ import annotations

from tailrace.connectors.bulk import bulk_options
from tailrace.errors import ConfigError
from tailrace.options import Option, OptionSet, Values, boolean, choice, duration, string


def _hosts(text: str) -> tuple[str, ...]:
    hosts = tuple(h.strip() for h in text.split(";") if h.strip())
    if not hosts or not all(h.startswith(("http://", "https://")) for h in hosts):
        raise ValueError("expected addresses as 'http://localhost:9200', several with ; between them")
    return hosts


def _always(text: str) -> bool:
    if not boolean(text):
        raise ValueError("a checkpoint always sends what waits; leave the option out")
    return True


OPTIONS = OptionSet(
    "connector 'elasticsearch'",
    (
        Option(
            "hosts", _hosts, doc="the nodes, as `http://localhost:9200`; several with `;` between them", required=True
        ),
        Option(
            "index",
            string,
            doc="the index, or the data stream; `{column}` and `{column|yyyy-MM-dd}` stand for a value of the row",
            required=True,
        ),
        Option("document-id.key-delimiter", string, "_", "what stands between the values of a key in the id"),
        Option("format", choice("json"), "json", "taken as in Flink; documents are JSON"),
        Option("username", string, doc="the user"),
        Option("password", string, doc="the password of the user", secret=True),
        Option("api-key", string, doc="an API key, instead of user and password", secret=True),
        Option("ssl.ca-location", string, doc="a file with the certificates that the server's is checked by"),
        Option("connection.path-prefix", string, "", "what stands before each path, as `/search`"),
        Option("connection.request-timeout", duration, 30_000, "how long one request may take"),
        Option("sink.flush-on-checkpoint", _always, True, "only `true`"),
        Option("data-stream", boolean, False, "the index is a data stream: rows are only added to it"),
        Option(
            "tailrace.create-index",
            boolean,
            True,
            "make the index (or a template, for a data stream or an index by row) with the columns' types if it is missing",
        ),
        *bulk_options(rows=1000, size=2 << 20),
    ),
)


def check_login(options: Values) -> None:
    """
    Make sure that there is one way to log in, and whole.

    Raises:
        ConfigError: there is a user without a password, or the reverse, or an API key too.
    """
    user, password, key = options["username"], options["password"], options["api-key"]
    if (user is None) != (password is None):
        missing = "password" if password is None else "username"
        raise ConfigError(f"a login needs the option '{missing}' too", location=options.location("username"))
    if key is not None and user is not None:
        raise ConfigError("'api-key' and 'username' are two logins; give one", location=options.location("api-key"))
