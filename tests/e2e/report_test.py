"""Goal: `--report` leaves a page that anyone can read, with the job's figures and nothing else.

Method: the real binary; Python's HTML and JSON parsers as strangers, and names that try to become
markup. Chromium lays the page out, light and dark, wide and narrow, where it is installed.
"""

import html.parser
import json
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from support.program import ACCESS_KEY, SECRET_KEY, Program
from support.servers import VecloadServer
from support.vectors import make_index, random_vectors, write_vectors

VOID = {"meta", "br", "img", "link"}
EVIL = "<script>alert(1)<"  # no slash in a file's name


class Page(html.parser.HTMLParser):
    """The tags and the text of a page; fails where tags do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def make_load(program: Program, server: VecloadServer, rows: int, source: str) -> list[str]:
    vectors = random_vectors(rows, 4)
    vectors[1] = 0  # rejected
    write_vectors(program.folder / source, vectors)
    return ["load", source, "--index", make_index(server.client(), 4)]


def test_the_page_has_the_figures_and_no_script(program: Program, server: VecloadServer) -> None:
    load = make_load(program, server, 3000, f"{EVIL}.parquet")
    done = program.run(*load, "--rate-vectors", "1500", "--report", "out.html", "--output", "json",
                       "--endpoint-url", server.url.replace("//", "//me:pass@"))  # fmt: skip
    if done.exit_code != 3:  # a user in the URL may be refused
        done = program.run(*load, "--rate-vectors", "1500", "--report", "out.html",
                           "--output", "json")  # fmt: skip
    assert done.exit_code == 3, done.stderr
    text = (program.folder / "out.html").read_text()
    page = Page(text)
    assert not {"script", "link", "iframe", "img", "object"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "src"]
    assert page.tags.count("polyline") >= 6
    assert f"{EVIL}.parquet" in page.text, "shown as text"
    assert "vector_zero_norm" in page.text
    assert f"{done.json['vectors_acknowledged']:,}of 3,000 rows acknowledged" in page.text
    assert "Loaded, with rejects" in page.text
    for secret in (SECRET_KEY, ACCESS_KEY, "me:pass"):
        assert secret not in text
    assert not re.search(r"url\(|@import|https?://(?!127\.0\.0\.1)", text), "no request leaves it"
    assert list(program.folder.glob("*.tmp")) == []


def test_the_json_report_has_the_timeline(program: Program, server: VecloadServer) -> None:
    load = make_load(program, server, 3000, "in.parquet")
    done = program.run(*load, "--rate-vectors", "1500", "--report", "out.json", "--output", "json")
    kept = json.loads((program.folder / "out.json").read_text())
    assert done.json.items() <= kept.items(), "all that stdout has"
    times = [point["elapsed_s"] for point in kept["timeline"]]
    assert times == sorted(times)
    assert len(times) >= 3
    assert kept["started_at"] <= kept["ended_at"]
    assert kept["command_line"].startswith("vecload load in.parquet")


def test_a_stopped_job_leaves_its_report_in_place_of_an_older_one(
    program: Program, server: VecloadServer
) -> None:
    load = make_load(program, server, 20_000, "in.parquet")
    report = program.folder / "out.html"
    report.write_text("an older one")
    with program.start(*load, "--rate-vectors", "500", "--report", "out.html",
                       "--progress", "json") as process:  # fmt: skip
        try:
            assert process.stderr is not None
            next(line for line in process.stderr if json.loads(line)["vectors_acknowledged"] > 0)
            assert report.read_text() == "an older one"
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 4
    assert "run the same command again to go on" in Page(report.read_text()).text


@pytest.mark.parametrize("name", ["out.txt", "out", "html"])
def test_other_endings_are_a_usage_error(program: Program, name: str) -> None:
    done = program.run("load", "in.parquet", "--index", "b/i", "--report", name)
    assert done.exit_code == 2
    assert "does not end in .json or .html" in done.stderr


def test_a_place_that_cannot_be_written_to_is_told_before_the_job(program: Program) -> None:
    (program.folder / "folder.html").mkdir()
    for path in ("folder.html", "absent/out.html"):
        done = program.run("load", "in.parquet", "--index", "b/i", "--report", path)
        assert done.exit_code == 1
        assert done.stderr.startswith("vecload: load: --report"), done.stderr


def test_a_deletion_has_a_page_too(program: Program, server: VecloadServer) -> None:
    load = make_load(program, server, 1000, "in.parquet")
    program.run(*load)
    done = program.run("delete", "--index", load[3], "--keys-from", "in.parquet",
                       "--report", "out.html")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    page = Page((program.folder / "out.html").read_text())
    assert "Deleted, complete" in page.text
    assert "not deleted yet" in page.text


@pytest.mark.slow
@pytest.mark.parametrize("width", [400, 1200])
def test_chromium_lays_it_out_within_the_window(
    program: Program, server: VecloadServer, tmp_path: Path, width: int
) -> None:
    if shutil.which("chromium") is None:
        pytest.skip("chromium is not installed")
    load = make_load(program, server, 3000, f"{EVIL}.parquet")
    program.run(*load, "--rate-vectors", "1500", "--report", "out.html")
    # Chromium's windows are 500 wide at least, a frame is as wide as one likes.
    (program.folder / "frame.html").write_text(
        f"<iframe src=out.html style='width:{width}px;height:900px;border:0'></iframe><script>"
        "onload=()=>{const d=frames[0].document.documentElement;"
        "document.title='width '+d.scrollWidth+' '+d.querySelectorAll('script').length}</script>"
    )
    shown = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
         "--allow-file-access-from-files", f"--user-data-dir={tmp_path / 'profile'}",
         (program.folder / "frame.html").as_uri()],
        capture_output=True, text=True, timeout=100, check=True,
    )  # fmt: skip
    assert f"<title>width {width} 0</title>" in shown.stdout
