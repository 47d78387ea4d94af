"""The `properties.*` of a table, written for the Java client as Flink takes them, as librdkafka's."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from tailrace.errors import ConfigError, Location
from tailrace.options import OptionText, Values, boolean

PREFIX = "properties."
OWN = "tailrace.kafka."
"""What the names of options begin with that say more of a client than librdkafka has properties for."""
MAX_BLOCK = "max.block.ms"
"""A property of Java's client that librdkafka does not know: it bounds the steps of transactions here."""
T = TypeVar("T")
_CLIENT = (f"{OWN}login", f"{OWN}password-file")

_RENAMED = {
    "fetch.max.wait.ms": "fetch.wait.max.ms",
    "max.request.size": "message.max.bytes",
    "receive.buffer.bytes": "socket.receive.buffer.bytes",
    "send.buffer.bytes": "socket.send.buffer.bytes",
    "request.timeout.ms": "socket.timeout.ms",
    "ssl.truststore.certificates": "ssl.ca.pem",
    "ssl.keystore.certificate.chain": "ssl.certificate.pem",
    "ssl.keystore.key": "ssl.key.pem",
    "client.id.prefix": "client.id",
    "sasl.oauthbearer.token.endpoint.uri": "sasl.oauthbearer.token.endpoint.url",
    "sasl.oauthbearer.client.credentials.client.id": "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.client.credentials.client.secret": "sasl.oauthbearer.client.secret",
}
_NO_EFFECT = {
    "max.poll.records",
    "default.api.timeout.ms",
    "metric.reporters",
    "metrics.num.samples",
    "metrics.recording.level",
    "metrics.sample.window.ms",
    "register.consumer.metrics",
    "auto.include.jmx.reporter",
    "ssl.truststore.type",
    "ssl.keystore.type",
    "exclude.internal.topics",
    "flink.disable-metrics",
    "partition.assignment.strategy",
    "commit.offsets.on.checkpoint",
    "sasl.login.class",
    "sasl.login.connect.timeout.ms",
    "sasl.login.read.timeout.ms",
    "sasl.login.retry.backoff.ms",
    "sasl.login.retry.backoff.max.ms",
    "sasl.login.refresh.buffer.seconds",
    "sasl.login.refresh.min.period.seconds",
    "sasl.login.refresh.window.factor",
    "sasl.login.refresh.window.jitter",
}
_REFUSED = {
    "key.deserializer": "the format of the table says how keys are read; use 'key.format'",
    "value.deserializer": "the format of the table says how values are read; use 'value.format'",
    "key.serializer": "the format of the table says how keys are written; use 'key.format'",
    "value.serializer": "the format of the table says how values are written; use 'value.format'",
    "transactional.id": "set 'sink.transactional-id-prefix'",
    "enable.auto.offset.store": "positions are in the checkpoints of the job",
    "enable.partition.eof": "the connector sets it itself",
    "interceptor.classes": "there are no Java classes here",
    "partitioner.class": "set 'sink.partitioner'",
    "partitioner": "set 'sink.partitioner'",
    "partition.discovery.interval.ms": "set 'scan.topic-partition-discovery.interval'",
}
_JAAS = re.compile(r"""(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)')""")


@dataclass(frozen=True, slots=True)
class Property:
    """A property of librdkafka: its value, and the option that it comes from."""

    value: str
    option: str = ""
    location: Location | None = None


Properties = dict[str, Property]


def translate(options: Values) -> Properties:
    """
    Give the properties of a table under librdkafka's names.

    Raises:
        ConfigError: one that can't be kept here; points at the place.
    """
    found: Properties = {}
    for key, text in options.given.items():
        if key.startswith(PREFIX):
            for name, value in _one(key, text).items():
                found[name] = Property(value, key, text.location)
        elif key.startswith(_CLIENT):
            found[key] = Property(text.value, key, text.location)
    return found


def plain(values: Mapping[str, str]) -> Properties:
    """
    Give properties that come from no option.

    >>> plain({"linger.ms": "5"})["linger.ms"].value
    '5'
    """
    return {key: Property(value) for key, value in values.items()}


_ASKS = ("bootstrap.servers", "client.id")
_LOGIN = ("ssl.", "sasl.", "security.", "enable.ssl.", "https.", OWN)


def connection_properties(properties: Properties) -> Properties:
    """
    Give the properties that say how to connect: for who only asks the cluster something.

    >>> given = plain({"client.id": "a", "enable.ssl.certificate.verification": "false", "acks": "1"})
    >>> list(connection_properties(given))
    ['client.id', 'enable.ssl.certificate.verification']
    """
    return {k: v for k, v in properties.items() if k in _ASKS or k.startswith(_LOGIN)}


