"""Chromium for the tests, and what holds of every page: no error, no request to anyone else."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from views import OpenPage

ROOT = Path(__file__).resolve().parent.parent.parent
OUTPUT = ROOT / "build/test-output/dashboard"
# After this a test fails instead of hanging; two other browsers may be at work beside a page.
WAIT_MS = 20_000
expect.set_options(timeout=WAIT_MS)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert program, "no chromium: tools/bootstrap.sh dashboard installs it"
    with sync_playwright() as playwright:
        # --no-sandbox: containers' root cannot have one; only our own pages are opened.
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens a page of its own context; at the end none may have complained or called elsewhere."""
    complaints: list[str] = []
    requested: set[str] = set()
    allowed: set[str] = set()
    contexts = []

    def open_at(url: str, may_fail: bool = False, **context: Any) -> Page:
        options: dict[str, Any] = {"viewport": {"width": 1240, "height": 900}} | context
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.set_default_timeout(WAIT_MS)

        def on_console(message: Any) -> None:
            # Chromium itself reports each refused connection, and each answer of 400 and above.
            expected = may_fail and "Failed to load resource" in message.text
            if message.type in ("error", "warning") and not expected:
                complaints.append(f"{message.type}: {message.text}")

        page.on("console", on_console)
        page.on("pageerror", lambda error: complaints.append(f"thrown: {error}"))
        page.on("request", lambda request: requested.add(_origin(request.url)))
        allowed.add(_origin(url))
        page.goto(url)
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert complaints == []
    assert requested <= allowed | {"data:"}, "a request to another host"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return "data:" if parts.scheme == "data" else f"{parts.scheme}://{parts.netloc}"


@pytest.fixture(scope="session")
def screenshots() -> Path:
    OUTPUT.mkdir(parents=True, exist_ok=True)
    return OUTPUT


@pytest.fixture(scope="session")
def axe() -> str:
    """The program of axe-core, which looks for what shuts people out."""
    return (ROOT / "dashboard/node_modules/axe-core/axe.min.js").read_text()
