"""What the local server gives as an application sees it: queries, reopening, memory.

Method: `vecload load` fills an index of a durable server; the server is started again, and the time
is taken until it listens and until its first query is answered, which is when it has read the
vectors. Then one client queries alone, and 32 at once. Bodies are made before the clock runs and
answers are not parsed; client and server share the machine. A failed request ends the run.

    python bench/query_bench.py --build build/release [--queries 200] [--json FILE]
"""

import argparse
import contextlib
import http.client
import json
import os
import pathlib
import random
import statistics
import tempfile
import threading
import time

from programs import UNPACED, Server, generate, load, running

# rows, dimension, goal for the p50 of one client in ms
CASES = [(100_000, 1024, 25), (1_000_000, 384, 90)]
GOAL_REOPEN_S = 10
CLIENTS = 32
TOP_K = 10
TIMEOUT_S = 120


def serving(build: pathlib.Path, data: pathlib.Path) -> contextlib.AbstractContextManager[Server]:
    return running([build / "vecload", "serve", "--data-dir", data])


class Client:
    """One connection that asks for the nearest vectors of random points."""

    def __init__(self, port: int, dimension: int, seed: int) -> None:
        draw = random.Random(seed)
        self._bodies = [
            json.dumps(
                {
                    "vectorBucketName": "bench",
                    "indexName": "index",
                    "topK": TOP_K,
                    "queryVector": {"float32": [draw.gauss(0, 1) for _ in range(dimension)]},
                    "returnDistance": True,
                }
            )
            for _ in range(8)
        ]
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        self._asked = 0

    def ask(self) -> float:
        """Returns how long the answer took, in ms."""
        body = self._bodies[self._asked % len(self._bodies)]
        self._asked += 1
        begin = time.monotonic()
        self._connection.request("POST", "/QueryVectors", body)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status != 200 or text.count(b'"key"') != TOP_K:
            raise SystemExit(f"QueryVectors: {answer.status} {text[:200]!r}")
        return (time.monotonic() - begin) * 1000


def ask_together(port: int, dimension: int, queries: int) -> dict:
    clients = [Client(port, dimension, seed) for seed in range(CLIENTS)]
    times: list[float] = []  # append is atomic

    def ask(client: Client) -> None:
        for _ in range(max(2, queries // CLIENTS)):
            times.append(client.ask())

    threads = [threading.Thread(target=ask, args=(client,)) for client in clients]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall_s = time.monotonic() - begin
    expected = CLIENTS * max(2, queries // CLIENTS)
    if len(times) != expected:
        raise SystemExit(f"{expected - len(times)} of {expected} queries failed")
    return {
        "together_queries": len(times),
        "together_queries_per_s": len(times) / wall_s,
        "together_p50_ms": statistics.median(times),
        "together_max_ms": max(times),
    }


def fill(build: pathlib.Path, folder: pathlib.Path, rows: int, dimension: int) -> pathlib.Path:
    data = folder / f"{rows}x{dimension}"
    source = folder / f"{rows}x{dimension}.parquet"
    generate(build, source, rows, dimension)
    with serving(build, data) as server:
        flags = ["--create-index", "--distance-metric", "cosine", *UNPACED]
        load(build, source, server.url, *flags, index="bench/index", timeout_s=900)
    source.unlink()
    return data


def measure(build: pathlib.Path, data: pathlib.Path, case: tuple, queries: int) -> dict:
    rows, dimension, _ = case
    with serving(build, data) as server:
        client = Client(server.port, dimension, seed=1000)
        first_s = client.ask() / 1000
        alone = sorted(client.ask() for _ in range(queries))
        together = ask_together(server.port, dimension, queries)
        return {
            "rows": rows,
            "dimension": dimension,
            "listening_s": server.listening_s,
            "first_query_s": first_s,
            "queries": queries,
            "p50_ms": statistics.median(alone),
            "min_ms": alone[0],
            "p95_ms": alone[int(0.95 * len(alone))],
            **together,
            "rss_mib": server.rss_mib(),
            "rss_mib_max": server.rss_mib_max(),
            "rss_mib_goal": 1.25 * rows * dimension * 4 / 2**20 + 200,
            "load_average": os.getloadavg()[0],
        }


def main() -> None:
    parser = argparse.ArgumentParser(description="Queries, reopening and memory of the server.")
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory(prefix="vecload-bench.") as folder:
        for case in CASES:
            rows, dimension, goal_ms = case
            data = fill(options.build.resolve(), pathlib.Path(folder), rows, dimension)
            result = measure(options.build.resolve(), data, case, options.queries)
            results.append(result)
            print(
                f"{rows:,} x {dimension}-d, topK {TOP_K}: p50 {result['p50_ms']:.1f} ms "
                f"(min {result['min_ms']:.1f}, p95 {result['p95_ms']:.1f}; goal {goal_ms})\n"
                f"  {CLIENTS} clients: {result['together_queries_per_s']:.0f} queries/s, "
                f"p50 {result['together_p50_ms']:.0f} ms, no error\n"
                f"  reopened: listening after {result['listening_s']:.2f} s, first query answered "
                f"{result['first_query_s']:.2f} s later (goal {GOAL_REOPEN_S} s)\n"
                f"  RSS {result['rss_mib']:.0f} MiB, at most {result['rss_mib_max']:.0f} MiB "
                f"(goal {result['rss_mib_goal']:.0f}); load average {result['load_average']:.1f}"
            )
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
