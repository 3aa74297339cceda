"""What a page notices by itself: each capture of a book, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from serving import eventually, written
from tracker_site import STRICT, Site, StartServer

pytestmark = pytest.mark.browser

BOOK = """
event Search "The visitor looked for something"
  words   text   from value of "#search"
  results number from attribute "data-results" of "#results"
  capture on submit of "form.search"
  capture on key "Enter" in "#search"

event Compare "A product was compared"
  product.name  text from text of "h2"
  product.price number from text of ".price"
  capture on click of "a.compare"

event AddToCart "A product was put in the cart"
  productName text from text of "h1"
  cartTotal   number from variable "dataLayer.cart.total"
  tags        list of text from text of ".tag"

event Reviews "The reviews came into view"
  capture on visible ".reviews"

event ReadToTheEnd "Scrolled far"
  capture on scroll to 90%

event Dwelt "Looked at the page for a while"
  capture on timer 2 s while focused

event Leaving "The pointer leaves"
  cartTotal number from variable "dataLayer.cart.total"
  capture on exit intent

event Form "All kinds of fields"
  agreed  boolean from value of "#agreed"
  born    time from value of "#born"
  secret  text from value of "#secret"
  missing text from text of "#nowhere"
  vip     boolean from attribute "data-vip" of "form.kinds"
  capture on submit of "form.kinds"

strategy "Quiet"
  on Compare
    when event.product.price > 1000000
    send gpe.appendContent { url: "/frontend/resources/invite.html" }
"""
MARKUP = """
<h1>The <b>page</b></h1><span class='tag'>a</span><span class='tag'> b </span>
<form class='search' action='/site/b'><input id='search'>
<i id='results' data-results='12'></i></form>
<div class='card'><h2>First</h2><b class='price'>9</b></div>
<div class='card'><h2> The
  second</h2><b class='price'>1.299,00 &euro;</b>
