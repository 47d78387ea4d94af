"""Where a service of AWS is and by which credentials it is asked, and clients for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import NoCredentialsError
from botocore.session import Session

from tailrace.connectors.aws import options as keys
from tailrace.connectors.aws.failures import reported
from tailrace.errors import ConfigError
from tailrace.options import Values

_HTTP = ("http://", "https://")
_ELSEWHERE = "us-east-1"
_CONNECT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Access:
    """How the services of AWS are reached; `shown` says where, without secrets."""

    region: str | None
    endpoint: str | None
    seconds: float
    provider: str
    profile: str | None = None
    key: tuple[str, str, str | None] | None = field(default=None, repr=False)
    role: dict[str, str] = field(default_factory=dict, repr=False)
    sts: str | None = None

    @classmethod
    def of(cls, options: Values) -> Access:
        """
        Read the options of `AWS`.

        Raises:
            ConfigError: an address is none, or a provider of credentials lacks what it needs.
        """
        provider = _provider(options)
        key = options[keys.KEY]
        role = {"RoleArn": options[keys.ROLE], "RoleSessionName": options[keys.SESSION]}
        role |= {"ExternalId": options[keys.EXTERNAL]} if options[keys.EXTERNAL] else {}
        return cls(
            options[keys.REGION],
            _address(options, keys.ENDPOINT),
            options[keys.TIMEOUT] / 1000,
            provider,
            options[keys.PROFILE_NAME],
            (key, options[keys.SECRET], options[keys.TOKEN]) if key else None,
            role if provider == keys.ASSUME_ROLE else {},
            _address(options, keys.STS),
        )

    @property
    def shown(self) -> str:
        """The endpoint, or else the region."""
        return self.endpoint or self.region or "the region of the environment"

    def client(self, service: str, place: str, connections: int = 10) -> Any:
        """
        Make a client of botocore, which several threads may use; it tries nothing again by itself, as the runtime does.

        Raises:
            ConfigError: there is no such profile, or no region.
        """
        limits = Config(
            connect_timeout=min(self.seconds, _CONNECT_SECONDS),
            read_timeout=self.seconds,
            retries={"total_max_attempts": 1},
            max_pool_connections=connections,
            user_agent_extra="tailrace",
        )
        with reported(place):
            session = self._session()
            region = self._region(session)
            return session.create_client(service, region_name=region, endpoint_url=self.endpoint, config=limits)

    def _region(self, session: Any) -> str | None:
        known = self.region or session.get_config_variable("region")
        return known or (_ELSEWHERE if self.endpoint else None)

    def _session(self) -> Any:
        session = Session(profile=self.profile)
        if self.key is not None and self.provider in {keys.BASIC, keys.ASSUME_ROLE}:
            session.set_credentials(*self.key)
        if self.provider != keys.ASSUME_ROLE:
            return session
        return self._in_role(session)

    def _in_role(self, source: Any) -> Any:
        """Give a session in the role, whose credentials are asked for by those of the source, and again before they expire."""
        credentials = source.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        arguments = {k: v for k, v in self.role.items() if k != "RoleArn"}
        creator = partial(source.create_client, endpoint_url=self.sts, region_name=self._region(source))
        fetcher = AssumeRoleCredentialFetcher(creator, credentials, self.role["RoleArn"], arguments)
        session = Session(profile=self.profile)
        session._credentials = DeferredRefreshableCredentials(  # noqa: SLF001  it has no other way in
            fetcher.fetch_credentials, "assume-role"
        )
        return session


def _provider(options: Values) -> str:
    """Give where credentials come from: what is said, or else what is given."""
    given: str | None = options[keys.PROVIDER]
    told = given or (
        keys.ASSUME_ROLE
        if options[keys.ROLE]
        else keys.BASIC
        if options[keys.KEY]
        else keys.PROFILE
        if options[keys.PROFILE_NAME]
        else keys.AUTO
    )
    needs = {keys.BASIC: (keys.KEY,), keys.PROFILE: (keys.PROFILE_NAME,), keys.ASSUME_ROLE: (keys.ROLE,)}.get(told, ())
    missing = [k for k in needs if not options[k]]
    if bool(options[keys.KEY]) != bool(options[keys.SECRET]):
        missing.append(keys.SECRET if options[keys.KEY] else keys.KEY)
    if missing:
        at = options.location(keys.PROVIDER) or options.location(keys.KEY) or options.location(keys.SECRET)
        raise ConfigError(f"credentials by {told} need the option '{missing[0]}'", hint="add it", location=at)
    return told


def _address(options: Values, key: str) -> str | None:
    text: str | None = options[key]
    if text is not None and not text.lower().startswith(_HTTP):
        hint = "write it as https://host, or http://localhost:15000"
        raise ConfigError(f"'{key}' is no address of HTTP: '{text}'", hint=hint, location=options.location(key))
    return text
