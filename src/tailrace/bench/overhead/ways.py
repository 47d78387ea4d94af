"""The ways in which a job is seen from outside: the settings of each, and what shows that it was on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tailrace.bench.overhead.receivers import Receivers


@dataclass(frozen=True, slots=True)
class Way:
    """One way: its settings, whether the dashboard is open, and what its receivers must have got."""

    settings: Mapping[str, str] = field(default_factory=dict)
    dashboard: bool = False
    signs: tuple[str, ...] = ()


def ways(at: Receivers) -> dict[str, Way]:
    """
    Give each way, and all of them at once.

    All as without settings: traces are sampled (one row in a hundred, 50 a second at most), metrics go out each ten seconds
    and at the end.
    """
    each = {
        "dashboard": Way(dashboard=True, signs=("dashboard",)),
        "metrics, OTLP": Way(_otlp(at, "metrics"), signs=("/v1/metrics",)),
        "metrics, DogStatsD": Way(
            {"tailrace.metrics.exporter": "dogstatsd", "tailrace.dogstatsd.address": at.dogstatsd},
            signs=("dogstatsd",),
        ),
        "traces": Way(_otlp(at, "traces"), signs=("/v1/traces",)),
        "logs": Way(_otlp(at, "logs"), signs=("/v1/logs",)),
        "alerts": Way({"tailrace.alerts.webhook.url": f"{at.web}/alerts"}),
    }
    all_settings = {key: text for way in each.values() for key, text in way.settings.items()}
    all_settings["tailrace.metrics.exporter"] = "otlp;dogstatsd"
    signs = tuple(sign for way in each.values() for sign in way.signs)
    return {**each, "everything": Way(all_settings, dashboard=True, signs=signs)}


def _otlp(at: Receivers, signal: str) -> dict[str, str]:
    return {f"tailrace.{signal}.exporter": "otlp", "tailrace.otlp.endpoint": at.web}
