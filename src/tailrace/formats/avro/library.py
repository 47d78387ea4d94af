"""fastavro, which is an extra."""

from __future__ import annotations

from typing import Any

from tailrace.errors import ConfigError


def fastavro() -> Any:
    """
    Give the library.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import fastavro  # noqa: PLC0415  an extra
    except ImportError:
        raise ConfigError("formats of Avro need 'fastavro'", hint="pip install 'tailrace[avro]'") from None
    return fastavro
