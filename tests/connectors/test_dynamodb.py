"""What is DynamoDB's own in its connector: leftovers, throttling, conditions, transactions, time to live and lookups."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("botocore", reason="DynamoDB: the extra tailrace[dynamodb] is not installed")

from dynamodb_kit import LOGIN, Answer, ApiProxy, Request, Table, error, served

from tailrace.connectors import memory
from tailrace.errors import ConfigError, TailraceError
from tailrace.testing.connectors.delivery import assert_delivered
from tailrace.testing.connectors.system import ddl
from tailrace.testing.connectors.trials import Got, Trial, check, refused, run
from tailrace.testing.connectors.values import frame_of

pytestmark = pytest.mark.integration

COLUMNS = {"id": "BIGINT", "name": "STRING"}
Make = Callable[..., Table]


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a server of the module's own, in memory."""
    with served(tmp_path_factory.mktemp("dynamodb")) as (_, address):
        yield address


@pytest.fixture
def make(at: str) -> Make:
    """Make tables of names that were never used."""

    def made(columns: Mapping[str, str] = COLUMNS, key: Sequence[str] = ("id",), images: str = "") -> Table:
        table = Table(at, f"t{uuid.uuid4().hex[:10]}", dict(columns), tuple(key))
        table.create(images)
        return table

    return made


def options(table: Table, at: str | None = None, **more: str) -> dict[str, str]:
    """Give the options of a table; `more` has `_` for `-` and `__` for `.`."""
    given = {k.replace("__", ".").replace("_", "-"): v for k, v in more.items()}
    place = {"connector": "dynamodb", "table-name": table.name, "aws.endpoint": f"http://{at or table.at}"}
    return place | LOGIN | {"timeout": "5 s"} | given


def writing(table: Table, rows: Sequence[Mapping[str, Any]], given: Mapping[str, str]) -> str:
    """Write the script that fills a table."""
    name = f"given-{uuid.uuid4().hex[:10]}"
    memory.table(name).append(frame_of(table.columns, rows))
    source = ddl("given", table.columns, {"connector": "memory", "name": name})
    into = ddl("target", table.columns, given, table.key)
    return f"{source}\n{into}\nINSERT INTO target SELECT {', '.join(f'`{c}`' for c in table.columns)} FROM given;"


def named(count: int) -> list[dict[str, Any]]:
    return [{"id": i, "name": f"name {i}"} for i in range(count)]


# -- batches


def test_what_a_batch_leaves_over_is_sent_again(make: Make, at: str, tmp_path: Path) -> None:
    """Each item is taken once: of each request only a third is let through at first."""
    table = make()

    def some(request: Request) -> Answer:
        if request.operation != "BatchWriteItem" or len(request.body["RequestItems"][table.name]) < 6:
            return None
        asked = request.body["RequestItems"][table.name]
        third = len(asked) // 3
        request.ask(request.body | {"RequestItems": {table.name: asked[:third]}})
        return 200, {"UnprocessedItems": {table.name: asked[third:]}}

    with ApiProxy(at) as proxy:
        proxy.rule = some
        run(writing(table, named(60), options(table, proxy.address)), tmp_path)
        batches = [body["RequestItems"][table.name] for body in proxy.bodies("BatchWriteItem")]
    assert max(map(len, batches)) == 25
    assert sum(map(len, batches)) > 100, "nothing was left over"
    assert_delivered(table.rows(), named(60), "exactly-once")


def test_throttling_makes_it_wait(make: Make, at: str, tmp_path: Path) -> None:
    """Requests that are throttled come again after a pause that grows, and the pauses are counted."""
    table = make()
    times: list[float] = []

    def throttle(request: Request) -> Answer:
        if request.operation != "BatchWriteItem":
            return None
        times.append(time.monotonic())
        return error("ProvisionedThroughputExceededException") if len(times) < 4 else None

    with ApiProxy(at) as proxy:
        proxy.rule = throttle
        summary = run(writing(table, named(5), options(table, proxy.address)), tmp_path)
    pauses = [b - a for a, b in pairwise(times)]
    assert len(pauses) == 3
    assert pauses[0] >= 0.1
    assert pauses[2] > pauses[0]
    assert summary.rows_out == 5
    assert_delivered(table.rows(), named(5), "exactly-once")


