"""The columns of a table from whatever describes them, and as whatever else describes them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib
import json
import keyword
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import GenericAlias
from typing import Annotated, Any, Optional

from tailrace.api import trees
from tailrace.api.expr import Expr
from tailrace.api.places import place
from tailrace.api.schemas import Columns, Declared, Metadata, declared, sql_type
from tailrace.errors import ConfigError, TailraceError
from tailrace.formats.avro.deriving import columns as avro_columns
from tailrace.formats.avro.deriving import derived as avro_of
from tailrace.formats.avro.types import BadSchemaError
from tailrace.formats.avro.types import parse as parse_avro
from tailrace.formats.json.schema_types import columns as json_columns
from tailrace.formats.json.schema_types import json_schema
from tailrace.schema import BINARIES, FLOATS, INTEGERS, STRINGS, TIMESTAMPS, DataType, Field, Kind, Schema
from tailrace.sql.binder.types import data_type
from tailrace.sql.dialect import parse
from tailrace.sql.dialect import statement_nodes as s
from tailrace.sql.source import Source

_ENDINGS = ".sql, .avsc, .json, .proto, .desc or .thrift"
_IS_THRIFT = re.compile(r"\b(struct|union|exception)\s+\w+\s*\{")


class Contract:
    """
    The columns of a table, from one description of them, to be had as any other.

    `given` is a class with annotations (dataclass, NamedTuple, TypedDict, Pydantic model, msgspec struct), a mapping of names to
    types, an Avro schema or a JSON Schema (as a dict or text), a message class of Protobuf, a struct of thriftpy2, the text of a
    `.proto` or `.thrift` file, columns or a CREATE TABLE in SQL, the schema of a table, or the path of a file with one of these.
    `message` names the message or struct where a file has several. It can be given wherever columns are: `tr.read_kafka("orders", tr.Contract(Path("order.avsc")))`.

    Raises:
        ConfigError: it is none of these, or has a type that is none in SQL.

    >>> import tailrace as tr
    >>> order = tr.Contract("id BIGINT NOT NULL, amount DECIMAL(10, 2)")
    >>> order.avro()["fields"][0]
    {'name': 'id', 'type': 'long'}
    >>> tr.Contract(order.dataclass("Order")) == order
    True
    """

    def __init__(self, given: Any, *, message: str = "") -> None:
        self._schema = _schema(given, message)

    @property
    def columns(self) -> dict[str, str]:
        """
        The types of the columns as SQL, by their names.

        >>> import tailrace as tr
        >>> tr.Contract({"id": int}).columns
        {'id': 'BIGINT'}
        """
        return {f.name: str(f.type) for f in self._schema}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Contract) and self.columns == other.columns

    def __hash__(self) -> int:
        return hash(tuple(self.columns.items()))

    def __repr__(self) -> str:
        return f"Contract({', '.join(f'{n} {t}' for n, t in self.columns.items())})"

    def sql(self, table: str) -> str:
        """
        Give a CREATE TABLE, to which WITH (…) is to be added.

        >>> import tailrace as tr
        >>> print(tr.Contract({"id": int}).sql("orders"))
        CREATE TABLE `orders` (
          `id` BIGINT
        )
        """
        fields = ",\n".join(f"  {_quoted(f.name)} {f.type}" for f in self._schema)
        return f"CREATE TABLE {_quoted(table)} (\n{fields}\n)"

    def avro(self) -> dict[str, Any]:
        """
        Give the Avro schema of the columns: TIMESTAMP is `local-timestamp-…`, TIMESTAMP_LTZ `timestamp-…`.

        Raises:
            ConfigError: a column has no type in Avro.

        >>> import tailrace as tr
        >>> tr.Contract({"id": int}).avro()["type"]
        'record'
        """
        text = avro_of(self._schema, legacy=False)
        found: dict[str, Any] = json.loads(text)
        return found

    def json_schema(self, title: str = "Row") -> dict[str, Any]:
        """
        Give the JSON Schema of the columns, as the format `json` writes them.

        >>> import tailrace as tr
        >>> tr.Contract("id BIGINT NOT NULL").json_schema()["properties"]
        {'id': {'type': 'integer'}}
        """
        return json_schema(self._schema, title)

    def protobuf(self, message: str = "Row", package: str = "") -> str:
        """
        Give a `.proto` file with a message of the columns.

        Raises:
            ConfigError: a column has no type or name in Protobuf.

        >>> import tailrace as tr
        >>> tr.Contract({"id": int}).protobuf("Order").splitlines()[-2]
        '  optional int64 id = 1;'
        """
        deriving = importlib.import_module("tailrace.formats.protobuf.deriving")
        return str(deriving.text_of(deriving.derived(self._schema, message, package)))

    def thrift(self, struct: str = "Row") -> str:
        """
        Give a `.thrift` file with a struct of the columns; those that may not be NULL are `required`.

        Raises:
            ConfigError: a column has no type or name in Thrift, or thriftpy2 is not installed.

        >>> import tailrace as tr
        >>> tr.Contract("id BIGINT NOT NULL").thrift("Order").splitlines()[1]
        '  1: required i64 id,'
        """
        deriving = importlib.import_module("tailrace.formats.thrift.deriving")
        return str(deriving.text_of(self._schema, struct))

    def dataclass(self, name: str) -> type:
        """
        Give a dataclass with a field for each column; those that may be NULL are None by default.

        >>> import tailrace as tr
        >>> tr.Contract("id BIGINT NOT NULL, name STRING").dataclass("Order")(id=1)
        Order(id=1, name=None)
        """
        fields: list[Any] = [
            (n, kind, dataclasses.field(default=None)) if optional else (n, kind)
            for n, kind, optional in self._annotated(name)
        ]
        return dataclasses.make_dataclass(name, fields, kw_only=True)

    def pydantic(self, name: str) -> Any:
        """
        Give a Pydantic model with a field for each column.

        Raises:
            ConfigError: Pydantic is not installed.
        """
        try:
            library = importlib.import_module("pydantic")
        except ModuleNotFoundError:
            raise ConfigError("a Pydantic model needs 'pydantic'", hint="pip install pydantic") from None
        fields = {n: (kind, None if optional else ...) for n, kind, optional in self._annotated(name)}
        return library.create_model(name, **fields)

    def msgspec(self, name: str) -> Any:
        """
        Give a msgspec struct with a field for each column.

        >>> import tailrace as tr
        >>> tr.Contract("id BIGINT NOT NULL, name STRING").msgspec("Order")(id=1)
        Order(id=1, name=None)
        """
        library = importlib.import_module("msgspec")
        fields = [(n, kind, None) if optional else (n, kind) for n, kind, optional in self._annotated(name)]
        return library.defstruct(name, fields, kw_only=True)

    def _annotated(self, owner: str) -> list[tuple[str, Any, bool]]:
        for f in self._schema:
            if not f.name.isidentifier() or keyword.iskeyword(f.name):
                raise ConfigError(f"column '{f.name}' is no name in Python", location=place().location())
        return [(f.name, _python(f.type, f"{owner}_{f.name}"), f.type.nullable) for f in self._schema]


def column_mapping(given: Columns) -> Declared:
    """Give the columns that a description has, where it is no mapping of names to types and no class; else itself."""
    if (
        isinstance(given, (str, Path))
        or not isinstance(given, (Mapping, Schema, type))
        or _is_message(given)
        or _is_struct(given)
        or _is_avro(given)
        or _is_json_schema(given)
    ):
        return Contract(given).columns
    return given


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"


def _schema(given: Any, message: str) -> Schema:
    if isinstance(given, Contract):
        return given._schema  # noqa: SLF001  its own class
    if isinstance(given, Path):
        return _of_file(given, message)
    if isinstance(given, str):
        return _of_text(given, message)
    if _is_message(given):
        return _of_message(getattr(given, "DESCRIPTOR", given))
    if _is_struct(given):
        return _of_struct(given)
    if _is_avro(given):
        return _of_avro(json.dumps(given))
    if _is_json_schema(given):
        return _placed(lambda: json_columns(given))
    if isinstance(given, Schema):
        return given
    if isinstance(given, (Mapping, type)):
        return _of_columns(given)
    hint = "give a class, a mapping of names and types, a schema of Avro, Protobuf, Thrift or JSON, or SQL"
    raise ConfigError(f"there are no columns in a {type(given).__name__}", hint=hint, location=place().location())


def _is_message(given: Any) -> bool:
    """Tell whether it is a class of Protobuf, or the descriptor of a message."""
    descriptor = getattr(given, "DESCRIPTOR", given)
    return hasattr(descriptor, "fields_by_number") and hasattr(descriptor, "full_name")


def _is_struct(given: Any) -> bool:
    """Tell whether it is a struct of Thrift, as thriftpy2 has them."""
    return isinstance(given, type) and isinstance(getattr(given, "thrift_spec", None), dict)


def _is_avro(given: Any) -> bool:
    return isinstance(given, Mapping) and given.get("type") == "record" and isinstance(given.get("fields"), list)


def _is_json_schema(given: Any) -> bool:
    return isinstance(given, Mapping) and isinstance(given.get("properties"), Mapping)


def _placed(make: Any) -> Schema:
    """Make a schema; what is wrong in it points at the caller's line."""
    try:
        found: Schema = make()
    except TailraceError as error:
        error.location = error.location or place().location()
        raise
    return found


