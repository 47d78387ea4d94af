"""The syntax tree of statements other than queries."""

from __future__ import annotations

from typing import ClassVar

from tailrace.sql.dialect.nodes import Node


class Option(Node):
    """`'key' = 'value'`."""

    arg_types: ClassVar[dict[str, bool]] = {"key": True, "value": True}


class PhysicalColumn(Node):
    """`name type`."""

    arg_types: ClassVar[dict[str, bool]] = {"name": True, "type": True, "comment": False}


class MetadataColumn(Node):
    """`name type METADATA [FROM 'key'] [VIRTUAL]`."""

    arg_types: ClassVar[dict[str, bool]] = {
        "name": True,
        "type": True,
        "key": False,
        "virtual": False,
        "comment": False,
    }


class ComputedColumn(Node):
    """`name AS expr`."""

    arg_types: ClassVar[dict[str, bool]] = {"name": True, "expr": True, "comment": False}


class Watermark(Node):
    """`WATERMARK FOR column AS expr`."""

    arg_types: ClassVar[dict[str, bool]] = {"column": True, "expr": True}


class PrimaryKey(Node):
    """`[CONSTRAINT name] PRIMARY KEY (columns) NOT ENFORCED`."""

    arg_types: ClassVar[dict[str, bool]] = {"name": False, "columns": True}


class LikeOption(Node):
    """INCLUDING, EXCLUDING or OVERWRITING and a feature."""

    arg_types: ClassVar[dict[str, bool]] = {"strategy": True, "feature": True}


class LikeTable(Node):
    """`LIKE table (options)`."""

    arg_types: ClassVar[dict[str, bool]] = {"name": True, "options": False}


class CreateTable(Node):
    """CREATE TABLE."""

    arg_types: ClassVar[dict[str, bool]] = {
        "name": True,
        "temporary": False,
        "exists": False,
        "columns": False,
        "primary_key": False,
        "watermark": False,
        "comment": False,
        "partitioned_by": False,
        "options": False,
        "like": False,
    }


class CreateView(Node):
    """CREATE VIEW."""

    arg_types: ClassVar[dict[str, bool]] = {
        "name": True,
        "temporary": False,
        "exists": False,
        "columns": False,
        "comment": False,
        "query": True,
    }


class Drop(Node):
    """DROP TABLE or DROP VIEW (`kind`)."""

    arg_types: ClassVar[dict[str, bool]] = {"kind": True, "name": True, "temporary": False, "exists": False}


class SetOption(Node):
    """SET of one key; without a key, the list of all."""

    arg_types: ClassVar[dict[str, bool]] = {"key": False, "value": False}


class ResetOption(Node):
    """RESET of one key, or of all."""

    arg_types: ClassVar[dict[str, bool]] = {"key": False}


class Insert(Node):
    """INSERT INTO; `partition` are constants for columns, as in PARTITION (k = 'v')."""

    arg_types: ClassVar[dict[str, bool]] = {"name": True, "partition": False, "columns": False, "query": True}


class PartitionValue(Node):
    """`column = constant` in PARTITION."""

    arg_types: ClassVar[dict[str, bool]] = {"column": True, "value": True}


class StatementSet(Node):
    """EXECUTE STATEMENT SET BEGIN ... END."""

    arg_types: ClassVar[dict[str, bool]] = {"inserts": True}


class Explain(Node):
    """EXPLAIN of a query, an INSERT or a statement set."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True}


class Describe(Node):
    """DESCRIBE."""

    arg_types: ClassVar[dict[str, bool]] = {"name": True}


class Show(Node):
    """SHOW TABLES, VIEWS, FUNCTIONS or CREATE TABLE or VIEW of a name (`what`)."""

    arg_types: ClassVar[dict[str, bool]] = {"what": True, "name": False}
