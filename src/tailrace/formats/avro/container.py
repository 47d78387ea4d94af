"""Avro's object container files: a header with the schema, then blocks of rows, each compressed, between marks."""

from __future__ import annotations

import bz2
import hashlib
import importlib
import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tailrace.errors import ConfigError
from tailrace.formats.avro.deriving import derived
from tailrace.formats.avro.encoder import AvroEncoder
from tailrace.formats.avro.types import AvroType, BadSchemaError, parse
from tailrace.formats.base import Encoder, Rows
from tailrace.options import Values
from tailrace.schema import Schema

MAGIC = b"Obj\x01"
SYNC = 16
MOST_BLOCK = 1 << 28
"""A block may have so many bytes when it is not compressed."""


class BadContainerError(ValueError):
    """Bytes that are no container file, or a damaged one."""


class TooShortError(BadContainerError):
    """The bytes end too early."""


@dataclass(frozen=True, slots=True)
class Header:
    """What stands at the start of a file: the writer's schema, how blocks are compressed, the mark, and the header's size."""

    writer: AvroType
    codec: str
    sync: bytes
    size: int


def number(data: bytes, at: int) -> tuple[int, int]:
    r"""
    Read a number of Avro; give it and the place behind it.

    >>> number(b"\x03", 0)
    (-2, 1)

    Raises:
        BadContainerError: it is none.
    """
    value, shift = 0, 0
    while True:
        if at >= len(data):
            raise TooShortError("the file ends within a number")
        code = data[at]
        at += 1
        value |= (code & 127) << shift
        if code < 128:
            return (value >> 1) ^ -(value & 1), at
        shift += 7
        if shift > 63:
            raise BadContainerError("a number of more than 64 bits")


def as_number(value: int) -> bytes:
    r"""
    Write a number of Avro.

    >>> as_number(-2)
    b'\x03'
    """
    rest = value << 1 if value >= 0 else (-value << 1) - 1
    out = bytearray()
    while rest >= 128:
        out.append(rest & 127 | 128)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def header_of(data: bytes) -> Header:
    """
    Read the header of a file.

    Raises:
        BadContainerError: it is none.
    """
    if not data.startswith(MAGIC):
        raise BadContainerError("it does not begin as a container file of Avro")
    found, at = _metadata(data, len(MAGIC))
    sync = data[at : at + SYNC]
    if len(sync) < SYNC:
        raise TooShortError("the file ends within its header")
    try:
        writer = parse(found.get("avro.schema", b"").decode())
    except (BadSchemaError, UnicodeDecodeError) as error:
        raise BadContainerError(f"its schema: {error}") from None
    codec = found.get("avro.codec", b"null").decode("ascii", "replace")
    if codec not in _OPEN:
        known = ", ".join(_OPEN)
        raise BadContainerError(f"its blocks are compressed by '{codec}', which can't be read; {known} can")
    return Header(writer, codec, sync, at + SYNC)


def _metadata(data: bytes, at: int) -> tuple[dict[str, bytes], int]:
    found: dict[str, bytes] = {}
    while True:
        count, at = number(data, at)
        if count == 0:
            return found, at
        if count < 0:
            _, at = number(data, at)
        for _ in range(abs(count)):
            key, at = _bytes(data, at)
            value, at = _bytes(data, at)
            found[key.decode("utf-8", "replace")] = value


def _bytes(data: bytes, at: int) -> tuple[bytes, int]:
    size, at = number(data, at)
    if size < 0 or size > MOST_BLOCK:
        raise BadContainerError("a length that can't be")
    if at + size > len(data):
        raise TooShortError("the file ends within its header")
    return data[at : at + size], at + size


def _zstandard() -> Any:
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    raise ConfigError(
        "blocks compressed by 'zstandard' need the package 'backports.zstd'", hint="pip install 'tailrace[zstd]'"
    )


def _cramjam() -> Any:
    try:
        return importlib.import_module("cramjam").snappy
    except ModuleNotFoundError:
        hint = "pip install 'tailrace[avro]'"
        raise ConfigError("blocks compressed by 'snappy' need the package 'cramjam'", hint=hint) from None


_CHECKSUM = 4


