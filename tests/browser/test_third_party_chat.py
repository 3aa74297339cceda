"""A third party's chat, for real: Prosody and Converse, an agent who reads the signed token."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, expect
from serving import eventually, written
from tracker_site import Site
from xmpp_party import XmppParty

from engine.hosts.clock import now_ms
from engine.media.third_party import claims_of

pytestmark = pytest.mark.browser

INVITATIONS = Path(__file__).parents[2] / "widgets" / "invitation"
SECRET = "a secret that both sides share"

BOOK = """
message Invite is gpe.appendContent { url: "/frontend/resources/inviteThirdParty.html" }

strategy "Elsewhere"
  on PageEntered
    send Invite
"""


@pytest.fixture(scope="module")
def party(tmp_path_factory: pytest.TempPathFactory) -> Iterator[XmppParty]:
    with XmppParty(tmp_path_factory.mktemp("party")) as running:
        yield running


@pytest.fixture(scope="module")
def server(overture_server: Any, party: XmppParty, tmp_path_factory: pytest.TempPathFactory) -> str:
    book = written(tmp_path_factory.mktemp("book"), one=BOOK)
    settings = {"OVERTURE_THIRD_PARTY_URL": party.url, "OVERTURE_THIRD_PARTY_SECRET": SECRET}
    return str(overture_server(book, **settings))


def test_the_agent_elsewhere_knows_visit_and_page_and_we_only_the_disposition(
    server: str, party: XmppParty, browser_context: BrowserContext
) -> None:
    site = Site(browser_context.new_page(), server).open()
    ids = site.ids
    frame = site.page.frame_locator("iframe[src*='inviteThirdParty.html']")
    with browser_context.expect_page() as opened:
        frame.get_by_role("button", name="Start chat").click()
    chat = opened.value
    assert chat.url.startswith(f"{party.url}?token=")
    box = chat.locator("converse-chat-message-form textarea, textarea.chat-textarea")
    box.wait_for(timeout=30_000)
    box.fill("Is the Aurora in stock?")
    box.press("Enter")
    heard = party.heard()
    assert heard["body"] == "Is the Aurora in stock?"
    claims = claims_of(heard["token"], SECRET.encode(), now_ms())
    assert claims is not None
    assert (claims["visitID"], claims["pageID"]) == (ids["visitID"], ids["pageID"])
    assert claims["webengagement"] == "Elsewhere"
    answer = "Good day. You said: Is the Aurora in stock?"
    expect(chat.locator("converse-chat").get_by_text(answer)).to_be_in_viewport(ratio=1)
    expect(box).to_be_in_viewport(ratio=0.9)  # it fills the window
    if folder := os.environ.get("OVERTURE_PICTURES"):
        chat.screenshot(path=Path(folder) / "third-party.png")

    chat.reload()
    expect(chat.locator("converse-chat").get_by_text(answer)).to_be_visible(timeout=30_000)

    [accepted] = site.has("InvitationAccepted")
    assert accepted["data"]["medium"] == "third_party"
    names = {event["eventName"] for event in site.history()}
    assert {"InvitationShown", "InvitationAccepted"} <= names
    assert not {"InteractionStarted", "InteractionEnded"} & names
    assert httpx.get(f"{server}/desk/api/interactions").json() == []


def test_who_declines_is_known_and_nobody_is_asked(
    server: str, party: XmppParty, browser_context: BrowserContext
) -> None:
    site = Site(browser_context.new_page(), server).open()
    frame = site.page.frame_locator("iframe[src*='inviteThirdParty.html']")
    frame.get_by_role("button", name="No, thank you").click()
    site.has("InvitationRejected")
    assert party.is_quiet()


def test_only_an_invitation_that_was_sent_here_gives_a_token(
    server: str, browser_context: BrowserContext
) -> None:
    site = Site(browser_context.new_page(), server).open()
    site.has("InvitationShown")
    ids = site.ids
    body = {"visitID": ids["visitID"], "pageID": ids["pageID"], "invitation": "guessed"}
    answer = httpx.post(f"{server}/media/third-party", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "no-invitation")
    right = eventually(lambda: site.page.locator("iframe").get_attribute("src")) or ""
    invitation = httpx.URL(right).params["invitation"]
    answer = httpx.post(f"{server}/media/third-party", json=body | {"invitation": invitation})
    assert answer.status_code == 200
    assert set(answer.json()) == {"url", "token"}


@pytest.mark.parametrize("name", ["inviteGMS", "inviteThirdParty"])
def test_copies_of_the_invitation_differ_in_their_script_alone(name: str) -> None:
    standard = (INVITATIONS / "invite.html").read_text("utf-8").splitlines()
    copy = (INVITATIONS / f"{name}.html").read_text("utf-8").splitlines()
    copy.remove(f'    <script src="{name}.js" defer></script>')
    assert copy == standard
