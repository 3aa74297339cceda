"""The tracker, the invitation and the shop in a real browser, against the real server."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, WebSocketRoute, expect
from serving import eventually, written
from tracker_site import STRICT, Site, StartServer, Wire

pytestmark = pytest.mark.browser

BOOK = """
event AddToCart "A product was put in the cart"
  productName text
  price number
  cartTotal number

message Hello is gpe.appendContent { url: "/frontend/resources/inviteGMS.html" }

strategy "Greeting"
  on AddToCart
    send Hello
"""
INVITATION = {
    "channel": "gpe.appendContent",
    "data": {"url": "/frontend/resources/inviteGMS.html"},
}
ID = re.compile(r"[0-9A-F]{32}")

OpenSite = Callable[..., Site]


@pytest.fixture(scope="module")
def server(overture_server: StartServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    return overture_server(written(tmp_path_factory.mktemp("book"), sample=BOOK))


@pytest.fixture
def site(browser_page: Page, server: str) -> Site:
    return Site(browser_page, server)


def names(events: list[dict[str, Any]]) -> list[str]:
    return [event["eventName"] for event in events]


def photograph(page: Page, name: str) -> None:
    """Keep a picture where the environment asks for one, to be looked at by people."""
    if folder := os.environ.get("OVERTURE_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


# ---------------------------------------------------------------- events


def test_what_is_pushed_before_the_tracker_loads_arrives_in_order(site: Site) -> None:
    site.open(
        script="""
        var _gt = window._gt || [];
        _gt.push(['event', {eventName: 'AddToCart', productName: 'A', price: 180,
                            tags: ['x', {y: 1}]}]);
        _gt.push(['event', 'AddToCart', {data: {productName: 'B', price: 2}}]);
        _gt.push(['sendSignIn', {userId: 'eva'}]);
        _gt.push(['event', 'UserInfo', {data: {vip: true}}]);
        _gt.push(['event', 'sendSignOut', {userId: 'eva'}]);
        _gt.push(['config', {languageCode: 'es-ES'}]);
        """
    )
    site.has("SignOut")
    events = site.history()[:7]  # then comes the invitation
    assert names(events) == [
        "VisitStarted", "PageEntered", "AddToCart", "AddToCart", "SignIn", "UserInfo", "SignOut",
    ]  # fmt: skip
    assert [event["data"] for event in events[2:]] == [
        {"productName": "A", "price": 180, "tags": ["x", {"y": 1}]},
        {"productName": "B", "price": 2},
        {"userId": "eva"},
        {"vip": True},
        {"userId": "eva"},
    ]
    system = [event["eventType"] for event in events]
    assert system == ["SYSTEM", "SYSTEM", "BUSINESS", "BUSINESS", "SYSTEM", "SYSTEM", "SYSTEM"]
    assert set(events[0]["data"]) == {"timezoneOffset", "referrer", "userAgent"}
    assert events[1]["title"] == "Site"
    assert len({event["eventID"] for event in events}) == len(events)


def test_ids_are_told_and_the_next_page_is_another_page_of_the_same_visit(site: Site) -> None:
    first = site.open("/site/a").ids
    site.has("PageEntered")
    site.page.click("a")
    site.page.wait_for_url("**/site/b")
    second = site.ids
    assert set(first) == {"visitID", "pageID", "globalVisitID"}
    assert all(ID.fullmatch(one) for one in first.values())
    assert first["visitID"] == second["visitID"]
    assert first["pageID"] != second["pageID"]
    site.has("PageEntered", 2)
    assert names(site.history()) == ["VisitStarted", "PageEntered", "PageExited", "PageEntered"]
    assert site.history()[3]["data"]["referrer"].endswith("/site/a")


def test_nothing_that_a_site_pushes_breaks_its_page(site: Site) -> None:
    site.open(
        script="""
        var _gt = [() => { throw new Error('mine'); }, ['nonsense'], null, 7, ['event'], ['getIDs'],
            ['on', 'gpe.appendContent', () => {}], (queue) => { window.called = queue === _gt; }];
        const circle = {}; circle.circle = circle;
        _gt.push(['event', 'Circle', {data: circle}]);
        _gt.push(['event', 'AfterAll']);
        """
    )
    site.has("AfterAll")
    site.page.evaluate("_gt.push(() => { throw new Error('later'); }, ['event', 'Later'])")
    site.has("Later")
    assert site.page.evaluate("window.called") is True
    assert site.errors == []
    assert any("mine" in line for line in site.said)


def test_a_route_of_an_application_is_a_page_of_its_own(site: Site) -> None:
    first = site.open().ids["pageID"]
    site.page.evaluate("history.pushState({}, '', '/site/cart'); document.title = 'Cart'")
    second = site.ids["pageID"]
    site.page.evaluate("history.replaceState({note: 1}, '', '/site/cart?tab=2')")
    site.page.evaluate("location.hash = 'reviews'")
    assert site.ids["pageID"] == second != first
    site.page.evaluate("location.hash = '#/list'")
    site.page.wait_for_function("location.hash === '#/list'")
    site.has("PageEntered", 3)
    site.page.go_back()
    site.has("PageEntered", 4)
    events = [event for event in site.history() if event["eventName"] != "VisitStarted"]
    assert names(events) == ["PageEntered", "PageExited"] * 3 + ["PageEntered"]
    entered = events[2]
    assert (entered["title"], entered["browserPageID"]) == ("Cart", second)
    assert entered["data"]["referrer"].endswith("/site/a")
    assert [event["browserPageID"] for event in events[:3]] == [first, first, second]


def test_a_route_that_is_left_at_once_has_its_own_title(site: Site) -> None:
    site.open()
    site.page.evaluate("""async () => {
        for (const name of ['red', 'blue']) {
            history.pushState({}, '', '/site/' + name);
            document.title = name;
            await null;
        }
    }""")
    site.has("PageEntered", 3)
    entered = [event for event in site.history() if event["eventName"] == "PageEntered"]
    assert [event["title"] for event in entered[1:]] == ["red", "blue"]


def test_events_wait_for_a_server_that_is_away_and_arrive_once_in_order(site: Site) -> None:
    # First nobody answers; then the server has them, but its answer is lost.
    site.open(
        script="""
        const real = window.fetch;
        let attempts = 0;
        window.fetch = async (address, how) => {
            if (!String(address).endsWith('/events')) return real(address, how);
            attempts += 1;
            if (attempts === 1) throw new TypeError('nobody answers');
            const answer = await real(address, how);
            if (attempts === 2) throw new TypeError('the answer is lost');
            return answer;
        };
        var _gt = [['event', 'One'], ['event', 'Two']];
        """
    )
    site.page.wait_for_function("attempts >= 3")
    site.push("event", "Three")
    site.has("Three")
    assert names(site.history()) == ["VisitStarted", "PageEntered", "One", "Two", "Three"]


def test_one_event_that_is_refused_does_not_hold_up_the_others(site: Site) -> None:
    site.open(
        script="""
        let deep = {}; for (let i = 0; i < 40; i++) deep = {deep};
        var _gt = [['event', 'Before'], ['event', 'TooDeep', {data: deep}], ['event', 'After']];
        """
    )
    site.has("After")
    assert names(site.history()) == ["VisitStarted", "PageEntered", "Before", "After"]
    site.warned("refused the event TooDeep")


def test_what_is_said_while_the_page_goes_away_still_arrives(site: Site) -> None:
    visit = site.open().ids["visitID"]
    site.has("PageEntered")
    site.page.evaluate(
        "_gt.push(['event', 'Order', {data: {total: 9}}]); location.href = 'about:blank'"
    )
    site.page.wait_for_url("about:blank")
    eventually(lambda: "PageExited" in names(site.history(visit)))
    assert names(site.history(visit))[-2:] == ["Order", "PageExited"]


def test_a_page_that_comes_back_from_the_cache_is_a_new_page_and_live(site: Site) -> None:
    site.open("/site/a").is_live()
    first = site.ids["pageID"]
    site.page.evaluate("window.kept = true")
    site.page.click("a")
    site.page.wait_for_url("**/site/b")
    site.is_live()
    site.page.evaluate("history.back()")
    site.page.wait_for_url("**/site/a", wait_until="commit")
    assert site.page.evaluate("window.kept"), "the browser did not keep the page"
    assert site.ids["pageID"] != first
    assert site.is_live() == "websocket"
    site.notify({**INVITATION, "page": site.ids["pageID"]})
    expect(site.page.locator("iframe")).to_have_count(1)
    site.has("PageEntered", 3)


def test_it_works_on_another_origin_that_is_allowed(
    overture_server: StartServer, browser_page: Page, tmp_path: Path
) -> None:
    origin = "http://localhost:8"
    book = written(tmp_path / "book", sample=BOOK)
    site = Site(browser_page, overture_server(book, OVERTURE_ORIGINS=origin), origin)
    site.policy = f"default-src 'none'; script-src 'self' {site.server}; frame-src {site.server}; "
    site.policy += f"connect-src {site.server} {site.server.replace('http', 'ws')}"
    site.open(script="var _gt = [];").is_live()
    site.push("event", "AddToCart", {"data": {"price": 1}})
    frame = browser_page.frame_locator("iframe")
    assert browser_page.locator("iframe").get_attribute("sandbox") == (
        "allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox allow-forms"
    )
    frame.locator("#reject").click()
    site.has("InvitationRejected")
    assert not [line for line in site.said if line.startswith("error")]


# ---------------------------------------------------------------- notifications


def test_a_site_that_the_server_was_not_told_of_reads_what_to_do(
    overture_server: StartServer, browser_page: Page, tmp_path: Path
) -> None:
    origin = "http://localhost:8"
    book = written(tmp_path / "book", sample=BOOK)
    site = Site(browser_page, overture_server(book), origin)
    site.open()
    site.warned(f"overture serve --origins {origin}")


def test_content_appears_once_even_when_it_is_delivered_again(site: Site) -> None:
    wire = Wire(site.page)
    wire.forgetful = True
    site.open(script="var _gt = [];").is_live()
    site.push("event", "AddToCart", {"data": {"price": 180}})
    expect(site.page.locator("iframe")).to_have_count(1)
    wire.cut()
    eventually(lambda: site._pump() or wire.notifications() == 2)
    site.is_live()
    site.page.wait_for_timeout(300)
    expect(site.page.locator("iframe")).to_have_count(1)
    site.has("InvitationShown")

    frame = site.page.locator("iframe")
    source = frame.get_attribute("src") or ""
    assert source.startswith(f"{site.server}/frontend/resources/inviteGMS.html?")
    ids = site.ids
    assert f"visitId={ids['visitID']}&pageId={ids['pageID']}" in source
    assert f"invitation={ids['visitID']}%2FGreeting%2F1" in source
    # Of the page's own origin, it could take a sandbox off, and the browser would warn of that.
    assert frame.get_attribute("sandbox") is None


def test_what_is_sent_while_the_connection_is_cut_is_shown_after_it(site: Site) -> None:
    wire = Wire(site.page)
    site.open().is_live()
    ids = site.ids
    wire.cut()
    site.notify({**INVITATION, "page": ids["pageID"]})
    expect(site.page.locator("iframe")).to_have_count(1)


def test_content_of_a_foreign_origin_is_refused(site: Site) -> None:
    site.open().is_live()
    for url in ("https://evil.example/x.html", "//evil.example/x", "javascript:alert(1)"):
        site.notify({"channel": "gpe.appendContent", "data": {"url": url}})
        site.warned("its origin is not allowed")
        site.said.clear()
    site.notify({"channel": "gpe.appendContent", "data": {"url": "/x", "method": "POST"}})
    site.warned("the only method is GET")
    site.notify({"channel": "gpe.unheardOf", "data": {}})
    site.warned("Unknown channel gpe.unheardOf")
    expect(site.page.locator("iframe")).to_have_count(0)


def test_content_goes_into_the_container_and_leaves_with_its_page(site: Site) -> None:
    site.markup = "<div id='here'></div>"
    site.open().is_live()
    data = {**INVITATION["data"], "container": "#here"}
    site.notify({"channel": "gpe.appendContent", "data": data, "page": site.ids["pageID"]})
    expect(site.page.locator("#here > iframe")).to_have_count(1)
    site.page.evaluate("history.pushState({}, '', '/site/next')")
    expect(site.page.locator("iframe")).to_have_count(0)


def test_a_notification_for_another_page_is_not_shown_here(site: Site) -> None:
    wire = Wire(site.page)
    first = site.open().ids["pageID"]
    site.is_live()
    site.page.evaluate("history.pushState({}, '', '/site/next')")
    site.is_live()
    # The server sends a page only what is its own, so the page is given it by hand.
    second = site.ids["pageID"]
    wire.say({**INVITATION, "page": first}, second)
    wire.say({"channel": "site.mark", "data": {}}, second)
    site.page.evaluate("new Promise((tell) => { _gt.push(['on', 'site.mark', tell]); })")
    expect(site.page.locator("iframe")).to_have_count(0)


def test_a_site_has_channels_of_its_own_even_when_it_registers_late(site: Site) -> None:
    site.open().is_live()
    site.notify({"channel": "shop.banner", "data": {"text": "ten percent"}})
    site.page.wait_for_timeout(300)
    found = site.page.evaluate(
        "new Promise((tell) => { _gt.push(['on', 'shop.banner', (data) => tell(data)]); })"
    )
    assert found == {"text": "ten percent"}


def test_without_websockets_the_stream_takes_over(site: Site) -> None:
    refused: list[WebSocketRoute] = []

    def refuse(socket: WebSocketRoute) -> None:
        refused.append(socket)
        socket.close(code=1011)

    site.page.route_web_socket("**/server/push/ws", refuse)
    assert site.open().is_live() == "sse"
    assert refused
    site.notify({**INVITATION, "page": site.ids["pageID"]})
    expect(site.page.locator("iframe")).to_have_count(1)
    site.has("InvitationShown")


def test_websockets_can_be_switched_off(site: Site) -> None:
    wire = Wire(site.page)
    script = "var _gt = [['config', {disableWebSockets: true}]];"
    assert site.open(script=script).is_live() == "sse"
    assert wire.sockets == []


def test_a_strict_policy_is_kept(site: Site) -> None:
    site.policy = STRICT
    site.open(script="var _gt = [];").is_live()
    site.push("event", "AddToCart", {"data": {"price": 1}})
    site.page.frame_locator("iframe").get_by_role("dialog").wait_for()
    complaints = [line for line in site.said if "Policy" in line or "Trusted" in line]
    assert complaints == []
    assert site.errors == []


# ---------------------------------------------------------------- the invitation


def invited(site: Site, query: str = "") -> Any:
    site.open().is_live()
    url = INVITATION["data"]["url"] + query  # type: ignore[index]
    site.notify({"channel": "gpe.appendContent", "data": {"url": url}, "page": site.ids["pageID"]})
    frame = site.page.frame_locator("iframe")
    frame.get_by_role("dialog", name=re.compile("help|call")).wait_for()
    site.has("InvitationShown")
    return frame


def test_accepting_opens_the_widget_and_reports(site: Site) -> None:
    frame = invited(site)
    ids = site.ids
    with site.page.context.expect_page() as opened:
        frame.get_by_role("button", name="Start chat").click()
    address = opened.value.url
    assert address.startswith(f"{site.server}/frontend/resources/indexGPE.html?")
    assert "gmsScenario=CHAT-NOW" in address
    assert f"visitId={ids['visitID']}&pageId={ids['pageID']}" in address
    [accepted] = site.has("InvitationAccepted")
    assert accepted["data"]["medium"] == "chat"
    assert accepted["data"]["id"] in address.replace("%2F", "/")
    expect(site.page.locator("iframe")).to_have_count(0)
    assert "InvitationRejected" not in names(site.history())


def test_a_blocked_window_becomes_a_frame_in_the_page(site: Site) -> None:
    frame = invited(site)
    frame.locator("body").evaluate("() => { window.open = () => null; }")
    frame.get_by_role("button", name="Start chat").click()
    inside = site.page.locator("iframe[src*='indexGPE.html']")
    expect(inside).to_be_visible()
    assert "gmsScenario=CHAT-NOW" in (inside.get_attribute("src") or "")
    site.has("InvitationAccepted")
    photograph(site.page, "embedded-chat")
    site.page.evaluate("history.pushState({}, '', '/site/next')")
    expect(inside).to_be_visible()
    site.page.get_by_role("button", name="Close Chat").click()
    expect(inside).to_have_count(0)


def test_escape_declines(site: Site) -> None:
    invited(site)
    site.page.keyboard.press("Escape")
    site.has("InvitationRejected")
    expect(site.page.locator("iframe")).to_have_count(0)


def test_an_invitation_does_not_take_the_keyboard_from_a_visitor_who_writes(site: Site) -> None:
    site.markup = "<input id='name' autofocus>"
    site.open().is_live()
    site.page.focus("#name")
    site.notify({**INVITATION, "page": site.ids["pageID"]})
    site.has("InvitationShown")
    site.page.keyboard.type("Eva")
    assert site.page.input_value("#name") == "Eva"


def test_without_an_answer_it_goes_by_itself(site: Site) -> None:
    invited(site, "?timeout=5")
    site.has("InvitationTimedOut")
    expect(site.page.locator("iframe")).to_have_count(0)
    assert not {"InvitationRejected", "InvitationAccepted"} & set(names(site.history()))


def test_only_the_frame_itself_can_answer(site: Site) -> None:
    invited(site)
    site.page.evaluate("postMessage({overture: 'frame', type: 'accepted'}, '*')")
    site.page.wait_for_timeout(300)
    assert "InvitationAccepted" not in names(site.history())


def test_the_invitation_fits_a_small_screen(site: Site) -> None:
    site.page.set_viewport_size({"width": 360, "height": 640})
    frame = invited(site)
    # It arrives from below, a little smaller: sizes count once it has arrived.
    frame.locator(".gpe-dialog").evaluate(
        "dialog => Promise.all(dialog.getAnimations().map(one => one.finished)).then(() => true)"
    )
    box = site.page.locator("iframe").bounding_box()
    assert box is not None
    assert box["width"] == 360
    assert box["y"] > 250
    for button in ("#accept", "#reject", "#close"):
        size = frame.locator(button).bounding_box()
        assert size is not None
        assert size["height"] >= 44
        assert 0 <= size["x"] <= size["x"] + size["width"] <= 360
    photograph(site.page, "invitation-360")


# ---------------------------------------------------------------- the shop


def test_the_shop_tells_what_happens_in_it(browser_context: BrowserContext, server: str) -> None:
    page = browser_context.new_page()
    site = Site(page, server)
    page.goto(f"{server}/shop/")
    page.get_by_role("link", name="See the Aurora 12").click()
    page.get_by_role("button", name="Add to cart").click()
    [added] = site.has("AddToCart")
    assert added["data"] == {"productName": "Aurora 12 Phone", "price": 749, "cartTotal": 749}
    assert added["url"].endswith("/products/aurora-12")
    assert added["title"].startswith("Aurora 12 Phone")
    expect(page.locator("#strip-live")).to_contain_text("live")
    expect(page.locator("#strip-visit")).to_contain_text(site.ids["visitID"][:8])
    expect(page.locator("#strip-agents a")).to_have_attribute("href", "/desk/")
    page.get_by_role("link", name="Go to the cart").click()
    page.get_by_role("link", name="To the checkout").click()
    page.wait_for_url("**/checkout/basket")
    page.get_by_label("Name").fill("Eva")
    page.get_by_role("button", name="Order for").click()
    page.wait_for_url("**/thank-you")
    [order] = site.has("Order")
    assert order["data"] == {"total": 749}
    page.goto(f"{server}/sign-in")
    page.get_by_label("Name").fill("Eva")
    page.get_by_label("E-mail").fill("eva@example.com")
    page.get_by_label("member").check()
    page.get_by_role("button", name="Sign in").click()
    [person] = site.has("SignIn")
    assert person["data"]["userId"] == "eva@example.com"
    assert site.has("UserInfo")[0]["data"]["vip"] is True
    assert site.errors == []


@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_of_the_shop_is_wider_than_the_screen(
    browser_page: Page, server: str, width: int
) -> None:
    browser_page.set_viewport_size({"width": width, "height": 800})
    addresses = ["/shop/", "/products", "/products/fjord-fold", "/cart", "/checkout/basket"]
    for address in [*addresses, "/thank-you", "/sign-in", "/products/nothing"]:
        browser_page.goto(server + address)
        browser_page.locator("main h1").wait_for()
        assert browser_page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
