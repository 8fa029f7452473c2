"""What a load costs as its input grows, one axis at a time.

Axes: dimension, rows, files, metadata fields, encoders, shards, HTTP or HTTPS. Every point is a
load into a null server of its own (bench/null_server.cc), unpaced, journal on; the points of an
axis take turns, so that a slow moment of the machine falls on all of them. CPU is wait4's, start
included; memory is what the loader's report says of itself.

    python bench/scaling.py --build build/release [--runs 5] [--only dimension,rows] [--json FILE]
"""

import argparse
import dataclasses
import json
import pathlib
import subprocess
import tempfile
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from programs import INDEX, UNPACED, NullServer, environment, generate, load_command, machine, run
from speed import spread

DIMENSIONS = (128, 384, 768, 1024, 1536, 3072, 4096)
ROWS = (100_000, 1_000_000, 10_000_000)
FILES = (1, 10, 100, 1_000, 10_000)
ENCODERS = (1, 2)
SHARDS = (0, 1, 2, 8, 16, 100)  # 0: an index that is not divided
# 100 shards touch a gigabyte for the first time, of which a load of a few seconds tells only that.
SHARD_FILES = 3
# As many floats in every point of the axis of dimensions.
FLOATS = 100_000 * 1024
# Loads of over ten seconds are steady enough to be run less often.
LONG_ROWS = 10_000_000
LONG_RUNS = 3


@dataclasses.dataclass
class Point:
    axis: str
    value: int | str
    sources: list[pathlib.Path]
    rows: int
    dimension: int
    flags: tuple = ()
    server_flags: tuple = ()
    env: dict[str, str] = dataclasses.field(default_factory=dict)


def dimension_points(build: pathlib.Path, folder: pathlib.Path) -> Iterator[Point]:
    for dimension in DIMENSIONS:
        rows = FLOATS // dimension
        sources = generate(build, folder / f"d{dimension}.parquet", rows, dimension)
        yield Point("dimension", dimension, sources, rows, dimension)


def row_points(build: pathlib.Path, folder: pathlib.Path) -> Iterator[Point]:
    for rows in ROWS:
        yield Point(
            "rows", rows, generate(build, folder / f"r{rows}.parquet", rows, 128), rows, 128
        )


def file_points(build: pathlib.Path, folder: pathlib.Path) -> Iterator[Point]:
    rows = 1_000_000
    for files in FILES:
        part = folder / f"f{files}"
        part.mkdir()
        generate(build, part / "s.parquet", rows, 128, "--files", files)
        # The folder, as a user would name it: 10,000 paths are longer than a command may be.
        yield Point("files", files, [part], rows, 128)


def metadata_points(build: pathlib.Path, folder: pathlib.Path) -> Iterator[Point]:
    rows = 100_000
    plain = generate(build, folder / "plain.parquet", rows, 1024)
    yield Point("metadata fields", 0, plain, rows, 1024, ("--metadata-columns", "none"))
    yield Point("metadata fields", 2, plain, rows, 1024)
    table = pq.read_table(plain[0], columns=["id", "embedding"])
    numbers = np.random.default_rng(20).integers(0, 1000, (20, rows))
    for field in range(20):
        values = numbers[field]
        column = pa.array(values) if field % 2 else pa.array([f"value-{n}" for n in values])
        table = table.append_column(f"field_{field:02}", column)
    wide = folder / "wide.parquet"
    pq.write_table(table, wide, row_group_size=65_536)
    yield Point("metadata fields", 20, [wide], rows, 1024)


def encoder_points(build: pathlib.Path, folder: pathlib.Path) -> Iterator[Point]:
    rows = 200_000
    sources = generate(build, folder / "encoders.parquet", rows, 1024)
    for encoders in ENCODERS:
        yield Point("encoders", encoders, sources, rows, 1024, ("--encoders", str(encoders)))


