"""Logins and encryption on the real broker: each way in works, and each wrong one is refused with its reason (N15)."""

from __future__ import annotations

import base64
import os
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path

import kafka_kit as kit
import login_kit
import pytest
import script_kit
from login_kit import CLIENT, PASSWORD, SECRET, Issuer

from tailrace.connectors.base import AtLeastOnceSink
from tailrace.connectors.kafka import library, logins
from tailrace.connectors.kafka.client import Client
from tailrace.connectors.kafka.failures import Code
from tailrace.connectors.kafka.logins import Token
from tailrace.connectors.kafka.properties import Properties, Property, plain
from tailrace.errors import ConfigError, TailraceError, TransientError

pytestmark = pytest.mark.integration

LOGIN = {"properties.sasl.username": "tailrace", "properties.sasl.password": "tailrace-secret"}
PLAIN, CLEAR, ENCRYPTED, MUTUAL = 0, 1, 2, 5
"""The listeners of the broker, by how far their ports are from the first."""


def at(kafka: str, listener: int, host: str = "127.0.0.1") -> str:
    """Give the address of a listener."""
    return f"{host}:{int(kafka.rpartition(':')[2]) + listener}"


def both_ways(address: str, topic: str, options: dict[str, str]) -> None:
    """Check a topic, write a row, and read it back."""
    table = kit.table(address, topic, kit.BOUNDED | options)
    sink = kit.sink(table)
    assert isinstance(sink, AtLeastOnceSink)
    report = sink.check()
    assert report.ok, report.message
    sink.open()
    sink.write(kit.frame(range(1)))
    sink.prepare(1)
    sink.close()
    assert len(kit.payloads(kit.read(table))) == 1


def refused(address: str, options: dict[str, str], *reasons: str) -> TailraceError:
    """See a source refused within bounded time for one of the reasons; nothing that is secret is told."""
    began = time.monotonic()
    table = kit.table(address, "a", kit.EARLIEST | options)
    with pytest.raises(TailraceError) as error:
        kit.source(table).open({})
    said = str(error.value) + kit.source(table).check().message + kit.sink(table).check().message
    assert any(reason in error.value.message for reason in reasons), said
    for secret in (SECRET, PASSWORD, "tailrace-secret", "client-secret", "not-the-secret"):
        assert secret not in said
    assert time.monotonic() - began < 30
    return error.value


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_passwords(kafka: str, kafka_tls: Path, mechanism: str) -> None:
    """User and password by each mechanism, in the clear and encrypted; a wrong one is refused."""
    topic = kit.new_topic(kafka)
    login = LOGIN | {"properties.sasl.mechanism": mechanism}
    clear = {"properties.security.protocol": "SASL_PLAINTEXT"}
    both_ways(at(kafka, CLEAR), topic, login | clear)
    over = {"properties.security.protocol": "SASL_SSL", "properties.ssl.truststore.location": str(kafka_tls / "ca.pem")}
    both_ways(at(kafka, ENCRYPTED), kit.new_topic(kafka), login | over)
    wrong = {"properties.sasl.password": "not-the-secret"}
    error = refused(at(kafka, CLEAR), login | clear | wrong, "refused the login")
    assert isinstance(error, ConfigError)
    assert "Authentication failed" in error.message


def test_a_mechanism_that_the_broker_lacks(kafka: str) -> None:
    """It is named."""
    options = LOGIN | {"properties.security.protocol": "SASL_PLAINTEXT", "properties.sasl.mechanism": "GSSAPI"}
    refused(at(kafka, CLEAR), options, "GSSAPI")


def test_a_listener_without_encryption(kafka: str, kafka_tls: Path) -> None:
    """TLS on a port that speaks none, and the reverse, end soon and say so."""
    over = {"properties.security.protocol": "SSL", "properties.ssl.ca.location": str(kafka_tls / "ca.pem")}
    refused(at(kafka, PLAIN), over, "SSL", "Disconnected", "closed", "answers")
    refused(at(kafka, MUTUAL), {}, "SSL", "Disconnected", "closed", "answers")


def test_certificates_of_clients(kafka: str, kafka_tls: Path) -> None:
    """The broker takes a client by its certificate; the key may have a password of its own."""
    tls = {"properties.security.protocol": "SSL", "properties.ssl.ca.location": str(kafka_tls / "ca.pem")}
    own = {f"properties.ssl.{k}.location": str(kafka_tls / "client.pem") for k in ("certificate", "key")}
    both_ways(at(kafka, MUTUAL), kit.new_topic(kafka), tls | own)
    store = {"properties.ssl.keystore.location": str(kafka_tls / "client-locked.pem")}
    locked = {"properties.ssl.key.password": "client-secret"}
    both_ways(at(kafka, MUTUAL), kit.new_topic(kafka), tls | store | locked)
    error = refused(at(kafka, MUTUAL), tls, "the broker does not take the client's certificate")
    assert isinstance(error, ConfigError)
    refused(at(kafka, MUTUAL), tls | store | {"properties.ssl.key.password": "not-the-secret"}, "ssl.key.location")


