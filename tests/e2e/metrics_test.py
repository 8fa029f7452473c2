"""Goal: what Prometheus scrapes of a running job is valid, true and documented.

Method: the real binary against the real server; Prometheus's own parser (prometheus_client) reads
each scrape, and promtool, where it is installed, also the files of examples/grafana.
"""

import contextlib
import fcntl
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from support.program import BINARY, ROOT, SECRET_KEY, Program
from support.servers import VecloadServer
from support.vectors import make_index, random_vectors, write_vectors

GRAFANA = ROOT / "examples/grafana"
REFERENCE = ROOT / "docs/reference/metrics.md"
ROWS = 1500

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is missing: tools/bootstrap.sh dashboard"
)


def scrape(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as reply:
        assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return reply.read().decode()


def families(text: str) -> dict[str, Metric]:
    """By the name that stands in # TYPE."""
    found = list(text_string_to_metric_families(text))
    return {m.name + ("_total" if m.type == "counter" else ""): m for m in found}


def value(text: str, name: str, **labels: str) -> float:
    for metric in text_string_to_metric_families(text):
        for sample in metric.samples:
            if sample.name == name and sample.labels == labels:
                return sample.value
    raise AssertionError(f"{name} {labels} is not in\n{text}")


def promtool(*arguments: str | Path, text: str | None = None) -> None:
    done = subprocess.run(
        ["promtool", *map(str, arguments)], input=text, text=True, capture_output=True, timeout=30
    )
    assert done.returncode == 0 and not done.stderr.strip(), done.stdout + done.stderr


class Job:
    """A running job whose end waits for the test: what it prints at the end finds no reader."""

    def __init__(self, program: Program, *arguments: str | Path) -> None:
        reader, writer = os.pipe()
        # As small as it can be, and full: the first byte of the report already waits.
        full = fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        os.write(writer, b"\n" * full)
        self._stderr_path = program.folder / "stderr"
        with self._stderr_path.open("wb") as stderr:
            self._process = subprocess.Popen(
                [BINARY, *map(str, arguments), "--metrics-port", "0", "--output", "json"],
                cwd=program.folder, env=program.env, stdin=subprocess.DEVNULL,
                stdout=writer, stderr=stderr,
            )  # fmt: skip
        os.close(writer)
        self._stdout = os.fdopen(reader, "rb")
        self.url = self._await_url()

    def _await_url(self) -> str:
        deadline = time.monotonic() + 30
        while (told := re.search(r"metrics at (\S+)\n", self.stderr)) is None:
            assert self._process.poll() is None, self.stderr
            assert time.monotonic() < deadline, self.stderr
            time.sleep(0.01)
        return told[1]

    @property
    def stderr(self) -> str:
        return self._stderr_path.read_text()

    def scrapes(self) -> Iterator[str]:
        """One after the other until all rows are done."""
        deadline = time.monotonic() + 60
        while True:
            text = scrape(self.url)
            yield text
            if value(text, "vecload_rows_done") == value(text, "vecload_rows") > 0:
                return
            assert time.monotonic() < deadline, text
            time.sleep(0.05)

    def finish(self) -> dict[str, Any]:
        """Lets the job end; returns its report."""
        report = json.loads(self._stdout.read())
        self._process.wait(timeout=30)
        return report

    def stop(self) -> None:
        self._stdout.close()
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(timeout=30)


@pytest.fixture
def start_job(program: Program) -> Iterator[Callable[..., Job]]:
    with contextlib.ExitStack() as jobs:

        def start(*arguments: str | Path) -> Job:
            job = Job(program, *arguments)
            jobs.callback(job.stop)
            return job

        yield start


@pytest.fixture
def source(program: Program) -> Path:
    """1,500 rows, two of which cannot be sent."""
    vectors = random_vectors(ROWS, 16)
    vectors[7, 3] = vectors[900, 0] = np.nan
    return write_vectors(program.folder / "in.parquet", vectors)


def counters(text: str) -> dict[tuple[str, str], float]:
    """All that may only grow, buckets included."""
    return {
        (sample.name, str(sorted(sample.labels.items()))): sample.value
        for metric in text_string_to_metric_families(text)
        if metric.type in ("counter", "histogram")
        for sample in metric.samples
    }


def test_scrapes_of_a_load_only_grow_and_end_as_the_report_does(
    start_job: Callable[..., Job], server: VecloadServer, source: Path
) -> None:
    index = make_index(server.client(), 16)
    job = start_job("load", source, "--index", index, "--rate-vectors", "1000",
                    "--batch-vectors", "100")  # fmt: skip
    scrapes = list(job.scrapes())
    report = job.finish()

    assert len(scrapes) > 2
    seen: dict[tuple[str, str], float] = {}
    for text in scrapes:
        now = counters(text)
        assert all(now.get(name, 0) >= before for name, before in seen.items()), text
        seen = now
    last = scrapes[-1]
    assert value(last, "vecload_job_info", kind="load", index="bucket/index") == 1
    assert report["rows_total"] == value(last, "vecload_rows") == ROWS
    assert report["vectors_acknowledged"] == ROWS - 2
    for name in ("vectors_acknowledged", "requests", "attempts", "throttled"):
        assert value(last, f"vecload_{name}_total") == report[name], name
    assert value(last, "vecload_sent_bytes_total") == report["bytes_sent"]
    assert value(last, "vecload_rows_rejected") == report["vectors_rejected"] == 2
    assert value(last, "vecload_vectors_rejected_total", rule="vector_not_finite") == 2
    assert value(last, "vecload_put_duration_seconds_count") == report["attempts"]
    assert value(last, "vecload_limit_vectors_per_second") == 1000
    assert value(last, "vecload_in_flight") == 0


def test_each_shard_of_a_deletion_is_told(
    start_job: Callable[..., Job], program: Program, source: Path
) -> None:
    loaded = program.run("load", source, "--index", "bucket/base", "--shards", "2",
                         "--create-index", "--distance-metric", "cosine")  # fmt: skip
    assert loaded.exit_code == 3, loaded.stderr
    job = start_job("delete", "--keys-from", source, "--index", "bucket/base")
    *_, last = job.scrapes()
    report = job.finish()

    assert value(last, "vecload_job_info", kind="delete", index="bucket/base") == 1
    names = [shard["index"] for shard in report["shards"]]
    assert names == ["bucket/base-0000", "bucket/base-0001"]
    for shard in report["shards"]:
        acknowledged = value(last, "vecload_shard_vectors_acknowledged_total", index=shard["index"])
        assert acknowledged == shard["vectors_acknowledged"] > 0


def test_only_metrics_are_served_and_no_secret(
    start_job: Callable[..., Job], server: VecloadServer, source: Path
) -> None:
    index = make_index(server.client(), 16)
    job = start_job("load", source, "--index", index)
    *_, last = job.scrapes()
    assert SECRET_KEY not in last and str(source) not in last
    host, port = re.fullmatch(r"http://([\d.]+):(\d+)/metrics", job.url).groups()  # type: ignore
    assert host == "127.0.0.1"

    def status(method: str, path: str, body: bytes | None = None) -> int:
        connection = http.client.HTTPConnection(host, int(port), timeout=10)
        connection.request(method, path, body)
        answer = connection.getresponse().status
        connection.close()
        return answer

    assert status("GET", "/metrics?x=1") == status("HEAD", "/metrics") == 200
    assert status("GET", "/") == status("GET", "/metrics/") == status("GET", "/metricsx") == 404
    assert status("POST", "/metrics", b"x") == status("DELETE", "/metrics") == 405
    assert status("POST", "/metrics", b"x" * 5000) == 413
    job.finish()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((host, int(port)), timeout=10).close()


def test_a_port_that_is_taken_stops_the_job_before_it_begins(
    program: Program, server: VecloadServer, source: Path
) -> None:
    index = make_index(server.client(), 16)
    done = program.run("load", source, "--index", index, "--metrics-port", str(server.port))
    assert done.exit_code == 1
    assert f"vecload: load: --metrics-port {server.port}: cannot listen on" in done.stderr
    assert "choose another port" in done.stderr
    assert not server.client().list_vectors(vectorBucketName="bucket", indexName="index")["vectors"]
    assert not list(program.folder.glob("*rejects*"))


@pytest.mark.parametrize("flags", [("--metrics-port", "65536"), ("--metrics-host", "0.0.0.0")])
def test_flags_that_cannot_be_meant(program: Program, source: Path, flags: tuple[str, str]) -> None:
    done = program.run("load", source, "--index", "bucket/index", *flags)
    assert done.exit_code == 2
    assert "--metrics-port" in done.stderr


# --- what is written about them


@pytest.fixture
def whole_scrape(start_job: Callable[..., Job], source: Path) -> str:
    """Of a job that has everything: shards, rejects, a rate."""
    job = start_job("load", source, "--index", "bucket/base", "--shards", "2", "--create-index",
                    "--distance-metric", "cosine", "--rate-vectors", "1000")  # fmt: skip
    scrapes = list(job.scrapes())
    job.finish()
    return next(text for text in reversed(scrapes) if "vecload_eta_seconds" in text)


def test_the_reference_has_every_metric_with_its_type_and_help(whole_scrape: str) -> None:
    rows = re.findall(r"^\| `(vecload_\w+)` \| (\w+) \| (.+) \|$", REFERENCE.read_text(), re.M)
    exposed = families(whole_scrape)
    assert {name: (kind, text) for name, kind, text in rows} == {
        name: (metric.type, metric.documentation) for name, metric in exposed.items()
    }
    named = set(re.findall(r"vecload_\w+", REFERENCE.read_text()))
    assert named <= _names(exposed)


def _names(exposed: dict[str, Metric]) -> set[str]:
    parts = {f"{name}_{part}" for name in exposed for part in ("bucket", "sum", "count")}
    return set(exposed) | parts


def dashboard_queries() -> list[str]:
    dashboard = json.loads((GRAFANA / "vecload.json").read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def test_dashboard_and_alerts_name_only_metrics_that_exist(whole_scrape: str) -> None:
    written = (GRAFANA / "vecload.json").read_text() + (GRAFANA / "alerts.yml").read_text()
    written += (GRAFANA / "README.md").read_text()
    named = set(re.findall(r"\bvecload_\w+", written))
    assert len(named) > 10
    assert named <= _names(families(whole_scrape))


@needs_promtool
def test_promtool_accepts_a_scrape(whole_scrape: str) -> None:
    promtool("check", "metrics", text=whole_scrape)


@needs_promtool
def test_promtool_accepts_every_query_and_the_configuration(tmp_path: Path) -> None:
    queries = dashboard_queries()
    assert len(queries) > 15
    rules = [
        {
            "record": f"query:{number}",
            "expr": query.replace("$__rate_interval", "1m")
            .replace("$job", ".*")
            .replace("$instance", ".+"),
        }
        for number, query in enumerate(queries)
    ]
    assert "$" not in json.dumps(rules), "a variable of Grafana's that this test does not know"
    path = tmp_path / "queries.yml"  # JSON is YAML
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", path)
    promtool("check", "config", GRAFANA / "prometheus.yml")
