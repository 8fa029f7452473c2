"""Goal: a load that is stopped, throttled or starved loses nothing and says what is left.

Method: signals to the real binary, and servers that throttle or fail on purpose.
"""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.program import Program, assert_accounts
from support.servers import ScriptedServer, VecloadServer
from support.vectors import make_index, random_vectors, stored_keys, write_vectors


def acknowledged_so_far(line: str) -> int:
    progress = json.loads(line)
    return int(progress["vectors_acknowledged"])


def wait_for_progress(load: "subprocess.Popen[str]") -> None:
    """Reads progress lines until something was acknowledged."""
    assert load.stderr is not None
    for line in load.stderr:
        if acknowledged_so_far(line) > 0:
            return
    raise AssertionError("ended without progress")


def start_slow_load(program: Program, server: VecloadServer) -> "subprocess.Popen[str]":
    write_vectors(program.folder / "in.parquet", random_vectors(20_000, 4))
    index = make_index(server.client(), 4)
    return program.start("load", "in.parquet", "--index", index, "--rate-vectors", "500",
                         "--progress", "json", "--output", "json")  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_reports(
    program: Program, server: VecloadServer, number: signal.Signals
) -> None:
    with start_slow_load(program, server) as load:
        try:
            wait_for_progress(load)
            load.send_signal(number)
            stdout, stderr = load.communicate(timeout=30)
        finally:
            load.kill()
    assert load.returncode == 4, stderr
    report = json.loads(stdout)
    assert_accounts(report)
    assert report["status"] == "stopped"
    assert report["rows_remaining"] > 0
    assert len(stored_keys(server.client())) == report["vectors_acknowledged"] > 0


def test_a_second_signal_ends_it_at_once(
    bare_program: Program, scripted: Callable[..., ScriptedServer]
) -> None:
    service = scripted(4)
    service.delay_s = 20
    write_vectors(bare_program.folder / "in.parquet", random_vectors(100, 4))
    with bare_program.start("load", "in.parquet", "--index", "bucket/index") as load:
        try:
            deadline = time.monotonic() + 20
            while "PutVectors" not in service.operations and time.monotonic() < deadline:
                time.sleep(0.02)
            load.terminate()
            time.sleep(0.3)
            asked_again = time.monotonic()
            load.terminate()
            load.communicate(timeout=30)
            assert time.monotonic() - asked_again < 5
        finally:
            load.kill()
    assert load.returncode == 4


def test_throttling_by_the_server_loses_nothing(
    bare_program: Program, start_server: Callable[..., VecloadServer]
) -> None:
    server = start_server("--rate-vectors", "1500", "--rate-requests", "100")
    bare_program.env["AWS_ENDPOINT_URL_S3VECTORS"] = server.url
    rows = 6000
    write_vectors(bare_program.folder / "in.parquet", random_vectors(rows, 4))
    index = make_index(server.client(), 4)
    done = bare_program.run("load", "in.parquet", "--index", index, "--rate-vectors", "unlimited",
                            "--output", "json")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert done.json["throttled"] > 0, "the server's limit must have been met"
    assert done.json["attempts"] > done.json["requests"]
    assert_accounts(done.json)
    assert len(stored_keys(server.client())) == rows


def test_the_default_pace_holds_the_limit_without_being_throttled(
    bare_program: Program, start_server: Callable[..., VecloadServer]
) -> None:
    server = start_server("--rate-vectors", "2500", "--rate-requests", "1000")
    bare_program.env["AWS_ENDPOINT_URL_S3VECTORS"] = server.url
    write_vectors(bare_program.folder / "in.parquet", random_vectors(15_000, 4))
    index = make_index(server.client(), 4)
    done = bare_program.run("load", "in.parquet", "--index", index, "--output", "json")
    assert done.exit_code == 0, done.stderr
    assert done.json["throttled"] == 0
    assert 2000 < done.json["vectors_per_s"] < 3500
    assert done.json["bottleneck"] == "service_limit"


def test_a_server_that_dies_midway_is_survived_when_it_comes_back(
    bare_program: Program, tmp_path: Path
) -> None:
    data = str(tmp_path / "data")
    server = VecloadServer(tmp_path / "first", "--data-dir", data)
    bare_program.env["AWS_ENDPOINT_URL_S3VECTORS"] = server.url
    rows = 4000
    write_vectors(bare_program.folder / "in.parquet", random_vectors(rows, 4))
    index = make_index(server.client(), 4)
    with bare_program.start("load", "in.parquet", "--index", index, "--rate-vectors", "1000",
                            "--progress", "json", "--output", "json") as load:  # fmt: skip
        try:
            wait_for_progress(load)
            server.kill()
            server = VecloadServer(tmp_path / "second", "--data-dir", data, "--port",
                                   str(server.port))  # fmt: skip
            stdout, stderr = load.communicate(timeout=60)
        finally:
            load.kill()
    try:
        assert load.returncode == 0, stderr
        report: dict[str, Any] = json.loads(stdout)
        assert_accounts(report)
        assert len(stored_keys(server.client())) == rows
    finally:
        server.stop()
