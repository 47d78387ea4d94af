"""The options of the format `protobuf`, under Flink's names where it has them."""

from __future__ import annotations

from tailrace.formats.confluent.access import OPTIONS as ACCESS
from tailrace.formats.confluent.places import OPTIONS as PLACES
from tailrace.options import Option, OptionSet, boolean, string

SHARED = (
    Option("ignore-parse-errors", boolean, False, "a row that can't be read is left out; else it is an error"),
    Option(
        "read-default-values",
        boolean,
        False,
        "a field that is not there is its default, a list or map without elements is empty; else they are NULL "
        "(numbers, texts and the like of proto3 without `optional` are never NULL)",
    ),
    Option("write-null-string-literal", string, "", "the text written for a NULL in a list or map of texts"),
)

MESSAGE = (
    Option("message-name", string, doc="the full name of the message, as `shop.Order`; not needed if there is one"),
    Option("message-class-name", string, doc="its Java class, as in Flink: `com.example.Orders$Order`"),
    Option("descriptor-file", string, doc="a descriptor set: `protoc --include_imports -o orders.desc orders.proto`"),
    Option("proto-file", string, doc="the `.proto` file that has the message"),
    Option("proto-path", string, doc="folders in which imports are looked for, as `a;b`; by default that of the file"),
    Option("module", string, doc="the Python module that protoc made, as `shop.orders_pb2`"),
)
"""What says which message the rows are."""

OPTIONS = OptionSet("format 'protobuf'", (*MESSAGE, *SHARED))

OF_REGISTRY = OptionSet("format 'protobuf-confluent'", (*ACCESS, *PLACES, *MESSAGE, *SHARED))
