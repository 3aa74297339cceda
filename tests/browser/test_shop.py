"""The demo shop: its pages, its own channel, and the scenarios that its strip plays."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from accessible import assert_accessible
from playwright.sync_api import Browser, Page, ViewportSize, expect
from serving import written
from tracker_site import Site, StartServer

pytestmark = pytest.mark.browser

SAMPLE = Path(__file__).parents[2] / "strategies"
VIEWPORT: ViewportSize = {"width": 1280, "height": 860}
ADDRESSES = [
    "/shop/",
    "/products",
    "/products/loop-watch",
    "/cart",
    "/checkout/basket",
    "/thank-you",
    "/sign-in",
    "/help/delivery",
    "/shop/partner.html",
]


@pytest.fixture(scope="module")
def shop(overture_server: StartServer) -> str:
    return overture_server(SAMPLE)


SCENARIOS = {
    "content": ("content.html", "A charger for the watch"),
    "partner": ("invitePartner.html", "The partner helps with deliveries"),
    "callback": ("invite.html?type=callback", "A call "),
    "chat": ("invite.html", "Chat about a cart that stands still"),
    "gms": ("inviteGMS.html", "GMS chat for hesitant buyers"),
}
"""What a scenario shows and which strategy it is about, in the order in which they are over."""


@contextlib.contextmanager
def somebody_ready(shop: str) -> Iterator[None]:
    """Somebody is ready for everything, and says so again and again as the desk does."""
    over = threading.Event()

    def stay() -> None:
        while True:
            ready = {"ready": True, "media": ["chat", "callback"]}
            httpx.put(f"{shop}/desk/api/agents/Ana", json=ready, timeout=60).raise_for_status()
            if over.wait(8):
                return

    there = threading.Thread(target=stay)
    there.start()
    try:
        yield
    finally:
        over.set()
        there.join()


@pytest.fixture(scope="module")
def playing(overture_server: StartServer, chromium: Browser) -> Iterator[dict[str, Page]]:
    """Visitors who play a scenario each, begun together: a scenario is mostly hesitation."""
    shop = overture_server(SAMPLE)
    with contextlib.ExitStack() as visitors, somebody_ready(shop):
        pages = {}
        for visitor, scenario in {
            "answering": "partner",
            **{one: one for one in SCENARIOS},
        }.items():
            context = visitors.enter_context(chromium.new_context(viewport=VIEWPORT))
            context.set_default_timeout(30_000)
            pages[visitor] = context.new_page()
            play(pages[visitor], shop, scenario)
        yield pages


def play(page: Page, shop: str, scenario: str) -> None:
    page.goto(f"{shop}/shop/")
    page.get_by_text("Play and explain").click()
    page.locator(f"[data-scenario={scenario}]").click()


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
    # One look, made by the page itself: the banner does not wait for a second one.
    shown = page.wait_for_function(
        """() => {
          const banner = document.querySelector('.banner');
          const links = banner?.querySelectorAll('a') ?? [];
          return banner && [banner.firstChild.data, ...Array.from(links, (a) => a.pathname)];
        }"""
    )
    # Text is shown as it is written, and leads only to pages of the shop itself.
    assert shown.json_value() == ["<b>Hi</b>", "/products"]
    expect(page.locator(".banner")).to_have_count(0)


def test_the_partner_chats_without_us(playing: dict[str, Page]) -> None:
    page = playing["answering"]
    shop = page.url.partition("/help/")[0]
    frame = page.frame_locator("iframe[src*='invitePartner.html']")
    expect(frame.locator("#dialog")).to_be_visible(timeout=60_000)
    with page.context.expect_page() as opened:
        frame.locator("#accept").click()
    chat = opened.value
    expect(chat.locator("#log")).to_contain_text("Hello!")  # its script is there
    chat.get_by_label("Your question").fill("When?")
    chat.keyboard.press("Enter")
    expect(chat.locator("#log")).to_contain_text("arrive tomorrow")
    expect(page.locator("iframe")).to_have_count(0)
    visit = page.locator("#strip-visit").get_attribute("title")
    events = httpx.get(f"{shop}/server/data/visits/{visit}/events").json()
    names = [event["eventName"] for event in events]
    [accepted] = [one for one in events if one["eventName"] == "InvitationAccepted"]
    assert accepted["data"]["medium"] == "third_party"
    assert "InteractionStarted" not in names


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_is_played_and_explained(playing: dict[str, Page], scenario: str) -> None:
    widget, strategy = SCENARIOS[scenario]
    page = playing[scenario]
    frame = page.frame_locator(f"iframe[src*='/frontend/resources/{widget}']")
    expect(frame.locator("#dialog")).to_be_visible(timeout=60_000)
    expect(page.locator("#strip-says")).to_contain_text("played")
    sent = page.locator("#strip-decisions .sent").first
    expect(sent).to_contain_text(strategy)
    expect(sent).to_contain_text("sent its message")


def test_a_new_visitor_is_a_stranger(shop: str, browser_page: Page) -> None:
    page = browser_page
    page.goto(f"{shop}/products/loop-watch")
    page.locator(".add-to-cart").click()
    expect(page.locator("#strip-live")).to_have_attribute("data-state", "live")
    before = page.locator("#strip-visit").get_attribute("title") or ""
    page.get_by_text("Play and explain").click()
    page.get_by_role("button", name="Be a new visitor").click()
    page.wait_for_url("**/shop/")
    expect(page.locator("#cart-count")).to_be_hidden()
    expect(page.locator("#strip-live")).to_have_attribute("data-state", "live")
    expect(page.locator("#strip-visit")).not_to_have_attribute("title", before)


def test_what_is_searched_for_is_found_and_told(shop: str, browser_page: Page) -> None:
    page = browser_page
    page.goto(f"{shop}/products")
    Site(page, shop).is_watching()
    page.get_by_role("searchbox").fill("aurora")
    expect(page.locator(".card")).to_have_count(2)
    for words in ("fax", "telefax"):
        page.get_by_role("searchbox").fill(words)
        page.get_by_role("button", name="Search").click()
        page.wait_for_timeout(300)  # more than one gesture takes
    expect(page.locator(".card")).to_have_count(0)
    expect(page.locator(".banner")).to_contain_text("Not what you looked for?")


def test_a_purchase_by_keyboard_alone(shop: str, browser_page: Page) -> None:
    page = browser_page
    page.goto(f"{shop}/products/drift-earbuds")
    page.locator(".add-to-cart").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".said")).to_contain_text("In your cart")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cart")
    page.get_by_role("link", name="To the checkout").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/checkout/basket")
    page.get_by_label("Name").focus()
    page.keyboard.type("Eva")
    page.keyboard.press("Enter")
    page.wait_for_url("**/thank-you")
    expect(page.locator("main")).to_contain_text("€119")


@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_serious_in_the_shop(shop: str, browser_page: Page, width: int) -> None:
    page = browser_page
    page.set_viewport_size({"width": width, "height": 760})
    page.goto(f"{shop}/products/loop-watch")
    page.locator(".add-to-cart").click()
    for address in ADDRESSES:
        page.goto(f"{shop}{address}")
        if "partner" not in address:
            page.get_by_text("Play and explain").click()
            expect(page.locator("#strip-live")).to_have_attribute("data-state", "live")
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address


LIMITED = """
category Products is url "/products/**"
message Hello is gpe.appendContent { url: "/frontend/resources/invite.html" }

