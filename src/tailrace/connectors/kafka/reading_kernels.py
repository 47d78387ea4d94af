"""The loops over messages that were read: out of librdkafka's structures into columns, which the caller has made large enough."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from tailrace.connectors.kafka.foreign import (
    call_half,
    call_half_2,
    call_half_5,
    call_nothing,
    call_word,
    call_word_2,
    copy,
    copy_feed,
    load_byte,
    load_half,
    load_word,
)

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]
Bits = npt.NDArray[np.bool_]

# where the fields of a message are
_RKT, _PARTITION, _PAYLOAD, _LEN, _KEY, _KEY_LEN, _OFFSET = 8, 16, 24, 32, 40, 48, 56
_PAGE = 4096
_ONE_IN = 256
"""Of messages that seem to have no headers one in so many is asked all the same, to find out whether that is true."""


@njit(nogil=True, cache=True)
def sizes(messages: I64, count: int) -> tuple[int, int, int]:
    """Give the bytes of all payloads (with one more behind each) and keys, and the number of messages without error."""
    payloads, keys, good = 0, 0, 0
    for i in range(count):
        m = messages[i]
        if load_half(m) == 0:
            payloads += load_word(m + _LEN) + 1
            keys += load_word(m + _KEY_LEN)
            good += 1
    return payloads, keys, good


@njit(nogil=True, cache=True)
def gather(
    messages: I64,
    count: int,
    row: int,
    used: int,
    slots: int,
    data: int,
    starts: I64,
    ends: I64,
    nulls: Bits,
    offsets: I64,
    slot_of: I32,
    slot_rkt: I64,
    slot_partition: I32,
    bad: I64,
    ask_headers: int,
    peek: bool,
    cells_at: int,
    headed: I64,
) -> tuple[int, int, int, int, int, int]:
    """
    Copy payloads behind each other into memory at `data`, a line feed behind each, from `used` on; note where they are.

    `row` is the first free row. A topic and partition not seen before gets the next slot. Numbers of messages that are
    errors go to `bad`, of those that have headers to `headed`, unless `ask_headers` is 0; they are asked while their
    structures are in the cache. To `peek` asks those alone that seem to have some, and a few others. Gives rows, bytes and slots
    used now, and the numbers of errors, of those with headers, and of those of them that did not seem to have any.
    """
    slot = -1
    rkt, partition = np.int64(0), np.int32(-1)
    errors, with_headers, misled = 0, 0, 0
    for i in range(count):
        m = messages[i]
        if load_half(m) != 0:
            bad[errors] = i
            errors += 1
            continue
        its_rkt, its_partition = load_word(m + _RKT), load_half(m + _PARTITION)
        if slot < 0 or its_partition != partition or its_rkt != rkt:
            rkt, partition = its_rkt, its_partition
            slot = 0
            while slot < slots and (slot_rkt[slot] != rkt or slot_partition[slot] != partition):
                slot += 1
            if slot == slots:
                slot_rkt[slot], slot_partition[slot] = rkt, partition
                slots += 1
        payload, size = load_word(m + _PAYLOAD), load_word(m + _LEN)
        starts[row] = used
        nulls[row] = payload == 0
        if payload != 0:
            copy(data + used, payload, size)
            used += size
        ends[row] = used
        copy_feed(data + used)
        used += 1
        offsets[row] = load_word(m + _OFFSET)
        slot_of[row] = slot
        row += 1
        if ask_headers != 0:
            none = peek and _seems_to_have_no_headers(payload, size)
            if (not none or i % _ONE_IN == 0) and call_half_2(ask_headers, m, cells_at) == 0:
                headed[with_headers] = i
                with_headers += 1
                misled += none
    return row, used, slots, errors, with_headers, misled


@njit(nogil=True, inline="always")
def _seems_to_have_no_headers(payload: int, size: int) -> bool:
    """
    Look at the byte behind a payload: librdkafka leaves payloads where they came, and there it is the number of headers.

    Of formats before Kafka 0.11, which know no headers, it is anything. On another page it may not be read at all.
    """
    behind = payload + size
    return payload != 0 and size != 0 and behind % _PAGE != 0 and load_byte(behind) == 0


@njit(nogil=True, cache=True)
def gather_keys(
    messages: I64, count: int, row: int, used: int, data: int, starts: I64, ends: I64, nulls: Bits
) -> tuple[int, int]:
    """Copy keys into memory at `data` from `used` on; gives rows and bytes used now."""
    for i in range(count):
        m = messages[i]
        if load_half(m) != 0:
            continue
        key, size = load_word(m + _KEY), load_word(m + _KEY_LEN)
        starts[row] = used
        nulls[row] = key == 0
        if key != 0:
            copy(data + used, key, size)
            used += size
        ends[row] = used
        row += 1
    return row, used


@njit(nogil=True, cache=True)
def gather_times(
    messages: I64,
    count: int,
    row: int,
    ask_time: int,
    ask_epoch: int,
    kind_at: int,
    times: I64,
    kinds: I32,
    epochs: I32,
) -> int:
    """Ask each message for its time, the kind of it and the leader's epoch; `kind_at` is the address of 4 bytes."""
    for i in range(count):
        m = messages[i]
        if load_half(m) != 0:
            continue
        times[row] = call_word_2(ask_time, m, kind_at)
        kinds[row] = load_half(kind_at)
        epochs[row] = call_half(ask_epoch, m)
        row += 1
    return row


