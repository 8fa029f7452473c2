"""How fast vectors get into a local server, durably, and what that costs; others beside it.

Method: our loader into `vecload serve`, boto3 (500 vectors a call, one process, one connection)
into the same server, into moto's, and, where --s3mock names its jar, into Adobe's S3Mock. Clients
and servers share the machine's cores. The cases take turns, so that a busy moment hits all of them;
medians are quoted with their spread. Every run has an index of its own, and counts only if
ListVectors then gives each key once. CPU and memory are those of the processes alone, so they say
more than vectors/s where others use the machine.

    python bench/server_bench.py --build build/release [--rows 100000] [--runs 3] [--json FILE]

Short: --rows 5000 --boto3-rows 1000 --other-rows 500 --runs 1
"""

import argparse
import contextlib
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time
from typing import Any

import boto3
import pyarrow.parquet as pq
from botocore.config import Config
from programs import UNPACED, Server, free_port, generate, load, running

BATCH = 500
GOAL_VECTORS_PER_S = 20_000

Vectors = list[dict[str, Any]]
Figures = dict[str, float]


def client(server: Server) -> Any:
    return boto3.client(
        "s3vectors",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="bench",
        aws_secret_access_key="bench",
        config=Config(
            retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=300, proxies={}
        ),
    )


def stored_keys(caller: Any, index: str) -> int:
    """How many keys ListVectors gives; each must come once."""
    pages = caller.get_paginator("list_vectors").paginate(
        vectorBucketName="bench", indexName=index, PaginationConfig={"PageSize": 1000}
    )
    keys = [vector["key"] for page in pages for vector in page["vectors"]]
    if len(set(keys)) != len(keys):
        raise SystemExit(f"{index}: keys were listed twice")
    return len(keys)


def put_by_boto3(caller: Any, vectors: Vectors, index: str) -> Figures:
    begin, cpu_begin = time.perf_counter(), time.process_time()
    for first in range(0, len(vectors), BATCH):
        caller.put_vectors(
            vectorBucketName="bench", indexName=index, vectors=vectors[first : first + BATCH]
        )
    return {
        "vectors_per_s": len(vectors) / (time.perf_counter() - begin),
        "client_cpu_us": (time.process_time() - cpu_begin) / len(vectors) * 1e6,
    }


class Case:
    """A client and a server; the figures of its runs."""

    def __init__(self, name: str, server: Server, rows: int, dimension: int, put: Any) -> None:
        self.name = name
        self.rows = rows
        self._server = server
        self._dimension = dimension
        self._put = put
        self.runs: list[Figures] = []

    def run(self, number: int) -> None:
        index = f"index-{number}"  # removed at the end, since cases share servers
        caller = client(self._server)
        caller.create_index(
            vectorBucketName="bench",
            indexName=index,
            dataType="float32",
            dimension=self._dimension,
            distanceMetric="cosine",
        )
        load_average = os.getloadavg()[0]
        before = self._server.cpu_s()
        figures = self._put(self._server, caller, index)
        cpu_s = self._server.cpu_s() - before
        rss_mib = self._server.rss_mib()
        if (arrived := stored_keys(caller, index)) != self.rows:
            raise SystemExit(f"{self.name}: {arrived} of {self.rows} vectors arrived")
        caller.delete_index(vectorBucketName="bench", indexName=index)
        self.runs.append(
            figures
            | {
                "server_cpu_us": cpu_s / self.rows * 1e6,
                "server_rss_mib": rss_mib,
                "load_average": load_average,
            }
        )

    def figure(self, name: str) -> tuple[float, float, float]:
        values = [run[name] for run in self.runs]
        return statistics.median(values), min(values), max(values)

    def row(self) -> str:
        rate, slowest, fastest = self.figure("vectors_per_s")
        client_cpu = self.figure("client_cpu_us")[0]
        server_cpu = self.figure("server_cpu_us")[0]
        rss = self.figure("server_rss_mib")[2]
        _, idlest, busiest = self.figure("load_average")
        cells = [
            f"{self.name:24}",
            f"{self.rows:>8,}",
            f"{rate:,.0f} ({slowest:,.0f}-{fastest:,.0f})".rjust(24),
            f"{client_cpu:>11,.1f}",
            f"{server_cpu:>11,.1f}",
            f"{rss:>11,.0f}",
            f"{idlest:.1f}-{busiest:.1f}".rjust(10),
        ]
        return " ".join(cells)


