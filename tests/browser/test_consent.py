"""What the visitor agreed to: none, memory or full, and the browser's own word for no."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from serving import eventually, written
from tracker_site import TRACKER, Site, StartServer

pytestmark = pytest.mark.browser

BOOK = """
event Click "A click"
  capture on click of "#press"

strategy "Greeting"
  on Click
    send gpe.appendContent { url: "/frontend/resources/invite.html" }
"""
STORED = "Object.keys(sessionStorage).concat(Object.keys(localStorage), document.cookie || [])"
PRIVATE = "Object.defineProperty(navigator, 'globalPrivacyControl', {get: () => true});"


@pytest.fixture(scope="module")
def server(overture_server: StartServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    return overture_server(written(tmp_path_factory.mktemp("book"), sample=BOOK))


class Watched(Site):
    """A site that notes what its page asks of the server, but for the tracker itself."""

    def __init__(self, page: Page, server: str) -> None:
        super().__init__(page, server)
        self.markup = "<button id='press'>Press</button>"
        self.asked: list[str] = []
        page.on("request", self._note)
        page.on("websocket", lambda socket: self.asked.append(f"socket {socket.url}"))

    def _note(self, request: Any) -> None:
        if "/site/" not in request.url and not request.url.endswith(TRACKER):
            self.asked.append(f"{request.method} {request.url.removeprefix(self.server)}")

    @property
    def cookies(self) -> list[str]:
        return sorted(cookie["name"] for cookie in self.page.context.cookies())

    @property
    def stored(self) -> list[str]:
        return sorted(self.page.evaluate(STORED))

    def is_silent(self) -> None:
        self.push("event", "Unheard")
        self.page.click("#press")
        self.page.evaluate("history.pushState({}, '', '/site/route')")
        self.page.wait_for_timeout(700)
        assert self.asked == []
        assert (self.cookies, self.stored) == ([], [])


@pytest.fixture
def site(browser_page: Page, server: str) -> Watched:
    return Watched(browser_page, server)


@pytest.mark.parametrize(
    "script",
    [
        "var _gt = [['config', {consent: 'none'}], ['event', 'Early']];",
        "var _gt = [['event', 'Early'], ['consent', 'none']];",
        PRIVATE + "var _gt = [['event', 'Early']];",
        PRIVATE + "var _gt = [['config', {consent: 'full'}]];",
    ],
    ids=["config", "said", "gpc", "gpc before what the site presumes"],
)
def test_without_consent_nothing_is_stored_and_nothing_is_sent(site: Watched, script: str) -> None:
    site.open(script=script)
    site.is_silent()
    site.page.goto(f"{site.server}/site/b")
    site.is_silent()

    # With the answer, the page begins as it is then; what happened before is not known.
    site.push("consent", "full")
    site.push("event", "Known")
    site.has("Known")
    heard = [event["eventName"] for event in site.history()]
    assert heard == ["VisitStarted", "PageEntered", "Known"]
    assert site.has("PageEntered")[0]["url"].endswith("/site/route")
    assert site.cookies == ["overture_visit", "overture_visitor"]


def test_with_memory_the_visitor_can_be_invited_and_nothing_is_stored(site: Watched) -> None:
    site.open(script="var _gt = [['config', {consent: 'memory'}]];").is_watching()
    site.is_live()
    ids = site.ids
    site.page.click("#press")
    expect(site.page.locator("iframe")).to_have_count(1)
    site.has("InvitationShown")
    assert (site.cookies, site.stored) == ([], [])
    # What is said while the page goes away arrives all the same.
    site.push("event", "Last")
    site.page.goto(f"{site.server}/site/b")
    eventually(lambda: site.history(ids["visitID"])[-1]["eventName"] == "PageExited")
    assert site.history(ids["visitID"])[-2]["eventName"] == "Last"
    assert site.ids["visitID"] != ids["visitID"]
    assert (site.cookies, site.stored) == ([], [])


def test_more_consent_keeps_the_visit_and_less_forgets_what_was_stored(site: Watched) -> None:
    site.open(script="var _gt = [['consent', 'memory']];").is_live()
    visit = site.ids["visitID"]
    site.push("consent", "full")
    eventually(lambda: site._pump() or site.cookies)
    assert site.ids["visitID"] == visit
    assert "overture.visit" in site.stored
    site.page.goto(f"{site.server}/site/b")
    site.push("consent", "full")
    eventually(lambda: site._pump() or site.ids["visitID"] == visit)

    site.push("consent", "memory")
    eventually(lambda: site._pump() or not site.cookies)
    assert site.stored == []
    site.push("event", "Here")
    eventually(lambda: [e for e in site.history(visit) if e["eventName"] == "Here"])

    site.push("consent", "none")
    site.page.wait_for_timeout(300)
    site.asked.clear()
    site.is_silent()
    assert "Unheard" not in [event["eventName"] for event in site.history(visit)]
    site.push("consent", "memory")
    assert site.ids["visitID"] != visit


def test_withdrawing_takes_back_what_waits_and_the_cookies(site: Watched) -> None:
    site.open(script="var _gt = [['config', {consent: 'full'}]];").is_live()
    visit = site.ids["visitID"]
    site.has("PageEntered")
    site.page.evaluate("_gt.push(['event', 'Waits'], ['consent', 'none'])")
    eventually(lambda: site._pump() or not site.cookies)
    site.page.goto(f"{site.server}/site/b", wait_until="load")
    names = [event["eventName"] for event in site.history(visit)]
    assert "Waits" not in names
    assert "PageExited" not in names


def test_a_word_that_is_no_consent_changes_nothing(site: Watched) -> None:
    site.open(script="var _gt = [['config', {consent: 'none'}], ['consent', 'maybe']];")
    site.warned("'consent' is 'none', 'memory' or 'full'")
    site.is_silent()


def test_the_tracker_is_one_file_that_a_page_of_any_folder_loads(
    site: Watched, tmp_path: Path
) -> None:
    site.open("/site/deep/er/page").is_live()
    scripts = [one for one in site.asked if one.endswith(".js")]
    build = "GET /server/resources/js/build"
    assert sorted(scripts) == [f"{build}/captures.js", f"{build}/live.js"]
