"""Makes the pictures of docs/guides/dashboard.md from the stand-in's events.

usage: python tests/dashboard/take_screenshots.py
"""

import shutil
from pathlib import Path

import stand_in
from playwright.sync_api import Page, sync_playwright
from stand_in import ROOT, StandIn

FOLDER = ROOT / "docs/images"
# The guide promises small pictures.
BYTES_MAX = 120_000


def take(page: Page, path: Path) -> None:
    page.evaluate("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")
    page.screenshot(path=path)
    size = path.stat().st_size
    assert size < BYTES_MAX, f"{path}: {size} bytes"
    print(f"{path.relative_to(ROOT)}: {size} bytes")


def job(page: Page) -> None:
    playing = StandIn(stand_in.opening_of_a_job(600))
    page.goto(playing.url)
    page.get_by_text("Now: Service limit.").wait_for()
    take(page, FOLDER / "dashboard-load.png")
    playing.stop()


def server(page: Page) -> None:
    playing = StandIn([("server", stand_in.server(100))])
    metadata = [{"title": f"Paragraph {i}", "year": 2000 + i} for i in range(3)]
    vectors = [
        {"key": f"doc-{i}", "distance": (i + 1) / 64, "metadata": metadata[i]} for i in range(3)
    ]
    playing.query_answer = (200, {"took_ms": 1.26, "vectors": vectors})
    page.goto(f"{playing.url}/_dashboard")
    for uptime_s in range(101, 160):
        playing.send("server", stand_in.server(uptime_s))
    page.get_by_text("2 min 39 s").wait_for()
    page.get_by_label("Key", exact=True).fill("doc-9")
    page.get_by_role("button", name="Find neighbours").click()
    page.get_by_text("3 neighbours").wait_for()
    page.evaluate("scrollTo(0, 0)")
    page.set_viewport_size({"width": 1000, "height": 1230})
    take(page, FOLDER / "dashboard-serve.png")
    playing.stop()


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        program = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 860}, color_scheme="light")
        job(page)
        server(page)
        browser.close()


if __name__ == "__main__":
    main()