def test_only_declared_columns_are_written(make: Make, tmp_path: Path) -> None:
    """A put leaves nothing else in the item, an update leaves the rest; NULL is written, or left out."""
    table = make()
    before = {"id": {"N": "0"}, "other": {"S": "kept"}, "name": {"S": "old"}}
    cases: tuple[tuple[dict[str, str], dict[str, Any]], ...] = (
        ({}, {"name": {"NULL": True}}),
        ({"sink.ignore-nulls": "true"}, {}),
        ({"sink.write": "update"}, {"other": {"S": "kept"}, "name": {"NULL": True}}),
        ({"sink.write": "update", "sink.ignore-nulls": "true"}, {"other": {"S": "kept"}, "name": {"S": "old"}}),
    )
    for given, wanted in cases:
        table.client.put_item(TableName=table.name, Item=before)
        run(writing(table, [{"id": 0, "name": None}], options(table) | given), tmp_path / uuid.uuid4().hex)
        assert table.items() == [{"id": {"N": "0"}} | wanted], given


def test_time_to_live(make: Make, tmp_path: Path) -> None:
    """The attribute says when the item expires: so long after now, or at the time of a column."""
    table = make({"id": "BIGINT", "until": "TIMESTAMP_LTZ(3)"})
    rows: list[dict[str, Any]] = [{"id": 1, "until": datetime(2030, 1, 1, tzinfo=UTC)}, {"id": 2, "until": None}]
    run(writing(table, rows, options(table, ttl__attribute="expires", ttl="1 h")), tmp_path / "a")
    left = [int(i["expires"]["N"]) - time.time() for i in table.items()]
    assert len(left) == 2
    assert all(3500 < seconds <= 3600 for seconds in left)
    run(writing(table, rows, options(table, ttl__attribute="expires", ttl__column="until")), tmp_path / "b")
    found = {i["id"]["N"]: i.get("expires") for i in table.items()}
    assert found == {"1": {"N": str(int(datetime(2030, 1, 1, tzinfo=UTC).timestamp()))}, "2": None}


def test_rows_that_dynamodb_cannot_take(make: Make, tmp_path: Path) -> None:
    """Keys without a value, items that are too large and numbers that are none go to the dead letters, each with its reason."""
    table = make({"id": "STRING", "n": "DOUBLE", "name": "STRING"})
    good: list[dict[str, Any]] = [{"id": f"k{i}", "n": 0.5, "name": "x"} for i in range(30)]
    bad: list[dict[str, Any]] = [
        {"id": "", "n": 1.0, "name": "empty"},
        {"id": None, "n": 1.0, "name": "none"},
        {"id": "large", "n": 1.0, "name": "x" * 409_590},
        {"id": "nan", "n": float("nan"), "name": "x"},
        {"id": "huge", "n": 1e200, "name": "x"},
    ]
    dead = Got(tmp_path, "dead")
    letters = ddl("dead", {"code": "STRING", "reason": "STRING", "payload": "STRING"}, dead.options)
    policy = {"tailrace.on-error": "dead-letter", "tailrace.dead-letter.table": "dead"}
    run(letters + writing(table, [*bad, *good], options(table) | policy), tmp_path)
    assert_delivered(table.rows(), good, "exactly-once")
    assert sorted(r["code"] for r in dead.rows()) == ["key", "not-null", "range", "range", "size"]
    almost = {"id": "large", "n": 1.0, "name": "x" * 409_570}
    run(writing(table, [almost], options(table)), tmp_path / "b")
    assert almost in table.rows()


# -- older and newer


def test_older_rows_change_nothing(make: Make, tmp_path: Path) -> None:
    """By the time of the event: a replay does not undo what another has written in between, and an older delete does nothing."""
    columns = {"id": "BIGINT", "name": "STRING", "seen": "TIMESTAMP(3)"}
    table = make(columns)

    def row(minute: int | None, name: str) -> dict[str, Any]:
        return {"id": 1, "name": name, "seen": None if minute is None else datetime(2026, 1, 1, 0, minute)}

    given = options(table, write_timestamp_column="seen")
    for rows, stands in (
        ([row(3, "first")], "first"),
        ([row(7, "another writer")], "another writer"),
        ([row(3, "first")], "another writer"),
        ([row(None, "no time")], "another writer"),
        ([row(7, "same time")], "same time"),
        ([row(8, "newer")], "newer"),
    ):
        run(writing(table, rows, given), tmp_path / uuid.uuid4().hex)
        assert [r["name"] for r in table.rows()] == [stands]
    table.client.delete_item(TableName=table.name, Key={"id": {"N": "1"}})
    run(writing(table, [row(None, "no time")], given), tmp_path / "a")
    run(writing(table, [row(1, "with time")], given), tmp_path / "b")
    assert [r["name"] for r in table.rows()] == ["with time"]


