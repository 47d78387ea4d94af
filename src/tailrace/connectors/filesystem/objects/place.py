"""A path in an object store: its URI, the client for it, and what its errors mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

from tailrace.errors import ConfigError, Location, TailraceError, TerminalError, TransientError
from tailrace.options import Values

SCHEMES = ("s3", "s3a", "gs", "az", "abfs", "abfss")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_STATUS = re.compile(r"status code: (\d{3}) ([A-Za-z ]+)")
_CODE = re.compile(r"<Code>([^<]*)</Code>")
_MESSAGE = re.compile(r"<Message>([^<\n]*)")
_NO_BUCKET = ("NoSuchBucket", "ContainerNotFound", "InvalidBucketName")
_HTTP = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class Place:
    """
    A path in an object store.

    `base` is the URI of the bucket, `key` the path in it, `store` the client of the library, `endpoint` the URL of the store if it was given.
    """

    base: str
    key: str
    store: Any
    location: Location | None = None
    endpoint: str = ""

    def uri(self, key: str) -> str:
        """Give the URI of an object by its key."""
        return f"{self.base}/{key}"

    def __str__(self) -> str:
        return self.uri(self.key)


def is_object_path(text: str) -> bool:
    """
    Tell whether a path is in an object store.

    >>> is_object_path("s3://bucket/folder"), is_object_path("file:///folder")
    (True, False)
    """
    match = _SCHEME.match(text)
    return match is not None and match[1].lower() in SCHEMES


def place_of(options: Values) -> Place:
    """
    Make the client for the path of a table.

    Raises:
        ConfigError: the URI names no bucket, an option is wrong, or the library is not installed.
    """
    location = options.location("path")
    text: str = options["path"]
    match = _SCHEME.match(text)
    assert match is not None
    scheme = match[1].lower()
    uri = urlsplit(text[: match.end()] + text[match.end() :].replace("?", "%3F").replace("#", "%23"))
    if not uri.netloc:
        hint = f"write {scheme}://bucket/folder"
        raise ConfigError(f"'{text}' names no bucket", hint=hint, location=location)
    key = unquote(uri.path).strip("/")
    if scheme in ("s3", "s3a"):
        store = _made("S3Store", uri.netloc, _s3(options), options)
    elif scheme == "gs":
        store = _made("GCSStore", uri.netloc, _gs(options), options)
    else:
        store = _made("AzureStore", uri.username or uri.netloc, _azure(options, uri.hostname or ""), options)
    endpoint = options[{"s3": "s3.endpoint", "s3a": "s3.endpoint", "gs": "gs.endpoint"}.get(scheme, "azure.endpoint")]
    return Place(f"{match[0]}{uri.netloc}", key, store, location, endpoint or "")


def _made(kind: str, bucket: str, given: Mapping[str, Any], options: Values) -> Any:
    try:
        from obstore import exceptions, store  # noqa: PLC0415  an extra: only paths in object stores need it
    except ModuleNotFoundError as error:
        hint = "pip install 'tailrace[objects]'"
        raise ConfigError(
            f"paths in object stores need '{error.name}'", hint=hint, location=options.location("path")
        ) from None
    config = {name: value for name, value in given.items() if value is not None}
    seconds = timedelta(milliseconds=options["tailrace.object.timeout"])
    client = {
        "timeout": seconds,
        "connect_timeout": min(seconds, timedelta(seconds=5)),
        "allow_http": str(config.get("endpoint", config.get("base_url", ""))).startswith("http://"),
    }
    backoff = {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=3), "base": 2}
    patience = timedelta(milliseconds=options["tailrace.object.retry-timeout"])
    retry = {"backoff": backoff, "max_retries": 10, "retry_timeout": patience}
    try:
        return getattr(store, kind)(bucket, client_options=client, retry_config=retry, **config)
    except exceptions.BaseError as error:
        raise ConfigError(f"'{options['path']}': {_first(error)}", location=options.location("path")) from None


def _s3(options: Values) -> dict[str, Any]:
    endpoint = _url(options, "s3.endpoint")
    style = options["s3.path.style.access"]
    path_style = endpoint is not None if style is None else style
    return {
        "endpoint": endpoint,
        "region": options["s3.region"] or ("us-east-1" if endpoint else None),
        "access_key_id": options["s3.access-key"],
        "secret_access_key": options["s3.secret-key"],
        "session_token": options["s3.session-token"],
        "virtual_hosted_style_request": None if path_style and endpoint else not path_style,
    }


def _gs(options: Values) -> dict[str, Any]:
    endpoint = _url(options, "gs.endpoint")
    file, key = options["gs.service-account-file"], options["gs.service-account-key"]
    return {"base_url": endpoint, "service_account": file, "service_account_key": key}


def _azure(options: Values, host: str) -> dict[str, Any]:
    account = host.partition(".")[0] if "." in host else None
    return {
        "endpoint": _url(options, "azure.endpoint"),
        "account_name": options["azure.account"] or account,
        "account_key": options["azure.account-key"],
        "sas_key": options["azure.sas-token"],
    }


def _url(options: Values, key: str) -> str | None:
    """Give an endpoint; only over HTTP and HTTPS, whatever a script says."""
    text: str | None = options[key]
    if text is not None and not text.lower().startswith(_HTTP):
        raise ConfigError(f"'{key}' is no http: or https: URL", location=options.location(key))
    return text and text.rstrip("/")


@contextmanager
def reaching(place: Place, what: str) -> Iterator[None]:
    """
    Give the errors of the library as ours; where an object may be missing, the caller looks at that before.

    Raises:
        TransientError: the store is away, or asks to come again.
        TerminalError: it refuses for good: credentials, rights, a bucket that is not there.
    """
    from obstore import exceptions  # noqa: PLC0415  as above

    try:
        yield
    except (exceptions.BaseError, OSError) as error:
        raise _said(place, what, error) from None


def _said(place: Place, what: str, error: Exception) -> TailraceError:
    from obstore import exceptions  # noqa: PLC0415  as above

    text = _plain(error)
    code = found[1] if (found := _CODE.search(text)) else ""
    if code in _NO_BUCKET:
        hint = "make it, or mend the option 'path' (or the endpoint)"
        return ConfigError(f"there is no bucket '{place.base}'", hint=hint, location=place.location)
    status = int(found[1]) if (found := _STATUS.search(text)) else 0
    message = f"can't {what}: {_reason(text)}"
    if status in (401, 403) or isinstance(error, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError):
        hint = (
            "give credentials by the options of the table or by the environment, and the rights to list, read and write"
        )
        return TerminalError(message, hint=hint)
    if 400 <= status < 500 and status not in (404, 408, 409, 412, 429):
        return TerminalError(message, hint="see the options of object stores")
    return TransientError(f"{message} (at {place.endpoint})" if place.endpoint else message)


def _plain(error: Exception) -> str:
    """Give what the library says to people, without its debugging part."""
    return str(error).split("\n\nDebug source", 1)[0]


def _first(error: Exception) -> str:
    return _plain(error).split("\n", 1)[0][:300]


def _reason(text: str) -> str:
    """
    Give the short reason in an error of the library.

    >>> _reason(
    ...     "Generic S3 error: ... status code: 403 Forbidden: <Error><Code>AccessDenied</Code><Message>No</Message>"
    ... )
    '403 Forbidden, AccessDenied: No'
    """
    status, code, message = _STATUS.search(text), _CODE.search(text), _MESSAGE.search(text)
    if status is None:
        return text.split("\n", 1)[0].rpartition(" - ")[2][:200]
    said = ": ".join(m[1].strip() for m in (code, message) if m)
    return f"{status[1]} {status[2].strip()}" + (f", {said}" if said else "")
