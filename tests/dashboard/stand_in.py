"""Plays a job's or a server's events to the page, also those that are rare: a test's double.

Run by hand it shows the page alive: python tests/dashboard/stand_in.py [load|shards|serve]
"""

import contextlib
import http.server
import json
import math
import os
import queue
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).resolve().parent.parent.parent
BOTTLENECKS = ("service_limit", "service_latency", "client_cpu", "source_read", "network")

# Text that would do something if it were taken for markup.
HOSTILE = '<script>window.hurt=1</script><img src=x onerror="window.hurt=1">&amp;'

Event = tuple[str, Any]


def page_path() -> Path:
    """The page: DASHBOARD_PAGE, or the newer of the release build's and `npm run build`'s."""
    if given := os.environ.get("DASHBOARD_PAGE"):
        return Path(given)
    candidates = [
        ROOT / "build/release/dashboard/dist/index.html",
        ROOT / "dashboard/dist/index.html",
    ]
    found = [path for path in candidates if path.exists()]
    assert found, f"no page: build it first, looked for {candidates}"
    return max(found, key=lambda path: path.stat().st_mtime)


class StandIn:
    """Serves the page; what is sent goes to all that watch, `opening` to each at once.

    Sending waits for a watcher: a page's connection comes a moment after the page.
    """

    def __init__(self, opening: list[Event]) -> None:
        self.opening = opening
        self.queries: list[dict[str, Any]] = []
        self.query_answer: tuple[int, Any] = (200, {"took_ms": 0.4, "vectors": []})
        self.connections = 0
        self._watchers: list[queue.Queue[str | None]] = []
        self._watched = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.owner = self
        self.port: int = self._server.server_address[1]
        self._thread = self._start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _start(self) -> threading.Thread:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        return thread

    def send(self, name: str, data: Any) -> None:
        self.send_text(f"event: {name}\ndata: {json.dumps(data)}\n\n")

    def send_text(self, text: str) -> None:
        with self._watched:
            assert self._watched.wait_for(lambda: self._watchers, timeout=20), "nobody watches"
            for watcher in self._watchers:
                watcher.put(text)

    def is_watched(self) -> bool:
        return bool(self._watchers)

    def watch(self) -> "queue.Queue[str | None]":
        """Called by a watcher's connection; None from the queue ends it."""
        watcher: queue.Queue[str | None] = queue.Queue()
        with self._watched:
            self.connections += 1
            for name, data in self.opening:
                watcher.put(f"event: {name}\ndata: {json.dumps(data)}\n\n")
            self._watchers.append(watcher)
            self._watched.notify_all()
        return watcher

    def forget(self, watcher: "queue.Queue[str | None]") -> None:
        with self._watched, contextlib.suppress(ValueError):
            self._watchers.remove(watcher)

    def end_streams(self) -> None:
        with self._watched:
            for watcher in self._watchers:
                watcher.put(None)
            self._watchers.clear()

    def go_down(self) -> None:
        """Nobody listens any more, and all connections are closed."""
        self._server.shutdown()
        self._thread.join(timeout=10)
        self._server.server_close()
        self.end_streams()

    def come_back(self) -> None:
        """Listens again at the same port."""
        self._server = _Server(("127.0.0.1", self.port), _Handler)
        self._server.owner = self
        self._thread = self._start()

    def stop(self) -> None:
        self.go_down()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    owner: StandIn


