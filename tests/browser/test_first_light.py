"""The whole road in a real browser: hesitate at the checkout, be invited, chat with the desk.

``OVERTURE_PICTURES=FOLDER`` keeps screenshots of what the visitor and the agent saw.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect
from serving import eventually

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "strategies"

pytestmark = pytest.mark.browser


def picture(page: Page, name: str) -> None:
    folder = os.environ.get("OVERTURE_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png")


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A copy of the sample book, whose buyers hesitate for 5 s; in the shop's tests for 30."""
    book = tmp_path / "book"
    shutil.copytree(SAMPLE, book)
    file = book / "gms-chat.strategy"
    text = file.read_text("utf-8")
    assert "on PageEntered in Checkout, stays 30 s" in text
    file.write_text(text.replace("Checkout, stays 30 s", "Checkout, stays 5 s"), "utf-8")
    return book


@pytest.fixture
def agent(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 860})
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


def sit_down(agent: Page, address: str) -> None:
    """Open the desk: an agent is ready."""
    agent.goto(f"{address}/desk/")
    expect(agent.locator("#ready")).to_have_attribute("aria-checked", "true")
    eventually(lambda: httpx.get(f"{address}/api/status").json()["agents"]["chat"] > 0)


def shop_for_a_while(page: Page, address: str) -> None:
    """Three products, one of them into the cart, then to the checkout."""
    for product in ("pebble-5", "fjord-fold", "aurora-12"):
        page.goto(f"{address}/products/{product}")
        expect(page.locator("h1.product-name")).to_be_visible()
    page.locator("button.add-to-cart").click()
    page.goto(f"{address}/cart")
    page.get_by_role("link", name="To the checkout").click()
    page.wait_for_url("**/checkout/basket")


def identity(page: Page) -> dict[str, str]:
    """What a site gets from ``_gt.push(['getIDs', ..])``."""
    found: dict[str, str] = page.evaluate(
        "() => new Promise(done => (window._gt = window._gt || []).push(['getIDs', done]))"
    )
    return found


def invitation(page: Page) -> FrameLocator:
    return page.frame_locator("iframe[src*='/frontend/resources/invite']")


def accept(page: Page, context: BrowserContext) -> Page:
    with context.expect_page() as opened:
        invitation(page).get_by_role("button", name="Start chat").click()
    chat = opened.value
    chat.set_viewport_size({"width": 420, "height": 640})
    return chat


def test_hesitant_buyer_chats_with_the_desk(
    overture_server: Any, sample: Path, browser_context: BrowserContext, agent: Page
) -> None:
    address = overture_server(sample)
    sit_down(agent, address)
    page = browser_context.new_page()
    shop_for_a_while(page, address)
    ids = identity(page)
    assert re.fullmatch("[0-9A-F]{32}", ids["visitID"])
    assert re.fullmatch("[0-9A-F]{32}", ids["pageID"])

    button = invitation(page).get_by_role("button", name="Start chat")
    expect(button).to_be_visible()
    times = {one["eventName"]: one["timestamp"] for one in journey(address, ids["visitID"])}
    assert times["InvitationShown"] - times["PageEntered"] >= 5_000, "it waits for hesitation"
    picture(page, "invitation")

    chat = accept(page, browser_context)
    assert f"visitId={ids['visitID']}" in chat.url
    assert f"pageId={ids['pageID']}" in chat.url
    assert "gmsScenario=CHAT-NOW" in chat.url
    expect(page.locator("iframe[src*='/frontend/resources/invite']")).to_have_count(0)

    chat.get_by_role("textbox").fill("Is the Aurora in stock?")
    chat.get_by_role("button", name="Send").click()
    agent.locator("#list").get_by_role("button").first.click()
    agent.get_by_role("button", name="Accept").click()
    expect(agent.locator("#transcript")).to_contain_text("Is the Aurora in stock?")
    agent.locator("#text").fill("Yes, we can send it today.")
    agent.locator("#text").press("Enter")
    expect(chat.locator("#log")).to_contain_text("Yes, we can send it today.")
    picture(chat, "chat")
    picture(agent, "desk")

    attached = attached_data(address)
    assert attached["visitID"] == ids["visitID"]
    assert attached["pageID"] == ids["pageID"]
    assert attached["webengagement"] == "GMS chat for hesitant buyers"
    assert attached["reason"] == "hesitant buyer"
    assert attached["cartTotal"] == 749
    names = [event["eventName"] for event in journey(address, ids["visitID"])]
    assert names.count("InvitationShown") == 1
    assert names.count("InvitationAccepted") == 1
    assert names.count("InteractionStarted") == 1
    assert funnel(address, "GMS chat for hesitant buyers") == {
        "medium": "chat",
        "offered": 1,
        "shown": 1,
        "accepted": 1,
        "started": 1,
        "answered": 1,
    }


