"""Two services chained by a topic, each a process: what is stopped, killed and upgraded on its own loses and doubles nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from microservices.generate import generate
from microservices.run import Chain, lives

SPANS = {"process orders", "send screened", "process screened", "send parcels", "batch", "calc"}


def test_generate_is_a_pure_function() -> None:
    assert generate(20, 3) == generate(20, 3)
    assert sum(not o.ships for o in generate(20)) == 2
    assert len({o.trace_id for o in (*generate(20), *generate(20, first=20))}) == 40


def until(look: Callable[[], Any], seconds: float = 60) -> Any:
    """Look until there is something."""
    end = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < end:
        time.sleep(0.5)
    return found


@pytest.mark.integration
@pytest.mark.slow
def test_the_lives_of_two_services(
    kafka: str, schema_registry: str, service: Callable[[str, dict[str, str]], str], tmp_path: Path
) -> None:
    """Each order that can be paid becomes one parcel in the trace of its request, through kills and upgrades; Zipkin has each trace whole."""
    zipkin = service("zipkin", {}).partition("=")[2]
    settings = [
        "tailrace.traces.exporter=zipkin",
        f"tailrace.zipkin.endpoint={zipkin}/api/v2/spans",
        "tailrace.traces.sample=0",
    ]
    chain = Chain(kafka, schema_registry, tmp_path, settings)
    told = lives(chain, 20, lambda _: None).to_dicts()[0]

    assert told == {
        "orders": 72,
        "parcels": 72,
        "twice": 0,
        "missing": 0,
        "wrong": 0,
        "in their trace": 72,
        "versions of the schema": 2,
    }
    order = chain.orders[-1]

    def spans() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.get(f"{zipkin}/api/v2/trace/{order.trace_id}", timeout=10).json()
        return found if {s["name"] for s in found} >= SPANS else []

    found = until(spans)
    assert {s["localEndpoint"]["serviceName"] for s in found} == {"screening", "shipping"}
    by_id = {s["id"]: s for s in found}
    step = next(s for s in found if s["name"] == "send parcels")
    names = [step["name"]]
    while (step := by_id.get(step["parentId"])) is not None:
        names.append(step["name"])
    assert names == [
        "send parcels",
        "batch",
        "process screened",
        "send screened",
        "batch",
        "process orders",
    ]
