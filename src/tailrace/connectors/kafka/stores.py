"""Key stores and trust stores of Java, as the certificates and keys that librdkafka takes."""

from __future__ import annotations

import base64
import hashlib
import struct
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from tailrace.connectors.kafka.properties import Properties, Property
from tailrace.errors import ConfigError

TRUST, TRUST_PASSWORD = "ssl.truststore.location", "ssl.truststore.password"
KEYS, KEYS_PASSWORD, KEY_PASSWORD = "ssl.keystore.location", "ssl.keystore.password", "ssl.key.password"
_JKS = b"\xfe\xed\xfe\xed"
_PRIVATE_KEY, _CERTIFICATE = 1, 2


@dataclass(slots=True)
class Store:
    """What a store holds, as PEM: keys each with its chain, and certificates that are trusted."""

    keys: list[tuple[str, str]] = field(default_factory=list)
    trusted: list[str] = field(default_factory=list)


def as_pem(properties: Properties) -> Properties:
    """
    Give properties in which the stores that Java's client names are certificates and keys.

    Raises:
        ConfigError: a store can't be read, its password is wrong, or what is wanted is not in it.
    """
    made = dict(properties)
    trust, keys = made.pop(TRUST, None), made.pop(KEYS, None)
    trust_password, keys_password = made.pop(TRUST_PASSWORD, None), made.pop(KEYS_PASSWORD, None)
    if trust is not None:
        made |= _trust(trust, trust_password)
    if keys is not None:
        made |= _keys(keys, keys_password, made.get(KEY_PASSWORD))
        if "ssl.key.pem" in made:
            made.pop(KEY_PASSWORD, None)
    return made


def _trust(given: Property, password: Property | None) -> Properties:
    data = _bytes(given)
    if _is_pem(data):
        return {"ssl.ca.location": given}
    store = _read(given, data, password, None)
    if not store.trusted:
        raise _wrong(given, "it holds no certificate to trust")
    return {"ssl.ca.pem": Property("".join(store.trusted), given.option, given.location)}


def _keys(given: Property, password: Property | None, key_password: Property | None) -> Properties:
    data = _bytes(given)
    if _is_pem(data):
        return {"ssl.certificate.location": given, "ssl.key.location": given}
    store = _read(given, data, password, key_password)
    if not store.keys:
        raise _wrong(given, "it holds no private key")
    key, chain = store.keys[0]
    made = {"ssl.key.pem": key, "ssl.certificate.pem": chain}
    return {k: Property(v, given.option, given.location) for k, v in made.items()}


def _is_pem(data: bytes) -> bool:
    return b"-----BEGIN" in data[:8192]


def _bytes(given: Property) -> bytes:
    try:
        return Path(given.value).read_bytes()
    except OSError as error:
        raise _wrong(given, error.strerror or "it can't be read") from None


def _wrong(given: Property, reason: str) -> ConfigError:
    return ConfigError(f"option '{given.option}': {given.value}: {reason}", location=given.location)


def _read(given: Property, data: bytes, password: Property | None, key_password: Property | None) -> Store:
    """Read a store of either kind; since Java 9 one that is named .jks is PKCS #12 as a rule."""
    if password is None:
        name = given.option.replace(".location", ".password")
        raise ConfigError(
            f"option '{given.option}' names a Java key store", hint=f"set '{name}'", location=given.location
        )
    if data.startswith(_JKS):
        return _jks(given, data, password.value, (key_password or password).value)
    return _pkcs12(given, data, password.value)