def funnel(address: str, strategy: str) -> dict[str, Any]:
    """What the report says of one strategy that invited once."""
    report = httpx.get(f"{address}/api/report?by=strategy,medium").json()
    (row,) = [row for row in report["rows"] if row["strategy"] == strategy and row["offered"]]
    names = ("medium", "offered", "shown", "accepted", "started", "answered")
    return {name: row[name] for name in names}


def attached_data(address: str) -> dict[str, Any]:
    (interaction,) = httpx.get(f"{address}/desk/api/interactions").json()
    detail = httpx.get(f"{address}/desk/api/interactions/{interaction['id']}").json()
    assert detail["proactive"]
    found: dict[str, Any] = detail["attached"]
    return found


def journey(address: str, visit: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{address}/server/data/visits/{visit}/events").json()
    return found


SOON = """
category Checkout is url "/checkout/**"

message Invite is gpe.appendContent { url: "/frontend/resources/inviteGMS.html" }

strategy "Soon"
  on PageEntered in Checkout, stays 1 s
    send Invite
"""


def test_an_edited_strategy_is_live_without_a_restart(
    overture_server: Any, tmp_path: Path, browser_page: Page
) -> None:
    book = tmp_path / "book"
    book.mkdir()
    file = book / "soon.strategy"
    file.write_text(SOON, "utf-8")
    address = overture_server(book)
    page = browser_page
    page.goto(f"{address}/checkout/basket")
    expect(page.locator("iframe[src*='inviteGMS.html']")).to_be_visible()

    before = httpx.get(f"{address}/api/book").json()["version"]
    file.write_text(SOON.replace("send Invite", "sned Invite"), "utf-8")
    eventually(lambda: httpx.get(f"{address}/api/book").json()["problems"])
    assert httpx.get(f"{address}/api/book").json()["version"] == before
    page.goto(f"{address}/checkout/basket")
    expect(page.locator("iframe[src*='inviteGMS.html']")).to_be_visible()

    file.write_text(SOON.replace("inviteGMS.html", "invite.html"), "utf-8")
    eventually(lambda: httpx.get(f"{address}/api/book").json()["version"] != before)
    page.goto(f"{address}/checkout/basket")
    expect(page.locator("iframe[src*='/invite.html']")).to_be_visible()
    expect(page.locator("iframe[src*='inviteGMS.html']")).to_have_count(0)
    picture(page, "edited")


def test_a_refusal_is_remembered(overture_server: Any, tmp_path: Path, browser_page: Page) -> None:
    book = tmp_path / "book"
    book.mkdir()
    group = "group Invitations\n  one at a time\n"
    fact = "fact visitor.dislikesChat boolean = false\n"
    rule = SOON.replace("  on", "  group Invitations\n  on").replace(
        "    send", "    unless visitor.dislikesChat\n    send"
    )
    refusal = '  on InvitationRejected where event.group = "Invitations"\n'
    text = group + fact + rule + refusal + "    set visitor.dislikesChat = true\n"
    (book / "soon.strategy").write_text(text, "utf-8")
    address = overture_server(book)
    page = browser_page
    page.goto(f"{address}/checkout/basket")
    invitation(page).get_by_role("button", name="No, thank you").click()
    expect(page.locator("iframe[src*='invite']")).to_have_count(0)
    visit = identity(page)["visitID"]
    eventually(lambda: "InvitationRejected" in [e["eventName"] for e in journey(address, visit)])
    page.goto(f"{address}/checkout/basket")
    page.wait_for_timeout(2_000)
    expect(page.locator("iframe[src*='invite']")).to_have_count(0)
    eventually(lambda: any(d["reason"] == "unless" for d in all_decisions(address, visit)))
    total = httpx.get(f"{address}/api/report").json()["total"]
    assert (total["shown"], total["rejected"], total["refusedBy"]) == (1, 1, {"unless": 1})


def all_decisions(address: str, visit: str) -> list[dict[str, Any]]:
    return [d for event in journey(address, visit) for d in event["decisions"]]
