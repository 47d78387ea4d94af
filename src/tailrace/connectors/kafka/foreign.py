"""
What kernels do with librdkafka: its memory and its functions, by their addresses.

A kernel that names a foreign function can't be kept on disk, so functions come in as addresses too.
"""
# ruff: noqa: ARG001  the arguments of an intrinsic are seen by the type inference alone

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

MESSAGE_WORDS = 9
"""The size of a message, in words of 8 bytes."""

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


@intrinsic
def copy_feed(_: Any, target: Any) -> Any:
    """Write a line feed."""

    def build(context: Any, builder: Any, __: Any, args: Any) -> Any:
        byte = ir.IntType(8)
        builder.store(ir.Constant(byte, 10), builder.inttoptr(args[0], byte.as_pointer()))
        return context.get_dummy_value()

    return types.void(types.int64), build


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
