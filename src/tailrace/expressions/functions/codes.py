"""Functions between texts, bytes and numbers: codes of characters, base64, hexadecimal, character sets, hashes."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Callable
from functools import partial

import polars as pl

from tailrace.expressions.batches import by_value, by_value_or_fail
from tailrace.expressions.nodes import Call
from tailrace.expressions.registry import (
    BINARY,
    TEXT,
    WHOLE,
    Context,
    LowerCall,
    define,
    fixed,
    never_null,
    simple,
    takes,
    values,
)
from tailrace.schema import BYTES, INT, INTEGERS, STRING, char, varchar

_CHARACTERS = pl.Series([chr(i) for i in range(256)], dtype=pl.String)
_EITHER = (*TEXT, *BINARY)


def _ascii(a: pl.Expr) -> pl.Expr:
    first = a.cast(pl.Binary).bin.slice(0, 1).bin.reinterpret(dtype=pl.Int8).cast(pl.Int32)
    return pl.when(a.is_not_null()).then(first.fill_null(0))


def _characters(codes: pl.Series) -> pl.Series:
    return _CHARACTERS.gather((codes % 256).cast(pl.UInt32))


define(
    "ASCII",
    "string",
    "ASCII(a)",
    "The first byte of its first character, -128 to 127; 0 for an empty text.",
    fixed(INT),
    simple(_ascii),
    1,
    convert=takes(TEXT),
)
define(
    "CHR",
    "string",
    "CHR(n)",
    "The character of a code, up to 255 and then from the start; empty below 0.",
    fixed(STRING, always=True),
    simple(lambda n: pl.when(n < 0).then(pl.lit("")).otherwise(n.map_batches(_characters, return_dtype=pl.String))),
    1,
    convert=takes(WHOLE),
)
define(
    "TO_BASE64",
    "string",
    "TO_BASE64(a)",
    "A text or bytes as base64.",
    fixed(STRING),
    simple(lambda a: a.cast(pl.Binary).bin.encode("base64")),
    1,
    convert=takes(_EITHER),
)


def _from_base64(text: str) -> str:
    try:
        found = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise ValueError("the text is no base64") from None
    return found.decode(errors="replace")


define(
    "FROM_BASE64",
    "string",
    "FROM_BASE64(a)",
    "The text in base64; a text that is none fails.",
    fixed(STRING),
    lambda ctx, e: by_value_or_fail(ctx, e, _from_base64, ctx.lower(e.args[0])),
    1,
    convert=takes(_EITHER),
)


def _number_text(form: str) -> Callable[[int], str]:
    return lambda number: format(number & (2**64 - 1), form)


def _hex(ctx: Context, e: Call) -> pl.Expr:
    value = ctx.lower(e.args[0])
    if e.args[0].type.kind in INTEGERS:
        return by_value(_number_text("X"), pl.String, value)
    return value.cast(pl.Binary).bin.encode("hex").str.to_uppercase()


define(
    "HEX",
    "string",
    "HEX(a)",
    "A whole number or text as hexadecimal digits.",
    fixed(STRING),
    _hex,
    1,
    convert=takes((*TEXT, *WHOLE)),
)
define(
    "BIN",
    "math",
    "BIN(a)",
    "A whole number in binary digits; negative ones in 64.",
    fixed(STRING),
    lambda ctx, e: by_value(_number_text("b"), pl.String, ctx.lower(e.args[0])),
    1,
    convert=takes(WHOLE),
)


def _unhex(text: pl.Expr) -> pl.Expr:
    # as in Hive, the first of an odd number of digits is lost
    even = pl.when(text.str.len_chars() % 2 == 0).then(text).otherwise(pl.concat_str([pl.lit("00"), text.str.slice(1)]))
    digits = pl.when(text.str.contains(r"^[0-9a-fA-F]*$")).then(even)
    return digits.str.decode("hex", strict=False)


define(
    "UNHEX",
    "string",
    "UNHEX(a)",
    "The bytes that hexadecimal digits mean; NULL for other characters.",
    fixed(BYTES, always=True),
    simple(_unhex),
    1,
    convert=takes(TEXT),
)
_CHARSETS = {
    "US-ASCII": "ascii",
    "ASCII": "ascii",
    "ISO-8859-1": "latin-1",
    "UTF-8": "utf-8",
    "UTF-16": "utf-16-be",
    "UTF-16BE": "utf-16-be",
    "UTF-16LE": "utf-16-le",
}


def _charset(name: str) -> str:
    if name.upper() not in _CHARSETS:
        raise ValueError(f"'{name}' is no character set; there are {', '.join(_CHARSETS)}")
    return _CHARSETS[name.upper()]


def _encode(text: str, charset: str) -> bytes:
    mark = b"\xfe\xff" if charset.upper() == "UTF-16" and text else b""
    return mark + text.encode(_charset(charset), errors="replace")


def _decode(data: bytes, charset: str) -> str:
    codec = _charset(charset)
    if charset.upper() == "UTF-16" and data[:2] in (b"\xfe\xff", b"\xff\xfe"):
        codec, data = ("utf-16-le" if data[:1] == b"\xff" else codec), data[2:]
    return data.decode(codec, errors="replace")


define(
    "ENCODE",
    "string",
    "ENCODE(a, charset)",
    "The bytes of a text: US-ASCII, ISO-8859-1, UTF-8, UTF-16BE, UTF-16LE or UTF-16.",
    fixed(BYTES),
    lambda ctx, e: by_value_or_fail(ctx, e, _encode, *values(ctx, e)),
    2,
    convert=takes(TEXT),
)
define(
    "DECODE",
    "string",
    "DECODE(a, charset)",
    "The text in bytes of a character set.",
    fixed(STRING),
    lambda ctx, e: by_value_or_fail(ctx, e, _decode, *values(ctx, e)),
    2,
    convert=takes(BINARY, TEXT),
)


def _digest(name: str, data: str | bytes) -> str:
    return hashlib.new(name, data.encode() if isinstance(data, str) else data, usedforsecurity=False).hexdigest()


def _hash(name: str) -> LowerCall:
    return lambda ctx, e: by_value(partial(_digest, name), pl.String, ctx.lower(e.args[0]))


for _name, _length in (("MD5", 32), ("SHA1", 40), ("SHA224", 56), ("SHA256", 64), ("SHA384", 96), ("SHA512", 128)):
    define(
        _name,
        "hash",
        f"{_name}(a)",
        f"The {_name} hash of a text or bytes as hexadecimal digits.",
        fixed(char(_length)),
        _hash(_name.lower()),
        1,
        convert=takes(_EITHER),
    )


def _sha2(data: str | bytes, bits: int) -> str:
    if bits not in (224, 256, 384, 512):
        raise ValueError(f"SHA2 has 224, 256, 384 and 512 bits, not {bits}")
    return _digest(f"sha{bits}", data)


define(
    "SHA2",
    "hash",
    "SHA2(a, bits)",
    "The hash of the SHA-2 family with 224, 256, 384 or 512 bits; another number fails.",
    fixed(varchar(128)),
    lambda ctx, e: by_value_or_fail(ctx, e, _sha2, *values(ctx, e)),
    2,
    convert=takes(_EITHER, WHOLE),
)


def _uuids(rows: pl.Series) -> pl.Series:
    return pl.Series([str(uuid.uuid4()) for _ in rows], dtype=pl.String)


define(
    "UUID",
    "string",
    "UUID()",
    "A random UUID (type 4), another one for each row.",
    never_null(char(36)),
    lambda *_: pl.int_range(pl.len()).map_batches(_uuids, return_dtype=pl.String),
    0,
)