strategy "Once"
  limit 1 per visit
  on PageEntered in Products
    send Hello
"""


@pytest.mark.parametrize("width", [1100, 360])
def test_nothing_that_is_offered_lies_under_the_strip(
    shop: str, browser_page: Page, width: int
) -> None:
    page = browser_page
    page.set_viewport_size({"width": width, "height": 760})
    play(page, shop, "content")
    offer = page.locator("#offer iframe")
    expect(offer).to_be_visible()
    expect(page.frame_locator("#offer iframe").locator("#dialog")).to_be_visible()
    expect(page.locator("#strip-panel")).to_have_attribute("open", "")
    expect(offer).to_be_in_viewport(ratio=0.9)
    for place in ("start", "center", "end"):
        offer.evaluate("(frame, block) => frame.scrollIntoView({block})", place)
        box, strip = offer.bounding_box(), page.locator(".strip").bounding_box()
        assert box
        assert strip
        assert strip["y"] + strip["height"] <= box["y"]


def test_the_strip_says_that_a_limit_stands_in_the_way_and_what_to_do(
    overture_server: StartServer, tmp_path: Path, browser_page: Page
) -> None:
    address = overture_server(written(tmp_path, sample=LIMITED))
    page = browser_page
    page.goto(f"{address}/products/loop-watch")
    frame = page.frame_locator("iframe[src*='invite.html']")
    expect(frame.locator("#dialog")).to_be_visible()
    expect(page.locator("#strip-hint")).to_be_empty()
    frame.locator("#reject").click()
    page.goto(f"{address}/products/aurora-12")
    hint = page.locator("#strip-hint")
    expect(hint).to_contain_text("as often as the book allows")
    expect(hint).to_contain_text("new private window")
    hint.get_by_role("button", name="Be a new visitor").click()
    page.wait_for_url("**/shop/")
    page.goto(f"{address}/products/aurora-12")
    expect(frame.locator("#dialog")).to_be_visible()
    expect(hint).to_be_empty()
