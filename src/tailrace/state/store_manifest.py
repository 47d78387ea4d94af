"""The records of the state folder as JSON, each with a checksum of its own."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

FORMAT = 1
"""The version of everything in a state folder. A folder of a newer one is refused."""


def digest(data: bytes) -> str:
    """Give the checksum that every stored part carries."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


class Damaged(Exception):  # noqa: N818  says what the content is, it is caught by the store
    """A stored part is not what was written."""


class FrameRecord(msgspec.Struct, frozen=True):
    """Where a frame lies in the data file of an epoch."""

    epoch: int
    offset: int
    length: int
    digest: str
    rows: int


class Link(msgspec.Struct, frozen=True):
    """One delta of an operator: a base, or an increment on what stands before it."""

    base: bool
    frames: dict[str, FrameRecord]
    scalars: dict[str, Any]

    @property
    def size(self) -> int:
        """Its bytes on disk."""
        return sum(f.length for f in self.frames.values())


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint: all that a job needs to go on from it."""

    format: int = FORMAT
    job: str
    epoch: int
    time_ms: int
    positions: dict[str, dict[str, Any]]
    """By scan, by partition."""
    operators: dict[str, list[Link]]
    staged: dict[str, Any]
    """What each sink staged, by its id; sinks that stage nothing are there with null."""
    fingerprint: dict[str, str]
    rows_in: int = 0
    """Rows read since the job's start; tells how much a fallback replays."""
    final: bool = False
    """Whether the job had ended: there is nothing to do after it but to commit it."""

    @property
    def epochs(self) -> set[int]:
        """The epochs whose data files it needs."""
        links = (link for chain in self.operators.values() for link in chain)
        return {frame.epoch for link in links for frame in link.frames.values()}


class JobRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What stands for the whole folder: whose it is."""

    format: int = FORMAT
    job: str
    name: str
    fingerprint: dict[str, str]
    checkpointed: bool = False
    """Whether there was ever a checkpoint: then a folder without one is damaged, not new."""
    finished: bool = False


class _Sealed(msgspec.Struct):
    digest: str
    content: msgspec.Raw


def seal(record: Manifest | JobRecord) -> bytes:
    """Give a record as JSON with its checksum."""
    content = msgspec.json.encode(record)
    return msgspec.json.encode(_Sealed(digest(content), msgspec.Raw(content)))


class _Versioned(msgspec.Struct):
    format: int


def unseal(data: bytes, kind: type[Any]) -> Any:
    """
    Read what `seal` gave.

    Raises:
        Damaged: it is not what was written.
        NewerFormat: a newer version wrote it.
    """
    try:
        sealed = msgspec.json.decode(data, type=_Sealed)
        if digest(bytes(sealed.content)) != sealed.digest:
            raise Damaged("its checksum is wrong")
        version = msgspec.json.decode(sealed.content, type=_Versioned).format
        if version > FORMAT:
            raise NewerFormat(version)
        return msgspec.json.decode(sealed.content, type=kind)
    except msgspec.DecodeError as error:
        raise Damaged(f"it can't be read: {error}") from None


class NewerFormat(Exception):  # noqa: N818  as above
    """A record of a version that this one does not know."""

    def __init__(self, version: int) -> None:
        super().__init__(f"format {version}")
        self.version = version
