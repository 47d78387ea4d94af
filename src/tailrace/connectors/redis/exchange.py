"""
One command for many keys in one round trip.

The requests are written as one text by Polars, and answers are taken off the connection as they come: a pipeline of the client, which makes an
object of each command and each answer, takes three times as much CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import redis


def requests(keys: pl.Series, command: str, words: Sequence[str] = ()) -> bytes:
    r"""
    Write a command for each key in the protocol of Redis, with the same words behind the key.

    >>> requests(pl.Series(["a", "ü"]), "HMGET", ["n"]).decode().replace("\r\n", " ")
    '*3 $5 HMGET $1 a $1 n *3 $5 HMGET $2 ü $1 n '
    """
    head = f"*{2 + len(words)}\r\n{_word(command)}$"
    tail = "\r\n" + "".join(map(_word, words))
    sizes = keys.str.len_bytes().cast(pl.String)
    texts = pl.select(pl.concat_str(pl.lit(head), sizes, pl.lit("\r\n"), keys, pl.lit(tail)).str.join(""))
    text: str = texts.item()
    return text.encode()


def _word(word: str) -> str:
    return f"${len(word.encode())}\r\n{word}\r\n"


def ask(client: redis.Redis, keys: pl.Series, command: str, words: Sequence[str] = ()) -> list[Any]:
    """
    Send a command for each key, and give the answers.

    Raises:
        redis.RedisError: it is away, or refuses one; the key is named.
    """
    pool = client.connection_pool
    connection = pool.get_connection()
    answers: list[Any] = []
    try:
        connection.send_packed_command([requests(keys, command, words)])  # type: ignore[no-untyped-call]
        for _ in range(len(keys)):
            answers.append(connection.read_response())  # noqa: PERF401  how many there are tells which was refused
    except redis.ResponseError as error:
        _drop(connection)
        raise type(error)(f"{error} (key '{keys[len(answers)]}')") from None
    except BaseException:
        _drop(connection)
        raise
    else:
        return answers
    finally:
        pool.release(connection)


def _drop(connection: Any) -> None:
    """Let go of a connection whose answers are not all taken: they must not be taken for those of another request."""
    connection.disconnect()