<p><a class='compare' href='#x'><i>Compare</i></a></p></div>
<form class='kinds' data-vip><input type='checkbox' id='agreed' checked>
<input type='date' id='born' value='2001-02-03'>
<input type='password' id='secret' value='x'>
<button>Send</button></form>
<div style='height: 3000px'></div><div class='reviews'>Reviews</div>
"""


@pytest.fixture(scope="module")
def server(overture_server: StartServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    return overture_server(written(tmp_path_factory.mktemp("book"), sample=BOOK))


@pytest.fixture
def site(browser_page: Page, server: str) -> Iterator[Site]:
    site = Site(browser_page, server)
    site.markup = MARKUP
    site.policy = f"{STRICT}; style-src 'unsafe-inline'"
    yield site
    assert site.errors == []
    assert [line for line in site.said if line.startswith("error")] == []


def watching(site: Site, script: str = "var _gt = [];") -> Site:
    """Open the page, and wait until it has its captures."""
    site.open(script=script).is_watching()
    return site


def captured(site: Site, name: str) -> Any:
    [event] = site.has(name)
    assert event["eventType"] == "BUSINESS"
    return event["data"]


def none_of(site: Site, *names: str) -> None:
    """After everything that was on its way, the server has no such event."""
    site.push("event", "Mark")
    site.has("Mark")
    found = [event for event in site.history() if event["eventName"] in names]
    assert found == []


def test_a_click_inside_an_element_takes_the_fields_nearest_to_it(site: Site) -> None:
    watching(site)
    site.page.evaluate("document.documentElement.lang = 'de'")
    site.page.click("a.compare i")
    assert captured(site, "Compare") == {"product": {"name": "The second", "price": 1299}}


def test_a_handler_that_stops_the_click_and_an_element_that_is_new_make_no_difference(
    site: Site,
) -> None:
    watching(site)
    site.page.evaluate("""() => {
        addEventListener('click', (event) => { event.stopImmediatePropagation(); }, true);
        const link = document.createElement('a');
        link.className = 'compare';
        link.textContent = 'new';
        document.querySelector('.card').append(link);
    }""")
    site.page.click("text=new")
    assert captured(site, "Compare") == {"product": {"name": "First", "price": 9}}


def test_enter_and_the_submit_that_it_causes_are_one_event_and_survive_the_page(
    site: Site,
) -> None:
    watching(site)
    visit = site.ids["visitID"]
    site.page.fill("#search", "red shoes")
    site.page.press("#search", "Enter")
    site.page.wait_for_url("**/site/b*")
    eventually(lambda: [e for e in site.history(visit) if e["eventName"] == "PageExited"])
    assert captured(site, "Search") == {"words": "red shoes", "results": 12}


def test_another_key_or_another_field_is_not_captured(site: Site) -> None:
    watching(site)
    site.page.evaluate("addEventListener('submit', (event) => event.preventDefault())")
    site.page.press("#search", "a")
    site.page.press("#agreed", "Enter")
    none_of(site, "Search")


def test_an_element_that_comes_into_view_is_seen_once_a_page(site: Site) -> None:
    watching(site)
    none_of(site, "Reviews")
    for _ in range(2):
        site.page.locator(".reviews").scroll_into_view_if_needed()
        site.has("Reviews")
        site.page.evaluate("scrollTo(0, 0)")
        site.page.evaluate("new Promise(requestAnimationFrame)")
    site.page.evaluate("""() => {
        history.pushState({}, '', '/site/next');
        const late = document.createElement('div');
        late.className = 'reviews';
        late.textContent = 'late';
        document.body.prepend(late);
    }""")
    site.has("Reviews", 2)


def test_scrolling_far_is_sent_once_a_page(site: Site) -> None:
    watching(site)
    none_of(site, "ReadToTheEnd")
    for _ in range(2):
        site.page.evaluate("scrollTo(0, document.body.scrollHeight)")
        site.has("ReadToTheEnd")
        site.page.evaluate("scrollTo(0, 100)")
        site.page.evaluate("new Promise(requestAnimationFrame)")


def test_only_time_with_the_focus_counts_and_the_exit_says_how_long(site: Site) -> None:
    site.script = """
    var _gt = [];
    window.looking = false;
    document.hasFocus = () => window.looking;
    """
    watching(site, site.script)
    site.page.wait_for_timeout(2500)
    none_of(site, "Dwelt")
    visit = site.ids["visitID"]
    look = (
        "(now) => { const from = Date.now(); window.looking = now;"
        " dispatchEvent(new Event('focus')); return [from, Date.now()]; }"
    )
    began, _ = site.page.evaluate(look, True)
    [dwelt] = site.has("Dwelt")
    assert dwelt["timestamp"] - began >= 1990
    _, ended = site.page.evaluate(look, False)
    site.page.wait_for_timeout(500)
    site.page.goto("about:blank")
    eventually(lambda: [e for e in site.history(visit) if e["eventName"] == "PageExited"])
    [exited] = [e for e in site.history(visit) if e["eventName"] == "PageExited"]
    assert 1990 <= exited["data"]["attention"] <= ended - began + 10


def test_the_pointer_that_leaves_for_the_tabs_is_an_exit_intent(site: Site) -> None:
    watching(site, "var dataLayer = {cart: {total: '1,249.5'}}, _gt = [];")
    site.page.mouse.move(300, 5)
    site.page.evaluate("""() => {
        const out = (y) => document.body.dispatchEvent(
            new MouseEvent('mouseout', {bubbles: true, clientY: y}));
        out(400); out(-3);
    }""")
    assert captured(site, "Leaving") == {"cartTotal": 1249.5}


def test_fields_are_converted_or_left_out_and_passwords_are_never_read(site: Site) -> None:
    watching(site)
    site.page.evaluate("addEventListener('submit', (event) => event.preventDefault())")
    site.page.click("form.kinds button")
    assert captured(site, "Form") == {"agreed": True, "born": 981158400000, "vip": True}


def test_what_the_sites_own_event_leaves_out_is_filled(site: Site) -> None:
    watching(
        site,
        """
        var dataLayer = {cart: {total: 180}};
        var _gt = [['event', 'AddToCart', {data: {productName: 'Mine', cartTotal: 0}}]];
        document.addEventListener('DOMContentLoaded', () => _gt.push(['event', 'AddToCart']));
        """,
    )
    events = [event["data"] for event in site.has("AddToCart", 2)]
    assert events == [
        {"productName": "Mine", "cartTotal": 0, "tags": ["a", "b"]},
        {"productName": "The page", "cartTotal": 180, "tags": ["a", "b"]},
    ]


@pytest.mark.parametrize(
    ("language", "text", "value"),
    [
        ("en", "$1,299", 1299),
        ("en", "1.299", 1.299),
        ("de", "ab 1.299 EUR", 1299),
        ("fr", "1\u202f299,50 \u20ac", 1299.5),
        ("en", "0.125", 0.125),
        ("de", "0.125", 0.125),
        ("de-CH", "1'299.00", 1299),
        ("en", "minus \u221212 \u00b0", -12),
        ("en", "1,234,567", 1234567),
        ("en", "3 for 20", 3),
        ("en", "sold out", None),
    ],
)
def test_numbers_are_read_as_people_write_them(
    site: Site, language: str, text: str, value: float | None
) -> None:
    watching(site)
    site.page.evaluate(
        """([language, text]) => {
            document.documentElement.lang = language;
            document.querySelector('.price').textContent = text;
            const link = document.createElement('a');
            link.className = 'compare';
            document.querySelector('.card').append(link);
            link.click();
        }""",
        [language, text],
    )
    assert captured(site, "Compare")["product"].get("price") == value


def test_a_book_without_captures_costs_its_pages_no_code(
    overture_server: StartServer, browser_page: Page, tmp_path: Path
) -> None:
    book = 'event Order "An order"\n  total number\n'
    site = Site(browser_page, overture_server(written(tmp_path, sample=book)))
    loaded: list[str] = []
    browser_page.on("request", lambda request: loaded.append(request.url))
    site.open().is_live()
    assert not [url for url in loaded if url.endswith("captures.js")]
