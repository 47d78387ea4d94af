"""Temporal joins: in Flink with a view of the last row of each key, in the oracle as an ASOF join with all its versions."""

from __future__ import annotations

from dataclasses import dataclass

from query_nodes import Base, Column, Dialect, Expr, Relation, Writer


@dataclass(frozen=True, slots=True)
class TemporalJoin(Relation):
    """
    The rows of `left` with the version of `right` that was there at their time.

    `fields` are columns of the right, and how they are called: the key, the row time, and others. `condition` is one more for a match.
    """

    kind: str
    left: Relation
    right: Base
    key: Column
    fields: tuple[tuple[str, Column], ...]
    condition: Expr | None

    @property
    def columns(self) -> tuple[Column, ...]:
        mine = [Column(c.name, c.type, whole=c.whole) for c in self.left.columns if not c.time]
        return (*mine, *self.values)

    @property
    def values(self) -> tuple[Column, ...]:
        """The columns of the right but for its time."""
        return tuple(Column(c.name, c.type) for _, c in self.fields if not c.time)

    @property
    def updating(self) -> bool:
        return False

    def sql(self, to: Writer) -> str:
        if self.left.time is None:
            raise ValueError("a temporal join needs a row time")
        mine = f"{self.key.name} = {self.fields[0][1].name}"
        items = ", ".join(c.name for c in self.columns)
        left = to.source(self.left)
        time = f"q{to.aliases}.{self.left.time.name}" if not isinstance(self.left, Base) else self.left.time.name
        view = self._view(to)
        if to.to is Dialect.FLINK:
            more = f" AND {self.condition.sql(to.to)}" if self.condition else ""
            return f"SELECT {items} FROM {left} {self.kind} JOIN {view} FOR SYSTEM_TIME AS OF {time} ON {mine}{more}"
        joined = f"{left} ASOF {self.kind} JOIN {view} ON {mine} AND {time} >= {self.fields[1][1].name}"
        return self._matched(joined, to)

    def _matched(self, joined: str, to: Writer) -> str:
        """Write the join with its further condition, which an ASOF join can't have."""
        condition = self.condition.sql(to.to) if self.condition else "TRUE"
        mine = [c.name for c in self.columns[: -len(self.values)]]
        if self.kind == "INNER":
            return f"SELECT {', '.join([*mine, *(c.name for c in self.values)])} FROM {joined} WHERE {condition}"
        theirs = [f"CASE WHEN {condition} THEN {c.name} END AS {c.name}" for c in self.values]
        return f"SELECT {', '.join([*mine, *theirs])} FROM {joined}"

    def _view(self, to: Writer) -> str:
        """Give the name of a view in Flink, and in the oracle a query of all versions in its place."""
        (key, _), (time, _) = self.fields[:2]
        items = ", ".join(f"{name} AS {c.name}" for name, c in self.fields)
        if to.to is Dialect.FLINK:
            number = f"ROW_NUMBER() OVER (PARTITION BY {key} ORDER BY {time} DESC) AS rn"
            text = f"SELECT {items} FROM (SELECT *, {number} FROM {self.right.name}) WHERE rn = 1"
        else:
            until = f"PARTITION BY {key} ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
            newest = f"SELECT *, MAX({time}) OVER ({until}) AS newest FROM {self.right.name}"
            last = f"ROW_NUMBER() OVER (PARTITION BY {key}, {time} ORDER BY id DESC) = 1"
            to.aliases += 1
            return f"(SELECT {items} FROM ({newest}) WHERE {time} >= newest QUALIFY {last}) AS q{to.aliases}"
        name = f"view{len(to.views) + 1}"
        to.views.append(f"CREATE TEMPORARY VIEW {name} AS {text}")
        return name
