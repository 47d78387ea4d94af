"""What is asked of DynamoDB for one item: put, update or delete, if what stands there is not newer."""

from __future__ import annotations

from typing import Any

from tailrace.connectors.dynamodb.items import Layout, Write
from tailrace.connectors.dynamodb.types import NULL, Attribute, Item

Arguments = dict[str, Any]


def put(write: Write, layout: Layout, epoch: int | None) -> Arguments:
    """Replace the item as a whole."""
    names: dict[str, str] = {}
    values: Item = {}
    return {"Item": write.item} | _expressions(_condition(write, layout, epoch, names, values), names, values)


def delete(write: Write, layout: Layout, epoch: int | None) -> Arguments:
    """Take the item away."""
    names: dict[str, str] = {}
    values: Item = {}
    return {"Key": write.key} | _expressions(_condition(write, layout, epoch, names, values), names, values)


def update(write: Write, layout: Layout, epoch: int | None) -> Arguments:
    """
    Set the attributes of the item, and leave its others.

    >>> from tailrace.schema import Schema
    >>> update(Write({"id": {"N": "1"}}, {"id": {"N": "1"}, "a": {"S": "x"}}, False), Layout(Schema(()), ("id",)), None)
    {'Key': {'id': {'N': '1'}}, 'UpdateExpression': 'SET #a0 = :a0', 'ExpressionAttributeNames': {'#a0': 'a'}, 'ExpressionAttributeValues': {':a0': {'S': 'x'}}}
    """
    names: dict[str, str] = {}
    values: Item = {}
    condition = _condition(write, layout, epoch, names, values)
    sets = []
    for number, (name, value) in enumerate((n, v) for n, v in write.item.items() if n not in write.key):
        names[f"#a{number}"], values[f":a{number}"] = name, value
        sets.append(f"#a{number} = :a{number}")
    expression = {"UpdateExpression": "SET " + ", ".join(sets)} if sets else {}
    return {"Key": write.key} | expression | _expressions(condition, names, values)


def _expressions(condition: str, names: dict[str, str], values: Item) -> Arguments:
    given = {
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
    return {name: value for name, value in given.items() if value}


def _condition(write: Write, layout: Layout, epoch: int | None, names: dict[str, str], values: Item) -> str:
    """Give the condition that what stands there is not newer; empty if any may be overwritten."""
    parts: list[str] = []
    if not layout.guarded:
        return ""
    if layout.newer_by is not None:
        parts.append(_no_newer(layout.newer_by, "t", write.item.get(layout.newer_by, NULL), names, values))
    if layout.epoch_attribute is not None and epoch is not None:
        parts.append(_no_newer(layout.epoch_attribute, "e", {"N": str(epoch)}, names, values))
    return " AND ".join(parts)


def _no_newer(attribute: str, word: str, value: Attribute, names: dict[str, str], values: Item) -> str:
    """Give the condition that an attribute is missing, NULL, or not above a value; NULL is below all others."""
    names[f"#{word}"] = attribute
    values[":null"] = {"S": "NULL"}
    empty = f"attribute_not_exists(#{word}) OR attribute_type(#{word}, :null)"
    if value is NULL:
        return f"({empty})"
    values[f":{word}"] = value
    return f"({empty} OR #{word} <= :{word})"
