"""Conditions of variables as programs for the kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tailrace.engine.kernels import pattern_conditions as k
from tailrace.engine.patterns.cells import Cell
from tailrace.expressions.nodes import AggregateCall, Call, Cast, Column, Expr, Literal, columns, substitute
from tailrace.plan.nodes import PatternAggregate, PatternPart, PatternValue, RowReference
from tailrace.schema import FLOATS, INTEGERS, TIMESTAMPS, DataType, Kind
from tailrace.state.kernels import I64

_DIGITS = 18
"""The digits that fit into 64 bits."""
_SUMMED_DIGITS = 12
"""The digits of decimals whose sum fits, of any number of rows that a match may have."""
_BITS = {Kind.TINYINT: 8, Kind.SMALLINT: 16, Kind.INT: 32, Kind.BIGINT: 64}
_PLAIN = (*INTEGERS, Kind.BOOLEAN, Kind.DATE, Kind.TIME, *TIMESTAMPS, Kind.INTERVAL_SECOND, Kind.INTERVAL_MONTH)
_COMPARED = {"=": k.EQUAL, "<>": k.UNEQUAL, "<": k.LESS, "<=": k.AT_MOST, ">": k.LESS, ">=": k.AT_MOST}
_COMPUTED = {"+": k.ADD, "-": k.SUBTRACT, "*": k.MULTIPLY}
_KINDS = {"COUNT": k.COUNT, "SUM": k.SUM, "AVG": k.AVERAGE, "MIN": k.MINIMUM, "MAX": k.MAXIMUM}
_MOST = 60
"""The operations of a condition, so that its values fit on the stack."""


class _NotNumericError(Exception):
    """An expression can't be computed with numbers of 64 bits alone."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """
    The conditions of all variables as tables for the kernel, and the cells that they read.

    `programs` has (begin in `code`, end, `asked`) by variable. Conditions without a program are answered by Polars, for
    each partial match and row: `asked` has their number, -1 for others.
    """

    programs: I64
    code: I64
    aggregates: I64
    cells: tuple[Cell, ...]

    @property
    def asked(self) -> list[int]:
        """The number of each variable's condition among those that Polars answers; -1 for others."""
        asked: list[int] = self.programs[:, k.ASKED].tolist()
        return asked


def compiled(parts: Sequence[PatternPart], values: Sequence[PatternValue]) -> Conditions:
    """Compile the conditions of a pattern."""
    made = _Programs([p.variable for p in parts], {v.name: v for v in values})
    table: list[tuple[int, int, int]] = []
    asked = 0
    for place, part in enumerate(parts):
        begin = len(made.code)
        numeric = made.add(place, part.condition)
        table.append((begin, len(made.code), -1 if numeric else asked))
        asked += not numeric
    code, aggregates = (np.array(t, dtype=np.int64) for t in (made.code, made.aggregates))
    programs = np.array(table, dtype=np.int64)
    return Conditions(programs, code.reshape(-1, 6), aggregates.reshape(-1, 4), tuple(made.cells))


@dataclass(slots=True)
class _Programs:
    """Collects programs, and what they share."""

    variables: list[str]
    values: dict[str, PatternValue]
    code: list[tuple[int, ...]] = field(default_factory=list)
    aggregates: list[tuple[int, int, int, int]] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)

    def add(self, variable: int, condition: Expr | None) -> bool:
        """Add the program of a condition; tell whether there is one. No condition is an empty program."""
        known = len(self.code), len(self.aggregates), len(self.cells)
        try:
            if condition is not None:
                _Compiler(self, variable).emit(condition)
            fits = len(self.code) - known[0] <= _MOST
        except _NotNumericError:
            fits = False
        if not fits:
            for things, count in zip((self.code, self.aggregates, self.cells), known, strict=True):
                del things[count:]  # type: ignore[attr-defined]
        return fits

    def cell(self, cell: Cell) -> int:
        """Give the place of a cell."""
        if cell not in self.cells:
            self.cells.append(cell)
        return self.cells.index(cell)

    def aggregate(self, kind: int, floating: bool, variable: int, cell: int) -> int:
        """Give the place of an aggregate."""
        made = (kind, int(floating), variable, cell)
        if made not in self.aggregates:
            self.aggregates.append(made)
        return self.aggregates.index(made)


