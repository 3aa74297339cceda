"""When the network is away: events wait, leave in order when it is back, and count once."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route
from serving import eventually, written
from tracker_site import Site, StartServer

pytestmark = pytest.mark.browser

EVENTS = "**/server/data/events*"


@pytest.fixture(scope="module")
def server(overture_server: StartServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    book = written(tmp_path_factory.mktemp("book"), sample='event One "The first"\n')
    return overture_server(book)


@pytest.fixture
def site(browser_page: Page, server: str) -> Site:
    site = Site(browser_page, server).open(script="var _gt = [];")
    site.is_live()
    return site


def refused(route: Route) -> None:
    route.abort("internetdisconnected")


def order(site: Site, visit: str) -> list[str]:
    return [event["eventName"] for event in site.history(visit)]


def test_what_happens_offline_is_told_as_soon_as_the_network_is_back(site: Site) -> None:
    site.page.context.set_offline(True)
    for name in ("One", "Two", "Three"):
        site.push("event", name)
    # By now the next attempt of its own would be far away.
    site.page.wait_for_timeout(4000)
    assert "One" not in order(site, site.ids["visitID"])
    site.page.context.set_offline(False)
    site.has("Three")
    assert order(site, site.ids["visitID"]) == [
        "VisitStarted",
        "PageEntered",
        "One",
        "Two",
        "Three",
    ]
    site.push("on", "site.mark", None)
    assert site.is_live()


def test_what_could_not_leave_with_its_page_leaves_with_the_next_before_its_entry(
    site: Site,
) -> None:
    visit = site.ids["visitID"]
    site.has("PageEntered")
    site.page.route(EVENTS, refused)
    # What leaves with its page cannot be refused from here: the beacon is taken, and then lost.
    site.page.evaluate("""() => {
        navigator.sendBeacon = () => true;
        window.fetch = async () => { throw new TypeError('nobody answers'); };
    }""")
    site.push("event", "One")
    site.page.goto(f"{site.server}/site/b")
    assert site.ids["visitID"] == visit
    assert "One" not in order(site, visit)
    site.page.unroute(EVENTS)
    site.has("PageEntered", 2)
    expected = ["VisitStarted", "PageEntered", "One", "PageExited", "PageEntered"]
    assert order(site, visit) == expected
    urls = [event["url"].rpartition("/")[2] for event in site.history(visit)]
    assert urls == ["a", "a", "a", "a", "b"]


def test_what_left_twice_counts_once(site: Site) -> None:
    visit = site.ids["visitID"]
    site.has("PageEntered")
    # The server has it, and the page has no answer: the beacon and the next page repeat it.
    site.page.evaluate("""() => {
        const real = fetch;
        window.fetch = (...how) => { real(...how); return new Promise(() => {}); };
    }""")
    site.push("event", "One")
    eventually(lambda: "One" in order(site, visit))
    site.page.goto(f"{site.server}/site/b")
    site.has("PageEntered", 2)
    expected = ["VisitStarted", "PageEntered", "One", "PageExited", "PageEntered"]
    assert order(site, visit) == expected


def test_the_oldest_go_when_too_many_wait(site: Site) -> None:
    site.has("PageEntered")
    refusals: list[Route] = []
    site.page.route(EVENTS, lambda route: refusals.append(route) or refused(route))
    site.page.evaluate("for (let i = 0; i < 1010; i++) _gt.push(['event', 'N' + i])")
    eventually(lambda: site._pump() or refusals)
    site.page.unroute(EVENTS)
    site.page.evaluate("dispatchEvent(new Event('online'))")
    site.has("N1009")
    visit = site.ids["visitID"]
    found = [name for name in order(site, visit) if name.startswith("N")]
    assert found == [f"N{i}" for i in range(10, 1010)]
