"""Errors of AWS as ours: what passes is told apart from what does not, and throttling from both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions as errors

from tailrace.backoff import Backoff
from tailrace.errors import ConfigError, TailraceError, TerminalError, TransientError

_THROTTLES = frozenset(
    {
        "LimitExceededException",
        "KMSThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "ThroughputExceeded",
        "TooManyRequestsException",
    }
)
_PASSING = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "InternalServerException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
    }
)
_RIGHTS = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "OptInRequired",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_NOT_FOUND = "ResourceNotFoundException"
_CREDENTIALS = (
    errors.CredentialRetrievalError,
    errors.NoCredentialsError,
    errors.PartialCredentialsError,
    errors.SSOTokenLoadError,
    errors.UnauthorizedSSOTokenError,
)
_SETTINGS = (errors.NoRegionError, errors.InvalidRegionError, errors.ProfileNotFound, errors.EndpointProviderError)
_CREDENTIALS_HINT = "set 'aws.credentials.basic.accesskeyid' and '…secretkey', a profile or AWS_ACCESS_KEY_ID, or give the machine a role"
_RIGHTS_HINT = "look at the credentials ('aws.credentials.*') and what their user or role may do"


class ThrottledError(TransientError):
    """More was asked than the limits of the service allow; it passes after a while."""


class NotFoundError(TerminalError):
    """What was asked for is not there."""


def code_of(error: BaseException) -> str:
    """
    Give the code by which AWS names an error; empty for one that is not of AWS.

    >>> code_of(errors.ClientError({"Error": {"Code": "ExpiredIteratorException"}}, "GetRecords"))
    'ExpiredIteratorException'
    """
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, errors.ClientError) else ""


def is_throttle(code: str) -> bool:
    """
    Tell whether a code, of a request or of a row in one, says that limits were passed.

    >>> is_throttle("ProvisionedThroughputExceededException"), is_throttle("InternalFailure")
    (True, False)
    """
    return code in _THROTTLES


def is_passing(code: str) -> bool:
    """
    Tell whether a code, of a request or of a row in one, says that the same may be sent again.

    >>> is_passing("InternalFailure"), is_passing("ValidationException")
    (True, False)
    """
    return code in _THROTTLES or code in _PASSING


@contextmanager
def reported(place: str) -> Iterator[None]:
    """
    Turn errors of botocore into ours; `place` (as "Kinesis stream 'a' in eu-central-1") begins each message.

    Raises:
        ThrottledError: limits were passed.
        TransientError: it can't be reached, or is out of order for now.
        NotFoundError: it does not know what it was asked for.
        TerminalError: it refuses the credentials or the request.
        ConfigError: an option or the environment is wrong.
    """
    try:
        yield
    except (errors.ClientError, errors.BotoCoreError, OSError) as error:
        raise as_ours(error, place) from None


def as_ours(error: Exception, place: str) -> TailraceError:
    """Give an error of botocore as ours."""
    if isinstance(error, errors.ClientError):
        return _answered(error, place)
    if isinstance(error, _CREDENTIALS):
        return TerminalError(f"there are no credentials for {place}: {error}", hint=_CREDENTIALS_HINT)
    if isinstance(error, _SETTINGS):
        return ConfigError(f"{place} can't be asked: {error}", hint="look at the options 'aws.*' and the files of AWS")
    if isinstance(error, errors.ParamValidationError):
        return TerminalError(f"{place}: the request can't be made: {' '.join(str(error).split())}")
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        hint = "look at 'aws.endpoint', or name the certificates to trust by AWS_CA_BUNDLE"
        return TerminalError(f"{place} shows a certificate that is not trusted: {error}", hint=hint)
    hint = "look at 'aws.region' and 'aws.endpoint', and whether the network leads there"
    return TransientError(f"{place} can't be reached: {error}", hint=hint)


def _answered(error: errors.ClientError, place: str) -> TailraceError:
    code, status = code_of(error), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    said = f"{code}: {error.response.get('Error', {}).get('Message', '')}".rstrip(": ")
    if code in _THROTTLES or status == 429:
        return ThrottledError(f"{place} throttles: {said}")
    if code in _PASSING or status >= 500:
        return TransientError(f"{place} can't answer: {said}")
    if code in _RIGHTS:
        return TerminalError(f"{place} refuses us: {said}", hint=_RIGHTS_HINT)
    if code == _NOT_FOUND:
        return NotFoundError(f"{place} is not there: {said}", hint="look at its name, the region and the account")
    return TerminalError(f"{place} refuses the request: {said}")


def throttled_backoff(first: float = 0.2) -> Backoff:
    """
    Give the pauses after throttling: each about twice the one before it, up to some seconds, until something goes well.

    >>> throttled_backoff().next() <= 0.2
    True
    """
    return Backoff(first, longest=5.0)