def _pkcs12(given: Property, data: bytes, password: str) -> Store:
    try:
        from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.serialization import pkcs12  # noqa: PLC0415
    except ModuleNotFoundError:
        hint = "pip install 'tailrace[keystore]', or export it as PEM and name that file"
        raise ConfigError(f"option '{given.option}' needs 'cryptography'", hint=hint, location=given.location) from None
    try:
        found = pkcs12.load_pkcs12(data, password.encode())
    except ValueError as error:
        raise _wrong(given, f"it is no key store, or its password is wrong ({error})") from None
    chain = [c.certificate.public_bytes(form.Encoding.PEM).decode() for c in found.additional_certs]
    if found.key is None or found.cert is None:
        return Store(trusted=chain)
    clear = form.NoEncryption()
    key = found.key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, clear).decode()
    own = found.cert.certificate.public_bytes(form.Encoding.PEM).decode()
    return Store([(key, own + "".join(chain))], chain)


def _pem(label: str, der: bytes) -> str:
    body = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"


class _Cursor:
    """Reads Java's data output."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        if not 0 <= count <= len(self._data) - self._at:
            raise ValueError("it is cut short")
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self) -> int:
        return int(struct.unpack(">i", self.take(4))[0])

    def text(self) -> str:
        return self.take(int(struct.unpack(">H", self.take(2))[0])).decode(errors="replace")


def _jks(given: Property, data: bytes, password: str, key_password: str) -> Store:
    body, digest = data[:-20], data[-20:]
    # the salt is part of Java's format
    seed = password.encode("utf-16-be") + b"Mighty Aphrodite"
    if hashlib.sha1(seed + body, usedforsecurity=False).digest() != digest:
        raise _wrong(given, "its password is wrong, or it is damaged")
    try:
        return _jks_entries(_Cursor(body), key_password)
    except ValueError as error:
        raise _wrong(given, str(error)) from None


def _jks_entries(cursor: _Cursor, key_password: str) -> Store:
    cursor.take(4)
    version, count = cursor.number(), cursor.number()
    if version != 2:
        raise ValueError(f"it is of version {version}, and only 2 is known")
    store = Store()
    for _ in range(count):
        kind = cursor.number()
        cursor.text()
        cursor.take(8)
        if kind == _CERTIFICATE:
            store.trusted.append(_jks_certificate(cursor))
        elif kind == _PRIVATE_KEY:
            locked = cursor.take(cursor.number())
            chain = [_jks_certificate(cursor) for _ in range(cursor.number())]
            store.keys.append((_pem("PRIVATE KEY", _jks_key(locked, key_password)), "".join(chain)))
        else:
            raise ValueError(f"it has an entry of kind {kind}, which is neither a key nor a certificate")
    return store


def _jks_certificate(cursor: _Cursor) -> str:
    cursor.text()
    return _pem("CERTIFICATE", cursor.take(cursor.number()))


def _jks_key(locked: bytes, password: str) -> bytes:
    """Unlock a key: behind the name of the method are 20 bytes to begin with, the key under a stream, and its digest."""
    inner = _der_last(locked)
    begin, hidden, digest = inner[:20], inner[20:-20], inner[-20:]
    secret = password.encode("utf-16-be")
    stream, block = b"", begin
    while len(stream) < len(hidden):
        block = hashlib.sha1(secret + block, usedforsecurity=False).digest()
        stream += block
    key = bytes(a ^ b for a, b in zip(hidden, stream, strict=False))
    if hashlib.sha1(secret + key, usedforsecurity=False).digest() != digest:
        raise ValueError("the password of the key is wrong")
    return key


def _der_last(data: bytes) -> bytes:
    """Give the bytes of the last element of a DER sequence: of an EncryptedPrivateKeyInfo what is encrypted."""
    content, _ = _der(data, 0)
    at, last = 0, b""
    while at < len(content):
        last, at = _der(content, at)
    return last


def _der(data: bytes, at: int) -> tuple[bytes, int]:
    """Give the content of the DER element at a place, and where the next begins."""
    if at + 2 > len(data):
        raise ValueError("a key in it is damaged")
    length, at = data[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        length, at = int.from_bytes(data[at : at + count], "big"), at + count
    if at + length > len(data):
        raise ValueError("a key in it is damaged")
    return data[at : at + length], at + length
