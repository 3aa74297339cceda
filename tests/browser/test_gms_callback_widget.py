"""The GMS widget asks for what a call needs, shows what comes next, and takes a callback back."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from accessible import assert_accessible
from playwright.sync_api import BrowserContext, Page, expect
from serving import GREETING, written

pytestmark = pytest.mark.browser

LANGUAGES = Path(__file__).parents[2] / "widgets" / "invitation" / "languages"
HOURS = {
    "OVERTURE_CALLBACK_HOURS": "Mon-Sun 00:00-24:00",
    "OVERTURE_CALLBACK_NUMBER": "+4930123456",
}


@pytest.fixture(scope="module")
def server(overture_server: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    book = written(tmp_path_factory.mktemp("book"), one=GREETING)
    return str(overture_server(book, **HOURS))


MENU = """
[samples_new]
label = "How can we help?"
[[samples_new.choices]]
group = "Write"
label = "Chat with us"
scenario = "CHAT-WAIT"
[[samples_new.choices]]
group = "Talk"
label = "Get a call"
scenario = "VOICE-NOW-USERTERM"
[[samples_new.choices]]
group = "Talk"
label = "Call us"
scenario = "VOICE-NOW-USERORIG"
"""


@pytest.fixture(scope="module")
def asking(overture_server: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A server whose service asks before it starts anything."""
    folder = tmp_path_factory.mktemp("asking")
    (folder / "menus.toml").write_text(MENU, "utf-8")
    book, menus = written(folder / "book", one=GREETING), str(folder / "menus.toml")
    return str(overture_server(book, **HOURS, OVERTURE_GMS_MENUS=menus))


def widget(
    context: BrowserContext, server: str, scenario: str, width: int = 420, language: str = "en"
) -> Page:
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 640})
    page.goto(
        f"{server}/frontend/resources/indexGPE.html"
        f"?gmsScenario={scenario}&visitId=V-{scenario}-{language}&pageId=P1&languageCode={language}"
    )
    return page


