"""From the options of a table to the descriptor of its message."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tailrace.errors import ConfigError, Location, did_you_mean
from tailrace.formats.protobuf.compiling import compile_files
from tailrace.options import Values

_SOURCES = ("descriptor-file", "proto-file", "module")


def library() -> Any:
    """
    Load the modules of the library that read descriptors.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import google.protobuf as loaded  # noqa: PLC0415
        from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # noqa: F401, PLC0415  an extra
    except ModuleNotFoundError as error:
        hint = "pip install 'tailrace[protobuf]'"
        raise ConfigError(f"the format 'protobuf' needs '{error.name}'", hint=hint) from None
    return loaded


def message_of(options: Values) -> Any:
    """
    Give the descriptor of the message that the options of a table name.

    Raises:
        ConfigError: no or several sources of it are named, or there is no such message; points at the option.
    """
    given = [key for key in _SOURCES if options[key]]
    if len(given) != 1:
        hint = "give one of 'descriptor-file', 'proto-file' and 'module', as 'protobuf.proto-file' = 'orders.proto'"
        at = options.location(given[1]) if given else None
        raise ConfigError("the format 'protobuf' must know in which file the message is", hint=hint, location=at)
    files = _files(given[0], options)
    return _named(options, files, options.location(given[0]))


def files_of(descriptor_set: Any) -> list[Any]:
    """
    Give the files of a descriptor set, in a pool of their own.

    Raises:
        ValueError: one does not build, as an import is missing.
    """
    pool = library().descriptor_pool.DescriptorPool()
    left = {f.name: f for f in descriptor_set.file}

    def add(name: str) -> None:
        file = left.pop(name, None)
        if file is None:
            return
        for imported in file.dependency:
            add(imported)
        try:
            pool.AddSerializedFile(file.SerializeToString())
        except TypeError as error:
            raise ValueError(str(error)) from None

    for file in descriptor_set.file:
        add(file.name)
    return [pool.FindFileByName(f.name) for f in descriptor_set.file]


def messages(files: Iterable[Any]) -> Iterator[Any]:
    """Give all messages of files, with those within others; not the entries of maps."""
    for file in files:
        yield from _with_nested(file.message_types_by_name.values())


def _with_nested(found: Iterable[Any]) -> Iterator[Any]:
    for message in found:
        if not message.GetOptions().map_entry:
            yield message
            yield from _with_nested(message.nested_types)


def _files(source: str, options: Values) -> list[Any]:
    """Load the files of one source; the last is the one that was named."""
    at = options.location(source)
    text: str = options[source]
    if source == "module":
        return [_module(text, at)]
    path = Path(text).expanduser()
    if not path.is_file():
        raise ConfigError(f"there is no file '{text}'", hint="a path is relative to the current folder", location=at)
    if source == "proto-file":
        folders = [Path(f).expanduser() for f in (options["proto-path"] or "").split(";") if f]
        data = compile_files(path, folders, at)
    else:
        data = path.read_bytes()
    return _loaded(data, text, at)


def _loaded(data: bytes, name: str, at: Location | None) -> list[Any]:
    descriptors = library().descriptor_pb2.FileDescriptorSet()
    hint = "make it with protoc --include_imports -o NAME.desc NAME.proto"
    try:
        descriptors.ParseFromString(data)
        found = files_of(descriptors)
    except (ValueError, KeyError, _decode_error()) as error:
        raise ConfigError(f"'{name}' is no whole descriptor set: {error}", hint=hint, location=at) from None
    if not found:
        raise ConfigError(f"'{name}' has no file descriptors", hint=hint, location=at)
    return found


def _decode_error() -> Any:
    return importlib.import_module("google.protobuf.message").DecodeError


def _module(name: str, at: Location | None) -> Any:
    library()
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        hint = "it must be on the path of Python, as a module of your own is"
        raise ConfigError(f"the module '{name}' can't be loaded: {error}", hint=hint, location=at) from None
    if not hasattr(module, "DESCRIPTOR"):
        hint = "name what protoc --python_out made, as 'orders_pb2'"
        raise ConfigError(f"the module '{name}' has no descriptor", hint=hint, location=at)
    return module.DESCRIPTOR


def _named(options: Values, files: list[Any], source: Location | None) -> Any:
    """Find the message by its name, its Java class, or as the only one of the file."""
    found = list(messages(files))
    for key, names in (("message-name", _full_name), ("message-class-name", java_class)):
        wanted = options[key]
        if not wanted:
            continue
        by_name = {names(m): m for m in found}
        if wanted not in by_name:
            hint = did_you_mean(wanted, by_name) or f"messages: {', '.join(sorted(by_name))}"
            raise ConfigError(f"there is no message '{wanted}'", hint=hint, location=options.location(key))
        return by_name[wanted]
    top = list(files[-1].message_types_by_name.values())
    if len(top) != 1:
        hint = f"add 'protobuf.message-name' = '...': {', '.join(m.full_name for m in found)}"
        raise ConfigError(f"the file has {len(top)} messages", hint=hint, location=source)
    return top[0]


def _full_name(message: Any) -> str:
    return str(message.full_name)


def java_class(message: Any) -> str:
    """Give the name of the class that protoc makes of a message for Java."""
    names = [message.name]
    outer = message.containing_type
    while outer is not None:
        names.insert(0, outer.name)
        outer = outer.containing_type
    options = message.file.GetOptions()
    package = options.java_package if options.HasField("java_package") else message.file.package
    if not options.java_multiple_files:
        names.insert(0, options.java_outer_classname or _outer_class(message.file))
    return f"{package}.{'$'.join(names)}" if package else "$".join(names)


def _outer_class(file: Any) -> str:
    """Give the name of the class around all messages of a file, as protoc makes it of the file's name."""
    stem = file.name.rsplit("/", 1)[-1].removesuffix(".proto")
    name = "".join(part[:1].upper() + part[1:] for part in stem.replace("-", "_").split("_"))
    taken = {m.name for m in _with_nested(file.message_types_by_name.values())}
    taken |= set(file.enum_types_by_name) | set(file.services_by_name)
    return f"{name}OuterClass" if name in taken else name
