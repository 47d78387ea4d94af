"""What must stand in Cassandra and OpenSearch, computed order by order in plain Python, against what does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from six_systems.generate import CUSTOMERS, PRODUCTS, Order

Total = tuple[int, Decimal, Decimal]
"""Of a region and a category: how many paid orders, what was due, and what was paid."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What stands in both systems: totals by region and category, and documents by order."""

    totals: Mapping[tuple[str, str], Total]
    documents: Mapping[int, Mapping[str, Any]]

    def differences(self, other: Outcome) -> list[str]:
        """Name each total and each document that is not the same."""
        found = []
        for what, ours, theirs in (
            ("total", self.totals, other.totals),
            ("document", self.documents, other.documents),
        ):
            a, b = dict[Any, Any](ours), dict[Any, Any](theirs)
            found += [f"{what} of {k}: {a.get(k)} and {b.get(k)}" for k in a.keys() | b.keys() if a.get(k) != b.get(k)]
        return sorted(found)


def expected(orders: Iterable[Order]) -> Outcome:
    """
    Compute what must come of orders.

    >>> from six_systems.generate import generate
    >>> sorted(expected(generate(3)).documents)
    [1, 2]
    """
    totals: dict[tuple[str, str], Total] = {}
    documents = {}
    for order in orders:
        if (paid := order.paid) is None:
            continue
        region, category = CUSTOMERS[order.customer], PRODUCTS[order.product][0]
        count, due, sum_paid = totals.get((region, category), (0, Decimal(0), Decimal(0)))
        totals[region, category] = (count + 1, due + order.due, sum_paid + paid)
        documents[order.order_id] = {
            "order_id": order.order_id,
            "customer": order.customer,
            "region": region,
            "category": category,
            "due": order.due,
            "paid": paid,
        }
    return Outcome(totals, documents)