def _of_avro(text: str) -> Schema:
    try:
        return _placed(lambda: avro_columns(parse_avro(text), legacy=False))
    except BadSchemaError as error:
        raise ConfigError(f"it is no Avro schema: {error}", location=place().location()) from None


def _of_message(descriptor: Any) -> Schema:
    shapes = importlib.import_module("tailrace.formats.protobuf.shapes")
    return _placed(lambda: shapes.schema_of(descriptor))


def _of_struct(given: Any) -> Schema:
    idl, shapes = (importlib.import_module(f"tailrace.formats.thrift.{name}") for name in ("idl", "shapes"))
    known = idl.Structs({}, frozenset())
    return _placed(lambda: shapes.schema_of(known.of(given), known))


def _of_structs(known: Any, struct: str) -> Schema:
    idl, shapes = (importlib.import_module(f"tailrace.formats.thrift.{name}") for name in ("idl", "shapes"))
    return _placed(lambda: shapes.schema_of(idl.chosen(known, struct), known))


def _of_columns(given: Declared) -> Schema:
    fields = []
    for name, kind in declared(given).items():
        if isinstance(kind, (Expr, Metadata)):
            message = f"column '{name}' is computed or metadata: a contract has the columns of the rows alone"
            raise ConfigError(message, location=place().location())
        fields.append(Field(name, kind if isinstance(kind, DataType) else _type(sql_type(kind, strict=False))))
    return Schema(tuple(fields))


