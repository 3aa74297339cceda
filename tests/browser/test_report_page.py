"""The report's page shows the figures, asks for the token, saves CSV, and fits a narrow screen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from serving import Serving, new_id, written

TOKEN = "a-token-of-more-than-16-letters"
BOOK = """
message Hello is gpe.appendContent { url: "/frontend/resources/inviteGMS.html" }

strategy "A name that is as long as an analyst may think of on a Friday afternoon"
  on PageEntered
    when pacing("chat") > 0 or event.title = "Home"
    send Hello

strategy "<b>Second</b>"
  on PageEntered
    when event.title = "Other"
    send Hello
"""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("report")
    with Serving(
        written(folder / "book", one=BOOK), folder / "data", OVERTURE_API_TOKEN=TOKEN
    ) as found:
        for title in ("Home", "Home", "Home", "Other"):
            visit = found.visit()["visitID"]
            page = {"visitID": visit, "pageID": new_id()}
            events = [{**page, "eventName": "PageEntered", "title": title}]
            data = {"id": f"{visit}/A name that is as long as an analyst may think of on a Friday"}
            data["id"] += " afternoon/1"
            events.append({**page, "eventName": "InvitationAccepted", "data": data})
            assert found.post("/server/data/events", json=events).status_code == 200
        yield found


@pytest.fixture
def opened(report_server: Serving, browser_page: Page) -> Page:
    browser_page.goto(f"{report_server.address}/desk/report.html")
    browser_page.get_by_label("Access token", exact=True).fill(TOKEN)
    browser_page.keyboard.press("Enter")
    return browser_page


def _photograph(page: Page, name: str) -> None:
    if folder := os.environ.get("OVERTURE_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def _fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_figures_and_csv(opened: Page) -> None:
    figures = opened.get_by_role("region", name="Figures")
    expect(figures.get_by_role("row", name="All 8 4 4 3 3 0 0 0 0 0")).to_be_visible()
    expect(figures.get_by_role("rowheader", name="<b>Second</b>")).to_be_visible()
    refusals = opened.get_by_role("region", name="Refusals by reason")
    expect(refusals.get_by_role("columnheader", name="its conditions did not hold")).to_be_visible()
    _photograph(opened, "report")
    # By keyboard alone: rows by medium and arm as well.
    opened.get_by_label("Strategy").focus()
    opened.keyboard.press("Space")
    opened.get_by_label("Audience arm").focus()
    opened.keyboard.press("Space")
    opened.keyboard.press("Enter")
    expect(figures.get_by_role("row", name="Everyone 8 4 4 3 3 0 0 0 0 0")).to_be_visible()
    with opened.expect_download() as saved:
        opened.get_by_role("button", name="Funnel as CSV").click()
    assert saved.value.suggested_filename == "funnel.csv"
    assert Path(saved.value.path()).read_text().splitlines()[1].startswith("everyone,8,4,4,3,3,")


def test_a_time_without_anything_and_a_wrong_one(opened: Page) -> None:
    expect(opened.get_by_role("region", name="Figures")).to_be_visible()
    opened.get_by_label("From").fill("2020-01-01")
    opened.get_by_label("To", exact=True).fill("2020-01-02")
    opened.get_by_role("button", name="Show").click()
    expect(opened.get_by_text("Nothing in this time.")).to_have_count(3)
    opened.get_by_label("From").fill("2020-01-03")
    opened.get_by_role("button", name="Show").click()
    expect(opened.get_by_role("alert")).to_contain_text("turn them round")


def test_a_narrow_page(opened: Page) -> None:
    opened.set_viewport_size({"width": 360, "height": 640})
    expect(opened.get_by_role("region", name="Figures")).to_be_visible()
    _photograph(opened, "report-narrow")
    assert _fits(opened)
