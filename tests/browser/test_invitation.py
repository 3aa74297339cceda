"""The invitation family on a visitor's page: asked, answered, told once; by keyboard alone, too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from accessible import assert_accessible
from conftest import CHROMIUM, FLAGS
from playwright.sync_api import Browser, Frame, FrameLocator, Page, expect
from serving import eventually, written
from tracker_site import Site, StartServer, busy_with

pytestmark = pytest.mark.browser

INVITATION = Path(__file__).parents[2] / "widgets" / "invitation"
LANGUAGES = sorted(path.stem for path in (INVITATION / "languages").iterdir())
THEMES = ["", *sorted(path.stem for path in (INVITATION / "themes").iterdir())]
FAMILY = [
    "invite.html?type=chat",
    "invite.html?type=callback",
    "inviteGMS.html?type=chat",
    "invitePartner.html?type=chat",
    "register.html?type=chat",
    "register.html?type=callback",
    "content.html?headline=Half+price&text=This+week&link=/products&action=Look",
]
BOOK = 'message Hello is gpe.appendContent { url: "/frontend/resources/invite.html" }\n'


@pytest.fixture(scope="module")
def server(overture_server: StartServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    return overture_server(written(tmp_path_factory.mktemp("book"), sample=BOOK))


@pytest.fixture
def site(browser_page: Page, server: str) -> Site:
    return Site(browser_page, server)


def invited(site: Site, address: str, language: str = "en") -> FrameLocator:
    """Open a page of the site and push the invitation to it, as any system may."""
    site.open(script=f"(window._gt ??= []).push(['config', {{languageCode: '{language}'}}]);")
    site.is_live()
    url = f"/frontend/resources/{address}"
    site.notify({"channel": "gpe.appendContent", "data": {"url": url}})
    frame = site.page.frame_locator("iframe[src*='/frontend/resources/']")
    expect(frame.locator("#dialog")).to_be_visible()
    return frame


def document_in(site: Site) -> Frame:
    return next(one for one in site.page.frames if "/frontend/resources/" in one.url)


def answers(site: Site) -> list[str]:
    names = [event["eventName"] for event in site.history()]
    return [name for name in names if name.startswith("Invitation")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_speaks_the_language_of_the_page(site: Site, language: str) -> None:
    words = json.loads((INVITATION / "languages" / f"{language}.json").read_text("utf-8"))
    frame = invited(site, "invite.html", f"{language}-XX")
    expect(frame.locator("#heading")).to_have_text(
        words["invite.chat.heading"], use_inner_text=True
    )
    expect(frame.locator("html")).to_have_attribute("dir", words["direction"])
    expect(frame.locator("html")).to_have_attribute("lang", language)
    expect(frame.get_by_role("button", name=words["reject"])).to_be_visible()
    expect(frame.get_by_role("button", name=words["close"], exact=True)).to_be_visible()
    assert site.has("InvitationShown")


def test_an_unknown_language_gets_what_the_page_says(site: Site) -> None:
    frame = invited(site, "invite.html?type=callback", "xx")
    expect(frame.locator("#heading")).to_have_text("Shall we call you?", use_inner_text=True)


def test_the_keyboard_alone_leads_to_a_chat(site: Site) -> None:
    frame = invited(site, "invite.html")
    expect(frame.locator("#dialog")).to_be_focused()
    keyboard = site.page.keyboard
    stops = [("#close", "Tab"), ("#accept", "Tab"), ("#reject", "Tab"), ("#close", "Tab")]
    for stop, key in [*stops, ("#reject", "Shift+Tab"), ("#accept", "Shift+Tab")]:
        keyboard.press(key)
        expect(frame.locator(stop)).to_be_focused()
    with site.page.context.expect_page() as opened:
        keyboard.press("Enter")
    chat = opened.value
    assert f"visitId={site.ids['visitID']}" in chat.url
    expect(chat.get_by_role("textbox")).to_be_focused()
    site.has("InteractionStarted")
    assert answers(site) == ["InvitationShown", "InvitationAccepted"]


@pytest.mark.parametrize("address", FAMILY)
def test_escape_declines_and_is_told_once(site: Site, address: str) -> None:
    frame = invited(site, address)
    frame.locator("#dialog").focus()
    site.page.keyboard.press("Escape")
    site.page.keyboard.press("Escape")
    expect(site.page.locator("iframe")).to_have_count(0)
    site.has("InvitationRejected")
    assert answers(site) == ["InvitationShown", "InvitationRejected"]


def test_silence_is_told_once(site: Site) -> None:
    invited(site, "invite.html?timeout=5")
    expect(site.page.locator("iframe")).to_have_count(0)
    site.has("InvitationTimedOut")
    assert answers(site) == ["InvitationShown", "InvitationTimedOut"]


def test_who_is_busy_with_it_gets_the_whole_time_again(site: Site) -> None:
    site.page.add_init_script(busy_with("register.html", "input"))
    frame = invited(site, "register.html?timeout=5")
    frame.locator("#first_name").press_sequentially("Eva Berg")
    site.page.wait_for_timeout(6_000)
    expect(frame.locator("#first_name")).to_have_value("Eva Berg")
    assert answers(site) == ["InvitationShown"]


def test_a_form_asks_before_the_chat(site: Site) -> None:
    frame = invited(site, "register.html")
    frame.locator("#email").fill("eva")
    frame.locator("#accept").click()
    expect(frame.locator("#first_name-problem")).to_be_visible()
    expect(frame.locator("#first_name")).to_be_focused()
    expect(frame.locator("#first_name")).to_have_attribute("aria-invalid", "true")
    expect(frame.locator("#email-problem")).to_be_visible()
    assert answers(site) == ["InvitationShown"]
    frame.locator("#first_name").fill("Eva")
    frame.locator("#email").fill("eva@example.com")
    with site.page.context.expect_page() as opened:
        frame.locator("#accept").click()
    assert "first_name=Eva" in opened.value.url
    assert "contact_number" not in opened.value.url
    site.has("InvitationAccepted")


def test_content_leads_only_home(site: Site) -> None:
    elsewhere = "link=https://else.where/&image=//else.where/a.png&text=%3Cb%3Ebold"
    frame = invited(site, f"content.html?headline=Hi&{elsewhere}")
    expect(frame.locator("#text")).to_have_text("<b>bold")
    expect(frame.locator("#accept")).to_be_hidden()
    expect(frame.locator("#picture")).to_be_hidden()


def test_content_is_accepted_by_its_link(site: Site) -> None:
    frame = invited(site, "content.html?link=/products")
    with site.page.context.expect_page() as opened:
        frame.get_by_role("link", name="Show me").click()
    assert opened.value.url == f"{site.server}/products"
    assert site.has("InvitationAccepted")[0]["data"]["medium"] == "content"
    assert answers(site) == ["InvitationShown", "InvitationAccepted"]


def test_a_call_is_asked_for_in_a_window_of_its_own(site: Site) -> None:
    frame = invited(site, "register.html?type=callback")
    frame.locator("#first_name").fill("Eva")
    frame.locator("#contact_number").fill("+49 30 123456")
    with site.page.context.expect_page() as opened:
        frame.get_by_role("button", name="Call me").click()
    assert "/callback.html?" in opened.value.url
    expect(opened.value.locator("input[type=tel]")).to_have_value("+49 30 123456")
    assert site.has("InvitationAccepted")[0]["data"]["medium"] == "callback"


def test_a_copy_of_an_unknown_type_says_so(site: Site) -> None:
    frame = invited(site, "invite.html?type=fax")
    frame.locator("#accept").click()
    site.warned("Invitation type not defined")
    site.has("InvitationRejected")


@pytest.fixture
def blocking(chromium: Browser) -> Iterator[Page]:
    """A browser that blocks windows which nobody asked for, as browsers of visitors do."""
    strict = chromium.browser_type.launch(
        executable_path=CHROMIUM, args=FLAGS, ignore_default_args=["--disable-popup-blocking"]
    )
    page = strict.new_page()
    page.set_default_timeout(30_000)
    yield page
    strict.close()


def test_a_blocked_window_still_ends_in_a_chat(blocking: Page, server: str) -> None:
    site = Site(blocking, server)
    frame = invited(site, "invite.html")
    visit = site.ids["visitID"]
    # A click that comes long after the visitor's own: the browser blocks what it would open.
    frame.locator("#accept").evaluate("(button) => { setTimeout(() => button.click(), 6000); }")
    # The server is asked: looking at the page would count as a visitor's own act.
    eventually(lambda: "InvitationAccepted" in [e["eventName"] for e in site.history(visit)])
    chat = blocking.frame_locator("iframe[src*='/chat.html']")
    expect(chat.get_by_role("textbox")).to_be_visible()
    assert len(blocking.context.pages) == 1
    site.has("InteractionStarted")
    assert answers(site) == ["InvitationShown", "InvitationAccepted"]


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_serious(site: Site, theme: str) -> None:
    for address in FAMILY:
        frame = invited(site, f"{address}&theme={theme}", "ar" if theme else "en")
        assert_accessible(document_in(site))
        for submit in frame.locator("form #accept").all():
            submit.click()  # with its mistakes shown
            assert_accessible(document_in(site))


@pytest.mark.parametrize("address", FAMILY)
def test_it_fits_a_small_phone(site: Site, address: str) -> None:
    site.page.set_viewport_size({"width": 360, "height": 640})
    for language in LANGUAGES:
        frame = invited(site, address, language)
        box = site.page.locator("iframe").bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["width"] <= 360
        assert box["height"] <= 640
        assert frame.locator("html").evaluate("(e) => e.scrollWidth <= e.clientWidth")
        frame.locator("#reject").click(trial=True)


def test_reduced_motion_is_still(site: Site) -> None:
    site.page.emulate_media(reduced_motion="reduce")
    frame = invited(site, "invite.html")
    name = frame.locator("#dialog").evaluate("(e) => getComputedStyle(e).animationName")
    assert name == "none"


def test_a_slow_network_does_not_keep_it_back(site: Site) -> None:
    site.page.context.route(re.compile("/languages/"), lambda _: None)
    frame = invited(site, "invite.html", "de")
    expect(frame.locator("#heading")).to_have_text("Can we help you?", use_inner_text=True)


def preview(page: Page, server: str) -> dict[str, Any]:
    page.goto(f"{server}/preview/")
    found: dict[str, Any] = page.evaluate("import('/preview/preview.js').then((all) => ({...all}))")
    return found


def test_the_preview_lists_everything(browser_page: Page, server: str) -> None:
    listed = preview(browser_page, server)
    pages = {path.name for path in INVITATION.glob("*.html")}
    pages |= {path.name for path in (INVITATION.parent / "media").glob("*.html")}
    assert {one["page"] for one in listed["WIDGETS"]} == pages
    assert sorted(listed["LANGUAGES"]) == LANGUAGES
    assert ["", *sorted(listed["THEMES"])] == THEMES


def test_the_preview_shows_what_a_strategy_would(browser_page: Page, server: str) -> None:
    page = browser_page
    preview(page, server)
    page.get_by_label("Invitation", exact=True).check()
    page.get_by_label("Type").select_option("CALLBACK")
    page.get_by_label("Language").select_option("ar")
    page.get_by_label("Theme").select_option("night")
    expect(page.locator("#sentence")).to_contain_text(
        'url: "/frontend/resources/invite.html?type=callback&theme=night"'
    )
    frame = page.frame_locator("#stage iframe")
    expect(frame.locator("html")).to_have_attribute("dir", "rtl")
    paper = frame.locator("#dialog").evaluate("(e) => getComputedStyle(e).backgroundColor")
    assert paper == "rgb(28, 29, 46)"
    frame.locator("#reject").click()
    expect(page.locator("#reports li")).to_have_text(
        ["InvitationShown", "It leaves the page.", "InvitationRejected"]
    )


def test_the_preview_is_accessible_and_narrow(browser_page: Page, server: str) -> None:
    for width in (1280, 360):
        browser_page.set_viewport_size({"width": width, "height": 800})
        preview(browser_page, server)
        assert_accessible(browser_page)
        assert browser_page.evaluate("document.documentElement.scrollWidth <= innerWidth")
