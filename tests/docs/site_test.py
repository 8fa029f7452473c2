"""The built site asks nothing of other hosts, and shows what the program says of itself."""

import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from support.program import BINARY, ROOT

SITE = ROOT / "build/docs"
_LOADING = {"script": "src", "img": "src", "iframe": "src", "link": "href", "source": "src"}


class Loads(HTMLParser):
    """What a browser fetches to show a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "link" and found.get("rel") in ("canonical", "next", "prev"):
            return
        address = found.get(_LOADING.get(tag, ""))
        if address:
            self.addresses.append(address)


def html_pages() -> list[Path]:
    found = sorted(SITE.rglob("*.html"))
    if not found:
        pytest.fail(f"{SITE} is empty: run `make docs`")
    return found


def test_no_page_loads_from_another_host() -> None:
    for page in html_pages():
        loads = Loads()
        loads.feed(page.read_text())
        assert loads.addresses
        assert not [a for a in loads.addresses if re.match(r"(\w+:)?//", a)], page


def test_no_style_loads_from_another_host() -> None:
    styles = sorted(SITE.rglob("*.css"))
    assert styles
    for style in styles:
        assert not re.search(r"(url\(['\"]?|@import ['\"])(https?:)?//", style.read_text()), style


def test_the_reference_has_the_flags_of_load() -> None:
    text = (SITE / "reference/commands.html").read_text()
    done = subprocess.run(
        [BINARY, "load", "--help"], capture_output=True, text=True, timeout=30, check=True
    )
    flags = re.findall(r"^  (--[a-z-]+)", done.stdout, re.MULTILINE)
    assert len(flags) > 20
    assert [flag for flag in flags if flag not in text] == []
