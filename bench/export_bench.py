"""What an export costs, and whether all of it is in the files.

Method: `vecload load` fills an index of a durable server with 1,000,000 x 384-d, and `vecload
export` writes it to one file (metadata as JSON), then to a folder with a column for each metadata
key, on the same cores as the server. `vecload verify` compares both with the index, and DuckDB
counts keys. Then the same for few large vectors: 4096-d with 40,000 bytes of metadata each, where
the bound on memory is tightest. Memory is the program's own peak
(VmHWM): wait4 would count this process too, which DuckDB and numpy have made large.

    python bench/export_bench.py --build build/release [--rows 1000000] [--json FILE]
"""

import json
import pathlib
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from programs import UNPACED, environment, generate, load, run, run_bench, running

DIMENSION = 384
LARGE_DIMENSION = 4096
LARGE_METADATA_BYTES = 40_000
LARGE_ROWS_SHARE = 100  # one large vector for so many of the others
BATCH_ROWS = 500
INDEX = "bench/index"
LARGE_INDEX = "bench/large"
GOAL_S = 60
GOAL_MIB = 300


def write_large(path: pathlib.Path, rows: int) -> pathlib.Path:
    random = np.random.default_rng(1)
    writer = None
    for begin in range(0, rows, BATCH_ROWS):
        count = min(BATCH_ROWS, rows - begin)
        floats = random.standard_normal(count * LARGE_DIMENSION, dtype=np.float32)
        blobs = [random.bytes(LARGE_METADATA_BYTES // 2).hex() for _ in range(count)]
        table = pa.table(
            {
                "id": [f"large-{begin + i:08}" for i in range(count)],
                "embedding": pa.FixedSizeListArray.from_arrays(floats, LARGE_DIMENSION),
                "blob": blobs,
            }
        )
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()
    return path


def export(
    build: pathlib.Path, out: pathlib.Path, index: str, url: str, rows: int, *flags: str
) -> dict[str, Any]:
    command = [build / "vecload", "export", out, "--index", index, "--output", "json", *flags]
    done = run(command, environment(url), out.parent)
    report = json.loads(done.stdout)
    run([build / "vecload", "verify", out, "--index", index], environment(url), out.parent)
    files = out / "*.parquet" if out.is_dir() else out
    counted = duckdb.execute(
        "select count(*), count(distinct key) from read_parquet(?)", [str(files)]
    ).fetchall()
    if counted != [(rows, rows)]:
        raise SystemExit(f"{out}: {rows} vectors exported, DuckDB counts {counted}")
    return report | {
        "files": len(report["files"]),
        "wall_s": done.wall_s,
        "cpu_s": done.cpu_s,
        "rss_mib": report["rss_bytes_max"] / 2**20,
    }


def show(case: str, result: dict[str, Any]) -> dict[str, Any]:
    print(
        f"{case}: {result['wall_s']:.1f} s (goal {GOAL_S}), {result['cpu_s']:.1f} s of CPU, "
        f"{result['rss_mib']:.0f} MiB (goal {GOAL_MIB}), {result['list_calls']} List calls, "
        f"{result['bytes'] / 2**20:.0f} MiB in {result['files']} files",
        flush=True,
    )
    return {"case": case} | result


def measure(build: pathlib.Path, folder: pathlib.Path, rows: int) -> list[dict[str, Any]]:
    source = generate(build, folder / "source.parquet", rows, DIMENSION, "--seed", 1)[0]
    large_rows = max(1, rows // LARGE_ROWS_SHARE)
    large = write_large(folder / "large.parquet", large_rows)
    create = ("--create-index", "--distance-metric", "cosine")
    with running([build / "vecload", "serve", "--data-dir", folder / "data"]) as server:
        load(build, source, server.url, *UNPACED, *create, index=INDEX)
        blob = (*create, "--non-filterable", "blob")
        load(build, large, server.url, *UNPACED, *blob, index=LARGE_INDEX)
        one = export(build, folder / "one.parquet", INDEX, server.url, rows)
        results = [show("one file, JSON", one)]
        typed = export(build, folder / "typed", INDEX, server.url, rows, "--typed")
        results.append(show("a folder, typed", typed))
        few = export(build, folder / "large-out", LARGE_INDEX, server.url, large_rows)
        results.append(show(f"{large_rows} x {LARGE_DIMENSION}-d with 40 KB of metadata", few))
    return results


if __name__ == "__main__":
    run_bench("What an export costs.", measure, 1_000_000)
