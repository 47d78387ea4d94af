"""Time zones: their names in Java, and between their wall clocks and the time line on Polars expressions."""

from __future__ import annotations

import re
from functools import cache

import polars as pl

from tailrace import settings

_OFFSET = re.compile(r"(?:GMT|UTC|UT)?([+-])(\d{1,2})(?::?(\d{2}))?")
_OLD = {
    "ACT": "Australia/Darwin",
    "AET": "Australia/Sydney",
    "AGT": "America/Argentina/Buenos_Aires",
    "ART": "Africa/Cairo",
    "AST": "America/Anchorage",
    "BET": "America/Sao_Paulo",
    "BST": "Asia/Dhaka",
    "CAT": "Africa/Harare",
    "CNT": "America/St_Johns",
    "CST": "America/Chicago",
    "CTT": "Asia/Shanghai",
    "EAT": "Africa/Addis_Ababa",
    "ECT": "Europe/Paris",
    "IET": "America/Indiana/Indianapolis",
    "IST": "Asia/Kolkata",
    "JST": "Asia/Tokyo",
    "MIT": "Pacific/Apia",
    "NET": "Asia/Yerevan",
    "NST": "Pacific/Auckland",
    "PLT": "Asia/Karachi",
    "PNT": "America/Phoenix",
    "PRT": "America/Puerto_Rico",
    "PST": "America/Los_Angeles",
    "SST": "Pacific/Guadalcanal",
    "VST": "Asia/Ho_Chi_Minh",
}
"""The names of three letters that Java still knows."""

_HOURS = {
    "Z": 0,
    "UTC": 0,
    "UT": 0,
    "GMT": 0,
    "WET": 0,
    "CET": 1,
    "CEST": 2,
    "EET": 2,
    "EEST": 3,
    "MSK": 3,
    "JST": 9,
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
}
Zone = str | int
"""A name that the database of zones has, or a fixed offset in milliseconds."""


def _fixed(text: str) -> int | None:
    match = _OFFSET.fullmatch(text)
    if not match:
        return None
    minutes = int(match[2]) * 60 + int(match[3] or 0)
    return minutes * 60_000 * (-1 if match[1] == "-" else 1)


def offset_millis(text: str) -> int | None:
    """
    Give the offset that a text of a time names; None if it is not known.

    >>> offset_millis("+01:30"), offset_millis("PST")
    (5400000, -28800000)
    """
    return _HOURS[text] * 3_600_000 if text in _HOURS else _fixed(text)


def _is_known(name: str) -> bool:
    try:
        settings.time_zone(name)
    except ValueError:
        return False
    return True


@cache
def zone_id(name: str) -> Zone | None:
    """Give the zone of a name as Java's `ZoneId` knows it; None if it does not."""
    if name in ("Z", "UTC", "GMT", "UT"):
        return "UTC"
    offset = _fixed(name)
    return offset if offset is not None else name if name and _is_known(name) else None


@cache
def time_zone(name: str) -> Zone:
    """Give the zone of a name as Java's older `TimeZone` knows it: UTC for all that it does not."""
    if name.startswith(("+", "-")):
        return "UTC"
    return zone_id(_OLD.get(name, name)) or "UTC"


def to_local(instant: pl.Expr, zone: Zone) -> pl.Expr:
    """Give the wall clock of a zone for UTC timestamps."""
    if isinstance(zone, int):
        return instant.dt.replace_time_zone(None) + pl.duration(milliseconds=zone)
    if zone != "UTC":
        instant = instant.dt.convert_time_zone(zone)
    return instant.dt.replace_time_zone(None)


def to_instant(local: pl.Expr, zone: Zone) -> pl.Expr:
    """
    Give UTC timestamps for the wall clock of a zone.

    As in Java, of a time that comes twice the first is meant, and a time that the clocks skip is as much later as they skip.
    """
    if isinstance(zone, int):
        return (local - pl.duration(milliseconds=zone)).dt.replace_time_zone("UTC")
    if zone == "UTC":
        return local.dt.replace_time_zone("UTC")
    day = pl.duration(days=1)
    first = _instant(local, zone)
    return pl.coalesce(first, _instant(local - day, zone) + day)


def _instant(local: pl.Expr, zone: str) -> pl.Expr:
    found = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return found.dt.convert_time_zone("UTC")
