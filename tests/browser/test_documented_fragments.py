"""The documented example's JavaScript, put into copies of our widgets as it is, does its work.

The copies are those pages with one script more, behind ours; nothing else is changed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from node_packages import node_package
from playwright.sync_api import BrowserContext, FrameLocator, Page, Route, expect
from serving import eventually, written
from tracker_site import Site

FRAGMENTS = Path(__file__).parent / "fragments"
WIDGETS = Path(__file__).parents[2] / "widgets"
CALLBACK = "/genesys/admin/js/sample/cb"

BOOK = """
message Invite is gpe.appendContent { url: "/frontend/resources/inviteCopy.html" }

strategy "Documented"
  on PageEntered
    send Invite
    attach { reason: "documented" }
"""

pytestmark = pytest.mark.browser


def put_behind(page: Path, *scripts: str) -> str:
    """A page with more scripts at the end of its head."""
    tags = "".join(f'<script src="{name}" defer></script>' for name in scripts)
    return page.read_text("utf-8").replace("</head>", f"{tags}</head>")


def copies(context: BrowserContext, server: str, *more: str) -> None:
    """Serve the copies beside the pages that they were made of."""
    host = server.removeprefix("http://")
    invitation = (FRAGMENTS / "invitation.js").read_text("utf-8").replace("<GMS Host>", host)
    jquery = [node_package("jquery", "4.0.0") / "dist" / "jquery.min.js"] if more else []
    widget = put_behind(WIDGETS / "media" / "indexGPE.html", "fragment.js")
    for name in more:  # a framework that a copy brings goes before everything else
        widget = widget.replace("<script ", f'<script src="{name}"></script><script ', 1)
    answers = {
        "/frontend/resources/inviteCopy.html": put_behind(
            WIDGETS / "invitation" / "invite.html", "fragment-invitation.js"
        ),
        "/frontend/resources/fragment-invitation.js": invitation,
        f"{CALLBACK}/indexGPE.html": widget,
        f"{CALLBACK}/fragment.js": (FRAGMENTS / "widget.js").read_text("utf-8"),
        f"{CALLBACK}/jquery.js": "".join(one.read_text("utf-8") for one in jquery),
    }

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(server).partition("?")[0]
        if path not in answers:
            route.continue_()
            return
        kind = "text/html" if path.endswith(".html") else "text/javascript"
        policy = {"Content-Security-Policy": "default-src 'self'; img-src data: 'self'"}
        route.fulfill(content_type=kind, body=answers[path], headers=policy)

    context.route(f"{server}/**", answer)


def invited(site: Site) -> FrameLocator:
    frame = site.page.frame_locator("iframe[src*='inviteCopy.html']")
    expect(frame.get_by_role("button", name="Start chat")).to_be_visible()
    return frame


def chats(server: str) -> list[dict[str, Any]]:
    found = httpx.get(f"{server}/desk/api/interactions").json()
    return [httpx.get(f"{server}/desk/api/interactions/{one['id']}").json() for one in found]


@pytest.mark.parametrize("framework", [(), ("jquery.js",)], ids=["alone", "with jQuery"])
def test_accept_start_read_and_connect(
    overture_server: Any,
    tmp_path: Path,
    browser_context: BrowserContext,
    framework: tuple[str, ...],
) -> None:
    server = overture_server(written(tmp_path / "book", one=BOOK))
    copies(browser_context, server, *framework)
    site = Site(browser_context.new_page(), server).open()
    ids = site.ids
    frame = invited(site)
    with browser_context.expect_page() as opened:
        frame.get_by_role("button", name="Start chat").click()
    chat = opened.value
    complaints: list[str] = []
    chat.on("pageerror", lambda problem: complaints.append(str(problem)))
    assert chat.url.startswith(f"{server}{CALLBACK}/indexGPE.html?gmsScenario=CHAT-NOW")
    expect(chat.get_by_role("status")).to_have_text("An agent will be with you soon")
    (found,) = chats(server)
    assert found["attached"] == {
        "visitID": ids["visitID"],
        "pageID": ids["pageID"],
        "webengagement": "Documented",
        "reason": "documented",
    }
    expect(site.page.locator("iframe")).to_have_count(0)
    site.has("InvitationAccepted")
    site.has("InteractionStarted")
    answered(server, chat, found["id"])
    chat.reload()
    expect(chat.get_by_role("log")).to_contain_text("Good day")
    assert len(chats(server)) == 1
    assert complaints == []


def answered(server: str, chat: Page, identity: str) -> None:
    desk = f"{server}/desk/api/interactions/{identity}"
    chat.get_by_role("textbox", name="Your message").fill("Hello")
    # The copies are answered by this test, which does so only while the browser is spoken to.
    eventually(lambda: chat.wait_for_timeout(20) or httpx.get(desk).json()["typing"])
    chat.get_by_role("button", name="Send").click()
    httpx.post(f"{desk}/accept", json={"agent": "Ana"})
    httpx.post(f"{desk}/typing", json={"agent": "Ana", "typing": True})
    expect(chat.get_by_role("status")).to_have_text("Ana is typing …")
    httpx.post(f"{desk}/messages", json={"agent": "Ana", "text": "Good day"})
    expect(chat.get_by_role("log")).to_contain_text("Good day")


def test_a_window_without_a_scenario_starts_a_chat(
    overture_server: Any, tmp_path: Path, browser_context: BrowserContext
) -> None:
    server = overture_server(written(tmp_path / "book", one=BOOK))
    copies(browser_context, server)
    chat = browser_context.new_page()
    chat.goto(f"{server}{CALLBACK}/indexGPE.html")
    expect(chat.get_by_role("status")).to_have_text("An agent will be with you soon")
    (found,) = chats(server)
    assert found["proactive"] is False


@pytest.mark.parametrize("scenario", ["CHAT-WAIT", "REQUEST-CHAT"])
def test_the_other_chats_of_the_example(
    overture_server: Any, tmp_path: Path, browser_context: BrowserContext, scenario: str
) -> None:
    server = overture_server(written(tmp_path / "book", one=BOOK))
    copies(browser_context, server)
    chat = browser_context.new_page()
    chat.goto(f"{server}{CALLBACK}/indexGPE.html?gmsScenario={scenario}&visitId=V1&pageId=P1")
    (found,) = eventually(lambda: chats(server))
    assert found["attached"]["visitID"] == "V1"
    desk = f"{server}/desk/api/interactions/{found['id']}"
    if scenario == "CHAT-WAIT":
        expect(chat.get_by_role("status")).to_contain_text("keep this page open")
        assert found["transcript"] == []
    httpx.post(f"{desk}/accept", json={"agent": "Ana"})
    expect(chat.get_by_role("status")).to_have_text("In this chat with you")
    expect(chat.get_by_role("textbox", name="Your message")).to_be_visible()


def test_the_chat_is_carried_by_a_gms_elsewhere(
    overture_server: Any, tmp_path: Path, browser_context: BrowserContext
) -> None:
    gms = overture_server(written(tmp_path / "theirs", one=BOOK))
    server = overture_server(
        written(tmp_path / "ours", one=BOOK), OVERTURE_GMS_URL=f"{gms}/genesys"
    )
    copies(browser_context, server)
    site = Site(browser_context.new_page(), server).open()
    with browser_context.expect_page() as opened:
        invited(site).get_by_role("button", name="Start chat").click()
    chat = opened.value
    expect(chat.get_by_role("status")).to_have_text("An agent will be with you soon")
    (there,), (here,) = chats(gms), chats(server)
    assert there["attached"]["visitID"] == site.ids["visitID"]
    assert there["customer"]["reason"] == here["attached"]["reason"] == "documented"
    answered(gms, chat, there["id"])
    chat.get_by_role("button", name="End chat").click()
    site.has("InteractionEnded")
    assert (chats(gms)[0]["state"], chats(server)[0]["state"]) == ("ended", "ended")
