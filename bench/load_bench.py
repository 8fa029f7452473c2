"""What a load costs the client: CPU per vector and peak memory against a server that only says {}.

Method: `vecload generate` makes the source once; the null server (bench/null_server.cc) discards
bodies on the same machine, so it and the client share the cores. Each case runs several times and
the median is quoted with its spread. All vectors must be acknowledged, or the run does not count.

    python bench/load_bench.py --build build/release [--runs 5] [--json FILE]
"""

import argparse
import json
import pathlib
import statistics
import tempfile

from programs import UNPACED, NullServer, generate, load

# name, rows, dimension, rows a row group, more arguments of load
CASES = [
    ("100,000 x 1024-d", 100_000, 1024, 65_536, []),
    ("300,000 x 1024-d, one row group", 300_000, 1024, 300_000, []),
    ("250,000 x 384-d", 250_000, 384, 65_536, []),
    ("100,000 x 1024-d, one encoder", 100_000, 1024, 65_536, ["--encoders", "1"]),
]
GOAL_CPU_US = 40
GOAL_RSS_MIB = 400


def measure(build: pathlib.Path, folder: pathlib.Path, case: tuple, runs: int) -> dict:
    name, rows, dimension, row_group_rows, arguments = case
    source = folder / f"{rows}x{dimension}-{row_group_rows}.parquet"
    generate(build, source, rows, dimension, "--row-group-rows", row_group_rows)
    server = NullServer(build, dimension)
    try:
        load(build, source, server.url, *UNPACED, *arguments)  # fills the page cache
        reports = [load(build, source, server.url, *UNPACED, *arguments) for _ in range(runs)]
    finally:
        server.stop()
    cpu = [report["cpu_us_per_vector"] for report in reports]
    return {
        "case": name,
        "runs": runs,
        "cpu_us_per_vector": statistics.median(cpu),
        "cpu_us_per_vector_min": min(cpu),
        "cpu_us_per_vector_max": max(cpu),
        "vectors_per_s": statistics.median(report["vectors_per_s"] for report in reports),
        "bytes_per_vector": reports[0]["bytes_sent"] / rows,
        "journal_share": statistics.median(
            report["journal_s"] / report["wall_s"] for report in reports
        ),
        "rss_mib_max": max(report["rss_bytes_max"] for report in reports) / 2**20,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="What a load costs the client.")
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    print(f"goals: at most {GOAL_CPU_US} us CPU a vector, {GOAL_RSS_MIB} MiB peak RSS")
    print(
        f"{'case':34} {'CPU us/vector':>20} {'vectors/s':>10} {'bytes/vector':>13} {'RSS':>8} "
        f"{'journal/wall':>13}"
    )
    results = []
    with tempfile.TemporaryDirectory(prefix="vecload-bench.") as folder:
        for case in CASES:
            result = measure(options.build.resolve(), pathlib.Path(folder), case, options.runs)
            results.append(result)
            cpu = (
                f"{result['cpu_us_per_vector']:.1f} "
                f"({result['cpu_us_per_vector_min']:.1f}-{result['cpu_us_per_vector_max']:.1f})"
            )
            print(
                f"{result['case']:34} {cpu:>20} {result['vectors_per_s']:>10,.0f} "
                f"{result['bytes_per_vector']:>13,.0f} {result['rss_mib_max']:>4.0f} MiB "
                f"{result['journal_share']:>13.2%}"
            )
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
