"""From the options of a table to the descriptor of its message."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from tailrace.errors import ConfigError, Location, did_you_mean
from tailrace.formats.protobuf.compiling import compile_files
from tailrace.options import Values

SOURCES = ("descriptor-file", "proto-file", "module")
"""The options that say where the message is."""


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
    given = [key for key in SOURCES if options[key]]
    if len(given) != 1:
        hint = "give one of 'descriptor-file', 'proto-file' and 'module', as 'protobuf.proto-file' = 'orders.proto'"
        at = options.location(given[1]) if given else None
        raise ConfigError("the format 'protobuf' must know in which file the message is", hint=hint, location=at)
    files = _files(given[0], options)
    return _named(options, files, options.location(given[0]))


def texts_of(options: Values, file: Any) -> dict[str, str]:
    """Give the texts of the `.proto` file that options name and of those that it imports, by their names."""
    if not options["proto-file"]:
        return {}
    folders = [Path(f).expanduser() for f in (options["proto-path"] or "").split(";") if f]
    folders.append(Path(options["proto-file"]).expanduser().parent)
    found: dict[str, str] = {}
    left = [file]
    while left:
        name, left = str(left[0].name), [*left[1:], *left[0].dependencies]
        path = next((p for f in folders if (p := f / name).is_file()), None)
        if path is not None and name not in found:
            found[name] = path.read_text()
    return found


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
    folders = [Path(f).expanduser() for f in (options["proto-path"] or "").split(";") if f]
    return _of_path(Path(text), folders if source == "proto-file" else None, at)


def _of_path(path: Path, folders: list[Path] | None, at: Location | None) -> list[Any]:
    """Load a `.proto` file, whose imports are in `folders`, or without them a descriptor set."""
    path = path.expanduser()
    if not path.is_file():
        raise ConfigError(f"there is no file '{path}'", hint="a path is relative to the current folder", location=at)
    data = path.read_bytes() if folders is None else compile_files(path, folders, at)
    return loaded(data, str(path), at)


def message_of_file(path: Path, name: str, at: Location | None) -> Any:
    """
    Give the descriptor of a message of a `.proto` file or a descriptor set, by its full name, or the only one.

    Raises:
        ConfigError: there is no such file or message.
    """
    library()
    return chosen(_of_path(path, [] if path.suffix == ".proto" else None, at), name, at)


def chosen(files: list[Any], name: str, at: Location | None) -> Any:
    """
    Give the message of a full name; without one the only one of the last file.

    Raises:
        ConfigError: there is no such message.
    """
    found = list(messages(files))
    if name:
        return _by_name(found, _full_name, name, at)
    top = list(files[-1].message_types_by_name.values())
    if len(top) != 1:
        hint = f"name the message: {', '.join(m.full_name for m in found)}"
        raise ConfigError(f"the file has {len(top)} messages", hint=hint, location=at)
    return top[0]


def loaded(data: bytes, name: str, at: Location | None) -> list[Any]:
    """
    Give the files of a serialized descriptor set.

    Raises:
        ConfigError: it is none, or not whole.
    """
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
    for key, names in (("message-name", _full_name), ("message-class-name", java_class)):
        if options[key]:
            return _by_name(list(messages(files)), names, options[key], options.location(key))
    return chosen(files, "", source)


def _by_name(found: list[Any], names: Callable[[Any], str], wanted: str, at: Location | None) -> Any:
    by_name = {names(m): m for m in found}
    if wanted not in by_name:
        hint = did_you_mean(wanted, by_name) or f"messages: {', '.join(sorted(by_name))}"
        raise ConfigError(f"there is no message '{wanted}'", hint=hint, location=at)
    return by_name[wanted]


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
