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


class ColumnName(Node):
    """A column by name alone, as CREATE TABLE ... AS may list those of its query."""

    arg_types: ClassVar[dict[str, bool]] = {"name": True}


class PrimaryKey(Node):
    """`[CONSTRAINT name] PRIMARY KEY (columns) NOT ENFORCED`."""

    arg_types: ClassVar[dict[str, bool]] = {"name": False, "columns": True}


class LikeOption(Node):
    """INCLUDING, EXCLUDING or OVERWRITING and a feature."""

    arg_types: ClassVar[dict[str, bool]] = {"strategy": True, "feature": True}


class LikeTable(Node):
    """`LIKE table (options)`."""

    arg_types: ClassVar[dict[str, bool]] = {"name": True, "options": False}


class Distribution(Node):
    """`DISTRIBUTED BY HASH (columns) INTO n BUCKETS`; `kind` is HASH or RANGE where it was written."""

    arg_types: ClassVar[dict[str, bool]] = {"kind": False, "columns": False, "buckets": False}


class CreateTable(Node):
    """CREATE TABLE, with `replace` CREATE OR REPLACE TABLE, with `query` CREATE TABLE ... AS."""

    arg_types: ClassVar[dict[str, bool]] = {
        "name": True,
        "temporary": False,
        "exists": False,
        "columns": False,
        "primary_key": False,
        "watermark": False,
        "comment": False,
        "distribution": False,
        "partitioned_by": False,
        "options": False,
        "like": False,
        "query": False,
        "replace": False,
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


class CreateFunction(Node):
    """
    CREATE FUNCTION, or ALTER FUNCTION with `alter`.

    `code` is what implements it, as text; `jars` are the files that hold it; a `system` function is in no catalog.
    """

    arg_types: ClassVar[dict[str, bool]] = {
        "name": True,
        "code": True,
        "language": False,
        "jars": False,
        "options": False,
        "temporary": False,
        "system": False,
        "exists": False,
        "alter": False,
    }


class Drop(Node):
    """DROP TABLE, DROP VIEW or DROP FUNCTION (`kind`)."""

    arg_types: ClassVar[dict[str, bool]] = {
        "kind": True,
        "name": True,
        "temporary": False,
        "system": False,
        "exists": False,
    }


class AlterTable(Node):
    """ALTER TABLE with what it does: one of the nodes that follow."""

    arg_types: ClassVar[dict[str, bool]] = {"name": True, "exists": False, "action": True}


class AlterView(Node):
    """ALTER VIEW: RENAME TO, or AS a query (`action`)."""

    arg_types: ClassVar[dict[str, bool]] = {"name": True, "action": True}


class SetOptions(Node):
    """SET ('key' = 'value', ...)."""

    arg_types: ClassVar[dict[str, bool]] = {"options": True}


class ResetOptions(Node):
    """RESET ('key', ...)."""

    arg_types: ClassVar[dict[str, bool]] = {"keys": True}


class RenameTo(Node):
    """RENAME TO a name."""

    arg_types: ClassVar[dict[str, bool]] = {"name": True}


class RenameColumn(Node):
    """RENAME column TO name."""

    arg_types: ClassVar[dict[str, bool]] = {"column": True, "name": True}


class ChangeColumns(Node):
    """ADD or MODIFY (`kind`) of columns, as `PlacedColumn`s, and of keys and watermarks."""

    arg_types: ClassVar[dict[str, bool]] = {"kind": True, "elements": True}


class PlacedColumn(Node):
    """A column with its place: FIRST, or AFTER another one."""

    arg_types: ClassVar[dict[str, bool]] = {"column": True, "first": False, "after": False}


class DropColumns(Node):
    """DROP of columns."""

    arg_types: ClassVar[dict[str, bool]] = {"columns": True}


class DropConstraint(Node):
    """DROP PRIMARY KEY, DROP WATERMARK, or DROP CONSTRAINT (`kind`) with its name."""

    arg_types: ClassVar[dict[str, bool]] = {"kind": True, "name": False}


class SetOption(Node):
    """SET of one key; without a key, the list of all."""

    arg_types: ClassVar[dict[str, bool]] = {"key": False, "value": False}


class ResetOption(Node):
    """RESET of one key, or of all."""

    arg_types: ClassVar[dict[str, bool]] = {"key": False}


class Insert(Node):
    """INSERT INTO or, with `overwrite`, INSERT OVERWRITE; `partition` are constants, as in PARTITION (k = 'v')."""

    arg_types: ClassVar[dict[str, bool]] = {
        "name": True,
        "overwrite": False,
        "hints": False,
        "partition": False,
        "columns": False,
        "query": True,
    }


class PartitionValue(Node):
    """`column = constant` in PARTITION."""

    arg_types: ClassVar[dict[str, bool]] = {"column": True, "value": True}


class StatementSet(Node):
    """EXECUTE STATEMENT SET BEGIN ... END."""

    arg_types: ClassVar[dict[str, bool]] = {"inserts": True}


class Explain(Node):
    """EXPLAIN of a query, an INSERT or a statement set; `details` are words such as CHANGELOG_MODE, sorted."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "details": False}


class Describe(Node):
    """DESCRIBE, with `extended` also what is not in the columns."""

    arg_types: ClassVar[dict[str, bool]] = {"name": True, "extended": False}


class Show(Node):
    """
    SHOW of what there is (`what`): of the table or view `name`, or of a `database`.

    `like` is LIKE or ILIKE and `pattern` what names must match, or must not if it is `negated`.
    """

    arg_types: ClassVar[dict[str, bool]] = {
        "what": True,
        "name": False,
        "database": False,
        "like": False,
        "pattern": False,
        "negated": False,
    }
