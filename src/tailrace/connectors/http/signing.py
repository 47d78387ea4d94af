"""Signatures of bodies by HMAC: made for what is sent, checked of what comes in."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from tailrace.options import Values


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs by a secret that both sides know; with a `timestamp_header` the time is signed too, so that no request can be sent again later."""

    secret: bytes = field(repr=False)
    header: str = "X-Tailrace-Signature"
    algorithm: str = "sha256"
    timestamp_header: str | None = None
    tolerance_seconds: float = 300.0

    @classmethod
    def of(cls, options: Values) -> Signer | None:
        """Read the options; None without a secret."""
        if not options["hmac.secret"]:
            return None
        return cls(
            options["hmac.secret"].encode(),
            options["hmac.header"],
            options["hmac.algorithm"],
            options["hmac.timestamp-header"],
            options["hmac.tolerance"] / 1000,
        )

    def headers(self, body: bytes, now: float) -> dict[str, str]:
        """
        Give the headers that go with a body.

        >>> Signer(b"key").headers(b"{}", 0.0)["X-Tailrace-Signature"][:20]
        'sha256=a777724d943eb'
        """
        if self.timestamp_header is None:
            return {self.header: self._signature(body)}
        time = str(int(now))
        return {self.timestamp_header: time, self.header: self._signature(time.encode() + b"." + body)}

    def _signature(self, data: bytes) -> str:
        return f"{self.algorithm}={hmac.new(self.secret, data, getattr(hashlib, self.algorithm)).hexdigest()}"

    def accepts(self, body: bytes, headers: Mapping[str, str], now: float) -> bool:
        """Tell whether a body came with its signature, and in time; the mapping knows names in any case."""
        given = headers.get(self.header, "")
        if self.timestamp_header is not None:
            time = headers.get(self.timestamp_header, "")
            if not (time.isascii() and time.isdigit()) or abs(now - int(time[:15])) > self.tolerance_seconds:
                return False
            body = time.encode() + b"." + body
        wanted = self._signature(body)
        # some senders leave the name of the algorithm out
        return hmac.compare_digest(given.encode(), wanted.encode()) or hmac.compare_digest(
            given.encode(), wanted.partition("=")[2].encode()
        )
