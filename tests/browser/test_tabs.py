"""Several tabs of one browser: one visit, one live connection, and to each what is its own."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import BrowserContext, Request, Route, expect
from serving import eventually, written
from tracker_site import Site, StartServer, busy_with

pytestmark = pytest.mark.browser

BOOK = """
event Ping "Something happened"

strategy "Greeting"
  on Ping
    send gpe.appendContent { url: "/frontend/resources/invite.html" }
"""
HEAR = "window.marks = []; var _gt = [['on', 'site.mark', (data) => marks.push(data.text)]];"
ALONE = {
    "no channel": "delete window.BroadcastChannel;",
    "no locks": "delete Navigator.prototype.locks;",
    "a forbidden channel": "BroadcastChannel = function () { throw new Error('no'); };",
    "forbidden locks": "LockManager.prototype.request = () => Promise.reject(Error('no'));",
}


class Tabs:
    """Tabs of one browser, and how many sockets and streams they opened."""

    def __init__(self, context: BrowserContext, server: str) -> None:
        self._context = context
        self._server = server
        self.opened = 0
        self.streams = 0

    def _requested(self, request: Request) -> None:
        self.streams += request.method == "GET" and "/push/sse" in request.url

    def open(self, script: str = HEAR) -> Site:
        page = self._context.new_page()
        page.on("websocket", lambda _: setattr(self, "opened", self.opened + 1))
        page.on("request", self._requested)
        site = Site(page, self._server).open(script=script)
        site.is_live()
        return site

    def mark(self, site: Site, text: str, *, everywhere: bool = False) -> None:
        notice = {"channel": "site.mark", "data": {"text": text}}
        site.notify(notice if everywhere else {**notice, "page": site.ids["pageID"]})

    def pages_connected(self, count: int) -> None:
        """Wait until the server knows as many pages, of which each is on some connection."""
        status = f"{self._server}/api/status"
        eventually(lambda: httpx.get(status).json()["connections"] == count)


@pytest.fixture(scope="module")
def server(overture_server: StartServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    return overture_server(written(tmp_path_factory.mktemp("book"), sample=BOOK))


@pytest.fixture
def tabs(browser_context: BrowserContext, server: str) -> Tabs:
    return Tabs(browser_context, server)


def heard(site: Site, *texts: str) -> None:
    def same() -> bool:
        return bool(site.page.evaluate("marks") == list(texts))

    eventually(same)


def test_tabs_share_one_connection_and_each_gets_its_own_once(tabs: Tabs) -> None:
    first, second, third = tabs.open(), tabs.open(), tabs.open()
    assert len({site.ids["visitID"] for site in (first, second, third)}) == 1
    assert len({site.ids["pageID"] for site in (first, second, third)}) == 3
    assert tabs.opened == 1
    for site, text in ((second, "2"), (first, "1"), (third, "3")):
        tabs.mark(site, text)
    tabs.mark(first, "all", everywhere=True)
    for site, text in ((first, "1"), (second, "2"), (third, "3")):
        heard(site, text, "all")

    # An invitation that a strategy sends appears in the tab where it happened, and nowhere else.
    second.push("event", "Ping")
    second.page.frame_locator("iframe").get_by_role("dialog").wait_for()
    assert first.page.locator("iframe").count() == third.page.locator("iframe").count() == 0


STREAMS = "delete window.WebSocket;" + HEAR


def test_more_tabs_than_a_browser_has_connections_leave_the_site_alive(tabs: Tabs) -> None:
    sites = [tabs.open(STREAMS) for _ in range(8)]
    assert tabs.streams == 1
    tabs.mark(sites[7], "8")
    heard(sites[7], "8")


def test_tabs_share_one_stream_where_sockets_are_refused(tabs: Tabs) -> None:
    first, second, third = tabs.open(STREAMS), tabs.open(STREAMS), tabs.open(STREAMS)
    assert first.is_live() == second.is_live() == "sse"
    assert (tabs.opened, tabs.streams) == (0, 1)
    for site, text in ((second, "2"), (first, "1"), (third, "3")):
        tabs.mark(site, text)
    tabs.mark(first, "all", everywhere=True)
    for site, text in ((first, "1"), (second, "2"), (third, "3")):
        heard(site, text, "all")
    # A route in the tab that holds the stream keeps it; when that tab goes another takes over.
    first.page.evaluate("history.pushState({}, '', '/site/other')")
    first.is_live()
    tabs.mark(first, "route")
    heard(first, "1", "all", "route")
    assert tabs.streams == 1
    first.page.close()
    tabs.mark(third, "later")
    heard(third, "3", "all", "later")
    tabs.pages_connected(2)
    assert tabs.streams == 2


def join_of(route: Route) -> bool:
    return '"type":"join"' in (route.request.post_data or "")


def test_a_route_whose_word_on_the_stream_is_lost_is_heard_of_all_the_same(tabs: Tabs) -> None:
    site = tabs.open(STREAMS)
    cut: list[Route] = []

    def cut_once(route: Route) -> None:
        if join_of(route) and not cut:
            cut.append(route)
            route.abort()
        else:
            route.continue_()

    site.page.route("**/server/push/sse", cut_once)
    site.page.evaluate("history.pushState({}, '', '/site/other')")
    eventually(lambda: site.page.wait_for_timeout(50) or cut)
    eventually(lambda: site.page.wait_for_timeout(50) or tabs.streams == 2)
    site.is_live()
    tabs.mark(site, "after")
    heard(site, "after")


def test_what_pages_say_on_a_stream_stays_in_order(tabs: Tabs) -> None:
    site = tabs.open(STREAMS)
    held: list[Route] = []

    def hold_first(route: Route) -> None:
        if join_of(route) and not held:
            held.append(route)
        else:
            route.continue_()

    site.page.route("**/server/push/sse", hold_first)
    site.page.evaluate("history.pushState({}, '', '/site/one')")
    eventually(lambda: site.page.wait_for_timeout(50) or held)
    site.page.evaluate("history.pushState({}, '', '/site/two')")
    site.page.wait_for_timeout(500)  # what could overtake has arrived
    held[0].continue_()
    site.page.wait_for_timeout(500)
    tabs.mark(site, "two")
    heard(site, "two")
    tabs.pages_connected(1)


def closing(site: Site) -> None:
    site.page.close()


def leaving(site: Site) -> None:
    site.page.goto("about:blank")


@pytest.mark.parametrize("go", [closing, leaving])
def test_when_the_tab_with_the_connection_goes_another_takes_over(
    tabs: Tabs, go: Callable[[Site], None]
) -> None:
    first, second, third = tabs.open(), tabs.open(), tabs.open()
    tabs.mark(third, "before")
    heard(third, "before")
    go(first)
    tabs.mark(third, "meanwhile")
    tabs.mark(second, "too")
    heard(third, "before", "meanwhile")
    heard(second, "too")
    tabs.pages_connected(2)
    assert tabs.opened == 2


def test_a_route_in_either_tab_keeps_the_connection(tabs: Tabs) -> None:
    first, second = tabs.open(), tabs.open()
    for site in (first, second):
        before = site.ids["pageID"]
        site.page.evaluate("history.pushState({}, '', '/site/route')")
        assert site.ids["pageID"] != before
        tabs.mark(site, "routed")
        heard(site, "routed")
    tabs.mark(first, "again")
    heard(first, "routed", "again")
    assert tabs.opened == 1


def test_a_page_that_comes_back_from_the_cache_shares_again(tabs: Tabs) -> None:
    first, second = tabs.open(), tabs.open()
    for site in (second, first):
        site.page.evaluate("window.kept = true")
        site.page.goto(f"{site.server}/site/b")
        site.is_live()
        site.page.evaluate("history.back()")
        site.page.wait_for_url("**/site/a", wait_until="commit")
        assert site.page.evaluate("window.kept"), "the browser did not keep the page"
        site.is_live()
        tabs.mark(site, "back")
        heard(site, "back")
    tabs.pages_connected(2)


def test_a_connection_that_is_cut_is_opened_again_for_all(tabs: Tabs) -> None:
    script = (
        HEAR
        + """
    const Real = WebSocket;
    window.all = [];
    window.WebSocket = function (url) { all.push(new Real(url)); return all.at(-1); };
    """
    )
    first, second = tabs.open(script), tabs.open(script)
    assert tabs.opened == 1
    first.page.evaluate("all.forEach((one) => one.close())")
    tabs.mark(second, "later")
    tabs.mark(first, "also")
    heard(second, "later")
    heard(first, "also")
    tabs.pages_connected(2)


@pytest.mark.parametrize("how", ALONE.values(), ids=ALONE)
def test_without_the_means_to_share_each_tab_has_its_own(tabs: Tabs, how: str) -> None:
    first, second = tabs.open(how + HEAR), tabs.open(how + HEAR)
    assert tabs.opened == 2
    for site in (first, second):
        tabs.mark(site, "own")
        heard(site, "own")


def test_a_tab_whose_neighbour_is_stuck_helps_itself(tabs: Tabs) -> None:
    first = tabs.open()
    # Its answers are lost: the connection is held, and nothing is passed on.
    first.page.evaluate("BroadcastChannel.prototype.postMessage = () => {}")
    second = tabs.open()
    tabs.mark(second, "in the end")
    heard(second, "in the end")


def test_a_tab_that_was_duplicated_counts_nothing_twice(tabs: Tabs) -> None:
    first = tabs.open()
    first.push("event", "Ping")
    first.has("Ping")
    stored = first.page.evaluate("JSON.stringify({...sessionStorage})")
    copied = f"for (const [k, v] of Object.entries({stored})) sessionStorage.setItem(k, v);"
    second = tabs.open(copied + HEAR)
    assert second.ids["visitID"] == first.ids["visitID"]
    assert second.ids["pageID"] != first.ids["pageID"]
    second.has("PageEntered", 2)
    second.has("Ping")
    tabs.mark(second, "mine")
    heard(second, "mine")
    heard(first)


@pytest.mark.parametrize(
    ("button", "answer"),
    [("Start chat", "InvitationAccepted"), ("No, thank you", "InvitationRejected")],
)
def test_an_invitation_to_all_pages_that_is_answered_in_one_goes_from_the_others(
    tabs: Tabs, button: str, answer: str
) -> None:
    first, second = tabs.open(), tabs.open()
    url = "/frontend/resources/invite.html"
    first.notify({"channel": "gpe.appendContent", "data": {"url": url}})
    for site in (first, second):
        site.page.frame_locator("iframe").get_by_role("dialog").wait_for()
    first.has("InvitationShown", 2)
    first.page.frame_locator("iframe").get_by_role("button", name=button).click()
    expect(second.page.locator("iframe")).to_have_count(0)
    first.has(answer)
    answers = [e["eventName"] for e in first.history() if e["eventName"].startswith("Invitation")]
    assert answers == ["InvitationShown", "InvitationShown", answer]


def test_an_invitation_that_ran_out_in_one_tab_stays_in_the_other(tabs: Tabs) -> None:
    first, second = tabs.open(), tabs.open()
    second.page.add_init_script(busy_with("invite.html", "pointermove"))
    url = "/frontend/resources/invite.html"
    first.notify({"channel": "gpe.appendContent", "data": {"url": url + "?timeout=5"}})
    frame = second.page.frame_locator("iframe")
    frame.get_by_role("dialog").wait_for()
    first.has("InvitationTimedOut")
    expect(frame.get_by_role("dialog")).to_be_visible()
