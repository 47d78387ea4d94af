"""Orders and their payments, and what the shop knows of products and customers: pure functions of a seed."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from decimal import Decimal

PRODUCTS = {f"p{n}": (("book", "game", "tool")[n % 3], Decimal(199 + 350 * n) / 100) for n in range(20)}
"""The category and the price of each product."""
CUSTOMERS = {f"c{n}": ("north", "south", "east", "west")[n % 4] for n in range(50)}
"""The region of each customer."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order; one in ten is never paid, and one in twenty is paid in part."""

    order_id: int
    customer: str
    product: str
    quantity: int

    @property
    def due(self) -> Decimal:
        """What it costs."""
        return self.quantity * PRODUCTS[self.product][1]

    @property
    def paid(self) -> Decimal | None:
        """What is paid for it."""
        if self.order_id % 10 == 0:
            return None
        return Decimal("0.50") if self.order_id % 20 == 3 else self.due

    def message(self) -> bytes:
        """Write the order as JSON."""
        fields = {"order_id": self.order_id, "customer": self.customer, "product": self.product}
        return json.dumps(fields | {"quantity": self.quantity}).encode()

    def payment(self) -> bytes:
        """Write its payment as JSON."""
        return json.dumps({"order_id": self.order_id, "amount": str(self.paid)}).encode()


def generate(count: int, seed: int = 1, first: int = 0) -> list[Order]:
    """
    Make orders with numbers from `first` on.

    >>> [o.paid is None for o in generate(3)]
    [True, False, False]
    """
    chance = random.Random(f"{seed} {first}")  # noqa: S311  no secret
    customers, products = list(CUSTOMERS), list(PRODUCTS)
    return [
        Order(n, chance.choice(customers), chance.choice(products), chance.randint(1, 5))
        for n in range(first, first + count)
    ]
