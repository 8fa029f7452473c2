"""Goal: the page is one small file that needs no other, and runs no script but its own."""

import base64
import hashlib
import html.parser
import re

import stand_in
from playwright.sync_api import Browser
from stand_in import StandIn, page_path

SIZE_MAX = 150_000


class _Parts(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.outside: list[str] = []
        self.policy = ""
        self.texts: dict[str, list[str]] = {"script": [], "style": []}
        self._in = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self._in = tag if tag in self.texts else ""
        for name in ("src", "href"):
            value = found.get(name) or "data:"
            if not value.startswith("data:"):
                self.outside.append(f"{tag} {name}={value}")
        if found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found["content"] or ""

    def handle_data(self, data: str) -> None:
        if self._in:
            self.texts[self._in].append(data)

    def handle_endtag(self, tag: str) -> None:
        self._in = ""


def _parts() -> _Parts:
    parts = _Parts()
    parts.feed(page_path().read_text())
    return parts


def test_it_is_one_small_file() -> None:
    page = page_path().read_bytes()
    print(f"{len(page)} bytes")
    assert len(page) < SIZE_MAX
    assert _parts().outside == []
    assert b"Permission is hereby granted" in page, "uPlot's licence"


def test_its_policy_is_of_what_is_in_it() -> None:
    parts = _parts()
    assert parts.policy.startswith("default-src 'none'; ")
    assert "unsafe" not in parts.policy
    for tag, texts in parts.texts.items():
        assert len(texts) == 1
        digest = base64.b64encode(hashlib.sha256(texts[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in parts.policy


def test_markup_is_never_made_from_text() -> None:
    root = page_path().parent
    sources = [*(stand_in.ROOT / "dashboard/src").glob("*.ts")]
    assert sources, root
    banned = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|eval\(|setHTML"
    found = [path.name for path in sources if re.search(banned, path.read_text())]
    assert found == []


def test_a_script_that_someone_adds_does_not_run(browser: Browser) -> None:
    server = StandIn(stand_in.opening_of_a_job(10))
    page = browser.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(server.url)
    page.evaluate("""() => {
        const script = document.createElement('script');
        script.textContent = 'window.hurt = 1';
        document.body.append(script);
        document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.hurt = 1">');
    }""")
    page.wait_for_function("document.querySelector('img').complete")
    assert page.evaluate("window.hurt") is None
    assert any("Content Security Policy" in text for text in refused), refused
    page.close()
    server.stop()
