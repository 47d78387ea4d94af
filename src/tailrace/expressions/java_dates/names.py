"""The English names of months and days."""

from __future__ import annotations

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
QUARTERS = ("1st quarter", "2nd quarter", "3rd quarter", "4th quarter")


def form(names: tuple[str, ...], count: int) -> list[str]:
    """
    Give names as so many letters of a pattern ask for: short, full or one letter.

    >>> form(DAYS, 3)[:2]
    ['Mon', 'Tue']
    """
    return [n if count == 4 else n[:1] if count == 5 else n[:3] for n in names]
