"""Access to AWS: which credentials a request is signed with, and what an error of a service is to us."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("botocore", reason="AWS: the extra tailrace[glue] is not installed")

from botocore import exceptions
from http_kit import Api, Asked, Said

from tailrace.connectors.aws import failures
from tailrace.connectors.aws.access import Access
from tailrace.connectors.aws.failures import NotFoundError, ThrottledError, as_ours, reported
from tailrace.connectors.aws.options import AWS
from tailrace.errors import ConfigError, Location, TailraceError, TerminalError, TransientError
from tailrace.options import OptionSet, OptionText

ROLE = "arn:aws:iam::123456789012:role/reader"
BASIC = {"aws.credentials.basic.accesskeyid": "AKIAPLAIN", "aws.credentials.basic.secretkey": "canary"}
ASSUMED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/reader/tailrace</Arn><AssumedRoleId>A:t</AssumedRoleId></AssumedRoleUser>
<Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
<Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let nothing of this machine's own credentials be found."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


@pytest.fixture
def api() -> Iterator[Api]:
    with Api(answered) as made:
        yield made


def answered(asked: Asked) -> Said:
    if b"Action=AssumeRole" in asked.body:
        return Said(200, ASSUMED.encode(), {"Content-Type": "text/xml"})
    return Said(200, b'{"StreamNames": [], "HasMoreStreams": false}')


def access(given: dict[str, str]) -> Access:
    options = OptionSet("table in AWS", AWS)
    return Access.of(options.parse({k: OptionText(v, Location("job.sql", 3, 4)) for k, v in given.items()}))


def signed_by(given: dict[str, str], api: Api) -> str:
    """Ask something; give the key that the request was signed with, and the region."""
    client = access({"aws.endpoint": api.url} | given).client("kinesis", "Kinesis")
    client.list_streams()
    return api.asked[-1].headers["authorization"].partition("Credential=")[2].partition("/aws4_request")[0]


def test_credentials_are_those_that_are_given(api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile shop]\nregion = eu-west-1\n")
    (tmp_path / "credentials").write_text("[shop]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = s\n")
    assert signed_by(BASIC, api).startswith("AKIAPLAIN/")
    assert signed_by({"aws.credentials.profile.name": "shop"}, api).split("/")[0::2] == ["AKIAPROFILE", "eu-west-1"]
    signed_by(BASIC | {"aws.credentials.basic.sessiontoken": "temporary"}, api)
    assert api.asked[-1].headers["x-amz-security-token"] == "temporary"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    assert signed_by({}, api).split("/")[0::2] == ["AKIAENVIRONMENT", "us-east-1"]
    assert signed_by(BASIC | {"aws.credentials.provider": "AUTO"}, api).startswith("AKIAENVIRONMENT/")
    assert signed_by({"aws.region": "eu-central-1"}, api).endswith("/eu-central-1/kinesis")


def test_a_role_is_taken_on_by_the_credentials_that_are_given(api: Api) -> None:
    given = BASIC | {"aws.credentials.role.arn": ROLE, "aws.credentials.role.stsEndpoint": api.url}
    assert signed_by(given | {"aws.credentials.role.externalId": "shop"}, api).startswith("ASIAROLE/")
    asked = api.asked[0]
    assert "Credential=AKIAPLAIN/" in asked.headers["authorization"]
    assert b"ExternalId=shop" in asked.body
    assert b"RoleSessionName=tailrace" in asked.body


def test_what_is_missing_is_named(api: Api) -> None:
    with pytest.raises(TerminalError, match="no credentials for Kinesis"), reported("Kinesis"):
        signed_by({}, api)
    with pytest.raises(TerminalError, match="no credentials for Kinesis"), reported("Kinesis"):
        signed_by({"aws.credentials.role.arn": ROLE}, api)
    with pytest.raises(ConfigError, match="no-such"):
        signed_by({"aws.credentials.profile.name": "no-such"}, api)
    with pytest.raises(ConfigError, match="region"):
        access(BASIC).client("kinesis", "Kinesis")
    for given, text in [
        ({"aws.credentials.provider": "BASIC"}, "BASIC need the option 'aws.credentials.basic.accesskeyid'"),
        ({"aws.credentials.basic.accesskeyid": "a"}, "'aws.credentials.basic.secretkey'"),
        ({"aws.credentials.provider": "ASSUME_ROLE"}, "'aws.credentials.role.arn'"),
        ({"aws.credentials.provider": "CUSTOM"}, "expected one of 'AUTO', 'BASIC', 'PROFILE', 'ASSUME_ROLE'"),
        ({"aws.endpoint": "localhost:4566"}, "no address of HTTP"),
    ]:
        with pytest.raises(ConfigError, match=text) as caught:
            access(given)
        assert caught.value.location is not None
    assert "canary" not in repr(access(BASIC))


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("ProvisionedThroughputExceededException", 400, ThrottledError),
        ("LimitExceededException", 400, ThrottledError),
        ("Unknown", 429, ThrottledError),
        ("InternalFailure", 500, TransientError),
        ("Unknown", 503, TransientError),
        ("UnrecognizedClientException", 400, TerminalError),
        ("AccessDeniedException", 400, TerminalError),
        ("ResourceNotFoundException", 400, NotFoundError),
        ("ValidationException", 400, TerminalError),
    ],
)
def test_errors_by_what_can_be_done(code: str, status: int, expected: type[TailraceError], api: Api) -> None:
    api.answer = lambda _: Said(status, json.dumps({"__type": code, "message": "why"}).encode())
    with pytest.raises(expected, match=rf"^Kinesis .*{code}: why") as caught, reported("Kinesis"):
        signed_by(BASIC, api)
    assert type(caught.value) is expected
    assert len(api.asked) == 1  # it is not tried again behind our back


def test_a_server_that_is_away_passes_and_a_strange_certificate_does_not(api: Api) -> None:
    with pytest.raises(TransientError, match="Kinesis can't be reached"), reported("Kinesis"):
        access(BASIC | {"aws.endpoint": "http://127.0.0.1:1"}).client("kinesis", "Kinesis").list_streams()
    api.answer = lambda _: Said(200, None)
    with pytest.raises(TransientError, match="Kinesis can't be reached"), reported("Kinesis"):
        signed_by(BASIC, api)
    error = exceptions.SSLError(endpoint_url="https://x", error="CERTIFICATE_VERIFY_FAILED")
    assert isinstance(as_ours(error, "Kinesis"), TerminalError)


def test_pauses_grow_to_a_bound_and_begin_anew() -> None:
    backoff = failures.throttled_backoff(0.1)
    pauses = [backoff.next() for _ in range(200)]
    assert 0.05 <= pauses[0] <= 0.1
    assert all(2.5 <= p <= 5.0 for p in pauses[6:])
    backoff.reset()
    assert backoff.next() <= 0.1


def test_secrets_are_told_as_such() -> None:
    secret: Any = {o.key for o in AWS if o.secret}
    assert {"aws.credentials.basic.secretkey", "aws.credentials.basic.sessiontoken"} <= secret
