"""Whether N shards take N times the vectors of one index, each at its own limit.

Three loads of 1,024-d vectors, client and server on this machine:

    model     8 shards into `vecload serve` with a limit of 2,500 vectors/s per index
    latency   the same with 200 ms added to every answer
    null      16 shards into bench/null_server.cc, which counts vectors and answers 429 above the
              same limit; it shares no code with the loader

Tells the sum and each shard's rate, and how many answers were 429.

    python bench/shards_bench.py [--build build/release] [--seconds 30] [--only model,null]
        [--json FILE]
"""

import argparse
import contextlib
import json
import pathlib
import tempfile
from typing import Any

from programs import NullServer, Server, generate, load, machine, running

DIMENSION = 1024
VECTORS_PER_S = 2_500  # the service's limit per index
CREATE = ("--create-index", "--distance-metric", "cosine")


def start(build: pathlib.Path, name: str, shards: int) -> contextlib.AbstractContextManager[Server]:
    limit = ("--rate-vectors", VECTORS_PER_S)
    if name == "null":
        return _null_server(build, "--shards", shards, *limit)
    latency = ("--latency-ms", 200) if name == "latency" else ()
    return running([build / "vecload", "serve", "--ephemeral", *limit, *latency])


@contextlib.contextmanager
def _null_server(build: pathlib.Path, *flags: Any):
    server = NullServer(build, DIMENSION, *flags)
    try:
        yield server
    finally:
        server.stop()


def measure(build: pathlib.Path, folder: pathlib.Path, name: str, seconds: int) -> dict[str, Any]:
    shards = 16 if name == "null" else 8
    rows = shards * VECTORS_PER_S * seconds
    sources = generate(build, folder / f"{shards}.parquet", rows, DIMENSION)
    with start(build, name, shards) as server:
        report = load(
            *(build, sources, server.url, "--shards", shards, *CREATE), index="shards-bench/base"
        )
    rates = [shard["vectors_per_s"] for shard in report["shards"]]
    mean = sum(rates) / shards
    figures = {
        "load": name,
        "shards": shards,
        "rows": rows,
        "vectors_per_s": report["vectors_per_s"],
        "slowest": min(rates),
        "fastest": max(rates),
        "spread_percent": max(max(rates) - mean, mean - min(rates)) / mean * 100,
        "attempts": report["attempts"],
        "throttled": report["throttled"],
        "cores": report["process_cpu_s"] / report["wall_s"],
        "cpu_us": report["process_cpu_s"] * 1e6 / rows,
        "rss_mib": report["rss_bytes_max"] / 2**20,
        "bottleneck": report["bottleneck"],
    }
    return {
        name: round(value, 2) if isinstance(value, float) else value
        for name, value in figures.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Many shards at once, each at its limit.")
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--seconds", type=int, default=30, help="of each load, at the limit")
    parser.add_argument("--only", default="model,latency,null")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    build = options.build.resolve()
    results = []
    with tempfile.TemporaryDirectory(prefix="vecload-bench.") as name:
        for kind in options.only.split(","):
            results.append(measure(build, pathlib.Path(name), kind, options.seconds))
            print(json.dumps(results[-1]), flush=True)
    if options.json:
        text = json.dumps({"machine": machine(), "loads": results}, indent=1)
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
