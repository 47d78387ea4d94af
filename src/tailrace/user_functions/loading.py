"""From `'module:name'` to what was declared there: beside the script, or on Python's path."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from tailrace.errors import ConfigError, Location, TailraceError, did_you_mean
from tailrace.user_functions.declarations import Declaration

_loaded: dict[Path, tuple[tuple[int, int], ModuleType]] = {}


def load(code: str, folder: Path, location: Location | None) -> Declaration[..., Any]:
    """
    Give the declaration that `'module:name'` or `'module.name'` names; a module in `folder` goes before others.

    Raises:
        ConfigError: there is no such module or name, the module fails, or the name is nothing declared.
    """
    sign = ":" if ":" in code else "."
    module, _, name = code.rpartition(sign)
    if not module or not name or not all(part.isidentifier() for part in [*module.split("."), *name.split(".")]):
        raise ConfigError(f"'{code}' names no function", hint="write 'module:function'", location=location)
    found: Any = _module(module, folder, location)
    for part in name.split("."):
        if not hasattr(found, part):
            known = [n for n, v in vars(found).items() if isinstance(v, Declaration)]
            listed = f"it declares {', '.join(sorted(known))}" if known else "it declares no function"
            message = f"there is no '{part}' in '{module}'"
            raise ConfigError(message, hint=did_you_mean(part, known) or listed, location=location)
        found = getattr(found, part)
    if not isinstance(found, Declaration):
        hint = "write @tr.udf, @tr.udtf, @tr.udaf or @tr.process above it (import tailrace as tr)"
        raise ConfigError(f"'{code}' is not declared as a function for SQL", hint=hint, location=location)
    return found


def _module(name: str, folder: Path, location: Location | None) -> ModuleType:
    beside = folder.resolve() / f"{name}.py"
    try:
        if beside.is_file():
            return _from_file(name, beside)
        # behind all others, so that a script's neighbours hide no module that someone else means
        if str(folder.resolve()) not in sys.path:
            sys.path.append(str(folder.resolve()))
        importlib.invalidate_caches()
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise _missing(name, folder, location) from None
        raise _failed(name, error, location) from error
    except TailraceError as error:
        error.location = error.location or location
        raise
    except (Exception, SystemExit) as error:
        raise _failed(name, error, location) from error


def _from_file(name: str, path: Path) -> ModuleType:
    """Load a file, once for each state of it."""
    status = path.stat()
    state = (status.st_mtime_ns, status.st_size)
    known = _loaded.get(path)
    if known is not None and known[0] == state:
        return known[1]
    already = sys.modules.get(name)
    if already is not None and known is None and _is_file(already, path):
        return already  # the program that runs the script has loaded it itself
    foreign = already is not None and not any(m is already for _, m in _loaded.values())
    if name in sys.stdlib_module_names or (foreign and known is None):
        message = f"there is another module '{name}' already, which '{path.name}' would hide"
        raise ConfigError(message, hint="give the file another name")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    sys.modules[name] = module  # classes and hints look for their module there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        if already is not None:
            sys.modules[name] = already
        raise
    _loaded[path] = (state, module)
    return module


def _is_file(module: ModuleType, path: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve() == path


def _missing(name: str, folder: Path, location: Location | None) -> ConfigError:
    near = [p.stem for p in folder.glob("*.py")]
    where = f"it is looked for beside the script, in {folder.resolve()}, and on Python's path"
    return ConfigError(f"there is no module '{name}'", hint=did_you_mean(name, near) or where, location=location)


def _failed(name: str, error: BaseException, location: Location | None) -> ConfigError:
    place, traceback = "", error.__traceback__
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if file != __file__ and not file.startswith("<frozen"):
            place = f"{file}:{traceback.tb_lineno}: "
        traceback = traceback.tb_next
    if isinstance(error, SyntaxError):
        place = f"{error.filename}:{error.lineno}: "
    hint = f"mend {place.rsplit(':', 2)[0] or name}; `python -c 'import {name}'` shows more"
    return ConfigError(
        f"the module '{name}' can't be loaded: {place}{type(error).__name__}: {error}", hint=hint, location=location
    )
