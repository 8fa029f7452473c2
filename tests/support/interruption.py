"""Something that happens to a program at a chosen request of it."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from .program import Outcome, Program
from .proxy import CountingProxy
from .servers import VecloadServer

_WAIT_S = 10.0


class Interruption:
    """A proxy that does something once, before request number `at` for a page goes on."""

    def __init__(self, server: VecloadServer, program: Program) -> None:
        self.proxy = CountingProxy(server.port)
        self.proxy.on_request = self._on_request
        self.at = 0
        self.action: Callable[[], None] = lambda: None
        self._pages = 0
        self._lock = threading.Lock()
        program.env["AWS_ENDPOINT_URL_S3VECTORS"] = self.proxy.url

    def _on_request(self, request: bytes) -> None:
        with self._lock:
            self._pages += 1 if request.startswith(b"POST /ListVectors ") else 0
            if self._pages != self.at:
                return
            self.at = 0
        self.action()

    def run(
        self, program: Program, *arguments: str | Path, at: int, number: signal.Signals
    ) -> Outcome:
        """Sends the signal at the given page of this run."""
        self._pages, self.at = 0, at
        with program.start(*arguments) as process:
            self.action = lambda: _deliver(process, number)
            try:
                stdout, stderr = process.communicate(timeout=60)
            finally:
                process.kill()
        return Outcome(process.returncode, stdout, stderr, program.folder)


def _deliver(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    """Returns once the process has taken the signal, so that it cannot end before."""
    process.send_signal(number)
    pending = 1 << (number - 1)
    end = time.monotonic() + _WAIT_S
    while time.monotonic() < end:
        status = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        masks = [int(line.split()[1], 16) for line in status if line.startswith("ShdPnd:")]
        if not any(mask & pending for mask in masks):
            return
        time.sleep(0.001)
