"""
What numba lacks: memory by its address, counts of bits, products of 128 bits.

Kernels work on addresses: an array that is passed on costs a count of its references, and an index a look at its sign, for
each byte. Who calls a kernel keeps the arrays alive; who reads or writes checks the bounds.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_I8, _I64, _I128 = ir.IntType(8), ir.IntType(64), ir.IntType(128)


def _pointer(builder: Any, address: Any, kind: Any) -> Any:
    return builder.inttoptr(address, kind.as_pointer())


@intrinsic
def byte(typing: Any, address: Any) -> Any:
    """Give the byte at an address."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_pointer(builder, args[0], _I8))

    return types.uint8(types.int64), generate


@intrinsic
def load64(typing: Any, address: Any) -> Any:
    """Give the eight bytes at an address as a little-endian number."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_pointer(builder, args[0], _I64), align=1)

    return types.uint64(types.int64), generate


@intrinsic
def word(typing: Any, address: Any) -> Any:
    """Give the signed number of 64 bits at an address."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_pointer(builder, args[0], _I64))

    return types.int64(types.int64), generate


@intrinsic
def put(typing: Any, address: Any, value: Any) -> Any:
    """Write a number of 64 bits."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[1], _pointer(builder, args[0], _I64))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def put_byte(typing: Any, address: Any, value: Any) -> Any:
    """Write a byte."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[1], _pointer(builder, args[0], _I8))
        return context.get_dummy_value()

    return types.void(types.int64, types.uint8), generate


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
