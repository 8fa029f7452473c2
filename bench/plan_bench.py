"""What planning many small files costs: `vecload plan` of 100,000 Parquet files on local disk.

Method: ten files of 20 rows are written, and 100,000 names in 100 folders are hard links to them,
so that only names take room: 100 folders' worth of inodes, some MiB of disk, deleted at the end.
Each name is opened and its footer read as any other file's. Time and memory (wait4) are the best of
three runs, the first of which finds the names cold.

    python bench/plan_bench.py --build build/release [--rows 100000] [--json FILE]
"""

import os
import pathlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from programs import environment, run, run_bench

DIMENSION = 128
ROWS = 20
DISTINCT = 10
PER_FOLDER = 1_000
RUNS = 3
GOAL_S = 10
GOAL_MIB = 500


def write_files(folder: pathlib.Path, files: int) -> None:
    seed = folder / "seed"
    seed.mkdir()
    random = np.random.default_rng(1)
    for number in range(DISTINCT):
        floats = random.standard_normal(ROWS * DIMENSION, dtype=np.float32)
        columns = {
            "id": [f"k-{number}-{row}" for row in range(ROWS)],
            "embedding": pa.FixedSizeListArray.from_arrays(pa.array(floats), DIMENSION),
            "title": [f"title {row}" for row in range(ROWS)],
            "year": list(range(ROWS)),
        }
        pq.write_table(pa.table(columns), seed / f"{number}.parquet")
    for number in range(files):
        into = folder / "in" / f"{number // PER_FOLDER:03d}"
        if number % PER_FOLDER == 0:
            into.mkdir(parents=True)
        os.link(seed / f"{number % DISTINCT}.parquet", into / f"{number % PER_FOLDER:04d}.parquet")


def measure(build: pathlib.Path, folder: pathlib.Path, files: int) -> list[dict[str, Any]]:
    write_files(folder, files)
    command = [build / "vecload", "plan", folder / "in", "--output", "json"]
    runs = [run(command, environment("http://127.0.0.1:1"), folder) for _ in range(RUNS)]
    best = min(runs, key=lambda done: done.wall_s)
    row = {
        "files": files,
        "wall_s": round(best.wall_s, 2),
        "cpu_s": round(best.cpu_s, 2),
        "rss_mib": round(max(done.rss_bytes_max for done in runs) / 2**20, 1),
    }
    print(row)
    if files == 100_000:
        held = best.wall_s < GOAL_S and row["rss_mib"] < GOAL_MIB
        print(f"goal: {GOAL_S} s and {GOAL_MIB} MiB:", "held" if held else "not held")
    return [row]


if __name__ == "__main__":
    run_bench("What planning many small files costs.", measure, 100_000)
