"""Runs the real `vecload` binary with an environment that holds nothing of the caller's AWS."""

import dataclasses
import json
import os
import random
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
BINARY = Path(os.environ.get("VECLOAD_BIN", "build/release/vecload"))
if not BINARY.is_absolute():
    BINARY = ROOT / BINARY

# Distinctive, so that a test can look for them in everything that was written.
ACCESS_KEY = "AKIAVECLOADTESTKEY00"
SECRET_KEY = "vecload/test/secret/NeverPrintThis0123456"


def is_sanitized() -> bool:
    """Whether the program is built with ASan or TSan, whose own memory is beyond all bounds."""
    content = BINARY.read_bytes()
    return b"__asan_init" in content or b"__tsan_init" in content


# What a sanitized or instrumented build needs from outside.
_PASSED_ON = ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "ARROW_DEFAULT_MEMORY_POOL")


def environment(home: Path, **more: str) -> dict[str, str]:
    """Returns the whole environment of a child: dummy keys, no files, no metadata service."""
    env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    env |= {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(home / "no-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / "no-credentials"),
    }
    return env | more


@dataclasses.dataclass
class Outcome:
    """What a finished run left behind."""

    exit_code: int
    stdout: str
    stderr: str
    folder: Path

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    def rejects(self, name: str = "rejects.jsonl") -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]


class Program:
    """The binary, a folder to run it in, and an environment."""

    def __init__(self, folder: Path, **more: str) -> None:
        self.folder = folder
        self.env = environment(folder, **more)

    def run_through_kills(self, *arguments: str | Path, moments: random.Random) -> Outcome:
        """Kills six runs, -9, each somewhere in its first 0.6 s, then runs to the end."""
        for _ in range(6):
            process = self.start(*arguments)
            time.sleep(moments.uniform(0.05, 0.6))  # the moment is what is varied
            process.kill()
            process.communicate(timeout=10)
        return self.run(*arguments)

    def run(
        self,
        *arguments: str | Path,
        timeout: float = 100,
        env: dict[str, str] | None = None,
        preexec_fn: Callable[[], None] | None = None,
    ) -> Outcome:
        done = subprocess.run(
            [BINARY, *map(str, arguments)],
            cwd=self.folder,
            env=self.env | (env or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            preexec_fn=preexec_fn,
            check=False,
        )
        # Not text=True, which would turn the progress bar's returns into line feeds.
        stdout, stderr = done.stdout.decode(), done.stderr.decode()
        assert "Sanitizer" not in stderr, stderr
        assert "runtime error" not in stderr, stderr
        assert done.returncode >= 0, f"killed by signal {-done.returncode}: {stderr}"
        return Outcome(done.returncode, stdout, stderr, self.folder)

    def start(self, *arguments: str | Path) -> "subprocess.Popen[str]":
        """Starts it in the background; the caller waits for its end."""
        return subprocess.Popen(
            [BINARY, *map(str, arguments)],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def assert_accounts(report: dict[str, Any]) -> None:
    """Every source row is in exactly one place."""
    parts: Sequence[str] = (
        "vectors_acknowledged",
        "vectors_resumed",
        "vectors_rejected",
        "vectors_superseded",
        "rows_remaining",
    )
    assert report["rows_total"] == sum(report[part] for part in parts), report
