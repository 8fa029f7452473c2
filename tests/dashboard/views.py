"""What a test sees of the page."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

OpenPage = Callable[..., Page]
NOTHING = "\u2013"  # a dash where nothing is known


def field(page: Page, name: str) -> Any:
    """A large figure's value."""
    return page.locator(f'[data-field="{name}"] dd').first


def reported(page: Page, name: str) -> Any:
    """A figure of the account at the end."""
    return page.locator(f'[data-report="{name}"] dd')


def state(page: Page) -> Any:
    return page.locator("header .state")


def rows(page: Page, caption: str) -> Any:
    return page.get_by_role("table", name=caption, exact=True).locator("tbody tr")


def expect_no_sideways_scroll(page: Page) -> None:
    width, shown = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= shown, f"{width} pixels wide, {shown} are shown"


def expect_accessible(page: Page, axe: str, where: str) -> None:
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    problems = [
        f"{where}: {rule['id']}: {rule['help']}: {node['html'][:200]} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
    assert problems == [], "\n".join(problems)


def wait_for_drawn(page: Page) -> None:
    """Until the charts have had a frame to draw in."""
    page.evaluate("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")


__all__ = [
    "NOTHING",
    "OpenPage",
    "expect",
    "expect_accessible",
    "expect_no_sideways_scroll",
    "field",
    "reported",
    "rows",
    "state",
    "wait_for_drawn",
]
