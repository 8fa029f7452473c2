"""What `vecload serve --model aws` lets through, and what our loader meets of it.

Offered 5,000 vectors/s, after the burst 2,500 a second may pass. Then `vecload load` at its default
settings loads for over a minute, and the server's own counters say how often it answered 429.

usage: service_model_bench.py [--build DIR] [--seconds N] [--out FILE.json]
"""

import argparse
import concurrent.futures
import http.client
import json
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from programs import Server, generate, load, running

DIMENSION = 16
OFFERED_PER_S = 5000
BATCH = 50  # fine enough to tell 1 % of 20 s
BURST_S = 16  # at twice the limit a burst of 15 s lasts 15 s; then one more
INDEX = {"vectorBucketName": "bucket", "indexName": "index"}

_thread = threading.local()


def call(port: int, method: str, path: str, body: Any) -> tuple[int, Any]:
    """One request on this thread's own connection."""
    if getattr(_thread, "port", None) != port:
        _thread.port, _thread.connection = port, http.client.HTTPConnection("127.0.0.1", port)
    _thread.connection.request(method, path, json.dumps(body) if body is not None else None)
    reply = _thread.connection.getresponse()
    return reply.status, json.loads(reply.read())


def make_index(port: int) -> None:
    index = {"dataType": "float32", "dimension": DIMENSION, "distanceMetric": "cosine"}
    for path, body in (
        ("/CreateVectorBucket", {"vectorBucketName": "bucket"}),
        ("/CreateIndex", INDEX | index),
    ):
        status, answer = call(port, "POST", path, body)
        assert status == 200, answer


def offer(port: int, seconds: int) -> dict[str, float]:
    """Offers at an even pace, and counts what passes of the requests sent after the burst."""
    vectors = [{"key": f"k{i}", "data": {"float32": [1.0] * DIMENSION}} for i in range(BATCH)]
    begun = time.monotonic()

    def put(number: int) -> tuple[float, int]:
        due = begun + number * BATCH / OFFERED_PER_S
        time.sleep(max(0.0, due - time.monotonic()))
        sent = time.monotonic() - begun
        return sent, call(port, "POST", "/PutVectors", INDEX | {"vectors": vectors})[0]

    total = (BURST_S + seconds) * OFFERED_PER_S // BATCH
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(put, range(total)))
    late = [status for sent, status in answers if BURST_S <= sent < BURST_S + seconds]
    assert set(late) <= {200, 429}, set(late)
    return {
        "seconds": seconds,
        "offered_per_s": len(late) * BATCH / seconds,
        "passed_per_s": late.count(200) * BATCH / seconds,
        "refused": late.count(429),
    }


def load_for(build: Path, server: Server, folder: Path, seconds: int) -> dict[str, Any]:
    source = folder / "source.parquet"
    generate(build, source, 2500 * seconds, DIMENSION, "--seed", "1")
    call(server.port, "POST", "/_vecload/reset", None)
    make_index(server.port)
    report = load(build, source, server.url, index="bucket/index")
    _thread.port = None  # the server has closed a connection that was idle for so long
    counters = call(server.port, "GET", "/_vecload/counters", None)[1]
    return {
        "wall_s": report["wall_s"],
        "vectors_per_s": report["vectors_per_s"],
        "requests": counters["requests"]["PutVectors"],
        "throttled": counters["throttled"],
        "bottleneck": report["bottleneck"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=Path("build/release"))
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--load-seconds", type=int, default=70)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    command = [build / "vecload", "serve", "--ephemeral", "--model", "aws", "--control"]
    with tempfile.TemporaryDirectory() as name, running(command) as server:
        make_index(server.port)
        result: dict[str, Any] = {"offered": offer(server.port, arguments.seconds)}
        result["load"] = load_for(build, server, Path(name), arguments.load_seconds)
    text = json.dumps(result, indent=2)
    print(text)
    if arguments.out:
        arguments.out.write_text(text)
    passed, loaded = result["offered"]["passed_per_s"], result["load"]
    assert abs(passed - 2500) <= 25, passed
    assert loaded["throttled"] * 1000 <= loaded["requests"], loaded


if __name__ == "__main__":
    main()
