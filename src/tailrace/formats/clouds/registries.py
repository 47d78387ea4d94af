"""
The registries of AWS and Azure, asked by their HTTP APIs.

What fails is told apart by its cause, as for Confluent's: a registry that is away is a `TransientError`, one that refuses us a
`TerminalError`, and an id that it does not know an answer.
"""

from __future__ import annotations

import importlib
import json
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from tailrace.errors import ConfigError, TerminalError, TransientError
from tailrace.formats.confluent.client import IncompatibleSchemaError, UnknownSchemaError

T = TypeVar("T")
_CAPACITY = 1000
_API = "api-version=2022-10"
_SCOPE = "https://eventhubs.azure.net/.default"
_AWAY = (408, 425, 429)


class CloudRegistry(ABC):
    """One registry, used by one thread."""

    shown: str
    """The registry, as messages show it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, str] = OrderedDict()

    def schema(self, number: str) -> str:
        """
        Give the text of the schema of an id; it can't change, and is kept.

        Raises:
            UnknownSchemaError: there is none.
            TransientError, TerminalError: the registry can't be asked.
        """
        if number not in self._kept:
            found = self._schema(number)
            if found is None:
                raise UnknownSchemaError(f"{self.shown} knows no schema {number}")
            self._kept[number] = found
            if len(self._kept) > _CAPACITY:
                self._kept.popitem(last=False)
        return self._kept[number]

    @abstractmethod
    def _schema(self, number: str) -> str | None: ...

    @abstractmethod
    def latest(self, name: str) -> str | None:
        """Give the text of the newest schema of a name; None if it has none."""

    @abstractmethod
    def registered(self, name: str, text: str) -> str | None:
        """Give the id that a schema has under a name; None if it is not there."""

    @abstractmethod
    def register(self, name: str, text: str) -> str:
        """
        Make a schema the newest version of a name, unless it is one already; give its id.

        Raises:
            IncompatibleSchemaError: the registry does not take it.
        """


class GlueRegistry(CloudRegistry):
    """AWS Glue's, by botocore, with the credentials that are found as the AWS tools find them."""

    def __init__(self, region: str, registry: str, endpoint: str, compatibility: str, seconds: float) -> None:
        super().__init__()
        self._registry, self._compatibility = registry, compatibility
        self.shown = f"the AWS Glue registry '{registry}' in {region}"
        try:
            session = importlib.import_module("botocore.session").get_session()
            config = importlib.import_module("botocore.config").Config(
                connect_timeout=seconds, read_timeout=seconds, retries={"mode": "standard", "max_attempts": 3}
            )
            self._errors = importlib.import_module("botocore.exceptions")
        except ModuleNotFoundError as error:
            hint = "pip install 'tailrace[glue]'"
            raise ConfigError(f"the format 'avro-glue' needs '{error.name}'", hint=hint) from None
        self._client = session.create_client("glue", region_name=region, endpoint_url=endpoint or None, config=config)

    def _schema(self, number: str) -> str | None:
        return self._text(number, SchemaVersionId=number)

    def latest(self, name: str) -> str | None:
        return self._text(f"'{name}'", SchemaId=self._id(name), SchemaVersionNumber={"LatestVersion": True})

    def _text(self, shown: str, **asked: Any) -> str | None:
        found = self._ask(lambda: self._client.get_schema_version(**asked))
        if found is None:
            return None
        if found["DataFormat"] != "AVRO":
            raise UnknownSchemaError(f"schema {shown} of {self.shown} is one of {found['DataFormat']}, not of Avro")
        return str(found["SchemaDefinition"])

    def registered(self, name: str, text: str) -> str | None:
        found = self._ask(lambda: self._client.get_schema_by_definition(SchemaId=self._id(name), SchemaDefinition=text))
        return str(found["SchemaVersionId"]) if found is not None and found["Status"] == "AVAILABLE" else None

    def register(self, name: str, text: str) -> str:
        if self._ask(lambda: self._client.get_schema(SchemaId=self._id(name))) is None:
            made = self._ask(lambda: self._client.create_schema(
                RegistryId={"RegistryName": self._registry}, SchemaName=name, DataFormat="AVRO",
                Compatibility=self._compatibility, SchemaDefinition=text,
            ))  # fmt: skip
            status = "SchemaVersionStatus"
        else:
            made = self._ask(
                lambda: self._client.register_schema_version(SchemaId=self._id(name), SchemaDefinition=text)
            )
            status = "Status"
        if made is None:
            raise TerminalError(f"{self.shown} is not there", hint="make it, or look at 'registry.name'")
        return self._available(name, str(made["SchemaVersionId"]), str(made[status]))

    def _available(self, name: str, number: str, status: str) -> str:
        """Wait until a version is checked."""
        for _ in range(20):
            if status == "AVAILABLE":
                return number
            if status != "PENDING":
                hint = "look at the versions of the schema, or change its compatibility"
                message = f"{self.shown} refuses the schema for '{name}', which would break its compatibility"
                raise IncompatibleSchemaError(message, hint=hint)
            time.sleep(0.25)
            found = self._ask(lambda: self._client.get_schema_version(SchemaVersionId=number))
            status = str(found["Status"]) if found is not None else "FAILURE"
        raise TransientError(f"{self.shown} has not checked the schema for '{name}' yet")

    def _id(self, name: str) -> dict[str, str]:
        return {"RegistryName": self._registry, "SchemaName": name}

    def _ask(self, ask: Callable[[], T]) -> T | None:
        """Ask; give None for what the registry does not know."""
        try:
            return ask()
        except self._errors.ClientError as error:
            said = error.response.get("Error", {})
            code, status = str(said.get("Code")), error.response["ResponseMetadata"]["HTTPStatusCode"]
            if code == "EntityNotFoundException":
                return None
            if status >= 500 or "Throttl" in code or code == "ConcurrentModificationException":
                raise TransientError(f"{self.shown} can't answer: {code}") from error
            raise TerminalError(f"{self.shown} refuses us: {code}: {said.get('Message')}") from error
        except (self._errors.NoCredentialsError, self._errors.PartialCredentialsError) as error:
            hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile, or give the machine a role"
            raise TerminalError(f"there are no credentials for {self.shown}", hint=hint) from error
        except self._errors.BotoCoreError as error:
            raise TransientError(f"{self.shown} can't be reached: {error}", hint="look at 'aws.region'") from error