class _Snappy:
    """Opens a block of Snappy, which has the checksum of what is in it behind it."""

    eof = False

    def decompress(self, data: bytes, most: int) -> bytes:
        """Give what is in a block, unless it has more than `most` bytes."""
        library = _cramjam()
        packed = data[:-_CHECKSUM]
        try:
            if library.decompress_raw_len(packed) > most:
                return b""
            out = bytes(library.decompress_raw(packed))
        except Exception as error:
            if type(error).__name__ != "DecompressionError":
                raise
            raise ValueError(str(error)) from None
        if zlib.crc32(out).to_bytes(_CHECKSUM, "big") != data[-_CHECKSUM:]:
            raise ValueError("its checksum is another")
        self.eof = True
        return out


_OPEN: dict[str, Callable[[], Any]] = {
    "null": lambda: None,
    "deflate": lambda: zlib.decompressobj(-15),
    "snappy": _Snappy,
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(memlimit=MOST_BLOCK),
    "zstandard": lambda: _zstandard().ZstdDecompressor(),
}


def opened(codec: str, data: bytes) -> bytes:
    """
    Decompress a block, up to a size.

    Raises:
        BadContainerError: it is damaged, or too large.
    """
    inner = _OPEN[codec]()
    if inner is None:
        return data
    try:
        out: bytes = inner.decompress(data, MOST_BLOCK)
    except (zlib.error, OSError, lzma.LZMAError, EOFError, ValueError) as error:
        raise BadContainerError(f"a block is damaged: {error}") from None
    except Exception as error:
        if type(error).__name__ != "ZstdError":
            raise
        raise BadContainerError(f"a block is damaged: {error}") from None
    if not inner.eof:
        raise BadContainerError(f"a block ends too early, or has more than {MOST_BLOCK >> 20} MB")
    return out


def closed(codec: str, data: bytes) -> bytes:
    """Compress a block."""
    if codec == "deflate":
        made = zlib.compressobj(6, zlib.DEFLATED, -15)
        return made.compress(data) + made.flush()
    if codec == "snappy":
        return bytes(_cramjam().compress_raw(data)) + zlib.crc32(data).to_bytes(_CHECKSUM, "big")
    if codec == "bzip2":
        return bz2.compress(data)
    if codec == "xz":
        return lzma.compress(data)
    if codec == "zstandard":
        out: bytes = _zstandard().compress(data)
        return out
    return data


class ContainerEncoder(Encoder):
    """Writes blocks of a container file, one for each frame; the header stands before the first."""

    def __init__(self, schema: Schema, options: Values) -> None:
        text = derived(schema, legacy=options["timestamp_mapping.legacy"])
        try:
            writer = parse(text)
        except BadSchemaError as error:
            hint = "names in Avro have letters, digits and '_', and begin with no digit"
            raise ConfigError(f"the columns of the table have no schema in Avro: {error}", hint=hint) from None
        self._inner = AvroEncoder(schema, writer)
        self._codec: str = options["codec"]
        if self._codec in ("snappy", "zstandard"):
            _cramjam() if self._codec == "snappy" else _zstandard()
        if options["encoding"] == "json":
            raise ConfigError(
                "container files of Avro are binary",
                hint="leave 'avro.encoding' out",
                location=options.location("encoding"),
            )
        # a file that is gone on with after a restart has the same mark
        self._sync = hashlib.blake2b(f"{self._codec}\0{text}".encode(), digest_size=SYNC).digest()
        named = {"avro.schema": text.encode(), "avro.codec": self._codec.encode()}
        pairs = b"".join(as_number(len(k)) + k.encode() + as_number(len(v)) + v for k, v in named.items())
        self.header = MAGIC + as_number(len(named)) + pairs + as_number(0) + self._sync

    def encode(self, frame: pl.DataFrame) -> Rows:
        rows = self._inner.encode(frame)
        if not len(rows):
            return rows
        block = closed(self._codec, rows.data.tobytes())
        data = as_number(len(rows)) + as_number(len(block)) + block + self._sync
        # the rows are not to be told apart any more: each is said to be the whole block
        starts = np.zeros(len(rows), dtype=np.int64)
        return Rows(np.frombuffer(data, dtype=np.uint8), starts, np.full(len(rows), len(data), dtype=np.int64))