def _one(key: str, text: OptionText) -> dict[str, str]:
    name = key.removeprefix(PREFIX)
    if name in _REFUSED:
        raise ConfigError(f"option '{key}' can't be set", hint=_REFUSED[name], location=text.key_location)
    if name in _NO_EFFECT:
        return {}
    if name in _SPECIAL:
        return _SPECIAL[name](key, text)
    return {_RENAMED.get(name, name): text.value}


def _jaas(key: str, text: OptionText) -> dict[str, str]:
    """Take what a login module is told, by its kind."""
    given = {m[1]: re.sub(r"\\(.)", r"\1", m[2]) if m[2] is not None else m[3] for m in _JAAS.finditer(text.value)}
    module = text.value.split(maxsplit=1)[0].rpartition(".")[2] if text.value.strip() else ""
    if module == "IAMLoginModule":
        names = {"awsProfileName": "login.profile", "awsRoleArn": "login.role"}
        return _MSK | {OWN + names[k]: v for k, v in given.items() if k in names}
    if module == "OAuthBearerLoginModule":
        return _oauth_module(key, text, given)
    if "username" not in given or "password" not in given:
        hint = 'write a PlainLoginModule or ScramLoginModule with username="…" password="…", or \'properties.sasl.username\''
        raise ConfigError(f"option '{key}' has no username and password", hint=hint, location=text.location)
    return {"sasl.username": given["username"], "sasl.password": given["password"]}


_MSK = {f"{OWN}login": "aws-msk-iam"}
_OIDC = {"sasl.oauthbearer.method": "oidc"}


def _oauth_module(key: str, text: OptionText, given: dict[str, str]) -> dict[str, str]:
    unsecured = next((k for k in given if k.startswith("unsecuredLogin")), None)
    if unsecured is not None:
        hint = "name a 'properties.sasl.oauthbearer.token.endpoint.url', with clientId and clientSecret here"
        raise ConfigError(f"option '{key}' asks for tokens that nobody signs", hint=hint, location=text.location)
    names = {"clientId": "client.id", "clientSecret": "client.secret", "scope": "scope"}
    return _OIDC | {f"sasl.oauthbearer.{names[k]}": v for k, v in given.items() if k in names}


def _mechanism(_: str, text: OptionText) -> dict[str, str]:
    return _MSK if text.value == "AWS_MSK_IAM" else {"sasl.mechanism": text.value}


def _handler(key: str, text: OptionText) -> dict[str, str]:
    """Know what the usual classes of Java do with a login."""
    match text.value.rpartition(".")[2]:
        case "IAMClientCallbackHandler":
            return _MSK
        case "OAuthBearerLoginCallbackHandler":
            return _OIDC
    hint = (
        "there are no Java classes here; use 'properties.sasl.oauthbearer.method' = 'oidc', or 'tailrace.kafka.login'"
    )
    raise ConfigError(f"option '{key}' can't be set", hint=hint, location=text.key_location)


def _auto_commit(key: str, text: OptionText) -> dict[str, str]:
    if _parsed(boolean, key, text):
        hint = "leave it out: offsets of a 'properties.group.id' are committed with each checkpoint"
        raise ConfigError(f"option '{key}' can't be 'true'", hint=hint, location=text.location)
    return {}


def _buffer_memory(key: str, text: OptionText) -> dict[str, str]:
    return {"queue.buffering.max.kbytes": str(max(1, _parsed(int, key, text) // 1024))}


def _identification(_: str, text: OptionText) -> dict[str, str]:
    return {"ssl.endpoint.identification.algorithm": text.value or "none"}


def _parsed(parse: Callable[[str], T], key: str, text: OptionText) -> T:
    try:
        return parse(text.value)
    except ValueError as error:
        raise ConfigError(f"option '{key}' can't be '{text.value}': {error}", location=text.location) from None


_SPECIAL: dict[str, Callable[[str, OptionText], dict[str, str]]] = {
    "sasl.jaas.config": _jaas,
    "enable.auto.commit": _auto_commit,
    "buffer.memory": _buffer_memory,
    "ssl.endpoint.identification.algorithm": _identification,
    "sasl.mechanism": _mechanism,
    "sasl.mechanisms": _mechanism,
    "sasl.login.callback.handler.class": _handler,
    "sasl.client.callback.handler.class": _handler,
}