def test_older_checkpoints_change_nothing(make: Make, tmp_path: Path) -> None:
    """An item of a later checkpoint stands, one of an earlier is overwritten; each says of which it is."""
    table = make()
    table.client.put_item(TableName=table.name, Item={"id": {"N": "0"}, "name": {"S": "later"}, "epoch": {"N": "900"}})
    table.client.put_item(TableName=table.name, Item={"id": {"N": "1"}, "name": {"S": "before"}, "epoch": {"N": "1"}})
    run(writing(table, named(3), options(table, sink__epoch_attribute="epoch")), tmp_path)
    assert {r["id"]: r["name"] for r in table.rows()} == {0: "later", 1: "name 1", 2: "name 2"}
    assert {i["id"]["N"]: int(i["epoch"]["N"]) > 0 for i in table.items()} == {"0": True, "1": True, "2": True}


def test_rows_do_not_wait_for_the_first_checkpoint(make: Make, tmp_path: Path) -> None:
    """They are written as they come, as rows of the first checkpoint; those of a run that goes on, of its next one."""
    table = make()
    given = options(table, sink__epoch_attribute="epoch", sink__bulk_flush__max_actions="10")
    source = {"connector": "datagen", "rows-per-second": "100", "fields.id.kind": "sequence", "fields.id.start": "1"}
    script = ddl("numbers", {"id": "BIGINT"}, source | {"fields.id.end": "1000000"}) + ddl(
        "into", COLUMNS, given, ("id",)
    )
    begin = "SET 'execution.checkpointing.interval' = '1 h';\n"
    into = "INSERT INTO `into` SELECT id, CONCAT('name ', CAST(id AS STRING)) FROM numbers;"
    for epoch in (1, 2):
        before = {i["id"]["N"] for i in table.items()}
        trial = Trial(begin + script + into, tmp_path)
        trial.until(partial(_more_than, table, len(before) + 20), "rows of this run")
        assert trial.epoch < epoch, "a checkpoint was taken before"
        assert {i["epoch"]["N"] for i in table.items() if i["id"]["N"] not in before} == {str(epoch)}
        assert trial.halt().restored_epoch == epoch - 1
        ids = range(1, len(table.rows()) + 1)
        assert_delivered(table.rows(), [{"id": i, "name": f"name {i}"} for i in ids], "exactly-once")


def _more_than(table: Table, count: int) -> bool:
    return len(table.items()) > count


# -- transactions


def transactional(table: Table, proxy: ApiProxy, **more: str) -> dict[str, str]:
    """Give the options of transactions whose marks are in a table of the test's own."""
    return options(table, proxy.address, sink__mode="transactions", sink__mark_table=f"{table.name}-marks", **more)


def marks(table: Table) -> dict[str, int]:
    found = Table(table.at, f"{table.name}-marks").items()
    return {i["sink"]["S"]: int(i["epoch"]["N"]) for i in found}


def test_a_small_checkpoint_is_one_transaction(make: Make, at: str, tmp_path: Path) -> None:
    """Items and mark are written at once; a large one is cut into several, and the mark is moved by the last."""
    for count, sizes in ((99, [100]), (250, [100, 100, 53])):
        table = make()
        with ApiProxy(at) as proxy:
            run(writing(table, named(count), transactional(table, proxy)), tmp_path / str(count))
            asked = [b for b in proxy.bodies("TransactWriteItems") if len(b["TransactItems"]) > 1]
        assert [len(b["TransactItems"]) for b in asked] == sizes
        kinds = ["Update" if "Update" in b["TransactItems"][-1] else "ConditionCheck" for b in asked]
        assert kinds == ["ConditionCheck"] * (len(sizes) - 1) + ["Update"]
        assert len({b["ClientRequestToken"] for b in asked}) == len(sizes)
        assert_delivered(table.rows(), named(count), "exactly-once")
        assert len(marks(table)) == 1


