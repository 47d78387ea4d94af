"""From the options of a table to its struct, as `.thrift` files describe it."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tailrace.errors import ConfigError, Location, did_you_mean
from tailrace.options import Values

BOOL, BYTE, DOUBLE, I16, I32, I64, STRING, STRUCT, MAP, SET, LIST, BINARY = 2, 3, 4, 6, 8, 10, 11, 12, 13, 14, 15, 18
"""The types of fields, by the numbers that the library has for them; on the wire BINARY is STRING."""

NAMES = {
    BOOL: "bool",
    BYTE: "i8",
    DOUBLE: "double",
    I16: "i16",
    I32: "i32",
    I64: "i64",
    STRING: "string",
    BINARY: "binary",
    STRUCT: "struct",
    MAP: "map",
    SET: "set",
    LIST: "list",
}


_ALONE = threading.Lock()


@dataclass(frozen=True, slots=True)
class ThriftType:
    """
    The type of a field, element, key or value.

    `enum` has the names of an enum's values (an i32), `struct` is the library's class of a struct; `parts` are the element of a list
    or set, key and value of a map. `spec` is what the library has for all of that.
    """

    number: int
    enum: Mapping[int, str] | None = None
    struct: Any = None
    parts: tuple[ThriftType, ...] = ()
    spec: Any = None

    @property
    def wire(self) -> int:
        """The type on the wire."""
        return STRING if self.number == BINARY else self.number

    def __str__(self) -> str:
        if self.struct is not None:
            return str(self.struct.__name__)
        name = "enum" if self.enum is not None else NAMES[self.number]
        return f"{name}<{', '.join(map(str, self.parts))}>" if self.parts else name


@dataclass(frozen=True, slots=True)
class ThriftField:
    """A field of a struct; `default` is None if it has none."""

    number: int
    name: str
    type: ThriftType
    required: bool = False
    default: Any = None


@dataclass(frozen=True, slots=True)
class Struct:
    """A struct, union or exception with its fields, in the order of the file."""

    name: str
    fields: tuple[ThriftField, ...]
    union: bool = False

    @property
    def by_name(self) -> dict[str, ThriftField]:
        """Its fields by name."""
        return {f.name: f for f in self.fields}


@dataclass(frozen=True, slots=True)
class Structs:
    """All structs of a file and of those that it includes: by name, those of other files as `file.Name`; `unions` by class."""

    classes: dict[str, Any]
    unions: frozenset[int]
    own: list[str] = field(default_factory=list)

    def of(self, cls: Any) -> Struct:
        """Describe the struct of a class of the library."""
        defaults = cls()
        fields = tuple(
            ThriftField(number, spec[1], type_of(spec[0], spec[2] if len(spec) == 4 else None), bool(spec[-1]),
                        getattr(defaults, spec[1]))
            for number, spec in cls.thrift_spec.items()
        )  # fmt: skip
        return Struct(cls.__name__, fields, id(cls) in self.unions)


def type_of(number: int, spec: Any) -> ThriftType:
    """Describe a type, of which the library has a number and what more there is to say of it."""
    if number in (LIST, SET):
        return ThriftType(number, parts=(_part(spec),), spec=spec)
    if number == MAP:
        return ThriftType(number, parts=(_part(spec[0]), _part(spec[1])), spec=spec)
    if number == STRUCT:
        return ThriftType(number, struct=spec, spec=spec)
    if number == I32 and spec is not None:
        return ThriftType(number, enum=dict(spec._VALUES_TO_NAMES), spec=spec)  # noqa: SLF001  the only name of it
    return ThriftType(number)


def _part(spec: Any) -> ThriftType:
    return type_of(*spec) if isinstance(spec, tuple) else type_of(spec, None)


def library(name: str = "thriftpy2") -> Any:
    """
    Load the library, or a module of it.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        hint = "pip install 'tailrace[thrift]'"
        raise ConfigError(f"the format 'thrift' needs '{error.name}'", hint=hint) from None


def struct_of(options: Values) -> tuple[Struct, Structs]:
    """
    Give the struct that the options of a table name, and all that its file has.

    Raises:
        ConfigError: there is no such file or struct; points at the option.
    """
    at = options.location("thrift-file")
    if not options["thrift-file"]:
        hint = "give the file as 'thrift.thrift-file' = 'orders.thrift'"
        raise ConfigError("the format 'thrift' must know in which file the struct is", hint=hint)
    folders = [Path(f).expanduser() for f in (options["include-path"] or "").split(";") if f]
    found = load(Path(options["thrift-file"]), folders, at)
    return chosen(found, options["struct-name"] or "", options.location("struct-name") or at), found


def chosen(found: Structs, name: str, at: Location | None = None) -> Struct:
    """
    Give the struct of a name; without one the only one of the file itself.

    Raises:
        ConfigError: there is none.
    """
    if not name:
        if len(found.own) != 1:
            hint = f"name the struct with 'struct-name': {', '.join(found.classes)}"
            raise ConfigError(f"the file has {len(found.own)} structs", hint=hint, location=at)
        name = found.own[0]
    if name not in found.classes:
        hint = did_you_mean(name, found.classes) or f"structs: {', '.join(sorted(found.classes))}"
        raise ConfigError(f"there is no struct '{name}'", hint=hint, location=at)
    return found.of(found.classes[name])


def load(path: Path, folders: list[Path], at: Location | None = None) -> Structs:
    """
    Read a `.thrift` file, with those that it includes from its own folder or from `folders`.

    Raises:
        ConfigError: there is no such file, or it can't be read; points at `at`.
    """
    parser = library("thriftpy2.parser.parser")
    broken = library("thriftpy2.parser.exc").ThriftParserError
    path = path.expanduser()
    if not path.is_file() or path.suffix != ".thrift":
        hint = "a path is relative to the current folder, and ends with '.thrift'"
        raise ConfigError(f"there is no file '{path}'", hint=hint, location=at)
    try:
        made = _parsed(parser, path.resolve(), folders)
    except (broken, OSError, UnicodeDecodeError, AssertionError, SyntaxError) as error:
        text = " ".join(str(error).split()) or type(error).__name__
        raise ConfigError(f"'{path}' is no Thrift that can be read: {text}", location=at) from None
    return _all_of(made)


def _parsed(parser: Any, path: Path, folders: list[Path]) -> Any:
    with _ALONE:
        # it keeps files that are included by their names: of another folder it would take the wrong one
        kept, parser._thrift_cache = parser._thrift_cache, {}  # noqa: SLF001  there is no other way to turn that off
        try:
            return parser.parse(
                str(path), include_dirs=[str(f) for f in folders], parser=_grammar(), enable_cache=False
            )
        finally:
            parser._thrift_cache = kept  # noqa: SLF001


@cache
def _grammar() -> Any:
    """Make the tables of the library's grammar, once."""
    return library("ply.yacc").yacc(module=library("thriftpy2.parser.parser"), debug=False, write_tables=False)


def _all_of(module: Any) -> Structs:
    classes: dict[str, Any] = {}
    unions: set[int] = set()
    for prefix, one in _with_includes(module, ""):
        meta = one.__thrift_meta__
        unions |= {id(c) for c in meta["unions"]}
        for cls in (*meta["structs"], *meta["unions"], *meta["exceptions"]):
            classes[prefix + cls.__name__] = cls
    return Structs(classes, frozenset(unions), [n for n in classes if "." not in n])


def _with_includes(module: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    yield prefix, module
    for included in module.__thrift_meta__["includes"]:
        yield from _with_includes(included, f"{included.__name__}.")
