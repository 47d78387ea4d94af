"""Versions of one Protobuf schema as they follow each other on a topic, and rows of all of them."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from both_ways import options
from google.protobuf import message_factory

from tailrace.formats import registry as formats
from tailrace.formats.confluent.client import Registry, RegistrySchema
from tailrace.formats.confluent.framing import header
from tailrace.formats.protobuf.descriptors import message_of
from tailrace.formats.protobuf.indexes import encoded

HEAD = 'syntax = "proto3";\npackage shop;\n'
VERSIONS = [
    HEAD + "message Order { int32 id = 1; string name = 2; }",
    # a wider number, and fields more
    HEAD + "message Order { int64 id = 1; string name = 2; optional int32 n = 3; repeated string tags = 4; }",
    # another order, another name of a field, a nested message that nobody asks for
    HEAD + "message Order { message Extra { int32 a = 1; } Extra extra = 9; string called = 2; int64 id = 1; }",
    # a field is gone
    HEAD + "message Order { int64 id = 1; reserved 2; }",
    # another message stands before it, and the package is another
    'syntax = "proto3";\npackage shop.v2;\nmessage Item { int32 a = 1; } message Order { int64 id = 1; string name = 2; Item item = 7; }',
    # it comes back, in a oneof
    HEAD + "message Order { int64 id = 1; oneof x { string name = 2; int64 other = 8; } optional int32 n = 3; }",
]

Expected = tuple[int, str | None, int | None]


def compiled(folder: Path, text: str, name: str = "Order") -> Any:
    """Give the class of a message, as protoc makes it, from a pool of its own."""
    path = folder / f"p{uuid.uuid4().hex}.proto"
    path.write_text(text)
    package = text.split("package ")[1].split(";", maxsplit=1)[0]
    given = options(formats.get("protobuf").options, {"proto-file": str(path), "message-name": f"{package}.{name}"})
    return message_factory.GetMessageClass(message_of(given))


def rows_of_all_versions(client: Registry, topic: str, folder: Path) -> tuple[list[bytes | None], list[Expected]]:
    """Register the versions, the last as that of the topic; give rows of all in turn, and `id`, `name` and `n` of each."""
    numbers = [client.register(f"{topic}-{i}", RegistrySchema(v, "PROTOBUF")) for i, v in enumerate(VERSIONS)]
    client.register(f"{topic}-value", RegistrySchema(VERSIONS[5], "PROTOBUF"))
    kinds = [compiled(folder, v) for v in VERSIONS]
    rows: list[bytes | None] = []
    expected: list[Expected] = []
    for k in range(240):
        version = (k * 7) % 6
        values: dict[str, Any] = {"id": k}
        name = "called" if version == 2 else None if version == 3 else "name"
        if name:
            values[name] = f"n{k}"
        if version in (1, 5) and k % 2:
            values["n"] = k
        path = (1,) if version == 4 else (0,)
        rows.append(header(numbers[version]) + encoded(path) + kinds[version](**values).SerializeToString())
        expected.append((k, f"n{k}" if name else None, values.get("n")))
    return rows, expected