@pytest.mark.parametrize("forgets", [False, True])
def test_a_lost_answer_is_asked_for_by_the_same_token(make: Make, at: str, tmp_path: Path, *, forgets: bool) -> None:
    """
    The transaction is done, its answer lost: sent again it is not taken for that of another run.

    It is known by its token, and by its mark where the server has forgotten that.
    """
    table = make()
    lost: list[str] = []
    times = 1 if forgets else 2

    def lose(request: Request) -> Answer:
        if request.operation == "TransactWriteItems" and len(lost) < times:
            lost.append(request.body["ClientRequestToken"])
            request.ask(request.body | ({"ClientRequestToken": "forgotten"} if forgets else {}))
            raise ConnectionAbortedError
        return None

    with ApiProxy(at) as proxy:
        proxy.rule = lose
        run(writing(table, named(10), transactional(table, proxy)), tmp_path)
        tokens = [b["ClientRequestToken"] for b in proxy.bodies("TransactWriteItems")]
    assert len(lost) == times
    assert len(tokens) > len(set(tokens))
    assert_delivered(table.rows(), named(10), "exactly-once")


def test_a_transaction_is_all_or_nothing(make: Make, at: str, tmp_path: Path) -> None:
    """While a transaction is refused nothing of it is seen; the next run writes all of it."""
    table = make()

    def refuse(request: Request) -> Answer:
        return error("AccessDeniedException") if request.operation == "TransactWriteItems" else None

    with ApiProxy(at) as proxy:
        proxy.rule = refuse
        script = writing(table, named(50), transactional(table, proxy))
        with pytest.raises(TailraceError, match="AccessDenied"):
            run(script, tmp_path)
        assert table.rows() == []
        assert marks(table) == {}
        proxy.rule = lambda _: None
        run(script, tmp_path)
    assert_delivered(table.rows(), named(50), "exactly-once")


def test_a_run_that_was_replaced_writes_nothing(make: Make, at: str, tmp_path: Path) -> None:
    """Between its start and its first transaction another run has moved the mark: it is told, and no item is written."""
    table = make()
    moved: list[dict[str, Any]] = []

    def replaced(request: Request) -> Answer:
        if request.operation == "TransactWriteItems" and not moved:
            mark = request.body["TransactItems"][-1]["Update"]
            item = mark["Key"] | {"epoch": {"N": "77"}}
            table.client.put_item(TableName=mark["TableName"], Item=item)
            moved.append(item)
        return None

    with ApiProxy(at) as proxy:
        proxy.rule = replaced
        limits = "SET 'tailrace.restart.attempts' = '0';\n"
        with pytest.raises(TailraceError, match="another run of this job"):
            run(limits + writing(table, named(5), transactional(table, proxy)), tmp_path)
    assert moved
    assert table.rows() == []


# -- lookups


def joining(table: Table, keys: Sequence[int], on: str, given: Mapping[str, str], folder: Path) -> str:
    """Write the script that joins keys with a table."""
    name = f"probes-{uuid.uuid4().hex[:10]}"
    memory.table(name).append(frame_of({"k": "BIGINT"}, [{"k": k} for k in keys]))
    left = ddl("probes", {"k": "BIGINT"}, {"connector": "memory", "name": name})
    left = left.replace("`k` BIGINT", "`k` BIGINT, p AS PROCTIME()")
    into = ddl("got", {"k": "BIGINT", "name": "STRING"}, Got(folder).options)
    right = ddl("looked", table.columns, given, table.key)
    query = f"SELECT l.k, r.name FROM probes AS l JOIN looked FOR SYSTEM_TIME AS OF l.p AS r ON {on}"
    return f"{left}\n{right}\n{into}\nINSERT INTO got {query};"


