"""Goal: what Prometheus scrapes of a running job is valid, true and documented.

Method: the real binary against the real server; Prometheus's own parser (prometheus_client) reads
each scrape. What promtool says is in tests/dashboard/promtool_test.py.
"""

import http.client
import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.metrics import ROWS, MeasuredJob, families, sample_names, value, write_metrics_source
from support.program import ROOT, SECRET_KEY, Program
from support.servers import VecloadServer
from support.vectors import make_index

GRAFANA = ROOT / "examples/grafana"
REFERENCE = ROOT / "docs/reference/metrics.md"


@pytest.fixture
def source(program: Program) -> Path:
    return write_metrics_source(program.folder)


def counters(text: str) -> dict[tuple[str, str], float]:
    """All that may only grow, buckets included."""
    return {
        (sample.name, str(sorted(sample.labels.items()))): sample.value
        for metric in text_string_to_metric_families(text)
        if metric.type in ("counter", "histogram")
        for sample in metric.samples
    }


def test_scrapes_of_a_load_only_grow_and_end_as_the_report_does(
    start_job: Callable[..., MeasuredJob], server: VecloadServer, source: Path
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
    start_job: Callable[..., MeasuredJob], program: Program, source: Path
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
    start_job: Callable[..., MeasuredJob], server: VecloadServer, source: Path
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


def test_the_reference_has_every_metric_with_its_type_and_help(whole_scrape: str) -> None:
    rows = re.findall(r"^\| `(vecload_\w+)` \| (\w+) \| (.+) \|$", REFERENCE.read_text(), re.M)
    exposed = families(whole_scrape)
    assert {name: (kind, text) for name, kind, text in rows} == {
        name: (metric.type, metric.documentation) for name, metric in exposed.items()
    }
    named = set(re.findall(r"vecload_\w+", REFERENCE.read_text()))
    assert named <= sample_names(exposed)


def test_dashboard_and_alerts_name_only_metrics_that_exist(whole_scrape: str) -> None:
    written = (GRAFANA / "vecload.json").read_text() + (GRAFANA / "alerts.yml").read_text()
    written += (GRAFANA / "README.md").read_text()
    named = set(re.findall(r"\bvecload_\w+", written))
    assert len(named) > 10
    assert named <= sample_names(families(whole_scrape))
