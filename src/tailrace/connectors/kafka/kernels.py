"""
The loops over messages: out of librdkafka's structures into columns, and back.

They read memory that librdkafka owns, by addresses. Its functions come in as addresses too, as a kernel that names a
foreign function can't be kept on disk.
"""
# ruff: noqa: ARG001  the arguments of an intrinsic are seen by the type inference alone

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]
Bits = npt.NDArray[np.bool_]

# where the fields of a message are
_RKT, _PARTITION, _PAYLOAD, _LEN, _KEY, _KEY_LEN, _OFFSET = 8, 16, 24, 32, 40, 48, 56
MESSAGE_WORDS = 9
"""The size of a message, in words of 8 bytes."""

_PAGE = 4096
_ONE_IN = 256
"""Of messages that seem to have no headers one in so many is asked all the same, to find out whether that is true."""

# the arguments of `produceva`: a kind and a union of 64 bytes
_ARGUMENT_WORDS = 9
ARGUMENTS = 7
_V_RKT, _V_PARTITION, _V_VALUE, _V_KEY, _V_FLAGS, _V_TIMESTAMP, _V_HEADERS = 2, 3, 4, 5, 7, 8, 10

_F_PARTITION = 8
"""The flag of messages that tell their partition."""

_WORD = ir.IntType(64)


@intrinsic
def load_word(_: Any, address: Any) -> Any:
    """Read 8 bytes."""

    def build(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return builder.load(builder.inttoptr(args[0], _WORD.as_pointer()))

    return types.int64(types.int64), build


@intrinsic
def load_half(_: Any, address: Any) -> Any:
    """Read 4 bytes."""

    def build(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return builder.load(builder.inttoptr(args[0], ir.IntType(32).as_pointer()))

    return types.int32(types.int64), build


@intrinsic
def load_byte(_: Any, address: Any) -> Any:
    """Read 1 byte."""

    def build(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return builder.load(builder.inttoptr(args[0], ir.IntType(8).as_pointer()))

    return types.uint8(types.int64), build


@intrinsic
def copy(_: Any, target: Any, source: Any, size: Any) -> Any:
    """Copy bytes."""

    def build(context: Any, builder: Any, __: Any, args: Any) -> Any:
        byte = ir.IntType(8).as_pointer()
        target, source = (builder.inttoptr(a, byte) for a in args[:2])
        cgutils.raw_memcpy(builder, target, source, args[2], 1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), build


def _called(builder: Any, result: Any, args: Any) -> Any:
    """Call the function at the first argument with the others."""
    signature = ir.FunctionType(result, [_WORD] * (len(args) - 1))
    return builder.call(builder.inttoptr(args[0], signature.as_pointer()), args[1:])


@intrinsic
def call_nothing(_: Any, function: Any, a: Any) -> Any:
    """Call a function of one word that gives nothing."""

    def build(context: Any, builder: Any, __: Any, args: Any) -> Any:
        _called(builder, ir.VoidType(), args)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), build


@intrinsic
def call_word(_: Any, function: Any, a: Any) -> Any:
    """Call a function of one word that gives a word."""

    def build(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return _called(builder, _WORD, args)

    return types.int64(types.int64, types.int64), build


@intrinsic
def call_half(_: Any, function: Any, a: Any) -> Any:
    """Call a function of one word that gives 4 bytes."""

    def build(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return _called(builder, ir.IntType(32), args)

    return types.int32(types.int64, types.int64), build


@intrinsic
def call_word_2(_: Any, function: Any, a: Any, b: Any) -> Any:
    """Call a function of two words that gives a word."""

    def build(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return _called(builder, _WORD, args)

    return types.int64(types.int64, types.int64, types.int64), build


@intrinsic
def call_half_2(_: Any, function: Any, a: Any, b: Any) -> Any:
    """Call a function of two words that gives 4 bytes."""

    def build(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return _called(builder, ir.IntType(32), args)

    return types.int32(types.int64, types.int64, types.int64), build


@intrinsic
def call_word_3(_: Any, function: Any, a: Any, b: Any, c: Any) -> Any:
    """Call a function of three words that gives a word."""

    def build(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return _called(builder, _WORD, args)

    return types.int64(types.int64, types.int64, types.int64, types.int64), build


@intrinsic
def call_half_5(_: Any, function: Any, a: Any, b: Any, c: Any, d: Any, e: Any) -> Any:
    """Call a function of five words that gives 4 bytes."""

    def build(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return _called(builder, ir.IntType(32), args)

    words = (types.int64,) * 6
    return types.int32(*words), build


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


@intrinsic
def copy_feed(_: Any, target: Any) -> Any:
    """Write a line feed."""

    def build(context: Any, builder: Any, __: Any, args: Any) -> Any:
        byte = ir.IntType(8)
        builder.store(ir.Constant(byte, 10), builder.inttoptr(args[0], byte.as_pointer()))
        return context.get_dummy_value()

    return types.void(types.int64), build


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