@pytest.mark.parametrize("kind", ["jks", "pkcs12"])
def test_stores_of_java(kafka: str, kafka_tls: Path, tmp_path: Path, kind: str) -> None:
    """Key store and trust store as a script for Flink names them."""
    trust, keys = login_kit.java_stores(kafka_tls, tmp_path, kind)
    stores = {
        "properties.security.protocol": "SSL",
        "properties.ssl.truststore.location": str(trust),
        "properties.ssl.truststore.password": PASSWORD,
        "properties.ssl.keystore.location": str(keys),
        "properties.ssl.keystore.password": PASSWORD,
    }
    both_ways(at(kafka, MUTUAL), kit.new_topic(kafka), stores)
    for which in ("truststore", "keystore"):
        wrong = stores | {f"properties.ssl.{which}.password": "not-the-secret"}
        error = refused_at_once(wrong)
        assert f"properties.ssl.{which}.location" in error.message
        assert "password is wrong" in error.message
        assert "not-the-secret" not in str(error)
    none = {k: v for k, v in stores.items() if k != "properties.ssl.truststore.password"}
    assert "properties.ssl.truststore.password" in refused_at_once(none).hint
    assert "No such file" in refused_at_once(stores | {"properties.ssl.keystore.location": str(tmp_path / "x")}).message
    trust.write_bytes(trust.read_bytes()[:-30])
    assert "wrong" in refused_at_once(stores).message


def refused_at_once(options: dict[str, str]) -> ConfigError:
    """See a table refused before anything is reached."""
    with pytest.raises(ConfigError) as error:
        kit.source(kit.table("127.0.0.1:1", "a", kit.EARLIEST | options))
    return error.value


@pytest.mark.parametrize(
    ("name", "days", "reason"), [("expired", -1, "has expired"), ("unsigned", 9, "is self-signed")]
)
def test_certificates_that_are_wrong(tmp_path: Path, name: str, days: int, reason: str) -> None:
    """An expired certificate, and one that its owner signed himself, are refused, and the reason is told."""
    path = login_kit.certificate(tmp_path, name, days=days)
    # who trusts the expired one must still not take it
    trusted = {"properties.ssl.ca.location": str(path)} if name == "expired" else {}
    with login_kit.tls_server(path) as port:
        options = {"properties.security.protocol": "SSL"} | trusted
        error = refused(f"localhost:{port}", options, reason)
    assert isinstance(error, ConfigError)
    assert "properties.ssl" in error.hint


def test_the_wrong_host(kafka: str, kafka_tls: Path) -> None:
    """A certificate of another host is refused, unless the host is not to be compared."""
    tls = LOGIN | {
        "properties.security.protocol": "SASL_SSL",
        "properties.sasl.mechanism": "PLAIN",
        "properties.ssl.ca.location": str(kafka_tls / "ca.pem"),
    }
    elsewhere = at(kafka, ENCRYPTED, "127.1")
    error = refused(elsewhere, tls, "is not for this host")
    assert isinstance(error, ConfigError)
    both_ways(elsewhere, kit.new_topic(kafka), tls | {"properties.ssl.endpoint.identification.algorithm": "none"})


OIDC = {
    "properties.security.protocol": "SASL_PLAINTEXT",
    "properties.sasl.mechanism": "OAUTHBEARER",
    "properties.sasl.login.callback.handler.class": "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler",
}


def jaas(secret: str) -> dict[str, str]:
    """Give a login module as Java writes it."""
    module = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required"
    return {"properties.sasl.jaas.config": f'{module} clientId="{CLIENT}" clientSecret="{secret}" scope="kafka";'}


def test_tokens_of_a_server(kafka: str, kafka_tls: Path) -> None:
    """Client credentials, as a script for Flink writes them; a wrong secret is refused."""
    issuer = Issuer(kafka_tls)
    with issuer.serving() as url:
        options = OIDC | {"properties.sasl.oauthbearer.token.endpoint.url": url}
        both_ways(at(kafka, CLEAR), kit.new_topic(kafka), options | jaas(SECRET))
        assert issuer.given >= 3
        error = refused(at(kafka, CLEAR), options | jaas("not-the-secret"), "401", "invalid_client")
        assert isinstance(error, ConfigError)
        issuer.away = True
        with pytest.raises(TransientError, match=f"or {url} gives no token"):
            kit.source(kit.table(at(kafka, CLEAR), "a", kit.EARLIEST | options | jaas(SECRET))).open({})


