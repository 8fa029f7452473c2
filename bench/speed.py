"""vecload beside the official SDKs, on the same files against the same null server, in one run.

Method: `vecload generate` makes the source once. In each round every client runs once, in turn,
against a null server of its own (bench/null_server.cc), which shares the machine's cores with it.
CPU and peak memory are what the kernel says of a client's process (wait4; boto3's worker processes
count, of memory the largest), for all clients alike. Ratios are made within each round; medians of
the rounds are quoted. A run in which a vector is missing ends the bench. boto3 loads fewer vectors.

    python bench/speed.py --build build/release [--runs 5] [--json FILE] [--only vecload,rust]
    python bench/speed.py --check bench/baseline.json    is it slower beside the Rust SDK?
    python bench/speed.py --write-baseline bench/baseline.json
"""

import argparse
import dataclasses
import json
import pathlib
import statistics
import sys
import tempfile

from programs import INDEX, UNPACED, NullServer, environment, generate, load_command, run

DIMENSION = 1024
FILES = 4
IN_FLIGHT = "16"
# How much larger the ratio to the Rust SDK's CPU may become before --check fails.
WORSE_MAX = 1.15
URL = "{url}"


@dataclasses.dataclass
class Client:
    name: str
    command: list[str | pathlib.Path]
    vectors: int


@dataclasses.dataclass
class Run:
    cpu_us: float
    vectors_per_s: float
    body_bytes: float
    rss_mib: float
    said: dict


FIGURES = ("cpu_us", "vectors_per_s", "body_bytes", "rss_mib")


def make_source(
    build: pathlib.Path, folder: pathlib.Path, rows: int, files: int = FILES
) -> list[pathlib.Path]:
    folder.mkdir()
    return generate(build, folder / "s.parquet", rows, DIMENSION, "--files", files)


def load_client(
    build: pathlib.Path, files: list[pathlib.Path], folder: pathlib.Path, rows: int, *flags: str
) -> Client:
    command = load_command(build, files, folder / "journal", INDEX, *flags)
    return Client("vecload", [*command, "--endpoint-url", URL], rows)


def boto3_client(name: str, number: int, kind: str, files: list[pathlib.Path], rows: int) -> Client:
    script = pathlib.Path(__file__).parent / "peers" / "boto3_loader.py"
    command = [sys.executable, script, "--endpoint", URL, f"--{kind}", str(number), *files]
    return Client(name, command, rows)


def find_clients(build: pathlib.Path, folder: pathlib.Path, rows: int, boto3_rows: int):
    """All that can run here; URL in a command stands for the server's."""
    files = make_source(build, folder / "all", rows)
    yield load_client(build, files, folder, rows, *UNPACED)
    peers = build.parent / "bench" / "peers"
    for name, binary in (("rust", peers / "rust/release/peer"), ("go", peers / "go/peer")):
        if binary.exists():
            yield Client(name, [binary, "--endpoint", URL, "--in-flight", IN_FLIGHT, *files], rows)
        else:
            print(f"{name} is left out: bench/peers/build.sh has not built it", file=sys.stderr)
    part = make_source(build, folder / "part", boto3_rows)
    for number, kind in ((5, "threads"), (20, "threads"), (2, "processes")):
        yield boto3_client(f"boto3 {number} {kind}", number, kind, part, boto3_rows)


def run_once(build: pathlib.Path, client: Client, *flags: str) -> Run:
    server = NullServer(build, DIMENSION, *flags)
    command = [server.url if part == URL else part for part in client.command]
    try:
        done = run(command, environment(server.url))
    finally:
        counted = server.stop_and_count()
    said = json.loads(done.stdout)
    if said.get("vectors", said.get("vectors_acknowledged")) != client.vectors:
        raise SystemExit(f"{client.name}: not all vectors arrived: {done.stdout}")
    return Run(
        cpu_us=done.cpu_s * 1e6 / client.vectors,
        vectors_per_s=client.vectors / said["wall_s"],
        body_bytes=counted["body_bytes"] / client.vectors,
        rss_mib=done.rss_bytes_max / 2**20,
        said=said,
    )


def spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def summarize(clients: list[Client], rounds: list[dict[str, Run]]) -> list[dict]:
    rows = []
    for client in clients:
        runs = [each[client.name] for each in rounds]
        row: dict = {"client": client.name, "vectors": client.vectors, "runs": len(runs)}
        for figure in FIGURES:
            row[figure] = spread([getattr(run, figure) for run in runs])
        ours = [each["vecload"] for each in rounds]
        row["vecload_cpu_ratio"] = spread(
            [a.cpu_us / b.cpu_us for a, b in zip(ours, runs, strict=True)]
        )
        row["vecload_speed_ratio"] = spread(
            [a.vectors_per_s / b.vectors_per_s for a, b in zip(ours, runs, strict=True)]
        )
        rows.append(row)
    return rows


def print_table(rows: list[dict]) -> None:
    print(
        "| client | vectors | vectors/s | CPU µs a vector | body bytes | RSS | vecload beside it |"
    )
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        speed, cpu = row["vectors_per_s"], row["cpu_us"]
        print(
            f"| {row['client']} | {row['vectors']:,} "
            f"| {speed['median']:,.0f} ({speed['min']:,.0f}-{speed['max']:,.0f}) "
            f"| {cpu['median']:.1f} ({cpu['min']:.1f}-{cpu['max']:.1f}) "
            f"| {row['body_bytes']['median']:,.0f} | {row['rss_mib']['median']:,.0f} MiB "
            f"| {row['vecload_speed_ratio']['median']:.2f} x the speed, "
            f"{row['vecload_cpu_ratio']['median']:.3f} x the CPU |"
        )


def ratio_to_rust(rows: list[dict]) -> float:
    for row in rows:
        if row["client"] == "rust":
            return row["vecload_cpu_ratio"]["median"]
    raise SystemExit("the baseline is a ratio to the Rust SDK, which is not built: install cargo")


def check(rows: list[dict], baseline: pathlib.Path) -> None:
    """Ends with an error where the ratio to the Rust SDK's CPU is worse than the baseline's."""
    now = ratio_to_rust(rows)
    then = json.loads(baseline.read_text())["cpu_ratio_to_rust_sdk"]
    print(f"CPU a vector beside the Rust SDK's: {now:.3f}, baseline {then:.3f}")
    if now > then * WORSE_MAX:
        raise SystemExit(f"more than {WORSE_MAX - 1:.0%} worse than {baseline}")


def main() -> None:
    parser = argparse.ArgumentParser(description="vecload beside the official SDKs.")
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--boto3-rows", type=int, default=5_000)
    parser.add_argument("--only", help="clients, comma-separated; vecload always runs")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--check", type=pathlib.Path, metavar="BASELINE")
    parser.add_argument("--write-baseline", type=pathlib.Path, metavar="BASELINE")
    options = parser.parse_args()
    build = options.build.resolve()
    with tempfile.TemporaryDirectory(prefix="vecload-bench.") as name:
        folder = pathlib.Path(name)
        clients = list(find_clients(build, folder, options.rows, options.boto3_rows))
        if options.only:
            wanted = {"vecload", *options.only.split(",")}
            clients = [client for client in clients if client.name in wanted]
        for client in clients:
            run_once(build, client)  # fills the page cache
        rounds = [
            {client.name: run_once(build, client) for client in clients}
            for _ in range(options.runs)
        ]
    rows = summarize(clients, rounds)
    print_table(rows)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    if options.write_baseline:
        ratio = {"cpu_ratio_to_rust_sdk": round(ratio_to_rust(rows), 4)}
        options.write_baseline.write_text(json.dumps(ratio) + "\n")
    if options.check:
        check(rows, options.check)


if __name__ == "__main__":
    main()