class AzureRegistry(CloudRegistry):
    """Azure's, of a namespace of Event Hubs, with a token given or one of the identity that azure-identity finds."""

    def __init__(self, url: str, group: str, token: str, seconds: float) -> None:
        super().__init__()
        self._url, self._group, self._token, self._seconds = url, group, token, seconds
        self._credential: Any = None
        self.shown = f"the Azure schema registry {urlsplit(url).hostname}"

    def _schema(self, number: str) -> str | None:
        found = self._ask("GET", f"$schemas/{quote(number)}")
        return None if found is None else found[1]

    def latest(self, name: str) -> str | None:
        path = f"{quote(self._group)}/schemas/{quote(name)}/versions"
        number = max(self._versions(path), default=None)
        found = None if number is None else self._ask("GET", f"{path}/{number}")
        return None if found is None else found[1]

    def _versions(self, path: str) -> Iterator[int]:
        """Give the numbers of the versions of a schema, which come page by page."""
        asked = f"{path}?{_API}"
        while asked:
            found = self._ask("GET", asked)
            page = json.loads(found[1]) if found is not None else {}
            yield from page.get("Value", page.get("schemaVersions", []))
            asked = (page.get("NextLink") or page.get("nextLink") or "").rpartition("/$schemaGroups/")[2]

    def registered(self, name: str, text: str) -> str | None:
        found = self._ask("POST", f"{quote(self._group)}/schemas/{quote(name)}:get-id", text)
        return None if found is None else found[0]

    def register(self, name: str, text: str) -> str:
        found = self._ask("PUT", f"{quote(self._group)}/schemas/{quote(name)}", text)
        if found is None:
            hint = "make it in the namespace, with Avro as its serialization"
            raise TerminalError(f"{self.shown} has no schema group '{self._group}'", hint=hint)
        return found[0]

    def _ask(self, method: str, path: str, text: str = "") -> tuple[str, str] | None:
        """Ask; give the id of the schema and its text, None for what the registry does not know."""
        request = urllib.request.Request(  # noqa: S310  the option takes http and https alone
            f"{self._url}/$schemaGroups/{path}{'' if '?' in path else '?' + _API}",
            text.encode() if text else None,
            method=method,
        )
        request.add_header("Content-Type", "application/json; serialization=Avro")
        request.add_header("Authorization", f"Bearer {self._bearer()}")
        try:
            with urllib.request.urlopen(request, timeout=self._seconds) as answer:  # noqa: S310  as above
                return str(answer.headers["Schema-Id"]).lower(), answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                said = " ".join(error.read(1000).decode("utf-8", "replace").split())
            if error.code == 404:
                return None
            raise self._failure(error.code, said) from error
        except OSError as error:
            hint = "look at 'url', and whether the network leads there"
            raise TransientError(f"{self.shown} can't be reached: {error}", hint=hint) from error

    def _failure(self, status: int, said: str) -> Exception:
        if status in (401, 403):
            hint = "the identity needs the role 'Schema Registry Reader', to register 'Schema Registry Contributor'"
            return TerminalError(f"{self.shown} refuses us ({status}): {said}", hint=hint)
        if status in _AWAY or status >= 500:
            return TransientError(f"{self.shown} can't answer ({status}): {said}")
        if status in (400, 409, 422):
            return IncompatibleSchemaError(f"{self.shown} refuses the schema ({status}): {said}")
        return TerminalError(f"{self.shown} refuses the request ({status}): {said}")

    def _bearer(self) -> str:
        if self._token:
            return self._token
        try:
            identity = importlib.import_module("azure.identity")
            exceptions = importlib.import_module("azure.core.exceptions")
        except ModuleNotFoundError as error:
            hint = "pip install 'tailrace[azure]', or give 'bearer-auth.token'"
            raise ConfigError(f"the format 'avro-azure' needs '{error.name}'", hint=hint) from None
        self._credential = self._credential or identity.DefaultAzureCredential()
        try:
            return str(self._credential.get_token(_SCOPE).token)  # it keeps it while it is good
        except exceptions.ClientAuthenticationError as error:
            raise TerminalError(f"there is no identity for {self.shown}: {error}") from error
