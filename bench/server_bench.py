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
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pyarrow.parquet as pq
from botocore.config import Config

BATCH = 500
READY_S = 120  # a Java server on a busy machine
GOAL_VECTORS_PER_S = 20_000
TICKS_PER_S = os.sysconf("SC_CLK_TCK")

Vectors = list[dict[str, Any]]
Figures = dict[str, float]


class Server:
    """A server in a process of its own, ready when it accepts connections."""

    def __init__(self, command: list[Any], port: int, log: pathlib.Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        with log.open("w") as output:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                env=environment(self.url),
                cwd=log.parent,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        deadline = time.monotonic() + READY_S
        while not accepts(port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise SystemExit(f"{command[0]} did not start: {log.read_text()}")
            time.sleep(0.05)

    def cpu_s(self) -> float:
        text = pathlib.Path(f"/proc/{self._process.pid}/stat").read_text()
        user, system = text.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / TICKS_PER_S

    def rss_mib(self) -> float:
        text = pathlib.Path(f"/proc/{self._process.pid}/status").read_text()
        return int(text.partition("VmRSS:")[2].split()[0]) / 1024

    def client(self) -> Any:
        return boto3.client(
            "s3vectors",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="bench",
            aws_secret_access_key="bench",
            config=Config(
                retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=300, proxies={}
            ),
        )

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=30)


def environment(url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "AWS_ENDPOINT_URL_S3VECTORS": url,
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "no_proxy": "127.0.0.1",
    }


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def stored_keys(client: Any, index: str) -> int:
    """How many keys ListVectors gives; each must come once."""
    pages = client.get_paginator("list_vectors").paginate(
        vectorBucketName="bench", indexName=index, PaginationConfig={"PageSize": 1000}
    )
    keys = [vector["key"] for page in pages for vector in page["vectors"]]
    if len(set(keys)) != len(keys):
        raise SystemExit(f"{index}: keys were listed twice")
    return len(keys)


def load(vecload: pathlib.Path, source: pathlib.Path, server: Server, index: str) -> Figures:
    done = subprocess.run(
        [
            *(vecload, "load", source, "--index", f"bench/{index}", "--progress", "none"),
            *("--rate-vectors", "unlimited", "--rate-requests", "unlimited", "--output", "json"),
            *("--restart", "--journal", source.with_suffix(".journal")),
        ],
        env=environment(server.url),
        cwd=source.parent,
        capture_output=True,
        text=True,
        timeout=1800,
        check=True,
    )
    report = json.loads(done.stdout)
    return {
        "vectors_per_s": report["vectors_per_s"],
        "client_cpu_us": report["cpu_us_per_vector"],
    }


def put_by_boto3(client: Any, vectors: Vectors, index: str) -> Figures:
    begin, cpu_begin = time.perf_counter(), time.process_time()
    for first in range(0, len(vectors), BATCH):
        client.put_vectors(
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
        client = self._server.client()
        client.create_index(
            vectorBucketName="bench",
            indexName=index,
            dataType="float32",
            dimension=self._dimension,
            distanceMetric="cosine",
        )
        load_average = os.getloadavg()[0]
        before = self._server.cpu_s()
        figures = self._put(self._server, client, index)
        cpu_s = self._server.cpu_s() - before
        rss_mib = self._server.rss_mib()
        if (arrived := stored_keys(client, index)) != self.rows:
            raise SystemExit(f"{self.name}: {arrived} of {self.rows} vectors arrived")
        client.delete_index(vectorBucketName="bench", indexName=index)
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


@contextlib.contextmanager
def running(name: str, command: list[Any], port: int, folder: pathlib.Path) -> Iterator[Server]:
    server = Server(command, port, folder / f"{name}.log")
    try:
        server.client().create_vector_bucket(vectorBucketName="bench")
        yield server
    finally:
        server.stop()


def generate(vecload: pathlib.Path, path: pathlib.Path, rows: int, dimension: int) -> None:
    command = [vecload, "generate", path, "--rows", str(rows), "--dimension", str(dimension)]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


def read(source: pathlib.Path, rows: int) -> Vectors:
    """The first rows of the source as boto3 wants them: what a script has made before it sends."""
    first = next(pq.ParquetFile(source).iter_batches(rows, columns=["id", "embedding"]))
    keys, embeddings = (column.to_pylist() for column in first.columns)
    return [
        {"key": key, "data": {"float32": embedding}}
        for key, embedding in zip(keys, embeddings, strict=True)
    ]


def measure(options: argparse.Namespace, folder: pathlib.Path) -> list[Case]:
    vecload = options.build.resolve() / "vecload"
    source = folder / "source.parquet"
    generate(vecload, source, options.rows, options.dimension)
    vectors = read(source, max(options.boto3_rows, options.other_rows))

    def by_loader(server: Server, _client: Any, index: str) -> Figures:
        return load(vecload, source, server, index)

    def by_boto3(rows: int) -> Any:
        return lambda _server, client, index: put_by_boto3(client, vectors[:rows], index)

    with contextlib.ExitStack() as stack:

        def start(name: str, command: list[Any], port: int) -> Server:
            return stack.enter_context(running(name, command, port, folder))

        port = free_port()
        ours = start(
            "vecload", [vecload, "serve", "--data-dir", folder / "data", "--port", port], port
        )
        port = free_port()
        moto = start("moto", [sys.executable, "-m", "moto.server", "-p", port], port)
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
            s3mock = start("s3mock", command, port)
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
