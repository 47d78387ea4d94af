"""Flink's SQL: dialect, parser and binder."""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _Package(ModuleType):
    """This package under the name `tailrace.sql`, which users also call as the API's function of that name."""

    def __call__(self, text: str, **tables: Any) -> Any:
        return import_module("tailrace.api.sql").sql(text, **tables)


sys.modules[__name__].__class__ = _Package
