"""Fixtures of the pytest suites. They run the binary at VECLOAD_BIN (build/release/vecload)."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.interruption import Interruption
from support.metrics import MeasuredJob, scrape_everything
from support.program import BINARY, Program
from support.servers import MotoServer, RcloneServer, ScriptedServer, VecloadServer


def pytest_configure() -> None:
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is not there: run `make build`, or set VECLOAD_BIN", returncode=2)


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., VecloadServer]]:
    """Starts `vecload serve` with the given flags; all are stopped at the end."""
    servers: list[VecloadServer] = []

    def start(*flags: str) -> VecloadServer:
        storage = () if "--data-dir" in flags else ("--ephemeral",)
        servers.append(VecloadServer(tmp_path / f"server{len(servers)}", *storage, *flags))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def server(start_server: Callable[..., VecloadServer]) -> VecloadServer:
    return start_server()


@pytest.fixture
def client(server: VecloadServer) -> Any:
    """boto3 against our server."""
    return server.client()


@pytest.fixture
def bare_program(tmp_path: Path) -> Program:
    """The binary, with no endpoint set."""
    folder = tmp_path / "work"
    folder.mkdir()
    return Program(folder)


@pytest.fixture
def program(bare_program: Program, server: VecloadServer) -> Program:
    """The binary, pointed at our server."""
    bare_program.env["AWS_ENDPOINT_URL_S3VECTORS"] = server.url
    return bare_program


@pytest.fixture
def interruption(program: Program, server: VecloadServer) -> Iterator[Interruption]:
    """Stands between `program` and our server."""
    made = Interruption(server, program)
    yield made
    made.proxy.stop()


@pytest.fixture
def start_job(program: Program) -> Iterator[Callable[..., MeasuredJob]]:
    """Starts the binary with the given arguments and --metrics-port."""
    jobs: list[MeasuredJob] = []

    def start(*arguments: str | Path) -> MeasuredJob:
        jobs.append(MeasuredJob(program, *arguments))
        return jobs[-1]

    yield start
    for job in jobs:
        job.stop()


@pytest.fixture
def whole_scrape(start_job: Callable[..., MeasuredJob], program: Program) -> str:
    return scrape_everything(start_job, program.folder)


@pytest.fixture
def scripted(bare_program: Program) -> Iterator[Callable[..., ScriptedServer]]:
    """Makes a ScriptedServer and points `bare_program` at it."""
    servers: list[ScriptedServer] = []

    def start(dimension: int, metric: str = "cosine", listen: bool = True) -> ScriptedServer:
        servers.append(ScriptedServer(dimension, metric, listen))
        bare_program.env["AWS_ENDPOINT_URL_S3VECTORS"] = servers[-1].url
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def moto() -> Iterator[MotoServer]:
    server = MotoServer()
    yield server
    server.stop()


@pytest.fixture
def s3_folder(tmp_path: Path) -> Path:
    """What the S3 server serves: each subfolder is a bucket."""
    folder = tmp_path / "s3"
    folder.mkdir()
    return folder


@pytest.fixture
def s3(s3_folder: Path, tmp_path: Path) -> Iterator[RcloneServer]:
    server = RcloneServer(s3_folder, tmp_path / "rclone.log")
    yield server
    server.stop()


@pytest.fixture
def sts() -> Iterator[str]:
    """The URL of moto's STS."""
    server = MotoServer()
    yield server.url
    server.stop()