@pytest.fixture
def own_tokens(kafka_tls: Path, monkeypatch: pytest.MonkeyPatch) -> Issuer:
    """Give an issuer whose tokens a client asks for itself: in the place of those of Azure."""
    issuer = Issuer(kafka_tls)

    def make(_: Properties, __: Property) -> Callable[[], Token]:
        def token() -> Token:
            if issuer.away:
                raise ConnectionError("the issuer is away")
            return Token(*issuer.token())

        return token

    monkeypatch.setitem(logins.MAKERS, "azure", make)
    return issuer


OWN_TOKENS = {"tailrace.kafka.login": "azure", "properties.security.protocol": "SASL_PLAINTEXT"}


@pytest.mark.parametrize("native", ["true", "false"])
def test_tokens_that_the_client_asks_for(kafka: str, own_tokens: Issuer, native: str) -> None:
    """They go the way of the broker's own check of signatures; where none can be had, the reason is told."""
    options = OWN_TOKENS | {"tailrace.kafka.native": native}
    both_ways(at(kafka, CLEAR), kit.new_topic(kafka), options)
    own_tokens.away = True
    refused(at(kafka, CLEAR), OWN_TOKENS, "ConnectionError: the issuer is away")
    own_tokens.away = False
    own_tokens.seconds = -5
    refused(at(kafka, CLEAR), OWN_TOKENS, "lifetime", "expired")


@pytest.mark.slow
def test_tokens_are_renewed(kafka: str, own_tokens: Issuer) -> None:
    """Tokens of few seconds: reading and writing go on over several of them."""
    own_tokens.seconds = 15
    topic = kit.new_topic(kafka)
    table = kit.table(at(kafka, CLEAR), topic, kit.EARLIEST | OWN_TOKENS)
    reader, sink = kit.source(table).open({}), kit.sink(table)
    assert isinstance(sink, AtLeastOnceSink)
    sink.open()
    at_first = own_tokens.given
    rows = 0
    end = time.monotonic() + 17
    while time.monotonic() < end:
        sink.write(kit.frame(range(rows, rows + 1)))
        sink.prepare(1)
        kit.poll_until(reader, 1)
        rows += 1
        time.sleep(0.1)
    reader.close()
    sink.close()
    assert own_tokens.given >= at_first + 2
    assert len(kit.consume(kafka, topic)) == rows


