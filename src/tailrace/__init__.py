"""Tailrace: real-time data processing for Python, in streaming SQL."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailrace import kernel_cache

if TYPE_CHECKING:
    from tailrace.user_functions.declarations import udaf, udf, udtf

__version__ = "0.1.0"
__all__ = ["__version__", "udaf", "udf", "udtf"]

kernel_cache.prepare(Path(__file__).parent)


def __getattr__(name: str) -> Any:
    """Give what is loaded only when it is used, so that the command line starts at once."""
    if name in ("udf", "udtf", "udaf"):
        from tailrace.user_functions import declarations  # noqa: PLC0415  as said above

        return getattr(declarations, name)
    raise AttributeError(f"module 'tailrace' has no attribute '{name}'")
