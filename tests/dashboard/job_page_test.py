"""Goal: the loader's page says what the job says, in every state of job and connection.

Method: real Chromium; a stand-in plays the events. The real program is in real_program_test.py.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stand_in
from stand_in import HOSTILE, StandIn
from views import (
    NOTHING,
    OpenPage,
    expect,
    expect_accessible,
    expect_no_sideways_scroll,
    field,
    reported,
    rows,
    state,
    wait_for_drawn,
)


@pytest.fixture
def job() -> Iterator[StandIn]:
    server = StandIn(stand_in.opening_of_a_job(600))
    yield server
    server.stop()


def test_figures_are_those_of_the_events(job: StandIn, open_page: OpenPage) -> None:
    page = open_page(job.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("articles/paragraphs")
    expect(state(page)).to_have_text("Running")
    expect(page.locator('[data-field="percent"]')).to_have_text("47.0 %")
    expect(page.locator('[data-field="rows"]')).to_have_text("5,640,000 of 12,000,000 rows")
    expect(page.locator('[data-field="eta"]')).to_have_text("11 min 17 s left · 10 min 00 s so far")
    expect(field(page, "vectors_per_s_mean")).to_have_text("9,400")
    expect(field(page, "vectors_acknowledged")).to_have_text("5,639,985")
    expect(field(page, "throttled")).to_have_text("396")
    expect(field(page, "vectors_rejected")).to_have_text("15")
    expect(page).to_have_title("47.0 % · articles/paragraphs · vecload")
    expect(rows(page, "Rejected rows by rule").first).to_have_text("vector_not_finite11")
    expect(rows(page, "Files under way")).to_have_count(3)
    expect(page.get_by_text("Now: Service limit.")).to_be_visible()
    expect(page.get_by_role("heading", name="Shards")).to_be_hidden()

    job.send("progress", stand_in.progress(700, throttled=1234, eta_s=None))
    expect(field(page, "throttled")).to_have_text("1,234")


def test_no_eta_and_no_limit_are_said_not_shown_as_zero(job: StandIn, open_page: OpenPage) -> None:
    progress = stand_in.progress(1, limit_vectors_per_s=0, rate_vectors_per_s=0)
    del progress["eta_s"]
    job.opening[2:] = [("progress", progress)]
    page = open_page(job.url)
    expect(page.locator('[data-field="eta"]')).to_have_text("Time left not known yet · 1 s so far")
    expect(field(page, "limit_share")).to_have_text(NOTHING)
    expect(page.locator('[data-field="limit_share"] .note')).to_have_text("unlimited")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("complete", "Complete"),
        ("finished_with_rejects", "Finished with rejects"),
        ("stopped", "Stopped"),
    ],
)
def test_the_report_replaces_the_live_figures(
    job: StandIn, open_page: OpenPage, status: str, words: str
) -> None:
    page = open_page(job.url)
    expect(state(page)).to_have_text("Running")
    stopped: dict[str, Any] = {
        "rows_remaining": 3_000_000,
        "vectors_acknowledged": 8_999_985,
        "error": {"code": "unavailable", "message": "no progress for 3,600 s"},
    }
    rejects = {"vectors_acknowledged": 11_999_985, "rejects": "rejects.jsonl"}
    more = {"complete": {}, "stopped": stopped, "finished_with_rejects": rejects}[status]
    rejected = 0 if status == "complete" else 15
    job.send("report", stand_in.report(status=status, vectors_rejected=rejected, **more))
    expect(state(page)).to_have_text(words)
    percent = "75.0 %" if status == "stopped" else "100.0 %"
    expect(page.locator('[data-field="percent"]')).to_have_text(percent)
    acknowledged = f"{more.get('vectors_acknowledged', 12_000_000):,}"
    expect(field(page, "vectors_acknowledged")).to_have_text(acknowledged)
    expect(reported(page, "vectors_acknowledged")).to_have_text(acknowledged)
    expect(reported(page, "vectors_rejected")).to_have_text(str(rejected))
    expect(reported(page, "wall_s")).to_have_text("21 min 17 s")
    expect(field(page, "vectors_per_s_mean")).to_have_text("9,394")
    if status == "stopped":
        expect(page.get_by_text("no progress for 3,600 s")).to_be_visible()
        expect(page.get_by_text("resumes from /root/.local/state")).to_be_visible()


def test_after_the_report_it_does_not_connect_again(job: StandIn, open_page: OpenPage) -> None:
    page = open_page(job.url)
    expect(state(page)).to_have_text("Running")
    page.clock.install()
    job.send("report", stand_in.report())
    expect(state(page)).to_have_text("Complete")
    job.end_streams()
    page.clock.run_for(60_000)
    page.evaluate("fetch('/')")  # whatever came before it has come by then
    expect(state(page)).to_have_text("Complete")
    assert job.connections == 1


def test_a_lost_connection_is_told_and_found_on_demand(job: StandIn, open_page: OpenPage) -> None:
    page = open_page(job.url, may_fail=True)
    page.clock.install()
    page.reload()
    expect(state(page)).to_have_text("Running")
    # From here on it does not try by itself.
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 5)
    job.go_down()
    expect(state(page)).to_have_text("Connection lost")
    expect(page.get_by_text("what is shown is from before")).to_be_visible()
    expect(page.locator('[data-field="percent"]')).to_have_text("47.0 %")
    job.opening = stand_in.opening_of_a_job(900)
    job.come_back()
    page.get_by_role("button", name="Try now").click()
    expect(state(page)).to_have_text("Running")
    expect(page.locator('[data-field="percent"]')).to_have_text("70.5 %")
    expect(page.get_by_text("what is shown is from before")).to_be_hidden()


def test_it_finds_the_connection_again_by_itself(job: StandIn, open_page: OpenPage) -> None:
    page = open_page(job.url, may_fail=True)
    expect(state(page)).to_have_text("Running")
    job.go_down()
    expect(state(page)).to_have_text("Connection lost")
    job.come_back()
    expect(state(page)).to_have_text("Running")
    assert job.connections == 2


def test_silence_is_a_lost_connection(job: StandIn, open_page: OpenPage) -> None:
    page = open_page(job.url)
    page.clock.install()
    page.reload()
    expect(state(page)).to_have_text("Running")
    page.clock.run_for(16_500)
    expect(state(page)).to_have_text("Running")  # lost, and connected anew
    assert job.connections == 3


def test_an_event_that_cannot_be_read_changes_nothing(job: StandIn, open_page: OpenPage) -> None:
    page = open_page(job.url)
    job.send_text('event: progress\ndata: {"rows_total": 1\n\n')
    job.send_text("event: of_a_later_version\ndata: {}\n\n: a comment\n\n")
    job.send("progress", stand_in.progress(700))
    expect(page.locator('[data-field="percent"]')).to_have_text("54.8 %")


def test_text_from_data_is_text(job: StandIn, open_page: OpenPage) -> None:
    job.opening = [
        ("job", stand_in.job(index=f"b/{HOSTILE}", sources=[HOSTILE], version=HOSTILE)),
        ("progress", stand_in.progress(60, rejects=[{"rule": HOSTILE, "rows": 3}])),
        (
            "detail",
            {
                "files": [{"file": f"a {HOSTILE}", "rows_total": 4, "rows_done": 1}],
                "shards": [stand_in.shards(1, 60)[0] | {"index": f"s {HOSTILE}"}],
            },
        ),
    ]
    page = open_page(job.url)
    scripts = page.locator("script").count()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"b/{HOSTILE}")
    expect(rows(page, "Files under way").locator("th")).to_have_text(f"a {HOSTILE}")
    expect(rows(page, "Shards").locator("th")).to_have_text(f"s {HOSTILE}")
    expect(rows(page, "Rejected rows by rule").locator("th")).to_have_text(HOSTILE)
    error = {"code": "x", "message": f"e {HOSTILE}"}
    job.send("report", stand_in.report(status="stopped", error=error, journal=HOSTILE))
    expect(page.get_by_text(f"e {HOSTILE}")).to_be_visible()
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == scripts
    assert page.evaluate("window.hurt") is None


def test_a_thousand_shards_keep_their_rows(job: StandIn, open_page: OpenPage) -> None:
    job.opening[3] = ("detail", {"files": [], "shards": stand_in.shards(1000, 600)})
    page = open_page(job.url)
    expect(rows(page, "Shards")).to_have_count(1000)
    page.evaluate("document.querySelectorAll('tbody tr').forEach(row => { row.seen = true })")
    sort = page.get_by_role("button", name="429s", exact=True)
    sort.focus()
    page.keyboard.press("Enter")
    column = page.get_by_role("columnheader", name="429s", exact=True)
    expect(column).to_have_attribute("aria-sort", "descending")
    expect(rows(page, "Shards").first.locator("td").last).to_have_text("22")
    page.keyboard.press("Enter")
    expect(column).to_have_attribute("aria-sort", "ascending")
    expect(rows(page, "Shards").first.locator("td").last).to_have_text("0")

    page.evaluate("""() => {
        window.longest = 0;
        new PerformanceObserver(list => list.getEntries().forEach(entry => {
            window.longest = Math.max(window.longest, entry.duration) }))
            .observe({entryTypes: ['longtask']});
    }""")
    changed = stand_in.shards(1000, 602)
    changed[999]["throttled"] = 99_999
    job.send("detail", {"files": [], "shards": changed})
    expect(rows(page, "Shards").last.locator("td").last).to_have_text("99,999")
    made_anew = "[...document.querySelectorAll('tbody tr')].filter(row => !row.seen).length"
    assert page.evaluate(made_anew) == 0
    print(f"the longest task of an update: {page.evaluate('window.longest')} ms")


def test_states_are_announced_but_not_each_event(job: StandIn, open_page: OpenPage) -> None:
    page = open_page(job.url)
    expect(state(page)).to_have_text("Running")
    page.evaluate("""() => {
        window.said = [];
        const region = document.querySelector('p[role=status]');
        new MutationObserver(() => window.said.push(region.textContent))
            .observe(region, {childList: true, characterData: true, subtree: true});
    }""")
    for elapsed_s in range(600, 660):
        job.send("progress", stand_in.progress(elapsed_s))
    expect(page.locator('[data-field="percent"]')).to_have_text("51.6 %")
    job.send("report", stand_in.report())
    expect(state(page)).to_have_text("Complete")
    assert page.evaluate("window.said.length") == 2
    assert page.evaluate("window.said[0]") == "50.0 % done"
    assert page.evaluate("window.said[1]") == "complete: 100.0 %, in 21 min 17 s"


def test_figures_stay_where_they_are(job: StandIn, open_page: OpenPage) -> None:
    page = open_page(job.url)
    expect(state(page)).to_have_text("Running")
    places = (
        "[...document.querySelectorAll('.figure, .card')].map(e => e.getBoundingClientRect().y)"
    )
    before = page.evaluate(places)
    job.send("progress", stand_in.progress(1, throttled=0, vectors_per_s=3.0, bytes_sent=12))
    expect(field(page, "throttled")).to_have_text("0")
    wait_for_drawn(page)
    assert page.evaluate(places) == before


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out(
    job: StandIn, open_page: OpenPage, axe: str, screenshots: Path, scheme: str
) -> None:
    job.opening[3] = ("detail", {"files": stand_in.files(600), "shards": stand_in.shards(8, 600)})
    page = open_page(job.url, color_scheme=scheme)
    expect(rows(page, "Shards")).to_have_count(8)
    wait_for_drawn(page)
    expect_accessible(page, axe, f"running, {scheme}")
    page.screenshot(path=screenshots / f"job-{scheme}.png", full_page=True)
    job.send("report", stand_in.report(status="finished_with_rejects", vectors_rejected=15))
    expect(state(page)).to_have_text("Finished with rejects")
    expect_accessible(page, axe, f"finished, {scheme}")
    page.screenshot(path=screenshots / f"job-finished-{scheme}.png", full_page=True)


def test_a_lost_connection_is_readable_too(
    job: StandIn, open_page: OpenPage, axe: str, screenshots: Path
) -> None:
    page = open_page(job.url, may_fail=True)
    expect(state(page)).to_have_text("Running")
    job.go_down()
    expect(state(page)).to_have_text("Connection lost")
    wait_for_drawn(page)
    expect_accessible(page, axe, "lost")
    page.screenshot(path=screenshots / "job-lost.png")


def test_a_phone_shows_it_without_sideways_scrolling(
    job: StandIn, open_page: OpenPage, screenshots: Path
) -> None:
    long_name = "x" * 300
    job.opening[0] = ("job", stand_in.job(index=f"bucket/{long_name}", sources=[long_name]))
    detail = {
        "files": [{"file": long_name, "rows_total": 9, "rows_done": 3}],
        "shards": [stand_in.shards(1, 600)[0] | {"index": long_name}],
    }
    job.opening[3] = ("detail", detail)
    page = open_page(job.url, viewport={"width": 360, "height": 800})
    expect(rows(page, "Shards")).to_have_count(1)
    expect_no_sideways_scroll(page)
    job.send("report", stand_in.report(status="stopped", journal=long_name))
    expect(state(page)).to_have_text("Stopped")
    expect_no_sideways_scroll(page)

    job.opening[:] = stand_in.opening_of_a_job(600)
    page = open_page(job.url, viewport={"width": 360, "height": 800})
    expect(rows(page, "Files under way")).to_have_count(3)
    wait_for_drawn(page)
    page.screenshot(path=screenshots / "job-phone.png", full_page=True)


def test_the_keyboard_reaches_everything_in_order(job: StandIn, open_page: OpenPage) -> None:
    page = open_page(job.url)
    expect(rows(page, "Files under way")).to_have_count(3)
    reached: list[str] = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("""() => {
                const at = document.activeElement;
                return (at.labels?.[0] ?? at).innerText.split('\\n')[0].trim();
            }""")
        )
    assert reached[0] == "Skip to the figures"
    assert reached[1].startswith("Theme: Auto")
    assert reached[2] == "Whole job"
    assert len(set(reached)) == 6, reached  # then the tables, which scroll
    page.get_by_label("Whole job").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("10 min")).to_be_checked()


def test_the_theme_is_the_systems_until_it_is_chosen(job: StandIn, open_page: OpenPage) -> None:
    page = open_page(job.url, color_scheme="dark")
    root = page.locator("html")
    expect(root).to_have_attribute("data-theme", "dark")
    page.emulate_media(color_scheme="light")
    expect(root).to_have_attribute("data-theme", "light")
    page.get_by_role("button", name="Theme: Auto").click()
    page.get_by_role("button", name="Theme: Light").click()
    expect(root).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.get_by_role("button", name="Theme: Dark")).to_be_visible()
    expect(root).to_have_attribute("data-theme", "dark")


def test_who_wants_no_motion_has_none(job: StandIn, open_page: OpenPage) -> None:
    duration = "getComputedStyle(document.querySelector('.meter .bar-fill')).transitionDuration"
    page = open_page(job.url, reduced_motion="reduce")
    assert page.evaluate(duration) == "0s"
    page = open_page(job.url, reduced_motion="no-preference")
    assert page.evaluate(duration) == "0.4s"
