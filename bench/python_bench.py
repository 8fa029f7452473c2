"""What a load costs from Python beside the command line: CPU per vector of the same rows.

Method: `vecload generate` makes the source once. Rounds alternate between the program on the file,
`vecload.load` of the file and of the table that pyarrow made of it beforehand, all against a null
server on the same machine. Each tells its own CPU time (the whole process's, while it loads); the
median of the ratios within a round is quoted. All vectors must be acknowledged.

Run it with a Python that has the wheel:

    build/python-venv/bin/python bench/python_bench.py --build build/release [--json FILE]
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

from programs import UNPACED, NullServer, environment, generate, load

GOAL_RATIO = 1.1

# A process of its own each time, as the program is: its peak memory is its own too.
SCRIPT = """
import json, resource, sys
import pyarrow.parquet as pq
import vecload

path, what = sys.argv[1:]
source = pq.read_table(path) if what == "table" else path
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
report = vecload.load(
    source, "null-bucket/null-index", rate_vectors="unlimited", rate_requests="unlimited",
    **({"journal": False} if what == "table" else {"restart": True}),
)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps(report.to_dict() | {"rss_mib_added": (after - before) / 1024}))
"""


def load_from_python(source: pathlib.Path, url: str, what: str) -> dict:
    with tempfile.TemporaryDirectory(prefix="vecload-bench.") as folder:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(source.resolve()), what],
            env=environment(url, {"XDG_STATE_HOME": folder}),
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description="What a load costs from Python.")
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--dimension", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    options.build = options.build.resolve()
    with tempfile.TemporaryDirectory(prefix="vecload-bench.") as folder:
        source = pathlib.Path(folder) / "source.parquet"
        generate(options.build, source, options.rows, options.dimension)
        server = NullServer(options.build, options.dimension)
        try:
            load(options.build, source, server.url, *UNPACED)  # fills the page cache
            rounds = [
                {
                    "program": load(options.build, source, server.url, *UNPACED),
                    "file": load_from_python(source, server.url, "file"),
                    "table": load_from_python(source, server.url, "table"),
                }
                for _ in range(options.runs)
            ]
        finally:
            server.stop()
    for one in rounds:
        for what, report in one.items():
            assert report["vectors_acknowledged"] == options.rows, (what, report)
    result = {
        what: {
            "cpu_us_per_vector": statistics.median(
                one[what]["cpu_us_per_vector"] for one in rounds
            ),
            "ratio_to_program": statistics.median(
                one[what]["cpu_us_per_vector"] / one["program"]["cpu_us_per_vector"]
                for one in rounds
            ),
            "vectors_per_s": statistics.median(one[what]["vectors_per_s"] for one in rounds),
            "rss_mib_added": max(one[what].get("rss_mib_added", 0) for one in rounds),
        }
        for what in ("program", "file", "table")
    }
    for what, numbers in result.items():
        print(
            f"{what:8} {numbers['cpu_us_per_vector']:6.2f} us a vector, "
            f"{numbers['ratio_to_program']:.2f} of the program's, "
            f"{numbers['vectors_per_s']:8.0f} vectors/s, "
            f"{numbers['rss_mib_added']:5.0f} MiB added"
        )
    print(f"goal: at most {GOAL_RATIO} of the program's")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
