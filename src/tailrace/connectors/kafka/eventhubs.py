"""The connector `eventhubs`: Azure Event Hubs by its Kafka endpoint, with a connection string or Microsoft Entra ID."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tailrace.connectors.base import Connector, Context, Sink, Source
from tailrace.connectors.kafka.connector import KafkaConnector
from tailrace.connectors.kafka.options import OPTIONS as KAFKA
from tailrace.errors import ConfigError
from tailrace.options import Option, OptionSet, OptionText, Values, string
from tailrace.plan.catalog import Table
from tailrace.schema import Schema

_STRING, _NAMESPACE, _GROUP = "connection-string", "namespace", "consumer-group"
_SERVERS = "properties.bootstrap.servers"
_HOST = re.compile(r"sb://([^/:;]+)/?", re.IGNORECASE)
_DOMAIN = ".servicebus.windows.net"
_PORT, _EMULATED_PORT = 9093, 9092

OPTIONS = OptionSet(
    "connector 'eventhubs'",
    (
        Option(_STRING, string, doc="the connection string, of the namespace or of the hub", secret=True),
        Option(_NAMESPACE, string, doc="the namespace, for a login by Microsoft Entra ID, without a connection string"),
        Option(_GROUP, string, doc="the consumer group in whose name offsets are committed, and read to start from"),
        Option(_SERVERS, string, doc="another address of the endpoint, as `host:port`"),
        *(o for o in KAFKA.options if o.key != _SERVERS),
    ),
)

_DEFAULTS = {
    # the service closes connections that were idle for four minutes
    "properties.connections.max.idle.ms": "180000",
    "properties.metadata.max.age.ms": "180000",
    "properties.socket.keepalive.enable": "true",
    "properties.request.timeout.ms": "60000",
}


@dataclass(frozen=True, slots=True)
class Access:
    """What a connection string says: where the endpoint is, and which hub it is for, if it is for one."""

    host: str
    hub: str
    emulated: bool

    @property
    def servers(self) -> str:
        """The address of the Kafka endpoint."""
        return f"{self.host}:{_EMULATED_PORT if self.emulated else _PORT}"


def access(text: str) -> Access:
    """
    Read a connection string.

    >>> access("Endpoint=sb://a.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=k=;EntityPath=orders").hub
    'orders'

    Raises:
        ValueError: a part is missing; tells nothing of what is there.
    """
    parts = dict(part.strip().partition("=")[::2] for part in text.strip().strip(";").split(";"))
    found = _HOST.fullmatch(parts.get("Endpoint", ""))
    missing = [k for k in ("Endpoint", "SharedAccessKeyName", "SharedAccessKey") if not parts.get(k)]
    if "SharedAccessSignature" in parts:
        raise ValueError("the Kafka endpoint takes no SharedAccessSignature, only a key")
    if missing or found is None:
        lacks = " and ".join(missing) or "an Endpoint as 'sb://<namespace>.servicebus.windows.net/'"
        raise ValueError(f"it lacks {lacks}")
    return Access(found[1], parts.get("EntityPath", ""), parts.get("UseDevelopmentEmulator", "").lower() == "true")


class EventHubsConnector(KafkaConnector):
    """Hubs of Azure Event Hubs: read from any offset, written at least once."""

    name = "eventhubs"
    doc = "Hubs of Azure Event Hubs, by its Kafka endpoint: read from any offset and written."
    options = OPTIONS

    def source(self, table: Table, options: Values, schema: Schema, context: Context) -> Source:
        return super().source(table, _as_kafka(table, options), schema, context)

    def sink(self, table: Table, options: Values, context: Context) -> Sink:
        return super().sink(table, _as_kafka(table, options), context)


def _as_kafka(table: Table, options: Values) -> Values:
    """Give the options as they are for the connector `kafka`; what is given goes over what follows from it."""
    if (options[_STRING] is None) is (options[_NAMESPACE] is None):
        hint = "the first has a key, the second is for a login by Microsoft Entra ID"
        message = f"connector 'eventhubs' needs a '{_STRING}' or a '{_NAMESPACE}', and only one of them"
        raise ConfigError(message, hint=hint, location=options.location(_STRING) or table.location)
    made = dict(_DEFAULTS) | (_by_string(options) if options[_STRING] is not None else _by_identity(options))
    if options[_GROUP] is not None:
        made["properties.group.id"] = options[_GROUP]
    at = options.location(_STRING) or options.location(_NAMESPACE)
    given = {k: v for k, v in options.given.items() if k not in (_STRING, _NAMESPACE, _GROUP)}
    return KAFKA.parse({k: OptionText(v, at, at) for k, v in made.items()} | given, at=table.location)


def _by_string(options: Values) -> dict[str, str]:
    at = options.location(_STRING)
    try:
        found = access(options[_STRING])
    except ValueError as error:
        hint = "copy it from the shared access policy of the namespace or the hub"
        raise ConfigError(f"'{_STRING}' can't be read: {error}", hint=hint, location=at) from None
    topic = options["topic"]
    if found.hub and topic and topic != (found.hub,):
        raise ConfigError(f"the '{_STRING}' is for hub '{found.hub}', and 'topic' names another", location=at)
    hub = {"topic": found.hub} if found.hub and not options["topic-pattern"] else {}
    return hub | {
        _SERVERS: found.servers,
        "properties.security.protocol": "SASL_PLAINTEXT" if found.emulated else "SASL_SSL",
        "properties.sasl.mechanism": "PLAIN",
        "properties.sasl.username": "$ConnectionString",
        "properties.sasl.password": options[_STRING],
    }


def _by_identity(options: Values) -> dict[str, str]:
    name: str = options[_NAMESPACE]
    host = name if "." in name else name + _DOMAIN
    return {
        _SERVERS: f"{host}:{_PORT}",
        "tailrace.kafka.login": "azure",
        "tailrace.kafka.login.scope": f"https://{host}/.default",
    }


CONNECTOR: Connector = EventHubsConnector()
