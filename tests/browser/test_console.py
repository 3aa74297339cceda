"""No page that we serve complains in the console of a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tracker_site import StartServer

pytestmark = pytest.mark.browser

SAMPLE = Path(__file__).parents[2] / "strategies"
PAGES = [
    "/",
    "/shop/",
    "/products",
    "/products/loop-watch",
    "/cart",
    "/checkout/basket",
    "/thank-you",
    "/sign-in",
    "/help/delivery",
    "/shop/partner.html",
    "/desk/",
    "/desk/report.html",
    "/preview/",
    "/frontend/resources/invite.html?languageCode=de&theme=night",
    "/frontend/resources/callback.html?languageCode=ar&theme=night",
]
# Not `webhook.html`: without a receiver the server refuses, which a browser counts as an error.
WINDOWS = ["chat.html", "indexGPE.html"]


@pytest.fixture(scope="module")
def server(overture_server: StartServer) -> str:
    return overture_server(SAMPLE)


@pytest.fixture
def complaints(browser_page: Page) -> list[str]:
    found: list[str] = []
    browser_page.on("pageerror", lambda error: found.append(str(error)))
    browser_page.on(
        "console",
        lambda line: found.append(line.text) if line.type in ("error", "warning") else None,
    )
    return found


def test_pages_are_silent(server: str, browser_page: Page, complaints: list[str]) -> None:
    for address in PAGES:
        browser_page.goto(f"{server}{address}")
        browser_page.wait_for_load_state("networkidle" if "preview" in address else "load")
        browser_page.wait_for_timeout(300)
        assert complaints == [], address


def test_windows_of_a_visit_are_silent(
    server: str, browser_page: Page, complaints: list[str]
) -> None:
    page = browser_page
    page.goto(f"{server}/shop/")
    expect(page.locator("#strip-live")).to_have_attribute("data-state", "live")
    visit = page.locator("#strip-visit").get_attribute("title")
    shown = page.locator("#strip-page").get_attribute("title")
    for window in WINDOWS:
        query = f"visitId={visit}&pageId={shown}&languageCode=de&theme=meadow"
        page.goto(f"{server}/frontend/resources/{window}?{query}&gmsScenario=CHAT-NOW")
        page.wait_for_timeout(1_200)
        assert complaints == [], window


def test_content_on_the_page_is_silent(
    server: str, browser_page: Page, complaints: list[str]
) -> None:
    page = browser_page
    page.goto(f"{server}/products/loop-watch")
    page.locator(".add-to-cart").click()
    expect(page.frame_locator("#offer iframe").locator("#dialog")).to_be_visible()
    assert complaints == []
