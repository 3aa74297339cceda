"""The web developer's page: what it tells a site to do, done as it is written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from serving import eventually, written
from tracker_site import Site, StartServer

pytestmark = pytest.mark.browser

GUIDE = (Path(__file__).parents[2] / "widgets" / "README.md").read_text("utf-8")
SERVER = "https://overture.example.com"
ELSEWHERE = "http://localhost:8"
BOOK = """
event AddToCart "A product was put in the cart"
  productName text
  price number
  cartTotal number

strategy "Greeting"
  limit 1 per visit
  on AddToCart
    send gpe.appendContent { url: "/frontend/resources/invite.html" }
"""


def examples(heading: str) -> list[str]:
    """The fenced examples below a heading, up to the next of the same level."""
    _, _, rest = GUIDE.partition(f"\n## {heading}\n")
    assert rest, f"The guide has no heading '{heading}'."
    section = rest.partition("\n## ")[0]
    return re.findall(r"```\w*\n(.*?)```", section, re.DOTALL)


@pytest.fixture(scope="module")
def server(overture_server: StartServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    book = written(tmp_path_factory.mktemp("book"), sample=BOOK)
    return overture_server(book, OVERTURE_ORIGINS=ELSEWHERE)


@pytest.fixture
def site(browser_page: Page, server: str) -> Site:
    return Site(browser_page, server)


@pytest.mark.parametrize("folder", ["server", "frontend"])
@pytest.mark.parametrize("name", ["GPE", "GTC"])
def test_one_line_installs_the_tracker(site: Site, folder: str, name: str) -> None:
    [line] = examples("Install the tracker")
    line = line.replace(SERVER, site.server).replace("/server/", f"/{folder}/")
    line = line.replace("GPE", name)

    def answer(route: Route) -> None:
        route.fulfill(content_type="text/html", body=f"<!doctype html><title>Mine</title>{line}")

    site.page.route(f"{site.origin}/site/alone", answer)
    site.open("/site/alone").is_live()
    [entered] = site.has("PageEntered")
    assert entered["title"] == "Mine"
    assert site.errors == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_everything_that_can_be_said_works_as_written(site: Site, when: str) -> None:
    [script] = examples("Talk to it")
    if when == "before":
        site.open(script=script)
    else:
        site.open(script="").is_live()
        site.page.add_script_tag(content=script)
    site.is_live()
    site.has("SignOut")
    carts = [event["data"] for event in site.has("AddToCart", 2)]
    assert carts == [
        {"productName": "Aurora 12", "price": 749, "cartTotal": 749},
        {"productName": "Aurora 12", "price": 749},
    ]
    assert site.has("SignIn")[0]["data"] == {"userId": "eva@example.com"}
    assert site.has("UserInfo")[0]["data"] == {"userId": "eva@example.com", "vip": True}
    site.notify({"channel": "shop.banner", "data": {"text": "ten percent"}})
    site.page.wait_for_function("document.title === 'ten percent'")
    eventually(lambda: site._pump() or any(site.ids["visitID"] in line for line in site.said))
    assert any(line.endswith(": live") for line in site.said)
    assert [line for line in site.said if "[overture]" in line] == []
    assert site.errors == []


def test_its_policy_is_enough_and_no_looser_than_it_says(server: str, browser_page: Page) -> None:
    site = Site(browser_page, server, ELSEWHERE)
    policy = " ".join(examples("Content security policy")[0].split())
    policy = policy.replace("wss://overture.example.com", server.replace("http", "ws"))
    policy = policy.replace(SERVER, server).replace("script-src", "script-src 'self'")
    site.policy = f"default-src 'none'; {policy}; require-trusted-types-for 'script'"
    site.open(script="var _gt = [['event', 'AddToCart', {data: {price: 1}}]];").is_live()
    expect(browser_page.frame_locator("iframe").get_by_role("dialog")).to_be_visible()
    site.has("InvitationShown")
    assert [line for line in site.said if line.startswith("error")] == []


def test_the_browser_stores_what_the_page_says(site: Site) -> None:
    table = GUIDE.partition("## What is stored in the browser")[2].partition("\n## ")[0]
    said = set(re.findall(r"^\|[^|]*\| `([\w.]+)` \|", table, re.MULTILINE))
    site.open(script="var _gt = [['event', 'AddToCart']];").is_live()
    expect(site.page.locator("iframe")).to_have_count(1)
    site.has("InvitationShown")
    kept = {cookie["name"] for cookie in site.page.context.cookies()}
    kept |= set(site.page.evaluate("Object.keys(sessionStorage)"))
    kept |= set(site.page.evaluate("Object.keys(localStorage)"))
    # The one is there while something is on its way, the other with a medium inside the page.
    assert kept == said - {"overture.pending", "overture.media"}
    assert all(cookie["httpOnly"] for cookie in site.page.context.cookies())
    # What is not proved to have arrived when a page goes.
    site.page.evaluate("_gt.push(['event', 'Last']); dispatchEvent(new Event('pagehide'))")
    assert set(site.page.evaluate("Object.keys(sessionStorage)")) <= said
    assert site.page.evaluate("'overture.pending' in sessionStorage")


def test_a_page_without_our_script_speaks_to_the_tracker(site: Site) -> None:
    [line] = examples("An invitation of your own")

    def answer(route: Route) -> None:
        body = "<!doctype html><button>Mine</button><script src='mine.js'></script>"
        route.fulfill(content_type="text/html", body=body)

    site.open().is_live()
    site.page.route("**/mine.html?*", answer)
    site.page.route(
        "**/mine.js", lambda route: route.fulfill(content_type="text/javascript", body=line)
    )
    data = {"url": f"{site.server}/mine.html"}
    site.notify({"channel": "gpe.appendContent", "data": data, "page": site.ids["pageID"]})
    site.page.frame_locator("iframe").get_by_text("Mine").wait_for()
    site.has("InvitationShown")


def test_a_browser_without_storage_still_tells(chromium: Browser, server: str) -> None:
    context = chromium.new_context()
    context.set_default_timeout(30_000)
    page = context.new_page()
    refuse = "Object.defineProperty(window, 'sessionStorage', {get() { throw new Error('no'); }});"
    site = Site(page, server).open(script=refuse + "var _gt = [['event', 'Here']];")
    site.has("Here")
    assert site.is_live()
    assert site.errors == []
    context.close()
