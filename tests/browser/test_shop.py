"""The demo shop's own channel: a strategy's banner appears above the page, and goes by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from serving import written
from tracker_site import StartServer

pytestmark = [pytest.mark.browser, pytest.mark.timeout(60)]

BOOK = """
channel shop.banner { text: text, seconds: number, links: list of text }

strategy "Hello"
  limit 1 per visit
  on PageEntered
    send shop.banner { text: "<b>Hi</b>", seconds: 2, links: ["/products", "//else.where"] }
"""


def test_a_banner_appears_and_goes(
    overture_server: StartServer, tmp_path: Path, browser_page: Page
) -> None:
    address = overture_server(written(tmp_path, sample=BOOK))
    page = browser_page
    page.goto(f"{address}/shop/")
    banner = page.locator(".banner")
    # Text is shown as it is written, and leads only to pages of the shop itself.
    expect(banner).to_contain_text("<b>Hi</b>")
    expect(banner.get_by_role("link")).to_have_count(1)
    expect(banner.get_by_role("link")).to_have_attribute("href", "/products")
    expect(banner).to_have_count(0, timeout=5_000)