def read(source: pathlib.Path, rows: int) -> Vectors:
    """The first rows of the source as boto3 wants them: what a script has made before it sends."""
    first = next(pq.ParquetFile(source).iter_batches(rows, columns=["id", "embedding"]))
    keys, embeddings = (column.to_pylist() for column in first.columns)
    return [
        {"key": key, "data": {"float32": embedding}}
        for key, embedding in zip(keys, embeddings, strict=True)
    ]


def measure(options: argparse.Namespace, folder: pathlib.Path) -> list[Case]:
    build = options.build.resolve()
    source = folder / "source.parquet"
    generate(build, source, options.rows, options.dimension)
    vectors = read(source, max(options.boto3_rows, options.other_rows))

    def by_loader(server: Server, _caller: Any, index: str) -> Figures:
        report = load(build, source, server.url, *UNPACED, index=f"bench/{index}")
        return {
            "vectors_per_s": report["vectors_per_s"],
            "client_cpu_us": report["cpu_us_per_vector"],
        }

    def by_boto3(rows: int) -> Any:
        return lambda _server, caller, index: put_by_boto3(caller, vectors[:rows], index)

    with contextlib.ExitStack() as stack:

        def start(command: list[Any], port: int | None = None) -> Server:
            server = stack.enter_context(running(command, port))
            client(server).create_vector_bucket(vectorBucketName="bench")
            return server

        ours = start([build / "vecload", "serve", "--data-dir", folder / "data"])
        port = free_port()
        moto = start([sys.executable, "-m", "moto.server", "-p", port], port)
        few = options.other_rows
        cases = [
            Case("vecload load > vecload", ours, options.rows, options.dimension, by_loader),
            Case(
                *("boto3 > vecload", ours, options.boto3_rows, options.dimension),
                by_boto3(options.boto3_rows),
            ),
            Case("boto3 > moto", moto, few, options.dimension, by_boto3(few)),
        ]
        if options.s3mock:
            port = free_port()
            command = ["java", "-jar", options.s3mock.resolve(), f"--vectors.http.port={port}"]
            command += [f"--{name}={free_port()}" for name in ("server.port", "http.port")]
            command += [f"--vectors.https.port={free_port()}", "--spring.profiles.active=vectors"]
            s3mock = start(command, port)
            cases.append(Case("boto3 > S3Mock", s3mock, few, options.dimension, by_boto3(few)))
        for number in range(options.runs):
            for case in cases:
                case.run(number)
        return cases


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast vectors get into a local server.")
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--rows", type=int, default=100_000, help="of our loader")
    parser.add_argument("--boto3-rows", type=int, default=5_000)
    parser.add_argument("--other-rows", type=int, default=2_000, help="into the other servers")
    parser.add_argument("--dimension", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--s3mock", type=pathlib.Path, help="com.adobe.testing:s3mock:jar:exec")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vecload-bench.") as folder:
        cases = measure(options, pathlib.Path(folder))
    print(f"goal: {GOAL_VECTORS_PER_S:,} vectors/s by our loader, on two cores to itself")
    print(
        f"{'client > server':24} {'vectors':>8} {'vectors/s':>24} {'client us':>11} "
        f"{'server us':>11} {'server MiB':>11} {'load':>10}"
    )
    for case in cases:
        print(case.row())
    if options.json:
        results = [{"case": case.name, "rows": case.rows, "runs": case.runs} for case in cases]
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
