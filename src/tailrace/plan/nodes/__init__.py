"""
The logical plan: relational nodes with typed outputs.

A plan is a tree of immutable nodes (a shared sub-plan is one object with two parents). Expressions in a node are over
the columns of its input by name; `schema` is what the node puts out.
"""

from __future__ import annotations

from tailrace.plan.nodes.base import Node, Unary, walk
from tailrace.plan.nodes.changes import Enforce, Materialize, Normalize
from tailrace.plan.nodes.joins import IntervalJoin, Join, JoinKey, JoinKind, LookupRetry, TemporalJoin, WindowJoin
from tailrace.plan.nodes.lookups import LookupJoin, LookupKey
from tailrace.plan.nodes.nested import Repeat, Unnest
from tailrace.plan.nodes.outer import OuterRows
from tailrace.plan.nodes.over import Frame, OverAggregate, OverUpdates
from tailrace.plan.nodes.patterns import (
    MATCH_TIME,
    AfterMatch,
    MatchRecognize,
    PatternAggregate,
    PatternPart,
    PatternValue,
    RowReference,
)
from tailrace.plan.nodes.process import Process
from tailrace.plan.nodes.ranks import Deduplicate, Rank, Sort, SortKey, Versions, WindowRank
from tailrace.plan.nodes.relational import Aggregate, AssignWatermark, Calc, Limit, Scan, Sink, Union, Values
from tailrace.plan.nodes.windows import WindowAggregate, WindowKind, WindowProperty, WindowSpec, WindowTable

__all__ = [
    "MATCH_TIME",
    "AfterMatch",
    "Aggregate",
    "AssignWatermark",
    "Calc",
    "Deduplicate",
    "Enforce",
    "Frame",
    "IntervalJoin",
    "Join",
    "JoinKey",
    "JoinKind",
    "Limit",
    "LookupJoin",
    "LookupKey",
    "LookupRetry",
    "MatchRecognize",
    "Materialize",
    "Node",
    "Normalize",
    "OuterRows",
    "OverAggregate",
    "OverUpdates",
    "PatternAggregate",
    "PatternPart",
    "PatternValue",
    "Process",
    "Rank",
    "Repeat",
    "RowReference",
    "Scan",
    "Sink",
    "Sort",
    "SortKey",
    "TemporalJoin",
    "Unary",
    "Union",
    "Unnest",
    "Values",
    "Versions",
    "WindowAggregate",
    "WindowJoin",
    "WindowKind",
    "WindowProperty",
    "WindowRank",
    "WindowSpec",
    "WindowTable",
    "walk",
]
