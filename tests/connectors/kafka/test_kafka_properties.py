"""Properties as Flink takes them, for the Java client, become those of librdkafka."""

from __future__ import annotations

import pytest

from tailrace.connectors.kafka.client import validate
from tailrace.connectors.kafka.options import OPTIONS
from tailrace.connectors.kafka.properties import plain, translate
from tailrace.errors import ConfigError
from tailrace.options import OptionText


def translated(**given: str) -> dict[str, str]:
    """Translate properties; `__` stands for a dot."""
    texts = {f"properties.{k.replace('__', '.')}": OptionText(v) for k, v in given.items()}
    properties = translate(OPTIONS.parse({"properties.bootstrap.servers": OptionText("b:1")} | texts))
    return {k: v.value for k, v in properties.items() if k != "bootstrap.servers"}


@pytest.mark.parametrize(
    ("given", "want"),
    [
        ({"linger__ms": "5"}, {"linger.ms": "5"}),
        ({"fetch__max__wait__ms": "7"}, {"fetch.wait.max.ms": "7"}),
        ({"max__request__size": "70000"}, {"message.max.bytes": "70000"}),
        ({"buffer__memory": "33554432"}, {"queue.buffering.max.kbytes": "32768"}),
        ({"max__poll__records": "500"}, {}),
        ({"enable__auto__commit": "false"}, {}),
        ({"ssl__endpoint__identification__algorithm": ""}, {"ssl.endpoint.identification.algorithm": "none"}),
        (
            {
                "sasl__mechanism": "AWS_MSK_IAM",
                "sasl__jaas__config": 'software.amazon.msk.auth.iam.IAMLoginModule required awsProfileName="team";',
                "sasl__client__callback__handler__class": "software.amazon.msk.auth.iam.IAMClientCallbackHandler",
            },
            {"tailrace.kafka.login": "aws-msk-iam", "tailrace.kafka.login.profile": "team"},
        ),
        (
            {
                "sasl__mechanism": "OAUTHBEARER",
                "sasl__jaas__config": 'a.OAuthBearerLoginModule required clientId="c" clientSecret="s" scope="k";',
                "sasl__login__callback__handler__class": "a.secured.OAuthBearerLoginCallbackHandler",
                "sasl__oauthbearer__token__endpoint__url": "http://a",
            },
            {
                "sasl.mechanism": "OAUTHBEARER",
                "sasl.oauthbearer.method": "oidc",
                "sasl.oauthbearer.client.id": "c",
                "sasl.oauthbearer.client.secret": "s",
                "sasl.oauthbearer.scope": "k",
                "sasl.oauthbearer.token.endpoint.url": "http://a",
            },
        ),
        (
            {"sasl__jaas__config": r'a.PlainLoginModule required username="u" password="p\"=; x";'},
            {"sasl.username": "u", "sasl.password": 'p"=; x'},
        ),
        (
            {"sasl__jaas__config": "a.ScramLoginModule required username='u' password='p';"},
            {"sasl.username": "u", "sasl.password": "p"},
        ),
    ],
)
def test_translation(given: dict[str, str], want: dict[str, str]) -> None:
    """Names that differ are translated, and those that mean nothing here are left out."""
    assert translated(**given) == want


@pytest.mark.parametrize(
    "given",
    [
        {"sasl__login__callback__handler__class": "com.example.Mine"},
        {"sasl__jaas__config": "x"},
        {"sasl__jaas__config": 'a.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="me";'},
        {"partitioner__class": "x"},
    ],
)
def test_refusals(given: dict[str, str]) -> None:
    """What can't be kept is refused with what to do instead."""
    with pytest.raises(ConfigError) as error:
        translated(**given)

    assert error.value.hint


def test_names_of_java_are_known() -> None:
    """The usual properties of Java's clients are taken by librdkafka after translation."""
    names = {
        "acks": "all",
        "batch__size": "16384",
        "client__id": "a",
        "compression__type": "lz4",
        "delivery__timeout__ms": "1000",
        "enable__idempotence": "true",
        "fetch__max__bytes": "1000000",
        "fetch__min__bytes": "1",
        "heartbeat__interval__ms": "1000",
        "isolation__level": "read_uncommitted",
        "max__partition__fetch__bytes": "1000000",
        "metadata__max__age__ms": "1000",
        "request__timeout__ms": "1000",
        "sasl__mechanism": "PLAIN",
        "security__protocol": "SASL_SSL",
        "session__timeout__ms": "10000",
        "transaction__timeout__ms": "60000",
    }
    validate(plain(translated(**names)))
