"""`.proto` files to descriptors, by the compiler that grpcio-tools brings."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from tailrace.errors import ConfigError, Location

_SECONDS = 60


def is_there() -> bool:
    """Tell whether the compiler is installed."""
    return find_spec("grpc_tools") is not None


def require_compiler(at: Location | None = None) -> None:
    """
    Make sure that the compiler is installed.

    Raises:
        ConfigError: it is not.
    """
    if not is_there():
        hint = "pip install 'tailrace[protobuf]', or give a 'protobuf.descriptor-file'"
        raise ConfigError("a .proto file needs 'grpcio-tools'", hint=hint, location=at)


def compile_files(path: Path, folders: Sequence[Path], at: Location | None = None) -> bytes:
    """
    Give a file and all that it imports as a serialized descriptor set; the last file is the one named.

    Raises:
        ConfigError: the compiler is not installed, or says what is wrong in the file.
    """
    require_compiler(at)
    path = path.resolve()  # its name may look like an option
    roots = [folder.resolve() for folder in folders] or [path.parent]
    if not any(path.is_relative_to(root) for root in roots):
        roots.append(path.parent)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        given = [f"--proto_path={root}" for root in roots]
        # a process of its own: what the compiler says comes as a text, and a file can't bring down more than it
        command = [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            *given,
            "--include_imports",
            f"--descriptor_set_out={out}",
        ]
        try:
            done = subprocess.run(  # noqa: S603  no shell, and paths are absolute
                [*command, str(path)], capture_output=True, text=True, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise ConfigError(f"'{path}' could not be compiled in {_SECONDS} seconds", location=at) from None
        if done.returncode:
            said = "; ".join(line for line in done.stderr.splitlines() if line.strip())
            raise ConfigError(f"'{path}' is no Protobuf that can be compiled: {said}", location=at)
        return out.read_bytes()


def compile_texts(main: str, texts: Mapping[str, str], at: Location | None = None) -> bytes:
    """
    Give files by their names and texts, as a registry has them, as a serialized descriptor set; `main` comes last.

    Raises:
        ConfigError: as `compile_files`, or a name leads out of its folder.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        for name, text in texts.items():
            path = Path(root, name).resolve()
            if not path.is_relative_to(root):
                raise ConfigError(f"'{name}' is no name of a .proto file", location=at)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return compile_files(root / main, [root], at)
