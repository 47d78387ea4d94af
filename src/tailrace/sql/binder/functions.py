"""Functions of the user: from CREATE FUNCTION to what is known by name, and from calls to what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from sqlglot import exp

from tailrace.errors import ConfigError, UnsupportedError, did_you_mean
from tailrace.expressions.catalogue import functions as catalogue_functions
from tailrace.schema import DataType, row
from tailrace.sql.binder.names import in_default_database, plain
from tailrace.sql.binder.places import at
from tailrace.sql.binder.types import data_type
from tailrace.sql.dialect import nodes as n
from tailrace.sql.dialect import parse_type
from tailrace.sql.dialect import statement_nodes as s
from tailrace.sql.dialect.table_functions import WINDOWS
from tailrace.sql.source import Source
from tailrace.user_functions.declarations import Declaration, UserTableFunction
from tailrace.user_functions.hints import Parameter, TypeText
from tailrace.user_functions.known import Known, KnownState, ParameterType
from tailrace.user_functions.loading import load
from tailrace.user_functions.processing import KeptState, ProcessFunction

_MEANT = "user function"


def mark(statement: n.Node, known: Mapping[str, Known], source: Source) -> None:
    """
    Let each call of a function of the user in a statement know which one it means; names are not case-sensitive.

    Raises:
        ConfigError: there is no table function of a name, or no function of a name with the catalog before it.
    """
    for node in statement.walk():
        if not isinstance(node, n.Call | n.TableFunction):
            continue
        qualifier = n.get(node, "qualifier")
        found = _in_catalog(node, qualifier, known, source) if qualifier else None
        found = found or meant(node) or known.get(str(node.this).lower())
        if found is not None:
            node.meta[_MEANT] = found
        stands = found.is_table or found.is_process if found else str(node.this) in WINDOWS
        if isinstance(node, n.TableFunction) and not stands:
            raise _no_table_function(node, found, known, source)


def _in_catalog(node: n.Node, qualifier: list[n.Node], known: Mapping[str, Known], source: Source) -> Known:
    """Give the function that a name with catalog and database before it means; built-in and system functions are in none."""
    of_catalog = {name: f for name, f in known.items() if not f.system}
    name = in_default_database([str(q.this) for q in qualifier], str(node.this), at(node, source))
    found = of_catalog.get(name.lower())
    if found is None:
        hint = did_you_mean(name.lower(), of_catalog) or "built-in functions are in no catalog: write the name alone"
        raise ConfigError(f"there is no function '{name}' in the catalog", hint=hint, location=at(node, source))
    node.set("qualifier", None)
    return found


def _no_table_function(
    node: n.TableFunction, found: Known | None, known: Mapping[str, Known], source: Source
) -> ConfigError:
    name, place = str(node.this), at(node, source)
    if found is not None:
        message = f"{found.name} gives one value, not rows"
        return ConfigError(message, hint="call it in an expression, or declare it by @tr.udtf", location=place)
    tables = [k for k, f in known.items() if f.is_table or f.is_process]
    hint = did_you_mean(name, [*tables, *WINDOWS]) or "CREATE FUNCTION it AS 'module:function' LANGUAGE PYTHON"
    return ConfigError(f"there is no table function '{name}'", hint=hint, location=place)


def let_mean(node: n.Node, declaration: Declaration[..., object]) -> None:
    """
    Let a call mean a declared function that no statement has named.

    Raises:
        ConfigError: a type of the declaration is none; points at the declaration.
    """
    node.meta[_MEANT] = made(declaration, declaration.__name__)


def meant(node: exp.Expr) -> Known | None:
    """Give the function of the user that a call means; None for a function of the catalogue."""
    found: Known | None = node.meta.get(_MEANT)
    return found


def defined(node: n.Node, functions: dict[str, Known], source: Source) -> str | None:
    """
    Let CREATE, ALTER and DROP FUNCTION take effect, and say what they did; None for any other statement.

    Raises:
        ConfigError: the name is taken, or not known, or there is no such function in Python.
    """
    if isinstance(node, s.CreateFunction):
        return _altered(node, functions, source) if n.get(node, "alter") else _created(node, functions, source)
    if isinstance(node, s.Drop) and node.args["kind"] == "FUNCTION":
        return _dropped(node, functions, source)
    return None


def _created(node: s.CreateFunction, functions: dict[str, Known], source: Source) -> str:
    name = _name(node, source)
    if name in functions:
        if n.get(node, "exists"):
            return f"function '{name}' exists already"
        hint = "drop it first, or write CREATE FUNCTION IF NOT EXISTS"
        message = f"there is a function '{name}' already"
        raise ConfigError(message, hint=hint, location=at(node.args["name"], source))
    functions[name] = known_function(node, name, source)
    return f"function '{name}' created"


def _altered(node: s.CreateFunction, functions: dict[str, Known], source: Source) -> str:
    name = _name(node, source)
    if name not in functions:
        return _absent(name, node, functions, source)
    functions[name] = known_function(node, name, source)
    return f"function '{name}' altered"


def _dropped(node: s.Drop, functions: dict[str, Known], source: Source) -> str:
    name = _name(node, source)
    if name not in functions:
        return _absent(name, node, functions, source)
    del functions[name]
    return f"function '{name}' dropped"


def _name(node: n.Node, source: Source) -> str:
    return plain(node.args["name"], source).lower()


def _absent(name: str, node: n.Node, functions: Mapping[str, Known], source: Source) -> str:
    if n.get(node, "exists"):
        return f"there is no function '{name}'"
    hint = did_you_mean(name, functions) or "SHOW USER FUNCTIONS lists those that there are"
    raise ConfigError(f"there is no function '{name}'", hint=hint, location=at(node.args["name"], source))


def known_function(node: s.CreateFunction, name: str, source: Source) -> Known:
    """
    Give the function that CREATE FUNCTION names.

    Raises:
        ConfigError: there is none such, or its types can't be read.
        UnsupportedError: it is not in Python.
    """
    language = n.get(node, "language") or "JAVA"
    if language != "PYTHON":
        hint = "write AS 'module:function' LANGUAGE PYTHON"
        raise UnsupportedError(f"functions in {language} can't be called here", hint=hint, location=at(node, source))
    if not n.get(node, "system") and name in {f.name.lower() for f in catalogue_functions()}:
        hint = (
            f"give it another name, or write CREATE TEMPORARY SYSTEM FUNCTION {name} to put it in the place of that one"
        )
        message = f"there is a built-in function '{name}', which goes before functions of a catalog"
        raise ConfigError(message, hint=hint, location=at(node.args["name"], source))
    code = node.args["code"]
    declaration = load(str(code.this), Path(source.file).parent, at(code, source))
    return replace(made(declaration, name), system=bool(n.get(node, "system")))


def made(declaration: Declaration[..., object], name: str) -> Known:
    """
    Read the types of a declaration.

    Raises:
        ConfigError: one is no type; points at the declaration.
    """
    result = _type(declaration.result, declaration)
    if isinstance(declaration, UserTableFunction | ProcessFunction):
        result = result.with_nullable(False)
    variadic = _parameter(declaration.variadic, declaration) if declaration.variadic is not None else None
    parameters = tuple(_parameter(p, declaration) for p in declaration.parameters)
    if not isinstance(declaration, ProcessFunction):
        return Known(name, declaration, parameters, variadic, result)
    states = tuple(_state(s, declaration) for s in declaration.states)
    sides = {side: _type(t, declaration).with_nullable(False) for side, t in declaration.sides.items()}
    return Known(name, declaration, parameters, variadic, result, states, sides)


def _state(kept: KeptState, declaration: Declaration[..., object]) -> KnownState:
    given = kept.state
    type_ = _type(kept.type, declaration).with_nullable(True)
    return KnownState(kept.name, type_, given.made, kept.ttl, given.save, given.load)


def _parameter(given: Parameter, declaration: Declaration[..., object]) -> ParameterType:
    type_ = None if given.type is None else _type(given.type, declaration)
    return ParameterType(given.name, type_, given.optional, given.hinted)


def _type(given: TypeText, declaration: Declaration[..., object]) -> DataType:
    if isinstance(given, DataType):
        return given
    if isinstance(given, Mapping):
        return row({name: _type(t, declaration) for name, t in given.items()})
    source = Source(str(given), f"<type of {declaration.__name__}>")
    try:
        return data_type(parse_type(source), source)
    except ConfigError as error:
        message = f"'{given}' of the function {declaration.__name__} is no type: {error.message}"
        raise ConfigError(message, hint=error.hint, location=declaration.place) from None
