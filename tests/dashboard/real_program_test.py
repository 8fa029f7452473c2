"""Goal: what the page shows of a real load is what its report says, and of a real server what a
stranger put into it.

Method: the real binary and Chromium; boto3 and the report's file decide.
"""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from stand_in import HOSTILE
from views import OpenPage, expect, field, reported, rows, state, wait_for_drawn

from support.program import Program
from support.servers import VecloadServer
from support.vectors import make_index, random_vectors, write_vectors

ROWS = 200_000
DIMENSION = 32
URL = re.compile(r"http://127\.0\.0\.1:\d+/\S*")


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stderr is not None
    seen: list[str] = []
    for line in process.stderr:
        seen.append(line)
        if match := URL.search(line):
            return match[0]
    raise AssertionError(f"no address in: {''.join(seen)}")


def _load(program: Program, path: Path, index: str, *flags: str) -> "subprocess.Popen[str]":
    return program.start("load", path, "--index", index, "--dashboard", "0", *flags)


@contextmanager
def _still(server: VecloadServer) -> Iterator[None]:
    """The server answers nothing meanwhile: a load begins, and waits as long as a browser takes."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


def _is_shown(page: Any, report: dict[str, Any]) -> None:
    for name in (
        "rows_total",
        "vectors_acknowledged",
        "vectors_resumed",
        "vectors_rejected",
        "vectors_superseded",
        "rows_remaining",
        "requests",
        "attempts",
        "throttled",
    ):
        expect(reported(page, name)).to_have_text(f"{report[name]:,}")
    expect(reported(page, "vectors_per_s")).to_have_text(f"{report['vectors_per_s']:,.0f}")
    expect(field(page, "vectors_acknowledged")).to_have_text(f"{report['vectors_acknowledged']:,}")


def test_a_load_is_watched_to_its_end(
    program: Program, server: VecloadServer, open_page: OpenPage, screenshots: Path
) -> None:
    path = write_vectors(program.folder / "in.parquet", random_vectors(ROWS, DIMENSION))
    index = make_index(server.client(), DIMENSION)
    flags = ("--rate-vectors", "25000", "--report", "x.json")
    with _still(server):
        process = _load(program, path, index, *flags)
        page = open_page(_address(process))
        expect(page.get_by_role("heading", level=1)).to_have_text(index)
        expect(state(page)).to_have_text("Running")
    expect(rows(page, "Files under way").locator("th")).to_contain_text("in.parquet")
    wait_for_drawn(page)
    page.screenshot(path=screenshots / "real-load-running.png", full_page=True)

    expect(state(page)).to_have_text("Complete", timeout=60_000)
    assert process.wait(timeout=30) == 0
    report = json.loads((program.folder / "x.json").read_text())
    assert report["vectors_acknowledged"] == ROWS
    _is_shown(page, report)
    expect(page.locator('[data-field="percent"]')).to_have_text("100.0 %")
    wait_for_drawn(page)
    page.screenshot(path=screenshots / "real-load-complete.png", full_page=True)


def test_rejects_and_a_hostile_file_name(
    program: Program, server: VecloadServer, open_page: OpenPage
) -> None:
    vectors = random_vectors(20_000, DIMENSION)
    vectors[7] = np.nan
    # A file's name has no slash.
    name = HOSTILE.replace("/", "")
    path = write_vectors(program.folder / f"{name}.parquet", vectors)
    index = make_index(server.client(), DIMENSION)
    with _still(server):
        process = _load(program, path, index, "--rate-vectors", "2500", "--report", "x.json")
        page = open_page(_address(process))
        expect(page.get_by_text(f"{name}.parquet").first).to_be_visible()
    expect(rows(page, "Files under way").locator("th")).to_contain_text(name)
    expect(state(page)).to_have_text("Finished with rejects", timeout=60_000)
    assert process.wait(timeout=30) == 3
    _is_shown(page, json.loads((program.folder / "x.json").read_text()))
    expect(rows(page, "Rejected rows by rule")).to_have_count(1)
    assert page.locator("img").count() == 0
    assert page.evaluate("window.hurt") is None


def test_the_server_and_a_query(
    server: VecloadServer, open_page: OpenPage, screenshots: Path
) -> None:
    client = server.client()
    index = make_index(client, 2)
    bucket, name = index.split("/")
    vectors = [
        {"key": HOSTILE, "data": {"float32": [1, 0]}, "metadata": {"note": HOSTILE}},
        {"key": "near", "data": {"float32": [1, 0.1]}, "metadata": {"year": 2020}},
        {"key": "far", "data": {"float32": [-1, 0]}, "metadata": {"year": 2021}},
    ]
    client.put_vectors(vectorBucketName=bucket, indexName=name, vectors=vectors)
    page = open_page(f"{server.url}/_dashboard")
    expect(rows(page, "Buckets and indexes")).to_have_count(1)
    expect(field(page, "vectors")).to_have_text("3")
    page.get_by_label("Key", exact=True).fill("near")
    page.get_by_role("button", name="Find neighbours").click()
    found = rows(page, "Nearest neighbours")
    expect(found).to_have_count(2)
    expect(found.first.locator("td").first).to_have_text(HOSTILE)
    page.locator("textarea[name=filter]").fill('{"year": {"$gte": 2021}}')
    page.get_by_role("button", name="Find neighbours").click()
    expect(found).to_have_count(1)
    expect(found.locator("td").first).to_have_text("far")
    page.screenshot(path=screenshots / "real-server.png", full_page=True)
    assert page.evaluate("window.hurt") is None
