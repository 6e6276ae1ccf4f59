"""Eight numbers side by side in the registers of the processor, for compiled loops over rows that are met in any order.

Numba makes vectors of loops whose iterations stand side by side in memory. Where the eight numbers of a row are the iterations,
and the loop around them must keep its sums in registers, it makes eight scalar operations; these functions say what is meant.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, models, register_model

WIDTH = 8
_VECTOR = ir.VectorType(ir.DoubleType(), WIDTH)
_inserted: Any = intrinsic
"""`intrinsic`, of which type checkers know that callers leave out the first argument."""
_FUSED = ("contract",)
"""A product and a sum may be rounded once, by one instruction, where the processor has it."""

_FOR_READING = (0, 3, 1)
"""Of a prefetch: to be read, in every cache, as data (LLVM's `rw`, `locality` and `cache type`)."""


class Eight(types.Type):
    """The type of eight float64."""

    def __init__(self) -> None:
        super().__init__(name="Eight")


EIGHT = Eight()


@register_model(Eight)
class _EightModel(models.PrimitiveModel):
    def __init__(self, manager: Any, own: Any):
        super().__init__(manager, own, _VECTOR)


def _place(context: Any, builder: Any, array_type: Any, array: Any, row: Any, column: Any) -> Any:
    """Where eight numbers of a C-ordered matrix begin."""
    held = context.make_array(array_type)(context, builder, array)
    at = builder.add(builder.mul(row, builder.extract_value(held.shape, 1)), column)
    return builder.bitcast(builder.gep(held.data, [at]), _VECTOR.as_pointer())


@_inserted
def load(_context, matrix, row, column):
    """matrix[row, column : column + 8] of a C-ordered matrix; nothing is checked."""

    def code(context, builder, signature, values):
        return builder.load(_place(context, builder, signature.args[0], *values), align=8)

    return EIGHT(matrix, types.uint64, types.uint64), code


@_inserted
def store(_context, matrix, row, column, eight):
    """matrix[row, column : column + 8] = eight, as `load` reads it."""

    def code(context, builder, signature, values):
        builder.store(values[3], _place(context, builder, signature.args[0], *values[:3]), align=8)
        return context.get_dummy_value()

    return types.void(matrix, types.uint64, types.uint64, EIGHT), code


@_inserted
def prefetch(_context, matrix, row, column):
    """Begin to bring matrix[row, column], and the line of the cache that it stands in, to where `load` will look for it."""

    def code(context, builder, signature, values):
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        asked = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        begin = builder.module.declare_intrinsic("llvm.prefetch", [byte], asked)
        at = builder.bitcast(_place(context, builder, signature.args[0], *values), byte)
        builder.call(begin, [at, *(ir.Constant(number, value) for value in _FOR_READING)])
        return context.get_dummy_value()

    return types.void(matrix, types.uint64, types.uint64), code


@_inserted
def plus(_context, total, factor, eight):
    """total + factor * eight."""

    def code(context, builder, signature, values):
        undefined = ir.Constant(_VECTOR, ir.Undefined)
        first = builder.insert_element(undefined, values[1], ir.Constant(ir.IntType(32), 0))
        spread = builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH))
        return builder.fadd(values[0], builder.fmul(spread, values[2], flags=_FUSED), flags=_FUSED)

    return EIGHT(EIGHT, types.float64, EIGHT), code


@_inserted
def plus_each(_context, total, left, right):
    """total + left * right, number by number."""

    def code(context, builder, signature, values):
        return builder.fadd(values[0], builder.fmul(values[1], values[2], flags=_FUSED), flags=_FUSED)

    return EIGHT(EIGHT, EIGHT, EIGHT), code


@_inserted
def zeros(_context):
    """Eight zeros."""

    def code(context, builder, signature, values):
        return ir.Constant(_VECTOR, [0.0] * WIDTH)

    return EIGHT(), code
