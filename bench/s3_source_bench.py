"""What a source on S3 at a distance costs a load, against the same files on this machine.

Method: `rclone serve s3` serves generated files; a proxy in front of it makes every request take
50 ms longer; vecload loads from there into the null server (bench/null_server.cc), and from the
files themselves. Client, proxy, rclone and the null server share the machine's cores. How fast
rclone is behind the proxy is measured as well, by 16 plain connections that read ranges of 4 MiB.

    python bench/s3_source_bench.py --build build/release [--runs 3] [--json FILE]
"""

import argparse
import concurrent.futures
import json
import multiprocessing
import os
import pathlib
import statistics
import sys
import tempfile
import threading
import time
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
os.environ.setdefault("VECLOAD_BIN", "build/release/vecload")

from programs import INDEX, NullServer, environment, generate, load_command, run

from support.delaying_proxy import DelayingProxy
from support.program import ACCESS_KEY, SECRET_KEY
from support.servers import RcloneServer

LATENCY_S = 0.05
UNLIMITED = ["--rate-vectors", "unlimited"]
KEYS = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
# name, files, rows in all, dimension, rows a row group, more arguments of load
CASES: list[tuple[str, int, int, int, int, list[str]]] = [
    ("one file, unlimited", 1, 100_000, 1024, 65_536, UNLIMITED),
    ("one file, one row group, unlimited", 1, 100_000, 1024, 100_000, UNLIMITED),
    ("200 files, unlimited", 200, 100_000, 1024, 65_536, UNLIMITED),
    ("one file, 2,500/s", 1, 25_000, 1024, 65_536, ["--rate-vectors", "2500"]),
]
READ_BYTES = 4 << 20
CONNECTIONS = 16


def load(
    build: pathlib.Path, folder: pathlib.Path, source: str, env: dict[str, str], more: list[str]
) -> dict[str, Any]:
    flags = ["--rate-requests", "unlimited", *more]
    done = run(load_command(build, [source], folder / "journal", INDEX, *flags), env, folder)
    report = json.loads(done.stdout)
    if report["vectors_acknowledged"] != report["rows_total"]:
        raise SystemExit(f"not all vectors arrived: {done.stdout}")
    report["plan_s"] = done.wall_s - report["wall_s"]
    return report


def range_reader_mb_per_s(url: str, key: str, size: int) -> float:
    """What a plain reader gets through the proxy."""
    from boto3.session import Session
    from botocore.config import Config

    local = threading.local()

    def read(begin: int) -> int:
        if not hasattr(local, "client"):
            local.client = Session().client(
                "s3",
                endpoint_url=url,
                region_name="us-east-1",
                aws_access_key_id=ACCESS_KEY,
                aws_secret_access_key=SECRET_KEY,
                config=Config(s3={"addressing_style": "path"}, proxies={}),
            )
        end = min(begin + READ_BYTES, size) - 1
        got = local.client.get_object(Bucket="data", Key=key, Range=f"bytes={begin}-{end}")
        return len(got["Body"].read())

    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(read, [0] * CONNECTIONS))  # makes the clients
        begin = time.perf_counter()
        total = sum(pool.map(read, range(0, size, READ_BYTES)))
        return total / 1e6 / (time.perf_counter() - begin)


def measure(
    build: pathlib.Path, folder: pathlib.Path, case: tuple[Any, ...], number: int, runs: int
) -> dict[str, Any]:
    name, count, rows, dimension, row_group_rows, more = case
    files = folder / "s3/data" / str(number)
    files.mkdir(parents=True)
    flags = ["--files", count, "--row-group-rows", row_group_rows]
    generate(build, files / "x.parquet", rows, dimension, *flags)
    null = NullServer(build, dimension)
    rclone = RcloneServer(folder / "s3", folder / "rclone.log")
    env = environment(null.url, KEYS)
    reports: dict[str, list[dict[str, Any]]] = {"local": [], "s3": []}
    result: dict[str, Any] = {"case": name, "runs": runs}
    try:
        for number_of_run in range(runs + 1):
            proxy = DelayingProxy(rclone.port, LATENCY_S)
            far = env | {"AWS_ENDPOINT_URL_S3": proxy.url}
            local = load(build, folder, str(files), env, more)
            s3 = load(build, folder, f"s3://data/{number}/", far, more)
            proxy.stop()
            if number_of_run > 0:  # the first one fills the page cache
                reports["local"].append(local)
                reports["s3"].append(s3)
            result["gets"] = len(proxy.gets)
            result["gets_at_once_max"] = proxy.gets_at_once_max
            read_bytes = sum(get.end - get.begin for get in proxy.gets)
            result["read_bytes"] = read_bytes
        largest = max(files.iterdir(), key=lambda path: path.stat().st_size)
        if largest.stat().st_size > 50 * READ_BYTES:
            proxy = DelayingProxy(rclone.port, LATENCY_S)
            # In a process of its own: a child of a large one starts with that one's peak memory.
            spawning = multiprocessing.get_context("spawn")
            with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawning) as process:
                key, size = f"{number}/{largest.name}", largest.stat().st_size
                read = process.submit(range_reader_mb_per_s, proxy.url, key, size)
                result["range_reader_mb_per_s"] = read.result(timeout=300)
            proxy.stop()
    finally:
        rclone.stop()
        null.stop()
    result["source_bytes"] = sum(path.stat().st_size for path in files.iterdir())
    for path in files.iterdir():
        path.unlink()
    for place, made in reports.items():
        for field in ("wall_s", "read_s", "plan_s", "vectors_per_s", "cpu_us_per_vector"):
            result[f"{place}_{field}"] = statistics.median(report[field] for report in made)
        result[f"{place}_rss_mib"] = max(report["rss_bytes_max"] for report in made) / 2**20
        result[f"{place}_bottleneck"] = made[-1]["bottleneck"]
    result["wall_ratio"] = result["s3_wall_s"] / result["local_wall_s"]
    result["mb_per_s"] = result["source_bytes"] / 1e6 / result["s3_wall_s"]
    return result


def show(result: dict[str, Any]) -> None:
    print(result["case"])
    for place in ("local", "s3"):
        print(
            f"  {place:6} {result[place + '_wall_s']:6.2f} s"
            f" {result[place + '_vectors_per_s']:8,.0f} vectors/s"
            f"  read_s {result[place + '_read_s']:6.2f}  plan {result[place + '_plan_s']:.2f} s"
            f"  CPU {result[place + '_cpu_us_per_vector']:5.1f} us/vector"
            f"  {result[place + '_rss_mib']:4.0f} MiB  {result[place + '_bottleneck']}"
        )
    print(
        f"  wall {result['wall_ratio']:.2f} of local; {result['mb_per_s']:.0f} MB/s in"
        f" {result['gets']} GETs, at most {result['gets_at_once_max']} at once,"
        f" {result['read_bytes'] / result['source_bytes']:.3f} of the files' bytes"
    )
    if "range_reader_mb_per_s" in result:
        print(f"  a plain reader of ranges gets {result['range_reader_mb_per_s']:.0f} MB/s")


def main() -> None:
    parser = argparse.ArgumentParser(description="What S3 at a distance costs a load.")
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory(prefix="vecload-bench.") as folder:
        for number, case in enumerate(CASES):
            result = measure(
                options.build.resolve(), pathlib.Path(folder), case, number, options.runs
            )
            show(result)
            results.append(result)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
