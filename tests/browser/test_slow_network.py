"""A visitor who writes faster than the network carries: all is said, and nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from held_roads import hold_the_first
from playwright.sync_api import Page, Route, expect
from serving import GREETING, Serving, eventually, written

pytestmark = pytest.mark.browser

windows = pytest.mark.parametrize(
    ("widget", "road"), [("chat.html", "**/messages"), ("indexGPE.html", "**/ixn/chat/send*")]
)


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    with Serving(written(tmp_path / "book", one=GREETING), tmp_path / "data") as server:
        yield server


def said(serving: Serving) -> list[str]:
    newest = serving.get("/desk/api/interactions").json()[0]["id"]
    lines = serving.get(f"/desk/api/interactions/{newest}").json()["transcript"]
    return [line["text"] for line in lines if line["type"] == "Message.Text"]


@windows
def test_what_is_sent_while_a_message_is_on_its_way_goes_after_it(
    serving: Serving, browser_page: Page, widget: str, road: str
) -> None:
    held = hold_the_first(browser_page, road)
    browser_page.goto(f"{serving.address}/frontend/resources/{widget}?visitId=V1&pageId=P1")
    field = browser_page.get_by_label("Your message")
    field.fill("Hello")
    field.press("Enter")
    eventually(lambda: browser_page.wait_for_timeout(20) or held)
    field.press("Enter")  # impatient: the same again is not another message
    field.fill("Is this one in stock?")
    browser_page.get_by_role("button", name="Send").click()
    field.press("Enter")
    held[0].continue_()
    expect(browser_page.get_by_role("log")).to_contain_text("Is this one in stock?")
    expect(field).to_have_value("")
    assert said(serving) == ["Hello", "Is this one in stock?"]


@windows
def test_impatience_says_nothing_twice(
    serving: Serving, browser_page: Page, widget: str, road: str
) -> None:
    held: list[Route] = []
    browser_page.route(road, lambda route: held.append(route))
    browser_page.goto(f"{serving.address}/frontend/resources/{widget}?visitId=V1&pageId=P1")
    field = browser_page.get_by_label("Your message")
    field.fill("Hello")
    field.press("Enter")
    eventually(lambda: browser_page.wait_for_timeout(20) or held)
    for _ in range(2):
        browser_page.get_by_role("button", name="Send").click()
    held[0].continue_()
    expect(field).to_have_value("")
    field.fill("Bye")
    field.press("Enter")
    eventually(lambda: browser_page.wait_for_timeout(20) or held[1:])
    held[1].continue_()
    expect(field).to_have_value("")
    assert said(serving) == ["Hello", "Bye"]
    assert len(held) == 2
