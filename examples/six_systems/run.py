"""
Run one pipeline over six systems, kill it in the middle, start it again, and compare: `python -m six_systems.run --help`.

It makes the queue `orders`, the topic `payments`, the tables `products` and `customers`, the keyspace `shop` and the index `paid-orders`.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from six_systems.generate import Order, generate
from six_systems.report import expected
from six_systems.systems import Systems

HERE = Path(__file__).resolve().parent
WAIT_SECONDS = 180


@dataclass
class Shop:
    """The pipeline as a process of its own, with its state in a folder, and the orders that were sent."""

    systems: Systems
    folder: Path
    orders: list[Order] = field(default_factory=list)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What the pipeline says."""
        return self.folder / "pipeline.log"

    @property
    def checkpoints(self) -> int:
        """The number of the last complete checkpoint."""
        return max((int(p.stem) for p in self.folder.glob("state/**/*.manifest")), default=0)

    def _command(self, script: str) -> list[str]:
        given = [x for n, v in self.systems.parameters().items() for x in ("--parameter", f"{n}={v}")]
        state = str(self.folder / ("state" if script == "pipeline.sql" else "filling"))
        return [sys.executable, "-m", "tailrace", "run", str(HERE / script), "--state", state, "--json", *given]

    def fill(self) -> None:
        """Copy the customers of PostgreSQL into Redis."""
        with self.log.open("ab") as log:
            subprocess.run(self._command("customers.sql"), stdout=log, stderr=log, check=True)  # noqa: S603  ours

    def start(self) -> None:
        """Start the pipeline, from where it was killed."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command("pipeline.sql"), stdout=log, stderr=log)  # noqa: S603  ours

    def end(self, by: signal.Signals = signal.SIGTERM) -> int:
        """End it, and give its status."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(by)
        return process.wait(WAIT_SECONDS)

    def send(self, count: int) -> None:
        """Send so many payments and their orders."""
        made = generate(count, first=len(self.orders))
        self.systems.pay(made)
        self.systems.order(made)
        self.orders += made

    def until(self, happened: Callable[[], object], what: str) -> None:
        """
        Wait until something has happened.

        Raises:
            RuntimeError: the pipeline has ended by itself.
            TimeoutError: it does not happen.
        """
        end = time.monotonic() + WAIT_SECONDS
        while not happened():
            if self._process is not None and (status := self._process.poll()) is not None:
                raise RuntimeError(f"the pipeline has ended with status {status}: see {self.log}")
            if time.monotonic() > end:
                raise TimeoutError(f"not within {WAIT_SECONDS} s: {what}; see {self.log}")
            time.sleep(0.5)

    def arrive(self) -> None:
        """Wait until all paid orders are there."""
        wanted = len(expected(self.orders).documents)
        self.until(lambda: len(self.systems.documents()) >= wanted, f"{wanted} documents")


def lives(
    shop: Shop, count: int, break_a_server: Callable[[], None] | None = None, say: Callable[[str], None] = print
) -> Sequence[str]:
    """Send orders through a pipeline that is killed in the middle, and give what differs at the end."""
    shop.systems.prepare()
    shop.fill()
    try:
        say("the pipeline starts")
        shop.start()
        shop.send(count)
        shop.until(lambda: shop.checkpoints >= 2, "two checkpoints")
        say("it is killed with orders on their way, and starts again; others came meanwhile")
        shop.send(count)
        shop.end(signal.SIGKILL)
        shop.send(count)
        shop.start()
        if break_a_server is not None:
            shop.arrive()
            say("RabbitMQ is killed with orders on their way, and starts again")
            shop.send(count)
            break_a_server()
        shop.send(count)
        shop.arrive()
    finally:
        status = shop.end()
    if status:
        raise RuntimeError(f"the pipeline has ended with status {status}: see {shop.log}")
    return shop.systems.outcome().differences(expected(shop.orders))


def main() -> None:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(prog="six_systems.run", description=__doc__)
    for one, example in zip(fields(Systems), EXAMPLES, strict=True):
        parser.add_argument(f"--{one.name}", required=True, metavar="ADDRESS", help=f"as {example}")
    parser.add_argument("--rows", type=int, default=500, help="so many orders in each of four parts (%(default)s)")
    given = vars(parser.parse_args())
    count = given.pop("rows")
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Systems(**given), Path(folder))
        differences = lives(shop, count)
    print(
        f"{len(shop.orders)} orders, {len(expected(shop.orders).documents)} of them paid; {len(differences)} differences"
    )
    sys.exit(bool(differences))


EXAMPLES = (
    "amqp://localhost:5672/",
    "localhost:9092",
    "postgresql://postgres@localhost:5432/postgres",
    "redis://localhost:6379/0",
    "localhost:9042",
    "http://localhost:9200",
)

if __name__ == "__main__":
    main()