@njit(nogil=True, cache=True)
def _length(text: int) -> int:
    n = 0
    while load_byte(text + n) != 0:
        n += 1
    return n


@njit(nogil=True, cache=True)
def _same(a: int, b: int) -> bool:
    i = 0
    while load_byte(a + i) == load_byte(b + i):
        if load_byte(a + i) == 0:
            return True
        i += 1
    return False


@njit(nogil=True, cache=True)
def gather_headers(
    messages: I64,
    count: int,
    row: int,
    ask: int,
    ask_count: int,
    ask_one: int,
    cells_at: int,
    used: int,
    name_bytes: int,
    value_bytes: int,
    names: Bytes,
    values: Bytes,
    name_ends: I64,
    value_ends: I64,
    value_nulls: Bits,
    row_ends: I64,
) -> tuple[int, int, int, int, int]:
    """
    Copy the headers of each message; of several with one name the last stays, as in a map.

    `cells_at` is the address of 4 words for answers. Gives messages done, rows, headers and bytes of names and
    values used now; stops at a message for which there may be no room.
    """
    names_at, values_at = names.ctypes.data, values.ctypes.data
    for i in range(count):
        m = messages[i]
        if load_half(m) != 0:
            continue
        if call_half_2(ask, m, cells_at) == 0:
            headers = load_word(cells_at)
            number = call_word(ask_count, headers)
            for j in range(number):
                call_half_5(ask_one, headers, j, cells_at + 8, cells_at + 16, cells_at + 24)
                name, value, size = load_word(cells_at + 8), load_word(cells_at + 16), load_word(cells_at + 24)
                replaced = False
                for k in range(j + 1, number):
                    call_half_5(ask_one, headers, k, cells_at + 8, cells_at + 16, cells_at + 24)
                    if _same(name, load_word(cells_at + 8)):
                        replaced = True
                        break
                if replaced:
                    continue
                length = _length(name)
                if (
                    used >= name_ends.size
                    or name_bytes + length > names.size
                    or (value != 0 and value_bytes + size > values.size)
                ):
                    return i, row, used, name_bytes, value_bytes
                copy(names_at + name_bytes, name, length)
                name_bytes += length
                name_ends[used] = name_bytes
                value_nulls[used] = value == 0
                if value != 0:
                    copy(values_at + value_bytes, value, size)
                    value_bytes += size
                value_ends[used] = value_bytes
                used += 1
        row_ends[row] = used
        row += 1
    return count, row, used, name_bytes, value_bytes


@njit(nogil=True, cache=True)
def pick_headers(
    first: I64, last: I64, names: Bytes, values: Bytes, name_ends: I64, value_ends: I64, nulls: Bits
) -> tuple[Bytes, I32, Bytes, I32, Bits]:
    """
    Copy the headers of some messages, each from its first to its last entry, behind each other.

    Gives names and where they end, values and where they end (both with a 0 before), and which values are NULL.
    """
    entries, name_bytes, value_bytes = 0, 0, 0
    for i in range(first.size):
        a, b = first[i], last[i]
        if b > a:
            entries += b - a
            name_bytes += name_ends[b - 1] - (name_ends[a - 1] if a else 0)
            value_bytes += value_ends[b - 1] - (value_ends[a - 1] if a else 0)
    out_names, out_values = np.empty(name_bytes, np.uint8), np.empty(value_bytes, np.uint8)
    out_name_ends, out_value_ends = np.zeros(entries + 1, np.int32), np.zeros(entries + 1, np.int32)
    out_nulls = np.empty(entries, np.bool_)
    row, name_bytes, value_bytes = 0, 0, 0
    for i in range(first.size):
        for j in range(first[i], last[i]):
            name, value = name_ends[j - 1] if j else 0, value_ends[j - 1] if j else 0
            name_size, value_size = name_ends[j] - name, value_ends[j] - value
            out_names[name_bytes : name_bytes + name_size] = names[name : name + name_size]
            out_values[value_bytes : value_bytes + value_size] = values[value : value + value_size]
            name_bytes += name_size
            value_bytes += value_size
            row += 1
            out_name_ends[row], out_value_ends[row] = name_bytes, value_bytes
            out_nulls[row - 1] = nulls[j]
    return out_names, out_name_ends, out_values, out_value_ends, out_nulls


@njit(nogil=True, cache=True)
def destroy(messages: I64, count: int, function: int) -> None:
    """Give messages back to librdkafka."""
    for i in range(count):
        call_nothing(function, messages[i])


@njit(nogil=True, cache=True)
def order_by_slot(slot_of: I32, rows: int, slots: int, order: I64) -> I64:
    """Write the rows slot by slot, in order, into `order`; gives where each slot begins, and the end."""
    bounds = np.zeros(slots + 1, np.int64)
    for i in range(rows):
        bounds[slot_of[i] + 1] += 1
    for s in range(slots):
        bounds[s + 1] += bounds[s]
    place = bounds.copy()
    for i in range(rows):
        s = slot_of[i]
        order[place[s]] = i
        place[s] += 1
    return bounds