def test_an_issuer_that_is_away_for_a_moment(own_tokens: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last token is used on while it is good; only then nothing can be done."""
    renewal = logins.Renewal(logins.MAKERS["azure"]({}, Property("azure")))
    done: list[str] = []
    lib = library.load()

    def take(_handle: int, text: bytes, *_: object) -> int:
        done.append(text.decode())
        return 0

    monkeypatch.setattr(lib, "oauthbearer_set_token", take)
    monkeypatch.setattr(lib, "oauthbearer_set_token_failure", take)
    renewal._renew(0, None, 0)
    own_tokens.away = True
    renewal._renew(0, None, 0)
    assert done[0] == done[1]
    monkeypatch.setattr(logins, "LEAST_REST_MS", 10_000_000)
    renewal._renew(0, None, 0)
    assert done[2] == "ConnectionError: the issuer is away"


def test_a_token_for_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token is the signed request that MSK's brokers check: its parts are those that AWS documents."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "aws-secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    host = "b-1.mine.abc123.c2.kafka.eu-west-1.amazonaws.com:9098"
    properties = plain({"bootstrap.servers": host, "tailrace.kafka.login": "aws-msk-iam"})
    tokens = logins.tokens_of(properties)
    assert tokens is not None
    token = tokens()
    url = base64.urlsafe_b64decode(token.value + "=" * (-len(token.value) % 4)).decode()
    parts = urllib.parse.urlsplit(url)
    query = urllib.parse.parse_qs(parts.query)
    assert parts.hostname == "kafka.eu-west-1.amazonaws.com"
    assert query["Action"] == ["kafka-cluster:Connect"]
    assert query["X-Amz-Credential"][0].startswith("AKIAEXAMPLE/")
    assert "/eu-west-1/kafka-cluster/" in query["X-Amz-Credential"][0]
    assert "aws-secret" not in url
    assert 0 < token.expires - time.time() * 1000 <= int(query["X-Amz-Expires"][0]) * 1000
    with pytest.raises(ConfigError, match="region"):
        logins.tokens_of(properties | plain({"bootstrap.servers": "elsewhere:9098"}))


@pytest.mark.parametrize("profile", [{}, {"tailrace.kafka.login.profile": "empty"}], ids=["default", "profile"])
def test_no_credentials_for_aws(
    kafka: str, kafka_tls: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, profile: dict[str, str]
) -> None:
    """Where AWS's libraries find no credentials it says so."""
    (tmp_path / "config").write_text("[profile empty]\nregion = eu-west-1\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    given = profile | {"tailrace.kafka.login": "aws-msk-iam", "tailrace.kafka.login.region": "eu-west-1"}
    options = given | {"properties.ssl.ca.location": str(kafka_tls / "ca.pem")}
    error = refused(
        at(kafka, ENCRYPTED), options, "no token for the login at Kafka can be had: AWS's libraries find no"
    )

    assert error.hint is not None
    assert "tailrace.kafka.login" in error.hint


def test_a_password_that_changes(kafka: str, tmp_path: Path) -> None:
    """A password in a file: when both the broker's and the file's have changed, new connections take the new one."""
    from confluent_kafka.admin import (  # noqa: PLC0415
        AdminClient,
        ScramCredentialInfo,
        ScramMechanism,
        UserScramCredentialUpsertion,
    )

    admin = AdminClient({"bootstrap.servers": kafka, "log_level": 0})
    user = f"user-{os.getpid()}-{time.monotonic_ns()}"

    def set_password(password: str) -> None:
        scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096)
        for done in admin.alter_user_scram_credentials(
            [UserScramCredentialUpsertion(user, scram, password.encode())]
        ).values():
            done.result(10)

    file = tmp_path / "password"
    file.write_text("first\n")
    set_password("first")
    options = {
        "properties.security.protocol": "SASL_PLAINTEXT",
        "properties.sasl.mechanism": "SCRAM-SHA-256",
        "properties.sasl.username": user,
        "tailrace.kafka.password-file": str(file),
        # connections are made anew often, and so their logins
        "properties.connections.max.idle.ms": "1000",
    }
    topic = kit.new_topic(kafka)
    reader = kit.source(kit.table(at(kafka, CLEAR), topic, kit.EARLIEST | options)).open({})
    kit.produce(kafka, topic, kit.numbered(1))
    kit.poll_until(reader, 1)
    set_password("second")
    file.write_text("second\n")
    end = time.monotonic() + 4
    while time.monotonic() < end:
        kit.produce(kafka, topic, kit.numbered(1))
        kit.poll_until(reader, 1)
        time.sleep(0.2)
    both_ways(at(kafka, CLEAR), topic, options | {"topic": kit.new_topic(kafka)})
    reader.close()

    # the broker's first: what runs waits for the file, what begins does not
    properties = {k.removeprefix("properties."): v for k, v in options.items()}
    with Client(library.CONSUMER, plain(properties | {"bootstrap.servers": at(kafka, CLEAR)})) as client:
        for kind in (ConfigError, TransientError):
            client.errors.append((Code.AUTHENTICATION, "Authentication failed"))
            assert type(client.fail(Code.TRANSPORT, "x")) is kind
            client.errors.clear()
            client.topics()
    file.write_text("")
    assert "is empty" in refused_at_once(options).message
    assert "No such file" in refused_at_once(options | {"tailrace.kafka.password-file": str(tmp_path / "no")}).message


def test_secrets_are_hidden_in_the_line_that_an_error_shows() -> None:
    """All on one line, as it is shown with a caret under the place: the secrets of it are not."""
    sql = (
        "CREATE TABLE a (id BIGINT) WITH ('connector' = 'kafka', 'topic' = 'a', 'properties.sasl.password' = 'not''the', "
        "'properties.sasl.jaas.config' = 'a.PlainLoginModule required username=\"u\" password=\"hidden\";', 'scan.startup.mode' "
        "= 'earliest-offset', 'format' = 'json', 'properties.bootstrap.servers' = '127.0.0.1:1', 'properties.x' = 'y');\n"
        "CREATE TABLE b (id BIGINT) WITH ('connector' = 'blackhole');\nINSERT INTO b SELECT id FROM a;"
    )
    with pytest.raises(ConfigError) as error:
        script_kit.run(sql)
    said = str(error.value)
    assert "properties.x" in said
    assert "^" in said
    assert "'the" not in said
    assert "hidden" not in said