@dataclass(frozen=True, slots=True)
class _Number:
    """What stands on the stack: a floating-point number, or an integer with so many digits behind its point."""

    floating: bool = False
    scale: int = 0


_Row = tuple[int, int, int]
"""Which row is meant: variable, whether counted from the last, offset."""


@dataclass(frozen=True, slots=True)
class _Compiler:
    """Writes the program of one variable's condition."""

    programs: _Programs
    variable: int

    def emit(self, expr: Expr) -> _Number:
        """Write what puts the value of an expression on the stack."""
        if isinstance(expr, Literal):
            return self._constant(expr)
        row = self._row(expr)
        if row is not None:
            return self._cell(expr, row)
        match expr:
            case Column():
                return self._aggregate(self.programs.values[expr.name])
            case Cast():
                return self._cast(expr)
            case Call():
                return self._call(expr)
        raise _NotNumericError

    def _put(self, operation: int, floating: bool = False, *more: int) -> None:
        self.programs.code.append((operation, int(floating), *more, *[0] * (4 - len(more))))

    def _row(self, expr: Expr) -> _Row | None:
        """Give the row that answers an expression by itself; None if there is no single one."""
        rows = set()
        for name in columns(expr):
            value = self.programs.values[name]
            if isinstance(value, PatternAggregate):
                return None
            rows.add(self._place(value))
        return rows.pop() if len(rows) == 1 else None if rows else (k.CURRENT, 1, 0)

    def _place(self, value: RowReference) -> _Row:
        variable = self._number(value.variable)
        current = variable in (k.ANY, self.variable) and not value.first and value.offset == 0
        return (k.CURRENT, 1, 0) if current else (variable, int(not value.first), value.offset)

    def _number(self, variable: str | None) -> int:
        return k.ANY if variable is None else self.programs.variables.index(variable)

    def _cell(self, expr: Expr, row: _Row, *, hashed: bool = False) -> _Number:
        number = _Number() if hashed else _number(expr.type)
        references = {name: self.programs.values[name] for name in columns(expr)}
        plain = {name: Column(v.type, v.column) for name, v in references.items() if isinstance(v, RowReference)}
        place = self.programs.cell(Cell(substitute(expr, dict(plain)), hashed))
        self._put(k.CELL, number.floating, place, *row)
        return number

    def _constant(self, expr: Literal) -> _Number:
        number = _number(expr.type) if expr.type.kind is not Kind.NULL else _Number()
        value = expr.value
        if value is None:
            self._put(k.CONSTANT, number.floating, 0, 0, 0, 1)
        elif expr.type.kind in (*INTEGERS, Kind.BOOLEAN, Kind.INTERVAL_SECOND, Kind.INTERVAL_MONTH):
            self._put(k.CONSTANT, False, int(value))
        elif expr.type.kind is Kind.DECIMAL:
            self._put(k.CONSTANT, False, int(value.scaleb(number.scale)))
        elif number.floating:
            self._put(k.CONSTANT, True, int(np.float64(value).view(np.int64)))
        else:
            return self._cell(expr, (k.CURRENT, 1, 0))
        return number

    def _aggregate(self, value: PatternValue) -> _Number:
        assert isinstance(value, PatternAggregate)
        call, variable = value.call, self._number(value.variable)
        if call.function not in _KINDS or call.distinct:
            raise _NotNumericError
        if call.arg is None or call.arg_type is None:
            self._put(k.AGGREGATE, False, self.programs.aggregate(k.COUNT_ROWS, False, variable, 0))
            return _Number()
        number = _summed(call, call.arg_type)
        kind = _KINDS[call.function]
        argument: Expr = Column(call.arg_type, call.arg)
        argument = _present(argument) if kind == k.COUNT else argument
        place = self.programs.aggregate(kind, number.floating, variable, self.programs.cell(Cell(argument)))
        self._put(k.AGGREGATE, number.floating, place)
        self._wrap(call.type)
        return number

    def _wrap(self, type_: DataType) -> None:
        if _BITS.get(type_.kind, 64) < 64:
            self._put(k.WRAP, False, 64 - _BITS[type_.kind])

    def _cast(self, expr: Cast) -> _Number:
        source, target = expr.arg.type, expr.type
        widened = source.kind in _BITS and target.kind in _BITS and _BITS[source.kind] <= _BITS[target.kind]
        if not (source.same_as(target) or widened or target.kind is Kind.DOUBLE or _is_wider(source, target)):
            raise _NotNumericError
        number = self.emit(expr.arg)
        if target.kind is Kind.DOUBLE:
            return self._to_float(number)
        return self._scaled(number, target.scale) if target.kind is Kind.DECIMAL else number

    def _to_float(self, number: _Number) -> _Number:
        if not number.floating:
            self._put(k.TO_FLOAT, True, 10**number.scale)
        return _Number(floating=True)

    def _scaled(self, number: _Number, scale: int) -> _Number:
        """Let the integer on the stack have so many digits behind its point."""
        if number.scale < scale:
            self._put(k.SCALE, False, 10 ** (scale - number.scale))
        return _Number(scale=scale)

    def _call(self, expr: Call) -> _Number:
        function, args = expr.function, expr.args
        if function in _COMPARED:
            return self._compare(function, *args)
        if function in _COMPUTED and len(args) == 2:
            return self._compute(expr)
        if function in ("AND", "OR"):
            return self._logic(k.AND if function == "AND" else k.OR, args)
        if function == "NOT":
            return self._then(k.NOT, args[0])
        if function in ("IS NULL", "IS NOT NULL"):
            number = self._then(k.IS_NULL, args[0])
            if function == "IS NOT NULL":
                self._put(k.NOT)
            return number
        if function == "CASE":
            return self._case(args, _number(expr.type))
        if function == "COALESCE" and len(args) == 2:
            return self._coalesce(expr)
        raise _NotNumericError

    def _then(self, operation: int, arg: Expr) -> _Number:
        self.emit(arg)
        self._put(operation)
        return _Number()

    def _logic(self, operation: int, args: Sequence[Expr]) -> _Number:
        for place, arg in enumerate(args):
            self.emit(arg)
            if place:
                self._put(operation)
        return _Number()

    def _compare(self, function: str, left: Expr, right: Expr) -> _Number:
        if function in (">", ">="):
            left, right = right, left
        if function in ("=", "<>") and left.type.kind not in (*_PLAIN, *FLOATS, Kind.DECIMAL):
            return self._compare_hashes(function, left, right)
        floating = self._operands(left, right)
        self._put(_COMPARED[function], floating)
        return _Number()

    def _compare_hashes(self, function: str, left: Expr, right: Expr) -> _Number:
        for side in (left, right):
            row = self._row(side)
            if row is None or side.type.polars != left.type.polars:
                raise _NotNumericError
            self._cell(side, row, hashed=True)
        self._put(_COMPARED[function])
        return _Number()

    def _operands(self, left: Expr, right: Expr) -> bool:
        """Write what puts both on the stack, as numbers of one kind; tell whether that is floating-point."""
        kinds = {left.type.kind, right.type.kind} - {Kind.NULL}
        if kinds & {*TIMESTAMPS, Kind.TIME, Kind.DATE} and len(kinds) + (left.type.polars != right.type.polars) > 1:
            raise _NotNumericError
        floating = bool(kinds & set(FLOATS))
        shapes = [self._shape(side) for side in (left, right)]
        scale = max(scale for _, scale in shapes)
        if scale and not floating and any(whole + scale > _DIGITS for whole, _ in shapes):
            raise _NotNumericError
        for side in (left, right):
            number = self.emit(side)
            if floating:
                self._to_float(number)
            else:
                self._scaled(number, scale)
        return floating

    def _shape(self, expr: Expr) -> tuple[int, int]:
        """Give how many digits a number has at most before its point, and behind it."""
        value = self.programs.values.get(expr.name) if isinstance(expr, Column) else None
        if isinstance(value, PatternAggregate) and value.call.arg_type is not None:
            argument = value.call.arg_type
            more = _DIGITS - _SUMMED_DIGITS if value.call.function == "SUM" else 0
            return _whole(argument) + more, _summed(value.call, argument).scale
        return _whole(expr.type), _number(expr.type).scale

    def _compute(self, expr: Call) -> _Number:
        """Add, subtract or multiply integers, doubles, or short decimals."""
        result = _number(expr.type)
        if expr.type.kind not in (*INTEGERS, Kind.DOUBLE, Kind.DECIMAL):
            raise _NotNumericError
        if expr.type.kind is Kind.DECIMAL and expr.function == "*":
            raise _NotNumericError
        floating = self._operands(*expr.args)
        self._put(_COMPUTED[expr.function], floating)
        self._wrap(expr.type)
        return result if floating or expr.type.kind is not Kind.DECIMAL else self._same(result, expr.args)

    @staticmethod
    def _same(result: _Number, args: Sequence[Expr]) -> _Number:
        if result.scale != max(_number(a.type).scale for a in args):
            raise _NotNumericError
        return result

    def _case(self, args: Sequence[Expr], result: _Number) -> _Number:
        if len(args) == 1:
            return self._as(result, args[0])
        self.emit(args[0])
        self._as(result, args[1])
        self._case(args[2:], result)
        self._put(k.CHOOSE)
        return result

    def _as(self, result: _Number, expr: Expr) -> _Number:
        number = self.emit(expr)
        return self._to_float(number) if result.floating else self._scaled(number, result.scale)

    def _coalesce(self, expr: Call) -> _Number:
        result = _number(expr.type)
        for arg in expr.args:
            self._as(result, arg)
        self._put(k.COALESCE)
        return result


