"""A running job that is scraped, and Prometheus's own parser for what it answers."""

import fcntl
import json
import os
import re
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from support.program import BINARY, Program
from support.vectors import random_vectors, write_vectors

ROWS = 1500


def write_metrics_source(folder: Path) -> Path:
    """ROWS rows, two of which cannot be sent."""
    vectors = random_vectors(ROWS, 16)
    vectors[7, 3] = vectors[900, 0] = np.nan
    return write_vectors(folder / "in.parquet", vectors)


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


class MeasuredJob:
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


def sample_names(exposed: dict[str, Metric]) -> set[str]:
    """Of all samples of these families."""
    parts = {f"{name}_{part}" for name in exposed for part in ("bucket", "sum", "count")}
    return set(exposed) | parts


def scrape_everything(start_job: Callable[..., MeasuredJob], folder: Path) -> str:
    """A scrape of a load that has all there is: shards, rejects, a limit, an ETA."""
    job = start_job("load", write_metrics_source(folder), "--index", "bucket/base", "--shards", "2",
                    "--create-index", "--distance-metric", "cosine",
                    "--rate-vectors", "1000")  # fmt: skip
    scrapes = list(job.scrapes())
    job.finish()
    complete = ("vecload_eta_seconds", "vecload_vectors_rejected_total", "vecload_shard_")
    return next(s for s in reversed(scrapes) if all(name in s for name in complete))
