"""What numba lacks: words of eight bytes from anywhere, counts of bits, products of 128 bits."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_I8, _I64, _I128 = ir.IntType(8), ir.IntType(64), ir.IntType(128)


@intrinsic
def load64(typing: Any, data: Any, place: Any) -> Any:
    """Give the eight bytes of a uint8 array from `place` on as a little-endian number; the caller checks the bounds."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, args[0])
        address = builder.bitcast(builder.gep(array.data, [args[1]]), _I64.as_pointer())
        return builder.load(address, align=1)

    return types.uint64(data, types.int64), generate


@intrinsic
def copy(typing: Any, target: Any, at: Any, source: Any, place: Any, count: Any) -> Any:
    """Copy `count` bytes from one uint8 array to another; the caller checks the bounds."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        to = context.make_array(signature.args[0])(context, builder, args[0]).data
        origin = context.make_array(signature.args[2])(context, builder, args[2]).data
        cgutils.raw_memcpy(builder, builder.gep(to, [args[1]]), builder.gep(origin, [args[3]]), args[4], 1)
        return context.get_dummy_value()

    return types.void(target, types.int64, source, types.int64, types.int64), generate


@intrinsic
def copy_from(typing: Any, target: Any, at: Any, address: Any, count: Any) -> Any:
    """Copy `count` bytes from an address to a uint8 array; the caller checks the bounds and keeps the memory alive."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        to = context.make_array(signature.args[0])(context, builder, args[0]).data
        origin = builder.inttoptr(args[2], _I8.as_pointer())
        cgutils.raw_memcpy(builder, builder.gep(to, [args[1]]), origin, args[3], 1)
        return context.get_dummy_value()

    return types.void(target, types.int64, types.int64, types.int64), generate


@intrinsic
def peek8(typing: Any, address: Any) -> Any:
    """Give the byte at an address; the caller keeps the memory alive."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.zext(builder.load(builder.inttoptr(args[0], _I8.as_pointer())), _I64)

    return types.int64(types.int64), generate


@intrinsic
def peek32(typing: Any, address: Any) -> Any:
    """Give the signed four bytes at an address; the caller keeps the memory alive."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.inttoptr(args[0], ir.IntType(32).as_pointer())
        return builder.sext(builder.load(pointer, align=1), _I64)

    return types.int64(types.int64), generate


@intrinsic
def trailing_zeros(typing: Any, word: Any) -> Any:
    """Count the zero bits below the lowest one bit."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), generate


@intrinsic
def leading_zeros(typing: Any, word: Any) -> Any:
    """Count the zero bits above the highest one bit."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctlz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), generate


@intrinsic
def high_product(typing: Any, a: Any, b: Any) -> Any:
    """Give the upper 64 bits of the product of two unsigned numbers."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        product = builder.mul(builder.zext(args[0], _I128), builder.zext(args[1], _I128))
        return builder.trunc(builder.lshr(product, ir.Constant(_I128, 64)), _I64)

    return types.uint64(types.uint64, types.uint64), generate
