"""
How many rows a second a lookup join takes, and how much CPU time: keys of a Redis without a cache, behind shared caches, and out of a warm cache in the process.

    python benchmarks/lookups.py redis://localhost:6379/0 [localhost:11211]

It fills the Redis with 100,000 hashes and strings `bench:…` first, each of a number and a text, and leaves them there.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import redis

from tailrace.runtime.script import Script
from tailrace.sql.session import Session

KEYS = 100_000


def fill(url: str) -> None:
    """Write the keys."""
    client = redis.Redis.from_url(url)
    for first in range(0, KEYS, 10_000):
        pipeline = client.pipeline(transaction=False)
        for i in range(first, first + 10_000):
            pipeline.hset(f"bench:hash:{i}", mapping={"k": i, "name": f"name {i}"})
            pipeline.set(f"bench:string:{i}", f'{{"k": {i}, "name": "name {i}"}}')
        pipeline.execute()
    client.close()


def rate(url: str, kind: str, rows: int, options: str) -> str:
    """Join so many rows, whose keys go round, and tell the rows a second and the CPU seconds, the start of the job among the time."""
    format_ = "" if kind == "hash" else ", 'format' = 'json'"
    sql = f"""
    SET 'tailrace.tick.rows' = '100000';
    CREATE TABLE l (n BIGINT, k AS MOD(n, {KEYS}), p AS PROCTIME()) WITH ('connector' = 'datagen', 'rows-per-second' = '0', 'number-of-rows' = '{rows}',
      'fields.n.kind' = 'sequence', 'fields.n.start' = '0', 'fields.n.end' = '{rows - 1}');
    CREATE TABLE r (k BIGINT, name STRING, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'redis', 'url' = '{url}',
      'data-type' = '{kind}', 'key-prefix' = 'bench:{kind}:'{format_}{options});
    CREATE TABLE o (n BIGINT, name STRING) WITH ('connector' = 'blackhole');
    INSERT INTO o SELECT l.n, r.name FROM l JOIN r FOR SYSTEM_TIME AS OF l.p AS r ON l.k = r.k;
    """  # noqa: S608  of this file
    session = Session()
    statements = session.bind(sql, "bench.sql")
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        (summary,) = Script("bench", statements, session.tables, session.settings, state=Path(folder)).run()
    assert summary.rows_out == rows, summary
    spent = (time.process_time() - began) * 100_000 / rows
    return f"{rows / summary.seconds:,.0f} rows/s, {spent:.2f} CPU seconds of this process for 100,000"


def main(url: str, servers: str = "") -> None:
    """Measure and print."""
    fill(url)
    rate(url, "hash", 1000, "")  # kernels are compiled once
    caches = {"Redis": f", 'cache' = 'redis', 'cache.url' = '{url}', 'cache.prefix' = 'bench:cache:'"}
    if servers:
        caches["Memcached"] = f", 'cache' = 'memcached', 'cache.servers' = '{servers}', 'cache.prefix' = 'bench:cache:'"
    for kind in ("string", "hash"):
        print(f"{kind}, no cache: {rate(url, kind, 5 * KEYS, '')}")
        for name, options in caches.items():
            rate(url, kind, KEYS, options)
            print(f"{kind}, warm shared cache in {name}: {rate(url, kind, KEYS, options)}")
    cached, count = ", 'lookup.cache' = 'PARTIAL'", 10_000_000
    print(f"warm cache in the process: {rate(url, 'hash', count, cached)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
