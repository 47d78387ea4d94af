"""
Make the payments that the examples read: `python examples/make_payments.py > examples/payments.json`.

Three minutes of card payments, a little out of order; one card pays again and again within one of the minutes. The same
rows each time.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta

BEGIN = datetime(2026, 1, 1, 12)  # a TIMESTAMP has no time zone
COUNTRIES = ("DE", "FR", "GB", "US")
SECONDS = 180
STOLEN = "card-7"


def payments(seed: int = 1) -> Iterator[dict[str, str | float]]:
    """Give the payments in the order in which they arrive."""
    rng = random.Random(seed)  # noqa: S311 - examples need no secrets
    for second in range(SECONDS):
        yield payment(rng, f"card-{rng.randrange(20)}", second)
        if 60 <= second < 120 and second % 3 == 0:
            yield payment(rng, STOLEN, second)


def payment(rng: random.Random, card: str, second: int) -> dict[str, str | float]:
    """Give one payment, up to two seconds before `second`."""
    ts = BEGIN + timedelta(seconds=second, milliseconds=-rng.randrange(2000))
    time = ts.isoformat(sep=" ", timespec="milliseconds")
    return {"card": card, "amount": rng.randrange(100, 20_000) / 100, "country": rng.choice(COUNTRIES), "ts": time}


if __name__ == "__main__":
    sys.stdout.writelines(json.dumps(row) + "\n" for row in payments())
