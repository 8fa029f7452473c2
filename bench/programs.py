"""What the benches share: starting servers, making sources, running loads, counting what they cost.

A program's CPU time is what wait4 says of it and of those it waited for, whoever wrote it; a
server's is read from /proc while it runs. Everything is on loopback and ends within a bound.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

READY_S = 120  # a Java server on a busy machine
STOP_S = 60
RUN_S = 1800
INDEX = "null-bucket/null-index"
UNPACED = ("--rate-vectors", "unlimited", "--rate-requests", "unlimited")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def environment(url: str, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment with AWS's settings for the server at `url`, and no others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return (
        kept
        | {
            "AWS_ENDPOINT_URL_S3VECTORS": url,
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "no_proxy": "127.0.0.1",
        }
        | dict(extra or {})
    )


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """A server in a process of its own on 127.0.0.1.

    It gets --port 0 and --port-file, and is ready when it has written that file; one that knows no
    such flags has its port in its command, and is ready when it accepts connections.
    """

    def __init__(
        self, command: Sequence[Any], port: int | None = None, scheme: str = "http"
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="vecload-bench-server.")
        folder = pathlib.Path(self._folder.name)
        self._log = folder / "log"
        port_file = folder / "port"
        flags = [] if port else ["--port", "0", "--port-file", port_file]
        begin = time.monotonic()
        with self._log.open("w") as output:
            self._process = subprocess.Popen(
                [str(part) for part in (*command, *flags)],
                env=environment(""),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        while not (accepts(port) if port else port_file.exists()):
            if self._process.poll() is not None or time.monotonic() - begin > READY_S:
                log = self.stop()
                raise SystemExit(f"{command[0]} did not start: {log}")
            time.sleep(0.005)
        self.listening_s = time.monotonic() - begin
        self.port = port or int(port_file.read_text())
        self.url = f"{scheme}://127.0.0.1:{self.port}"

    def cpu_s(self) -> float:
        text = pathlib.Path(f"/proc/{self._process.pid}/stat").read_text()
        user, system = text.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / TICKS_PER_S

    def rss_mib(self) -> float:
        return self._status_kib("VmRSS") / 1024

    def rss_mib_max(self) -> float:
        return self._status_kib("VmHWM") / 1024

    def _status_kib(self, name: str) -> int:
        text = pathlib.Path(f"/proc/{self._process.pid}/status").read_text()
        return int(text.partition(f"{name}:")[2].split()[0])

    def stop(self) -> str:
        """Asks it to end, and makes it; returns what it printed."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=STOP_S)
        text = self._log.read_text() if self._log.exists() else ""
        self._folder.cleanup()
        return text


@contextlib.contextmanager
def running(command: Sequence[Any], port: int | None = None) -> Iterator[Server]:
    server = Server(command, port)
    try:
        yield server
    finally:
        server.stop()


class NullServer(Server):
    """bench/null_server.cc; stop_and_count() gives what it counted."""

    def __init__(self, build: pathlib.Path, dimension: int, *flags: Any) -> None:
        scheme = "https" if "--tls-cert" in flags else "http"
        super().__init__([build / "null_server", "--dimension", dimension, *flags], scheme=scheme)

    def stop_and_count(self) -> dict[str, int]:
        return json.loads(self.stop().splitlines()[-1])


@dataclasses.dataclass
class Done:
    """A program that has run to its end, and well."""

    stdout: str
    wall_s: float
    cpu_s: float
    rss_bytes_max: int  # of the largest process


def run(
    command: Sequence[Any],
    env: Mapping[str, str],
    folder: pathlib.Path | None = None,
    timeout_s: float = RUN_S,
    exit_code: int = 0,
) -> Done:
    """Runs a program and counts what it costs; ends this one if it ends in another way."""
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        begin = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            env=dict(env),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )
        watchdog = threading.Timer(timeout_s, process.send_signal, [signal.SIGKILL])
        watchdog.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - begin
        watchdog.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        stdout.seek(0)
        stderr.seek(0)
        if process.returncode != exit_code:
            words = " ".join(str(part) for part in command[:4])
            raise SystemExit(
                f"{words} ended with {process.returncode}:\n{stdout.read()}{stderr.read()[-4000:]}"
            )
        return Done(stdout.read(), wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def generate(
    build: pathlib.Path, source: pathlib.Path, rows: int, dimension: int, *flags: Any
) -> list[pathlib.Path]:
    """Makes a source once; returns its files: itself, or its parts where it has several."""
    if not _parts(source):
        size = ["--rows", rows, "--dimension", dimension]
        run([build / "vecload", "generate", source, *size, *flags], environment(""))
    return _parts(source)


def _parts(source: pathlib.Path) -> list[pathlib.Path]:
    if source.exists():
        return [source]
    return sorted(source.parent.glob(f"{source.stem}-*{source.suffix}"))


def load_command(
    build: pathlib.Path, sources: Sequence[Any], journal: pathlib.Path, index: str, *flags: Any
) -> list[Any]:
    return [
        *(build / "vecload", "load", *sources, "--index", index, *flags),
        *("--output", "json", "--progress", "none", "--restart", "--journal", journal),
    ]


def load(
    build: pathlib.Path,
    sources: pathlib.Path | Sequence[pathlib.Path],
    url: str,
    *flags: Any,
    index: str = INDEX,
    env: Mapping[str, str] | None = None,
    timeout_s: float = RUN_S,
) -> dict[str, Any]:
    """Runs `vecload load`; returns its report, with wait4's CPU time as process_cpu_s."""
    paths = [sources] if isinstance(sources, pathlib.Path) else list(sources)
    folder = paths[0].parent
    command = load_command(build, paths, folder / "bench.journal", index, *flags)
    done = run(command, environment(url, env), folder, timeout_s)
    report = json.loads(done.stdout)
    if report["vectors_acknowledged"] != report["rows_total"]:
        raise SystemExit(f"not all vectors arrived: {done.stdout}")
    return report | {"process_cpu_s": done.cpu_s}


def machine() -> dict[str, Any]:
    """What a figure must name."""
    root = pathlib.Path(__file__).resolve().parent.parent
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=root, capture_output=True, text=True
    ).stdout.strip()
    model = pathlib.Path("/proc/cpuinfo").read_text().partition("model name")[2]
    return {
        "commit": commit,
        "date": time.strftime("%Y-%m-%d"),
        "cores": os.cpu_count(),
        "cpu": model.partition(":")[2].splitlines()[0].strip() if model else "",
        "load_average": os.getloadavg()[0],
    }


def run_bench(
    description: str,
    measure: Callable[[pathlib.Path, pathlib.Path, int], list[dict[str, Any]]],
    rows: int,
) -> None:
    """The command line of a bench that measures one size: measure(build, folder, rows)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--rows", type=int, default=rows)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vecload-bench.") as name:
        results = measure(options.build.resolve(), pathlib.Path(name), options.rows)
    if options.json:
        text = json.dumps({"machine": machine(), "rows": results}, indent=1)
        options.json.write_text(text + "\n")
