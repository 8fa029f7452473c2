"""The experiment of AWS's article on loading S3 Vectors, repeated, with vecload beside it.

The article loaded 1,024-d vectors from Parquet in S3 with boto3 in batches of 500 on c5.2xlarge (8
vCPU) and c5.4xlarge (16 vCPU). Here the service is bench/null_server.cc with its model: 2,500
vectors/s, 1.15 to 1.54 s an answer, as the article saw. Each client runs once, alone with it.
Caveats: many boto3 processes share two cores here, so they are bound by CPU far below the limit;
and the article's 1.15 to 1.54 s include boto3's own work in the call, so that as the latency of the
service they make boto3 slower here than it was there.

With --hold-minutes vecload alone loads for so long at its default settings: is the limit held?

    python bench/article.py --build build/release [--boto3-rows 20000] [--rows 50000] [--json FILE]
    python bench/article.py --hold-minutes 10    needs 0.6 GB of disk a minute
"""

import argparse
import json
import pathlib
import tempfile

from programs import machine
from speed import Client, Run, boto3_client, load_client, make_source, run_once

LIMIT = 2_500
MODEL = ("--rate-vectors", str(LIMIT), "--latency-ms", "1150:1540")
DAY_S = 86_400
# What the article measured, vectors/s; it had no vecload.
ARTICLE = {"5 threads": 491, "20 threads": 490, "5 processes": 1_709, "15 processes": 2_500}


def find_clients(build: pathlib.Path, folder: pathlib.Path, rows: int, boto3_rows: int):
    part = make_source(build, folder / "part", boto3_rows, files=15)
    for name in ARTICLE:
        number, kind = name.split()
        yield boto3_client(name, int(number), kind, part, boto3_rows)
    yield load_client(build, make_source(build, folder / "all", rows), folder, rows)


def describe(client: Client, run: Run) -> dict:
    said = run.said
    batches = said.get("batches") or said["requests"]
    return {
        "client": client.name,
        "vectors": client.vectors,
        "vectors_per_s": run.vectors_per_s,
        "article_vectors_per_s": ARTICLE.get(client.name),
        "days_for_a_billion": 1e9 / run.vectors_per_s / DAY_S,
        "build_s_a_batch": said.get("build_s", said.get("encode_s")) / batches,
        "put_s_a_batch": said["put_s"] / batches,
        "cpu_share_of_a_core": run.cpu_us * 1e-6 * run.vectors_per_s,
    }


def print_table(rows: list[dict]) -> None:
    print("| client | vectors/s | the article's | 10^9 take | build a batch | put a batch | CPU |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        theirs = row["article_vectors_per_s"]
        print(
            f"| {row['client']} | {row['vectors_per_s']:,.0f} | {theirs or '-'} "
            f"| {row['days_for_a_billion']:.1f} days | {row['build_s_a_batch']:.3f} s "
            f"| {row['put_s_a_batch']:.2f} s | {row['cpu_share_of_a_core']:.0%} of a core |"
        )


def compare(build: pathlib.Path, folder: pathlib.Path, rows: int, boto3_rows: int) -> list[dict]:
    clients = find_clients(build, folder, rows, boto3_rows)
    table = [describe(client, run_once(build, client, *MODEL)) for client in clients]
    print_table(table)
    return table


def hold(build: pathlib.Path, folder: pathlib.Path, minutes: float) -> list[dict]:
    rows = round(LIMIT * 60 * minutes)
    client = load_client(build, make_source(build, folder / "all", rows), folder, rows)
    run = run_once(build, client, *MODEL)
    row = describe(client, run) | {
        "share_of_the_limit": run.vectors_per_s / LIMIT,
        "requests": run.said["requests"],
        "throttled": run.said["throttled"],
        "rss_mib": run.rss_mib,
    }
    print(
        f"{rows:,} vectors in {run.said['wall_s']:.1f} s: {run.vectors_per_s:,.1f} vectors/s, "
        f"{row['share_of_the_limit']:.2%} of the limit; {row['throttled']} times 429 in "
        f"{row['requests']:,} requests; {row['cpu_share_of_a_core']:.1%} of a core, "
        f"{run.cpu_us:.1f} us a vector, {run.rss_mib:.0f} MiB"
    )
    return [row]


def main() -> None:
    parser = argparse.ArgumentParser(description="The article's experiment, repeated.")
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--boto3-rows", type=int, default=20_000)
    parser.add_argument("--hold-minutes", type=float, help="vecload alone, for so long")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    build = options.build.resolve()
    with tempfile.TemporaryDirectory(prefix="vecload-bench.") as name:
        folder = pathlib.Path(name)
        if options.hold_minutes:
            rows = hold(build, folder, options.hold_minutes)
        else:
            rows = compare(build, folder, options.rows, options.boto3_rows)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
