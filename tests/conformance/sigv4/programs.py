"""Where the test programs of this folder are, and a clean environment to run them in."""

import os
from pathlib import Path


def program(name: str) -> Path:
    """The program beside the vecload binary under test."""
    if "VECLOAD_BUILD_DIR" in os.environ:
        folder = Path(os.environ["VECLOAD_BUILD_DIR"])
    elif "VECLOAD_BIN" in os.environ:
        folder = Path(os.environ["VECLOAD_BIN"]).parent
    else:
        folder = Path(__file__).parents[3] / "build" / "release"
    path = folder / name
    assert path.exists(), f"{path} is not there: run `make build`, or set VECLOAD_BUILD_DIR"
    return path


def clean_environment(home: Path, **variables: str) -> dict[str, str]:
    """This process's environment without AWS's and TLS's variables, with another home folder."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "SSL_CERT_"))}
    return kept | {"HOME": str(home)} | variables
