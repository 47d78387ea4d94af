"""The loops over messages that are written: out of columns into what librdkafka takes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from tailrace.connectors.kafka.foreign import (
    MESSAGE_WORDS,
    call_half_5,
    call_word,
    call_word_3,
)

I64 = npt.NDArray[np.int64]
Bits = npt.NDArray[np.bool_]

# the arguments of `produceva`: a kind and a union of 64 bytes
_ARGUMENT_WORDS = 9
ARGUMENTS = 7
_V_RKT, _V_PARTITION, _V_VALUE, _V_KEY, _V_FLAGS, _V_TIMESTAMP, _V_HEADERS = 2, 3, 4, 5, 7, 8, 10

_F_PARTITION = 8
"""The flag of messages that tell their partition."""


@njit(nogil=True, cache=True)
def fill(
    messages: I64,
    first: int,
    count: int,
    data: int,
    starts: I64,
    ends: I64,
    nulls: Bits,
    keys: int,
    key_starts: I64,
    key_ends: I64,
    key_nulls: Bits,
    partition: int,
    step: int,
    partitions: int,
) -> None:
    """
    Write messages of rows from `first` on that point at the rows' bytes in memory at `data`, and their keys at `keys`.

    Empty `nulls` and `key_starts` stand for none. Partitions go on from `partition` by `step`, round their number.
    """
    for i in range(count):
        row = first + i
        m = i * MESSAGE_WORDS
        is_null = nulls.size > 0 and nulls[row]
        has_key = key_starts.size > 0 and not (key_nulls.size > 0 and key_nulls[row])
        messages[m] = 0
        messages[m + 1] = 0
        messages[m + 2] = partition
        messages[m + 3] = 0 if is_null else data + starts[row]
        messages[m + 4] = 0 if is_null else ends[row] - starts[row]
        messages[m + 5] = keys + key_starts[row] if has_key else 0
        messages[m + 6] = key_ends[row] - key_starts[row] if has_key else 0
        messages[m + 7] = 0
        messages[m + 8] = 0
        partition += step
        if partition >= partitions:
            partition -= partitions


@njit(nogil=True, cache=True)
def plain_until(header_ends: I64, first: int, i: int, count: int) -> int:
    """Give the first of the messages from `i` on that has headers, `count` if none has."""
    before = header_ends[first + i - 1] if first + i > 0 else 0
    while i < count and header_ends[first + i] == before:
        i += 1
    return i


@njit(nogil=True, cache=True)
def produce_mixed(
    messages: I64,
    first: int,
    count: int,
    arguments: I64,
    arguments_at: int,
    rk: int,
    rkt: int,
    partition: int,
    flags: int,
    produce_batch: int,
    produce: int,
    headers_new: int,
    header_add: int,
    times: I64,
    time_nulls: Bits,
    header_ends: I64,
    names: int,
    name_ends: I64,
    values: int,
    value_ends: I64,
    value_nulls: Bits,
) -> tuple[int, int, int]:
    """
    Produce the messages that `fill` made, in order; empty `times` or `header_ends` mean none.

    Those with a time or headers go one by one, the runs between them as batches of `flags` to `partition`. Gives how many
    were taken; and if one was not, its error and its headers, which are then the caller's. After a batch the error is 0, as
    its messages tell what it was.
    """
    i = 0
    while i < count:
        end = i if times.size > 0 else plain_until(header_ends, first, i, count)
        if end > i:
            at = messages.ctypes.data + i * MESSAGE_WORDS * 8
            taken = call_half_5(produce_batch, rkt, partition, flags, at, end - i)
            if taken != end - i:
                return i, 0, 0
            i = end
            continue
        row = first + i
        m = i * MESSAGE_WORDS
        arguments[:] = 0
        arguments[0], arguments[1] = _V_RKT, rkt
        a = _ARGUMENT_WORDS
        arguments[a], arguments[a + 1] = _V_PARTITION, messages[m + 2] if flags & _F_PARTITION else -1
        a += _ARGUMENT_WORDS
        arguments[a], arguments[a + 1], arguments[a + 2] = _V_VALUE, messages[m + 3], messages[m + 4]
        a += _ARGUMENT_WORDS
        arguments[a], arguments[a + 1], arguments[a + 2] = _V_KEY, messages[m + 5], messages[m + 6]
        a += _ARGUMENT_WORDS
        arguments[a], arguments[a + 1] = _V_FLAGS, 2
        a += _ARGUMENT_WORDS
        used = 5
        if times.size > 0 and not (time_nulls.size > 0 and time_nulls[row]):
            arguments[a], arguments[a + 1] = _V_TIMESTAMP, times[row]
            a += _ARGUMENT_WORDS
            used += 1
        headers = np.int64(0)
        if header_ends.size > 0:
            begin = header_ends[row - 1] if row > 0 else 0
            end = header_ends[row]
            if end > begin:
                headers = call_word(headers_new, end - begin)
                for h in range(begin, end):
                    name = name_ends[h - 1] if h > 0 else 0
                    value = value_ends[h - 1] if h > 0 else 0
                    is_null = value_nulls[h]
                    call_half_5(
                        header_add,
                        headers,
                        names + name,
                        name_ends[h] - name,
                        0 if is_null else values + value,
                        0 if is_null else value_ends[h] - value,
                    )
                arguments[a], arguments[a + 1] = _V_HEADERS, headers
                used += 1
        error = call_word_3(produce, rk, arguments_at, used)
        if error != 0:
            return i, int(error), int(headers)
        i += 1
    return count, 0, 0
