"""Orders, each with the trace of the request that made it: a pure function of a seed."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Order:
    """An order as a web shop would send it; one in ten can't be paid and must not be shipped."""

    order_id: int
    customer: str
    amount: str
    traceparent: str

    @property
    def trace_id(self) -> str:
        """The id of the trace that the request belongs to."""
        return self.traceparent[3:35]

    @property
    def ships(self) -> bool:
        """Whether a parcel must come of it."""
        return float(self.amount) > 0

    def message(self) -> bytes:
        """Write it as JSON."""
        return json.dumps({"order_id": self.order_id, "customer": self.customer, "amount": self.amount}).encode()


def generate(count: int, seed: int = 1, first: int = 0) -> list[Order]:
    """
    Make orders with numbers from `first` on.

    >>> [o.ships for o in generate(3)]
    [False, True, True]
    """
    chance = random.Random(f"{seed} {first}")  # noqa: S311  no secret
    orders = []
    for number in range(first, first + count):
        amount = "0.00" if number % 10 == 0 else f"{chance.randint(100, 99_999) / 100:.2f}"
        trace = f"00-{chance.getrandbits(127) + 1:032x}-{chance.getrandbits(63) + 1:016x}-01"
        orders.append(Order(number, f"c{chance.randint(1, 50)}", amount, trace))
    return orders