def shard_points(build: pathlib.Path, folder: pathlib.Path) -> Iterator[Point]:
    rows = 400_000
    (first,) = generate(build, folder / "shards.parquet", rows, 1024)
    # The same vectors under more names: a longer load, of what the page cache holds.
    sources = [first, *(folder / f"shards-{copy}.parquet" for copy in range(1, SHARD_FILES))]
    for copy in sources[1:]:
        copy.hardlink_to(first)
    for shards in SHARDS:
        flags = ("--shards", str(shards)) if shards else ()
        yield Point("shards", shards, sources, rows * SHARD_FILES, 1024, flags, flags)


def make_certificate(folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    command += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


def protocol_points(build: pathlib.Path, folder: pathlib.Path) -> Iterator[Point]:
    rows = 200_000
    sources = generate(build, folder / "protocols.parquet", rows, 1024)
    certificate, key = make_certificate(folder)
    yield Point("protocol", "http", sources, rows, 1024)
    yield Point(
        axis="protocol",
        value="https",
        sources=sources,
        rows=rows,
        dimension=1024,
        server_flags=("--tls-cert", certificate, "--tls-key", key),
        env={"AWS_CA_BUNDLE": str(certificate)},
    )


AXES = {
    "dimension": dimension_points,
    "rows": row_points,
    "files": file_points,
    "metadata": metadata_points,
    "encoders": encoder_points,
    "shards": shard_points,
    "protocol": protocol_points,
}


def run_once(build: pathlib.Path, folder: pathlib.Path, point: Point) -> dict[str, float]:
    server = NullServer(build, point.dimension, *point.server_flags)
    command = load_command(build, point.sources, folder / "journal", INDEX, *UNPACED, *point.flags)
    try:
        done = run(command, environment(server.url, point.env), folder)
    finally:
        counted = server.stop_and_count()
    report = json.loads(done.stdout)
    if report["vectors_acknowledged"] != point.rows:
        raise SystemExit(f"not all vectors arrived: {done.stdout}")
    return {
        "cpu_us": done.cpu_s * 1e6 / point.rows,
        "wall_us": done.wall_s * 1e6 / point.rows,
        "body_bytes": counted["body_bytes"] / point.rows,
        "rss_mib": report["rss_bytes_max"] / 2**20,
    }


def measure(
    build: pathlib.Path, folder: pathlib.Path, points: list[Point], runs: int
) -> list[dict]:
    measured: list[list[dict[str, float]]] = [[] for _ in points]
    for round_number in range(runs + 1):  # the first one fills the page cache
        for point, results in zip(points, measured, strict=True):
            if point.rows >= LONG_ROWS and round_number > LONG_RUNS:
                continue
            result = run_once(build, folder, point)
            if round_number > 0:
                results.append(result)
    rows = []
    for point, results in zip(points, measured, strict=True):
        row: dict = {"axis": point.axis, "value": point.value, "rows": point.rows}
        row |= {"dimension": point.dimension, "runs": len(results)}
        for figure in results[0]:
            row[figure] = spread([result[figure] for result in results])
        rows.append(row)
    return rows


def print_table(rows: list[dict]) -> None:
    print("| axis | value | rows | CPU us a vector | wall us a vector | ns a float | RSS |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        cpu, wall = row["cpu_us"], row["wall_us"]
        value = f"{row['value']:,}" if isinstance(row["value"], int) else row["value"]
        print(
            f"| {row['axis']} | {value} | {row['rows']:,} "
            f"| {cpu['median']:.2f} ({cpu['min']:.2f}-{cpu['max']:.2f}) "
            f"| {wall['median']:.2f} ({wall['min']:.2f}-{wall['max']:.2f}) "
            f"| {cpu['median'] * 1e3 / row['dimension']:.1f} | {row['rss_mib']['max']:.0f} MiB |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="What a load costs as its input grows.")
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", help=f"axes, comma-separated, of {', '.join(AXES)}")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    build = options.build.resolve()
    rows = []
    for axis in options.only.split(",") if options.only else AXES:
        # What an axis needs of the disk (5 GB for that of rows) is gone before the next begins.
        with tempfile.TemporaryDirectory(prefix="vecload-bench.") as name:
            folder = pathlib.Path(name)
            measured = measure(build, folder, list(AXES[axis](build, folder)), options.runs)
        print_table(measured)
        rows += measured
        if options.json:
            text = json.dumps({"machine": machine(), "rows": rows}, indent=1)
            options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