def _type(text: str) -> DataType:
    return data_type(trees.type_tree(text), place())


def _of_text(text: str, message: str) -> Schema:
    """Read a text: JSON, a `.proto` file, or SQL."""
    start = text.lstrip()
    if start.startswith("{"):
        return _of_json(text)
    if any(start.startswith(word) for word in ("syntax", "edition", "package ", "import ", "message ")):
        return _of_proto(text, message)
    if _IS_THRIFT.search(text):
        deriving = importlib.import_module("tailrace.formats.thrift.deriving")
        return _of_structs(deriving.loaded(text, place().location()), message)
    return _of_sql(text, f"{place().file}, in Contract(...)")


def _of_json(text: str) -> Schema:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"it is no JSON: {error}", location=place().location()) from None
    return _of_avro(text) if _is_avro(found) else _placed(lambda: json_columns(found))


def _of_proto(text: str, message: str) -> Schema:
    compiling = importlib.import_module("tailrace.formats.protobuf.compiling")
    descriptors = importlib.import_module("tailrace.formats.protobuf.descriptors")
    name = "contract.proto"
    files = descriptors.loaded(compiling.compile_texts(name, {name: text}), name, place().location())
    return _of_message(descriptors.chosen(files, message, place().location()))


def _of_sql(text: str, file: str) -> Schema:
    is_statement = text.lstrip().upper().startswith("CREATE")
    source = Source(text if is_statement else f"CREATE TABLE t ({text})", file)
    statements = parse(source)
    if len(statements) != 1 or not isinstance(statements[0], s.CreateTable):
        raise ConfigError("a contract in SQL is one CREATE TABLE, or its columns", location=place().location())
    found = statements[0].args["columns"]
    fields = [(c.args["name"].name, c.args["type"]) for c in found if isinstance(c, s.PhysicalColumn)]
    return Schema(tuple(Field(str(n), data_type(t, source)) for n, t in fields))


