"""Whether each order that can be paid became one parcel, in the trace of its request."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import polars as pl
from microservices.generate import Order


def report(orders: Sequence[Order], parcels: Sequence[Any], schemas: Sequence[int]) -> pl.DataFrame:
    """Compare parcels (messages as confluent-kafka gives them) with orders; `schemas` are the versions that were written."""
    truth = {o.order_id: o.trace_id for o in orders if o.ships}
    found = [(json.loads(m.value())["order_id"], _trace(m)) for m in parcels]
    ids = [order for order, _ in found]
    return pl.DataFrame(
        {
            "orders": len(truth),
            "parcels": len(ids),
            "twice": len(ids) - len(set(ids)),
            "missing": len(truth.keys() - set(ids)),
            "wrong": len(set(ids) - truth.keys()),
            "in their trace": sum(truth.get(order) == trace for order, trace in found),
            "versions of the schema": len(schemas),
        }
    )


def _trace(message: Any) -> str:
    headers = dict(message.headers() or [])
    return str(headers.get("traceparent", b"").decode())[3:35]
