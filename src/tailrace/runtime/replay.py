"""Dead letters once more: through the decoder and the operators of the table that they came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from tailrace.clock import Clock
from tailrace.connectors import registry
from tailrace.connectors.base import Block
from tailrace.connectors.decoding import BlockDecoder
from tailrace.errors import ConfigError
from tailrace.formats.base import HEADERS, Rows
from tailrace.plan.catalog import Table
from tailrace.plan.nodes import Scan
from tailrace.runtime.assembly import Parts
from tailrace.runtime.fetch import Arrived
from tailrace.runtime.policy import FAIL
from tailrace.runtime.stored_letter import StoredLetter
from tailrace.settings import value

GUARANTEE = (
    "The rows go through the same decoder and operators as rows that are read now, and the answer comes when the checkpoint "
    "with all that became of them is complete: they count exactly as often as rows that are read. If the job fails before, "
    "nothing of them is kept, and they may be replayed again. The letters stay in their table."
)
"""What a replay promises."""


def scan_of(parts: Parts, letters: Sequence[StoredLetter]) -> str:
    """
    Find the scan that gave the rows of these letters.

    Raises:
        ConfigError: they can't be replayed; says why.
    """
    sources = {letter.text("source") for letter in letters}
    if len(sources) != 1 or "" in sources:
        hint = "the table of dead letters needs the column 'source'; choose letters of one source at a time"
        raise ConfigError("it is not known which table these rows are of", hint=hint)
    [source] = sources
    scans = {name for name, scan in parts.executor.scans.items() if scan.table.name == source}
    if not scans:
        raise ConfigError(f"the job does not read table '{source}'", hint="choose letters of a table that it reads")
    if len(scans) > 1:
        # each place that reads it has rejected the row by itself
        scans = scans.intersection(*(parts.executor.scans_behind(letter.text("operator")) for letter in letters))
    if len(scans) != 1:
        hint = "choose letters of one operator; their table needs the column 'operator'"
        raise ConfigError(f"the job reads table '{source}' in several places, and it is not known in which", hint=hint)
    [found] = scans
    _check(parts, found, parts.executor.scans[found], letters)
    return found


def _check(parts: Parts, name: str, scan: Scan, letters: Sequence[StoredLetter]) -> None:
    """
    Make sure that rows can be decoded again.

    Raises:
        ConfigError: they can't.
    """
    options, table = registry.options_of(scan.table), scan.table
    if options.value is None:
        raise ConfigError(f"rows of table '{table.name}' have no format, so there is nothing to decode again")
    if parts.policies.policy(name).on_error == FAIL:
        hint = "set 'tailrace.on-error' = 'dead-letter' or 'drop' for it"
        raise ConfigError(f"one bad row of table '{table.name}' stops the job, so none is replayed", hint=hint)
    _check_metadata(scan, options.value.metadata)
    for letter in letters:
        if letter.raw("payload") is None or letter.text("stage") == "sink" or not _whole(letter):
            hint = "it was rejected behind an operator that joins or aggregates rows, or when it was written"
            raise ConfigError(f"letter {letter.id} does not have the row as it came", hint=hint)
        if options.key is not None and letter.raw("key") is None:
            raise ConfigError(
                f"letter {letter.id} does not have the row's key", hint="add the column 'key' to its table"
            )


def _whole(letter: StoredLetter) -> bool:
    """Tell whether it has the bytes of a row that was read: such a letter knows where they lay, if its table keeps that."""
    places = [n for n in ("partition", "offset") if n in letter.values]
    return not places or any(letter.values[n] is not None for n in places)


def _check_metadata(scan: Scan, of_format: Sequence[str]) -> None:
    """
    Make sure that what the job reads is in the letters.

    Raises:
        ConfigError: it reads something that dead letters do not keep.
    """
    asked = [c for c in scan.table.metadata if c.name in scan.schema.names and c.key not in of_format]
    if asked:
        names = ", ".join(f"'{c.key}'" for c in asked)
        hint = "send the rows to the table's system again"
        raise ConfigError(f"the job reads the metadata {names}, which dead letters do not keep", hint=hint)


def arrivals(
    scan: Scan, letters: Sequence[StoredLetter], payload: bytes | None, settings: Mapping[str, str], clock: Clock
) -> list[Arrived]:
    """
    Decode the rows of letters, those of each partition together; a `payload` takes the place of what came.

    Raises:
        TailraceError: the format can't be used just now.
    """
    decoder = BlockDecoder(scan.schema, scan.table, None, value(settings, "table.local-time-zone"))
    found = []
    for partition in dict.fromkeys(letter.text("partition") for letter in letters):
        mine = [letter for letter in letters if letter.text("partition") == partition]
        block = _block(partition, mine, scan.table, payload)
        decoded = decoder.decode(block)
        rows, now = len(mine), clock.monotonic()
        rejects = tuple(decoded.rejects)
        kept = decoded.kept
        found.append(
            Arrived(partition, None, decoded.frame, kept, rejects, None, block, rows, block.size, now, replayed=True)
        )
    return found


def _block(partition: str, letters: Sequence[StoredLetter], table: Table, payload: bytes | None) -> Block:
    values = Rows.of([letter.raw("payload") if payload is None else payload for letter in letters])
    keyed = registry.options_of(table).key is not None
    keys = Rows.of([letter.raw("key") for letter in letters]) if keyed else None
    headers = [h if isinstance(h := letter.values.get("headers"), list) else None for letter in letters]
    return Block(partition, values, None, keys=keys, headers=pl.Series(headers, dtype=HEADERS, strict=False))
