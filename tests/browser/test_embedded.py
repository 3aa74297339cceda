"""A medium inside the visitor's page, because its window was blocked: it comes along."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Page, expect
from serving import Serving, eventually, written
from tracker_site import Site

pytestmark = pytest.mark.browser

WIDGETS = "/frontend/resources"
QUIET = 'category Products is url "/products/**"\n'


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("embedded")
    book = written(folder / "book", quiet=QUIET)
    hours = {"OVERTURE_CALLBACK_HOURS": "Mon-Sun 00:00-24:00"}
    with Serving(book, folder / "data", **hours) as running:
        yield running


@pytest.fixture
def site(browser_page: Page, serving: Serving) -> Site:
    return Site(browser_page, serving.address)


def embedded(site: Site, invitation: str, script: str = "") -> FrameLocator:
    """Accepts an invitation in a browser that blocks windows; gives the frame of the medium."""
    site.open(script=script or None).is_live()
    url = f"{WIDGETS}/{invitation}"
    site.notify({"channel": "gpe.appendContent", "data": {"url": url}, "page": site.ids["pageID"]})
    frame = site.page.frame_locator("iframe")
    frame.get_by_role("dialog").wait_for()
    frame.locator("body").evaluate("() => { window.open = () => null; }")
    frame.locator("#accept").click()
    expect(site.page.locator("iframe")).to_have_count(1)
    return medium(site)


def medium(site: Site) -> FrameLocator:
    return site.page.frame_locator(".gpe-embedded iframe")


def conversations(serving: Serving, site: Site) -> list[dict[str, Any]]:
    """What the server has of the visit."""
    found = serving.get("/desk/api/interactions").json()
    visit = site.ids["visitID"]
    details = [serving.get(f"/desk/api/interactions/{one['id']}").json() for one in found]
    return [one for one in details if one["attached"].get("visitID") == visit]


@pytest.mark.parametrize("invitation", ["invite.html", "inviteGMS.html"])
def test_a_chat_goes_on_on_every_page(site: Site, serving: Serving, invitation: str) -> None:
    frame = embedded(site, invitation)
    frame.get_by_label("Your message").fill("Is it in stock?")
    frame.get_by_label("Your message").press("Enter")
    log = frame.get_by_role("log")
    expect(log.get_by_text("Is it in stock?")).to_be_visible()
    site.page.click("a")
    site.page.wait_for_url("**/site/b")
    expect(log.get_by_text("Is it in stock?")).to_be_visible()
    assert site.page.evaluate("document.activeElement === document.body"), "takes no keyboard"
    frame.get_by_label("Your message").fill("And in red?")
    frame.get_by_label("Your message").press("Enter")
    expect(log.get_by_text("And in red?")).to_be_visible()
    site.open("/site/a")
    expect(log.get_by_text("And in red?")).to_be_visible()
    expect(site.page.locator(".gpe-embedded")).to_have_count(1)
    (one,) = conversations(serving, site)
    assert one["state"] == "waiting"


def test_what_the_visitor_closes_stays_closed(site: Site) -> None:
    frame = embedded(site, "invite.html")
    expect(frame.get_by_label("Your message")).to_be_visible()
    site.page.evaluate("window.kept = true")
    site.page.click("a")
    expect(frame.get_by_label("Your message")).to_be_visible()
    site.page.get_by_role("button", name="Close").click()
    site.page.evaluate("history.back()")
    site.page.wait_for_url("**/site/a", wait_until="commit")
    assert site.page.evaluate("window.kept"), "the browser did not keep the page"
    expect(site.page.locator(".gpe-embedded")).to_have_count(0)
    site.open("/site/b").is_live()
    expect(site.page.locator(".gpe-embedded")).to_have_count(0)


def test_a_chat_that_has_ended_is_read_once_and_does_not_come_back(
    site: Site, serving: Serving
) -> None:
    frame = embedded(site, "invite.html")
    frame.get_by_role("button", name="End chat").click()
    expect(frame.get_by_text("This chat has ended.")).to_be_visible()
    site.open("/site/b").is_live()
    expect(site.page.locator(".gpe-embedded")).to_have_count(0)
    assert len(conversations(serving, site)) == 1


def test_a_chat_that_ends_between_two_pages_is_shown_and_not_begun_again(
    site: Site, serving: Serving
) -> None:
    frame = embedded(site, "invite.html")
    expect(frame.get_by_label("Your message")).to_be_visible()
    (one,) = conversations(serving, site)
    site.page.goto("about:blank")
    serving.post(f"/desk/api/interactions/{one['id']}/end", json={"agent": "Ana"})
    site.open("/site/b")
    expect(frame.get_by_text("This chat has ended.")).to_be_visible()
    assert len(conversations(serving, site)) == 1
    frame.get_by_role("button", name="Start a new chat").click()
    expect(frame.get_by_label("Your message")).to_be_visible()
    site.open("/site/a")
    expect(frame.get_by_label("Your message")).to_be_visible()
    assert len(conversations(serving, site)) == 2


def test_without_consent_to_storage_it_stays_for_the_page_alone(site: Site) -> None:
    frame = embedded(site, "invite.html", "_gt = [['consent', 'memory']];")
    expect(frame.get_by_label("Your message")).to_be_visible()
    site.page.evaluate("history.pushState({}, '', '/site/route')")
    expect(frame.get_by_label("Your message")).to_be_visible()
    assert site.page.evaluate("Object.keys(sessionStorage).includes('overture.media')") is False
    site.open("/site/b").is_live()
    expect(site.page.locator(".gpe-embedded")).to_have_count(0)


def test_who_takes_their_consent_back_leaves_nothing_of_it(site: Site) -> None:
    frame = embedded(site, "invite.html")
    expect(frame.get_by_label("Your message")).to_be_visible()
    assert "chat.html" in site.page.evaluate("sessionStorage['overture.media']")
    site.push("consent", "none")
    assert "overture.media" not in site.page.evaluate("Object.keys(sessionStorage)")


def test_a_browser_that_refuses_storage_to_frames_keeps_the_conversation(
    site: Site, serving: Serving
) -> None:
    site.page.add_init_script(
        "if (location.pathname.endsWith('/chat.html')) Object.defineProperty(window,"
        " 'sessionStorage', { get() { throw new DOMException('refused', 'SecurityError'); } });"
    )
    frame = embedded(site, "invite.html")
    frame.get_by_label("Your message").fill("Is it in stock?")
    frame.get_by_label("Your message").press("Enter")
    expect(frame.get_by_role("log").get_by_text("Is it in stock?")).to_be_visible()
    site.open("/site/b")
    expect(frame.get_by_role("log").get_by_text("Is it in stock?")).to_be_visible()
    assert len(conversations(serving, site)) == 1


def test_a_call_that_was_asked_for_is_asked_for_once(site: Site, serving: Serving) -> None:
    frame = embedded(site, "invite.html?type=callback")
    frame.get_by_label("Your telephone number").fill("+49 30 123456")
    frame.get_by_role("button", name="Call me").click()
    expect(frame.locator("#booked-heading")).to_contain_text("We call you")
    site.open("/site/b")
    expect(frame.locator("#booked-heading")).to_contain_text("We call you")
    frame.get_by_role("button", name="Do not call me").click()
    expect(frame.get_by_role("heading", name="We do not call you")).to_be_visible()
    site.open("/site/a").is_live()
    expect(site.page.locator(".gpe-embedded")).to_have_count(0)
    assert len(conversations(serving, site)) == 1


def test_a_third_party_comes_along_too(site: Site) -> None:
    frame = embedded(site, "invitePartner.html")
    expect(frame.get_by_role("log")).to_contain_text("Hello!")  # its script is there
    frame.get_by_role("textbox").fill("When is it here?")
    frame.get_by_role("textbox").press("Enter")
    expect(frame.get_by_text("When is it here?")).to_be_visible()
    site.open("/site/b")
    expect(frame.get_by_text("When is it here?")).to_be_visible()
    expect(frame.get_by_text("Parcels that are handed over")).to_have_count(1)


def test_a_tab_beside_it_is_left_alone(site: Site) -> None:
    frame = embedded(site, "invite.html")
    expect(frame.get_by_label("Your message")).to_be_visible()
    beside = Site(site.page.context.new_page(), site.server).open("/site/b")
    beside.is_live()
    assert beside.ids["visitID"] == site.ids["visitID"]
    expect(beside.page.locator(".gpe-embedded")).to_have_count(0)
    eventually(lambda: site.has("InteractionStarted"))