def test_keys_that_were_not_processed_are_asked_for_again(make: Make, at: str, tmp_path: Path) -> None:
    """Of each request only some keys are answered; columns that the query does not need are not asked for."""
    table = make({"id": "BIGINT", "name": "STRING", "other": "STRING"})
    table.put([r | {"other": "x"} for r in named(150)])

    def some(request: Request) -> Answer:
        if request.operation != "BatchGetItem" or len(request.body["RequestItems"][table.name]["Keys"]) < 9:
            return None
        asked = request.body["RequestItems"][table.name]
        told = request.ask({"RequestItems": {table.name: asked | {"Keys": asked["Keys"][:8]}}})
        return 200, told | {"UnprocessedKeys": {table.name: asked | {"Keys": asked["Keys"][8:]}}}

    with ApiProxy(at) as proxy:
        proxy.rule = some
        given = options(table, proxy.address, lookup__consistent_read="true")
        run(joining(table, range(160), "l.k = r.id", given, tmp_path), tmp_path)
        asked = [b["RequestItems"][table.name] for b in proxy.bodies("BatchGetItem")]
    assert len(asked) > 15
    assert max(len(a["Keys"]) for a in asked) <= 100
    assert {a["ConsistentRead"] for a in asked} == {True}
    assert {tuple(sorted(a["ExpressionAttributeNames"].values())) for a in asked} == {("id", "name")}
    wanted = [{"k": r["id"], "name": r["name"]} for r in named(150)]
    assert_delivered(Got(tmp_path).rows(), wanted, "exactly-once")


def test_all_items_of_a_hash_key(make: Make, at: str, tmp_path: Path) -> None:
    """By a query of each key, page by page, also while it is throttled."""
    table = make({"k": "BIGINT", "id": "BIGINT", "name": "STRING"}, ("k", "id"))
    table.put([{"k": i % 2, "id": i, "name": "x" * 60_000} for i in range(60)])  # some 1.8 MB a key: two pages
    throttled: list[int] = []

    def throttle(request: Request) -> Answer:
        if request.operation == "Query" and len(throttled) < 2:
            throttled.append(1)
            return error("ThrottlingException")
        return None

    with ApiProxy(at) as proxy:
        proxy.rule = throttle
        run(joining(table, [0, 1, 2], "l.k = r.k", options(table, proxy.address), tmp_path), tmp_path)
        assert len(proxy.bodies("Query")) >= 7
    assert sorted(r["k"] for r in Got(tmp_path).rows()) == [0] * 30 + [1] * 30


# -- what check tells apart


def test_check_tells_what_is_wrong(make: Make, tmp_path: Path) -> None:
    """A key that is another, one of another type, a login that is refused, no stream, and one with other images."""
    table, streamed = make(), make(images="NEW_IMAGE")

    def said(of: Table, role: str = "sink", columns: Mapping[str, str] = COLUMNS, **more: str) -> str:
        report = check(ddl("t", columns, options(of, **more), ("id",)), "t", role, tmp_path)
        return "" if report.ok else report.message

    assert said(table) == ""
    assert "PRIMARY KEY (id)" in said(make({"k": "BIGINT", "id": "BIGINT"}, ("k", "id")))
    assert "of type N, and column 'id' is STRING" in said(table, columns=COLUMNS | {"id": "STRING"})
    assert "refuses us" in said(table, aws__credentials__basic__accesskeyid="wrong_key")
    assert "has no stream" in said(table, "source", scan__mode="stream")
    assert "has NEW_IMAGE, and NEW_AND_OLD_IMAGES are needed" in said(streamed, "source", scan__mode="stream")
    assert said(streamed, "source", scan__mode="upsert-stream") == ""
    keys = make(images="KEYS_ONLY")
    assert "has KEYS_ONLY" in said(keys, "source", scan__mode="upsert-stream")
    assert said(keys, "source", {"id": "BIGINT"}, scan__mode="upsert-stream") == ""
    assert "has KEYS_ONLY" in said(keys, "source", {"id": "BIGINT"}, scan__mode="scan-then-stream")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ttl.attribute": "e"}, "needs to know when items expire"),
        ({"ttl": "1 d"}, "needs the option 'ttl.attribute'"),
        ({"ttl.attribute": "name", "ttl": "1 d"}, "'name' is a column"),
        ({"ttl.attribute": "e", "ttl.column": "name"}, "names no TIMESTAMP column"),
        ({"sink.epoch-attribute": "id"}, "'id' is a column"),
        ({"sink.mode": "transactions", "write-timestamp-column": "seen"}, "taken back as a whole"),
    ],
    ids=["ttl-when", "ttl-attribute", "ttl-column-taken", "ttl-no-time", "epoch-column", "transactions-time"],
)
def test_options_that_do_not_fit_together(given: dict[str, str], said: str) -> None:
    table = Table("127.0.0.1:1", "t", COLUMNS | {"seen": "TIMESTAMP(3)"})
    error_ = refused(writing(table, [], options(table) | given))
    assert isinstance(error_, ConfigError)
    assert said in str(error_)