_BOOLEAN = DataType(Kind.BOOLEAN, nullable=False)


def _present(expr: Expr) -> Expr:
    """Give TRUE for a value that is there, else NULL."""
    maybe = _BOOLEAN.with_nullable(True)
    arguments = (Call(_BOOLEAN, "IS NULL", (expr,)), Literal(maybe, None), Literal(_BOOLEAN, value=True))
    return Call(maybe, "CASE", arguments)


def _number(type_: DataType) -> _Number:
    """Give how a value of a type is kept in a cell."""
    if type_.kind in FLOATS:
        return _Number(floating=True)
    if type_.kind in (*_PLAIN, Kind.NULL):
        return _Number()
    if type_.kind is Kind.DECIMAL and type_.precision <= _DIGITS:
        return _Number(scale=type_.scale)
    raise _NotNumericError


def _whole(type_: DataType) -> int:
    """Give how many digits a number may have before its point; integers are trusted to be short of the last ones."""
    return type_.precision - type_.scale if type_.kind is Kind.DECIMAL else 19 if type_.kind is Kind.BIGINT else 10


def _is_wider(source: DataType, target: DataType) -> bool:
    if source.kind is not Kind.DECIMAL or target.kind is not Kind.DECIMAL or target.precision > _DIGITS:
        return False
    return source.scale <= target.scale and source.precision - source.scale <= target.precision - target.scale


def _summed(call: AggregateCall, argument: DataType) -> _Number:
    """Give how the value of an aggregate is kept."""
    if call.function == "COUNT":
        return _Number()
    number = _number(argument)
    if call.function in ("MIN", "MAX"):
        return number
    decimal = argument.kind is Kind.DECIMAL
    if argument.kind is Kind.FLOAT or (decimal and (call.function == "AVG" or argument.precision > _SUMMED_DIGITS)):
        raise _NotNumericError
    return number