def listed(server: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{server}/desk/api/callbacks").json()["callbacks"][0]
    return found


def photograph(page: Page, name: str) -> None:
    if folder := os.environ.get("OVERTURE_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_by_keyboard_alone_a_time_is_chosen(server: str, browser_context: BrowserContext) -> None:
    page = widget(browser_context, server, "VOICE-SCHEDULED-USERTERM", 360)
    expect(page.get_by_label("Telephone")).to_be_focused()
    page.keyboard.type("soon")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("write your telephone number")
    photograph(page, "gms-callback-form-360")
    assert_accessible(page)
    page.keyboard.press("Control+a")
    page.keyboard.type("+34 600 1")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    chosen = page.get_by_label("When").input_value()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("region", name="What happens next")
    expect(dialog).to_contain_text("at the time that you chose")
    photograph(page, "gms-callback-confirmed-360")
    assert_accessible(page)
    found = httpx.get(f"{server}/genesys/1/service/callback?_customer_number=%2B34 600 1").json()[0]
    assert (found["_desired_time"], found["_callback_state"]) == (chosen, "SCHEDULED")
    dialog.get_by_role("button", name="Do not call me").click()
    expect(dialog).to_contain_text("We will not call you.")
    assert listed(server)["state"] == "cancelled"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_what_the_server_refuses_is_said_beside_the_form(
    server: str, browser_context: BrowserContext
) -> None:
    for _ in range(2):
        page = widget(browser_context, server, "VOICE-NOW-USERTERM")
        page.get_by_label("Telephone").fill("+34 600 2")
        page.get_by_role("button", name="Call me").click()
    expect(page.get_by_role("alert")).to_contain_text("We have your wish already")
    expect(page.get_by_label("Telephone")).to_have_value("+34 600 2")


@pytest.mark.parametrize("language", ["ar", "de", "es", "fr"])
def test_what_the_server_says_and_refuses_is_in_the_language_of_the_page(
    server: str, browser_context: BrowserContext, language: str
) -> None:
    words = json.loads((LANGUAGES / f"{language}.json").read_text("utf-8"))
    number = "+34 601 " + "".join(str(ord(letter)) for letter in language)
    for place in ("region", "alert"):  # the second wish is one too many
        page = widget(browser_context, server, "VOICE-NOW-USERTERM", 360, language)
        page.get_by_label(words["Telephone"]).fill(number)
        page.get_by_role("button", name=words["Call me"]).click()
        said = words["says.call-now"].format(number=number)
        sentence = said if place == "region" else words["refused.already"]
        expect(page.get_by_role(place).filter(has_text=sentence)).to_be_visible()
        photograph(page, f"gms-{place}-{language}")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page = widget(browser_context, server, "CHAT-WAIT", 360, language)
    expect(page.locator("#status")).to_have_text(words["says.chat-wait"])


def test_a_number_is_shown_to_who_calls(server: str, browser_context: BrowserContext) -> None:
    page = widget(browser_context, server, "REQUEST-INTERACTION")
    page.get_by_label("Telephone").fill("+34 600 3")
    page.get_by_role("button", name="Call me").click()
    link = page.get_by_role("link", name="+4930123456")
    expect(link).to_have_attribute("href", "tel:+4930123456")
    expect(page.get_by_role("region")).to_contain_text("Please call before")
    expect(page.get_by_role("heading", level=1)).to_have_text("Call us")
    photograph(page, "gms-dial")
    assert_accessible(page)


def test_a_menu_is_shown_and_a_chat_is_chosen(asking: str, browser_context: BrowserContext) -> None:
    page = widget(browser_context, asking, "VOICE-NOW-USERTERM")
    page.get_by_label("Telephone").fill("+34 600 4")
    page.get_by_role("button", name="Call me").click()
    expect(page.get_by_role("heading", name="Write")).to_be_visible()
    region = page.get_by_role("region", name="What happens next")
    expect(region).to_contain_text("How can we help?")
    expect(page.get_by_role("heading", level=1)).to_have_text("Please choose")
    expect(page.get_by_role("button", name="Do not call me")).to_have_count(0)
    photograph(page, "gms-menu")
    assert_accessible(page)
    page.get_by_role("button", name="Chat with us").click()
    expect(page.get_by_text("An agent will be with you soon")).to_be_visible()
    expect(region).to_be_hidden()
    desk = f"{asking}/desk/api/interactions"
    (waiting,) = httpx.get(desk).json()
    httpx.post(f"{desk}/{waiting['id']}/accept", json={"agent": "Ana"}).raise_for_status()
    expect(page.get_by_label("Your message")).to_be_focused()
    photograph(page, "gms-menu-chat")


def test_a_call_is_chosen(asking: str, browser_context: BrowserContext) -> None:
    page = widget(browser_context, asking, "VOICE-NOW-USERTERM")
    page.get_by_label("Telephone").fill("+34 600 5")
    page.get_by_role("button", name="Call me").click()
    page.get_by_role("button", name="Call us").click()
    expect(page.get_by_role("link", name="+4930123456")).to_be_visible()


def test_a_choice_that_leads_elsewhere_is_not_followed(
    server: str, browser_context: BrowserContext
) -> None:
    """Only another GMS could answer this: it is answered here."""
    choices = [{"_label": "Elsewhere", "_user_action_url": "https://elsewhere.example/now"}]
    menu = {
        "_id": "7",
        "_action": "DisplayMenu",
        "_content": [{"_group_name": "Sales", "_group_content": choices}],
    }
    service = f"{server}/genesys/1/service"
    browser_context.route(f"{service}/callback/*", lambda route: route.fulfill(json=menu))
    page = widget(browser_context, server, "VOICE-NOW-USERORIG")
    page.get_by_role("button", name="Elsewhere").click()
    expect(page.get_by_role("alert")).to_have_text("This choice leads elsewhere.")
