"""What watching costs a load: CPU a vector and rate without a dashboard, with one, with watchers.

Method: the same paced load against the null server, the three cases in turn, several times each;
what counts is the ratio of the medians within one run. The watchers are plain sockets in this
process, which read all that comes; a load that lost a vector, or a watcher that did not get the
report, ends the bench.

    python bench/dashboard_bench.py --build build/release [--rows 25000] [--json FILE]
"""

import pathlib
import selectors
import socket
import statistics
import threading
import time
from typing import Any

from programs import NullServer, free_port, generate, load, run_bench

DIMENSION = 1024
RUNS = 3
RATE = ("--rate-vectors", "2500")
CONNECT_S = 30.0


def watch(port: int, count: int, ended: list[int]) -> None:
    """Reads `count` streams to their ends; appends how many held a report."""
    selector = selectors.DefaultSelector()
    for _ in range(count):
        deadline = time.monotonic() + CONNECT_S
        while True:
            watcher = socket.socket()
            if watcher.connect_ex(("127.0.0.1", port)) == 0:
                break
            watcher.close()
            if time.monotonic() > deadline:
                raise SystemExit("the dashboard did not come")
            time.sleep(0.01)
        watcher.sendall(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        selector.register(watcher, selectors.EVENT_READ, bytearray())
    reports = 0
    while selector.get_map():
        for key, _ in selector.select():
            part = key.fileobj.recv(1 << 16)  # type: ignore[union-attr]
            key.data.extend(part)
            if not part:
                reports += b"\nevent: report\n" in key.data
                selector.unregister(key.fileobj)
                key.fileobj.close()  # type: ignore[union-attr]
    ended.append(reports)


def measure_once(build: pathlib.Path, source: pathlib.Path, url: str, case: str) -> dict[str, Any]:
    if case == "no dashboard":
        return load(build, source, url, *RATE)
    watchers = int(case.split()[0])
    port = free_port()
    ended: list[int] = []
    thread = threading.Thread(target=watch, args=(port, watchers, ended))
    thread.start()
    report = load(build, source, url, *RATE, "--dashboard", port)
    thread.join(CONNECT_S)
    if ended != [watchers]:
        raise SystemExit(f"{case}: {ended} got the report")
    return report


def measure(build: pathlib.Path, folder: pathlib.Path, rows: int) -> list[dict[str, Any]]:
    source = folder / "in.parquet"
    generate(build, source, rows, DIMENSION)
    cases = ("no dashboard", "0 watchers", "50 watchers")
    reports: dict[str, list[dict[str, Any]]] = {case: [] for case in cases}
    server = NullServer(build, DIMENSION)
    try:
        load(build, source, server.url)  # fills the page cache
        for _ in range(RUNS):
            for case in cases:
                reports[case].append(measure_once(build, source, server.url, case))
    finally:
        server.stop()
    results = []
    for case in cases:
        cpu_us, rate = (
            statistics.median(one[name] for one in reports[case])
            for name in ("cpu_us_per_vector", "vectors_per_s")
        )
        results.append({"case": case, "cpu_us_per_vector": cpu_us, "vectors_per_s": rate})
        # Of one core, since the load is paced: what is left of the CPU is nobody's.
        more_us = cpu_us - results[0]["cpu_us_per_vector"]
        share = more_us * rate / 1e6
        print(
            f"{case:<14}{cpu_us:7.2f} us CPU a vector, {rate:7.1f} vectors/s, "
            f"{share:+.2%} of a core more"
        )
    return results


if __name__ == "__main__":
    run_bench("What watching costs a load.", measure, rows=25_000)