def _of_file(path: Path, message: str) -> Schema:
    if path.suffix in (".proto", ".desc", ".pb"):
        descriptors = importlib.import_module("tailrace.formats.protobuf.descriptors")
        return _of_message(descriptors.message_of_file(path, message, place().location()))
    if path.suffix == ".thrift":
        idl = importlib.import_module("tailrace.formats.thrift.idl")
        return _of_structs(idl.load(path, [], place().location()), message)
    try:
        text = path.read_text()
    except OSError as error:
        raise ConfigError(f"'{path}' can't be read: {error}", location=place().location()) from None
    if path.suffix == ".sql":
        return _of_sql(text, str(path))
    if path.suffix in (".avsc", ".json"):
        return _of_json(text)
    raise ConfigError(
        f"'{path}' is no file of a kind that is known",
        hint=f"its name ends with {_ENDINGS}",
        location=place().location(),
    )


_PLAIN: dict[Kind, Any] = {
    Kind.BOOLEAN: bool,
    Kind.BIGINT: int,
    Kind.DOUBLE: float,
    Kind.DATE: dt.date,
}
_NEAR: dict[Kind, Any] = {
    **dict.fromkeys(INTEGERS, int),
    **dict.fromkeys(FLOATS, float),
    **dict.fromkeys(STRINGS, str),
    **dict.fromkeys(BINARIES, bytes),
    **dict.fromkeys(TIMESTAMPS, dt.datetime),
    Kind.DECIMAL: Decimal,
    Kind.TIME: dt.time,
    Kind.INTERVAL_SECOND: dt.timedelta,
    Kind.INTERVAL_MONTH: int,
}


def _python(kind: DataType, name: str) -> Any:
    """Give a type of Python; one that says less than SQL has its type in SQL beside it."""
    found = _value(kind, name)
    return Optional[found] if kind.nullable else found  # noqa: UP045  the type is not known before


def _value(kind: DataType, name: str) -> Any:
    if kind.kind is Kind.ARRAY:
        return GenericAlias(list, (_python(kind.children[0], name),))
    if kind.kind is Kind.MAP:
        return GenericAlias(dict, tuple(_python(child, name) for child in kind.children))
    if kind.kind is Kind.ROW:
        if not all(n.isidentifier() and not keyword.iskeyword(n) for n in kind.names):
            raise ConfigError(f"a field of {kind.sql()} is no name in Python", location=place().location())
        fields: list[Any] = [(n, _python(c, f"{name}_{n}")) for n, c in zip(kind.names, kind.children, strict=True)]
        return dataclasses.make_dataclass(name, fields)
    text = kind.sql()
    if kind.kind in _PLAIN or text in ("STRING", "BYTES"):
        return _NEAR.get(kind.kind, _PLAIN.get(kind.kind))
    if kind.kind not in _NEAR:
        raise ConfigError(f"there is no Python type for {text}", location=place().location())
    return Annotated[_NEAR[kind.kind], text]