class _Handler(http.server.BaseHTTPRequestHandler):
    @property
    def owner(self) -> StandIn:
        return cast(_Server, self.server).owner

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path in ("/", "/_dashboard"):
            self._reply(200, "text/html; charset=utf-8", page_path().read_bytes())
        elif path in ("/events", "/_dashboard/events"):
            self._events()
        else:
            self._reply(404, "text/plain", b"not found")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.owner.queries.append({"path": self.path, **json.loads(body)})
        status, answer = self.owner.query_answer
        self._reply(status, "application/json", json.dumps(answer).encode())

    def _events(self) -> None:
        watcher = self.owner.watch()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        with contextlib.suppress(OSError):  # a page that was closed
            while (text := watcher.get()) is not None:
                self.wfile.write(text.encode())
                self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
        self.owner.forget(watcher)

    def _reply(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def job(**more: Any) -> dict[str, Any]:
    return {
        "kind": "load",
        "index": "articles/paragraphs",
        "endpoint_url": "https://s3vectors.us-east-1.api.aws",
        "sources": ["s3://corpus/paragraphs/"],
        "started_at": "2026-11-26T20:00:00Z",
        "version": "0.1.0",
    } | more


def point(elapsed_s: float) -> dict[str, Any]:
    """A plausible moment: the rate hugs the limit, with a storm of 429s in the middle."""
    storm = 240 < elapsed_s < 330
    limit = 10_000.0
    rate = limit * (0.55 if storm else 0.97) + 180 * math.sin(elapsed_s / 7)
    bottleneck = "service_latency" if storm else "service_limit"
    return {
        "elapsed_s": elapsed_s,
        "vectors_per_s": max(0.0, rate * min(1.0, elapsed_s / 5)),
        "rate_vectors_per_s": limit * (0.6 if storm else 1),
        "limit_vectors_per_s": limit,
        "p50": 24 + 3 * math.sin(elapsed_s / 11) + (60 if storm else 0),
        "p95": 61 + 8 * math.sin(elapsed_s / 5) + (210 if storm else 0),
        "p99": 118 + 25 * math.sin(elapsed_s / 3) + (420 if storm else 0),
        "in_flight": int(18 + 5 * math.sin(elapsed_s / 9) + (25 if storm else 0)),
        "throttled": int(max(0.0, min(elapsed_s, 330) - 240) * 4.4),
        "rejected": int(elapsed_s / 40),
        "bottleneck": "source_read" if elapsed_s < 25 else bottleneck,
    }


def history(elapsed_s: float, points: int = 600) -> dict[str, Any]:
    return {"points": [point(elapsed_s * (i + 1) / points) for i in range(points)]}


def progress(elapsed_s: float, rows_total: int = 12_000_000, **more: Any) -> dict[str, Any]:
    now = point(elapsed_s)
    done = min(rows_total, int(elapsed_s * 9_400))
    rules = [("vector_not_finite", 11), ("key_too_long", 3), ("metadata_too_large", 1)]
    return {
        "rows_total": rows_total,
        "rows_done": done,
        "vectors_acknowledged": done - 15,
        "vectors_resumed": 0,
        "vectors_rejected": 15,
        "vectors_superseded": 0,
        "requests": done // 500,
        "attempts": done // 500 + now["throttled"],
        "throttled": now["throttled"],
        "bytes_sent": done * 2_100,
        "in_flight": now["in_flight"],
        "vectors_per_s": now["vectors_per_s"],
        "vectors_per_s_mean": done / max(elapsed_s, 1),
        "rate_vectors_per_s": now["rate_vectors_per_s"],
        "limit_vectors_per_s": now["limit_vectors_per_s"],
        "elapsed_s": elapsed_s,
        "eta_s": (rows_total - done) / 9_400,
        "bottleneck": now["bottleneck"],
        "latency_ms": {name: now[name] for name in ("p50", "p95", "p99")},
        "times": {
            "read_s": elapsed_s * 0.11,
            "encode_s": elapsed_s * 0.42,
            "wait_tokens_s": elapsed_s * 0.86,
            "wait_in_flight_s": elapsed_s * 0.05,
            "wait_batches_s": elapsed_s * 0.02,
            "wait_memory_s": 0.0,
            "journal_s": elapsed_s * 0.01,
            "put_s": elapsed_s * 2.3,
        },
        "rejects": [{"rule": rule, "rows": rows} for rule, rows in rules],
        "files_total": 48,
        "files_done": min(48, int(elapsed_s / 26)),
    } | more


def files(elapsed_s: float) -> list[dict[str, Any]]:
    first = int(elapsed_s / 26)
    done = int((elapsed_s % 26) / 26 * 250_000)
    return [
        {
            "file": f"s3://corpus/paragraphs/part-{first + i:05d}.parquet",
            "rows_total": 250_000,
            "rows_done": max(0, done - 70_000 * i),
        }
        for i in range(3)
    ]


def shards(count: int, elapsed_s: float) -> list[dict[str, Any]]:
    return [
        {
            "index": f"articles/paragraphs-{i:03d}",
            "vectors_acknowledged": int(elapsed_s * (2_000 + i % 37 * 10)),
            "vectors_per_s": 2_000 + (i * 7919) % 490 + 30 * math.sin(elapsed_s + i),
            "rate_vectors_per_s": 2_500.0,
            "in_flight": (i * 31) % 9,
            "throttled": (i * 17) % 23,
        }
        for i in range(count)
    ]


def report(**more: Any) -> dict[str, Any]:
    return {
        "status": "complete",
        "exit_code": 0,
        "job": "load",
        "index": "articles/paragraphs",
        "endpoint_url": "https://s3vectors.us-east-1.api.aws",
        "sources": ["s3://corpus/paragraphs/"],
        "rows_total": 12_000_000,
        "vectors_acknowledged": 12_000_000,
        "vectors_resumed": 0,
        "vectors_rejected": 0,
        "vectors_superseded": 0,
        "rows_remaining": 0,
        "requests": 24_000,
        "attempts": 24_396,
        "throttled": 396,
        "bytes_sent": 25_200_000_000,
        "wall_s": 1_277.4,
        "vectors_per_s": 9_394.0,
        "cpu_s": 96.0,
        "cpu_us_per_vector": 8.0,
        "rss_bytes_max": 231_000_000,
        "read_s": 140.0,
        "encode_s": 530.0,
        "wait_tokens_s": 1_090.0,
        "wait_memory_s": 0.0,
        "journal_s": 12.0,
        "put_s": 2_900.0,
        "put_latency_ms": {"p50": 24.1, "p95": 66.0, "p99": 141.7},
        "bottleneck": "service_limit",
        "projected_1b_s": 106_450.0,
        "journal": "/root/.local/state/vecload/1f.journal",
    } | more


def server(uptime_s: float, **more: Any) -> dict[str, Any]:
    puts = int(uptime_s * 9 + 4 * math.sin(uptime_s / 6))
    indexes = [
        {"name": "paragraphs", "dimension": 1024, "metric": "cosine", "vectors": puts * 500},
        {"name": "titles", "dimension": 384, "metric": "cosine", "vectors": 48_211},
        {"name": "images", "dimension": 512, "metric": "euclidean", "vectors": 1_250_000},
    ]
    return {
        "version": "0.1.0",
        "region": "us-east-1",
        "uptime_s": uptime_s,
        "rss_bytes": 612_000_000,
        "keys_required": False,
        "requests": {"PutVectors": puts, "QueryVectors": int(uptime_s * 3), "GetIndex": 14},
        "errors": {"404": 2, "429": int(uptime_s / 9)},
        "vectors_put": puts * 500,
        "connections": 17,
        "buckets": [{"name": "articles", "indexes": indexes}, {"name": "empty", "indexes": []}],
        "indexes_total": 3,
    } | more


def opening_of_a_job(elapsed_s: float) -> list[Event]:
    return [
        ("job", job()),
        ("history", history(elapsed_s)),
        ("progress", progress(elapsed_s)),
        ("detail", {"files": files(elapsed_s), "shards": []}),
    ]


def main() -> None:
    kind = sys.argv[1] if len(sys.argv) > 1 else "load"
    stand_in = StandIn([("server", server(100))] if kind == "serve" else opening_of_a_job(600))
    path = "/_dashboard" if kind == "serve" else "/"
    print(f"{stand_in.url}{path}; Ctrl-C ends it", flush=True)
    for tick in range(1_000_000):
        now = 600 + tick / 2
        if not stand_in.is_watched():
            time.sleep(0.5)
            continue
        if kind == "serve":
            stand_in.send("server", server(now))
        else:
            stand_in.send("progress", progress(now))
            divided = shards(1000, now) if kind == "shards" else []
            stand_in.send("detail", {"files": files(now), "shards": divided})
        time.sleep(0.5)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
