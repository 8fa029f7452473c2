"""What memory a local server takes for the vectors that it searches.

Method: `vecload serve` is loaded, asked, stopped, started again on the same folder and asked again;
a query brings an index into memory. VmRSS of its process is read after each answer, while nothing
else goes on, and held against the bound: 1.25 times the float32 data and 200 MiB.

    python bench/memory_bench.py --build build/release [--json FILE]
"""

import argparse
import json
import pathlib
import tempfile
import time
from typing import Any

from programs import UNPACED, Server, generate, load
from server_bench import client

CASES = [(200_000, 384), (100_000, 1024)]
FACTOR = 1.25
CONSTANT_MIB = 200


def query(server: Server, dimension: int) -> float:
    """Asks once; returns seconds."""
    begin = time.perf_counter()
    answer = client(server).query_vectors(
        vectorBucketName="bench",
        indexName="index",
        topK=10,
        queryVector={"float32": [1.0] * dimension},
    )
    if len(answer["vectors"]) != 10:
        raise SystemExit(f"{len(answer['vectors'])} neighbours instead of 10")
    return time.perf_counter() - begin


def measure(build: pathlib.Path, folder: pathlib.Path, rows: int, dimension: int) -> dict[str, Any]:
    source = folder / f"{rows}x{dimension}.parquet"
    generate(build, source, rows, dimension)
    figures: dict[str, Any] = {
        "rows": rows,
        "dimension": dimension,
        "bound_mib": FACTOR * rows * dimension * 4 / 2**20 + CONSTANT_MIB,
    }

    def serve() -> Server:
        return Server([build / "vecload", "serve", "--data-dir", folder / f"data-{dimension}"])

    def fill() -> None:
        load(build, source, server.url, *UNPACED, index="bench/index")

    server = serve()
    try:
        client(server).create_vector_bucket(vectorBucketName="bench")
        client(server).create_index(
            vectorBucketName="bench",
            indexName="index",
            dataType="float32",
            dimension=dimension,
            distanceMetric="cosine",
        )
        fill()
        figures["loaded_mib"] = server.rss_mib()
        query(server, dimension)
        figures["searched_mib"] = server.rss_mib()
        fill()  # every vector is replaced, on disk and in memory
        figures["replaced_mib"] = server.rss_mib()
    finally:
        server.stop()
    server = serve()
    try:
        figures["first_query_s"] = query(server, dimension)
        figures["restarted_mib"] = server.rss_mib()
    finally:
        server.stop()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description="What memory a local server takes.")
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vecload-bench.") as folder:
        results = [
            measure(options.build.resolve(), pathlib.Path(folder), rows, dimension)
            for rows, dimension in CASES
        ]
    print("RSS in MiB after            loading  query  loading again  restart and query      bound")
    for figures in results:
        print(
            f"{figures['rows']:>9,} x {figures['dimension']:>4}-d"
            f"{figures['loaded_mib']:>15,.0f}{figures['searched_mib']:>7,.0f}"
            f"{figures['replaced_mib']:>15,.0f}"
            f"{figures['restarted_mib']:>9,.0f} ({figures['first_query_s']:.1f} s)"
            f"{figures['bound_mib']:>11,.0f}"
        )
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    for figures in results:
        for name in ("loaded_mib", "searched_mib", "replaced_mib", "restarted_mib"):
            if figures[name] > figures["bound_mib"]:
                raise SystemExit(f"{name} of {figures['rows']} vectors is over the bound")


if __name__ == "__main__":
    main()
