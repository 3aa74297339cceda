"""The windows of our own media in Chromium, against a real server: chat, callback, a site's own.

``OVERTURE_PICTURES=FOLDER`` keeps screenshots of what the visitor saw.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from accessible import assert_accessible
from elsewhere import Elsewhere
from playwright.sync_api import BrowserContext, Page, Route, expect
from serving import GREETING, Serving, eventually, free_port, written
from tracker_site import Site

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
WIDGETS = "/frontend/resources"
LANGUAGES = ROOT / "widgets" / "invitation" / "languages"
ALWAYS = {"OVERTURE_CALLBACK_HOURS": "Mon-Sun 00:00-24:00", "OVERTURE_CALLBACK_CAPACITY": "1"}


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    book = written(tmp_path / "book", greeting=GREETING)
    with Serving(book, tmp_path / "data", **ALWAYS) as running:
        yield running


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server for tests to which it is nothing what others left behind."""
    folder = tmp_path_factory.mktemp("lasting")
    book = written(folder / "book", greeting=GREETING)
    with Serving(book, folder / "data", **ALWAYS) as running:
        yield running


@pytest.fixture
def complaints(browser_page: Page) -> Iterator[list[str]]:
    """What the console complains of; nothing, when the test is over."""
    found: list[str] = []
    browser_page.on("pageerror", lambda error: found.append(str(error)))
    browser_page.on(
        "console", lambda line: found.append(line.text) if line.type == "error" else None
    )
    yield found
    assert found == []


def looked_at(page: Page, name: str) -> None:
    """Nothing serious for axe-core and nothing that is cut off, wide and narrow."""
    folder = os.environ.get("OVERTURE_PICTURES")
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 740})
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
        if folder:
            page.screenshot(path=Path(folder) / f"{name}-{width}.png")
    assert_accessible(page)


def opened(page: Page, serving: Serving, widget: str, **more: str) -> dict[str, Any]:
    """The widget of a visit that is known, and that visit."""
    visit = serving.visit()
    serving.event("PageEntered", visit["visitID"], "P1")
    values = {"visitId": visit["visitID"], "pageId": "P1"} | more
    query = "&".join(f"{name}={value}" for name, value in values.items())
    page.goto(f"{serving.address}{WIDGETS}/{widget}?{query}")
    return visit


def newest(serving: Serving) -> str:
    def found() -> Any:
        return serving.get("/desk/api/interactions").json()

    return str(eventually(found)[0]["id"])


def desk(serving: Serving, path: str, **body: Any) -> None:
    answer = serving.post(f"/desk/api/{path}", json=body)
    assert answer.status_code in (200, 204), answer.text


def sit_down(serving: Serving, *agents: str) -> None:
    for agent in agents:
        body = {"ready": True, "media": ["chat", "callback"]}
        serving._request("PUT", f"/desk/api/agents/{agent}", json=body)


def events(serving: Serving, visit: dict[str, Any]) -> list[str]:
    found = serving.get(f"/server/data/visits/{visit['visitID']}/events").json()
    rows = found if isinstance(found, list) else found["events"]
    return [one["eventName"] for one in rows]


def test_a_chat_with_two_agents_over_a_reload(
    serving: Serving, browser_page: Page, complaints: list[str]
) -> None:
    sit_down(serving, "Ana", "Bo")
    visit = opened(browser_page, serving, "chat.html", first_name="Zoë")
    log = browser_page.get_by_role("log")
    expect(browser_page.get_by_role("status")).to_have_text("An agent will be with you soon")
    chat = newest(serving)
    desk(serving, f"interactions/{chat}/accept", agent="Ana")
    browser_page.get_by_label("Your message").fill("Is the Aurora in stock?")
    typing = f"/desk/api/interactions/{chat}?journey=no"
    eventually(lambda: serving.get(typing).json()["typing"])
    browser_page.keyboard.press("Enter")
    expect(browser_page.get_by_label("Your message")).to_have_value("")
    expect(browser_page.get_by_role("heading", level=1)).to_have_text("Ana")
    desk(serving, f"interactions/{chat}/typing", agent="Ana", typing=True)
    expect(browser_page.locator("#typing")).to_have_text("Ana is typing …")
    looked_at(browser_page, "own-chat")
    desk(serving, f"interactions/{chat}/messages", agent="Ana", text="<b>Yes</b>, 3 of them.")
    expect(log.get_by_text("<b>Yes</b>, 3 of them.")).to_be_visible()
    expect(browser_page.locator("#typing")).to_have_text("")

    browser_page.reload()
    expect(log.get_by_text("Is the Aurora in stock?")).to_be_visible()
    desk(serving, f"interactions/{chat}/transfer", agent="Ana", to="Bo")
    expect(log.get_by_text("Bo joined the chat")).to_be_visible()
    expect(browser_page.get_by_role("heading", level=1)).to_have_text("Bo")
    desk(serving, f"interactions/{chat}/end", agent="Bo")
    expect(browser_page.get_by_text("This chat has ended.")).to_be_visible()
    looked_at(browser_page, "own-chat-over")
    with browser_page.expect_download() as kept:
        browser_page.get_by_role("link", name="Save the transcript").click()
    text = Path(kept.value.path()).read_text("utf-8")
    assert "Ana: <b>Yes</b>, 3 of them." in text
    assert len(serving.get("/desk/api/interactions").json()) == 1, "the reload started no other"
    assert events(serving, visit)[-2:] == ["InteractionStarted", "InteractionEnded"]


@pytest.mark.parametrize("widget", ["chat", "callback"])
def test_a_start_whose_answer_is_lost_is_one(
    serving: Serving, browser_page: Page, widget: str
) -> None:
    lost: list[str] = []

    def answer_is_lost(road: Route) -> None:
        if lost or road.request.method != "POST":
            road.continue_()
            return
        lost.append(road.request.url)
        road.fetch()
        road.abort()

    browser_page.route(f"**/media/{widget}", answer_is_lost)
    opened(browser_page, serving, f"{widget}.html", phone="030123456")
    if widget == "callback":
        browser_page.get_by_role("button", name="Call me").click()
        expect(browser_page.get_by_role("alert")).to_contain_text("There is no connection")
        browser_page.get_by_role("button", name="Call me").click()
        expect(browser_page.get_by_role("heading", level=2)).to_contain_text("We call you")
    else:
        expect(browser_page.get_by_label("Your message")).to_be_focused()
    assert lost
    assert len(serving.get("/desk/api/interactions").json()) == 1


def test_a_message_whose_answer_is_lost_is_said_once(serving: Serving, browser_page: Page) -> None:
    lost: list[str] = []

    def answer_is_lost(road: Route) -> None:
        if lost:
            road.continue_()
            return
        lost.append(road.request.url)
        road.fetch()
        road.abort()

    browser_page.route("**/messages", answer_is_lost)
    opened(browser_page, serving, "chat.html")
    browser_page.get_by_label("Your message").fill("Do you have this in blue?")
    browser_page.keyboard.press("Enter")
    eventually(lambda: browser_page.wait_for_timeout(20) or lost)
    browser_page.get_by_role("button", name="Send").click()
    expect(browser_page.get_by_label("Your message")).to_have_value("")
    expect(browser_page.get_by_role("alert")).to_be_hidden()
    found = serving.get(f"/desk/api/interactions/{newest(serving)}").json()
    said = [line["text"] for line in found["transcript"] if line["type"] == "Message.Text"]
    assert said == ["Do you have this in blue?"]


@pytest.mark.parametrize("language", ["ar", "de", "en", "es", "fr"])
def test_a_file_is_refused_politely_and_goes_nowhere(
    serving: Serving, browser_page: Page, language: str
) -> None:
    words = json.loads((LANGUAGES / f"{language}.json").read_text("utf-8"))
    opened(browser_page, serving, "chat.html", languageCode=language)
    expect(browser_page.locator("#message")).to_be_focused()
    sent: list[str] = []
    browser_page.on(
        "request", lambda one: sent.append(one.post_data or "") if "/files" in one.url else None
    )
    browser_page.evaluate(
        """() => {
          const carried = new DataTransfer();
          carried.items.add(new File(["secret bytes"], "a.txt"));
          document.body.dispatchEvent(new DragEvent("drop",
            {dataTransfer: carried, bubbles: true, cancelable: true}));
        }"""
    )
    sentence = words.get("refused.files", "Files can not be sent in this chat")
    expect(browser_page.get_by_role("alert")).to_contain_text(sentence)
    assert sent == ["{}"]


def test_the_visitor_ends_and_starts_again_with_the_keyboard_alone(
    serving: Serving, browser_page: Page, complaints: list[str]
) -> None:
    opened(browser_page, serving, "chat.html")
    expect(browser_page.get_by_label("Your message")).to_be_focused()
    browser_page.keyboard.press("Shift+Tab")
    browser_page.keyboard.press("Shift+Tab")
    expect(browser_page.get_by_role("button", name="End chat")).to_be_focused()
    browser_page.keyboard.press("Enter")
    expect(browser_page.get_by_role("button", name="Start a new chat")).to_be_focused()
    browser_page.keyboard.press("Enter")
    expect(browser_page.get_by_label("Your message")).to_be_focused()
    assert len(serving.get("/desk/api/interactions").json()) == 2


def test_a_chat_survives_a_server_that_was_killed(tmp_path: Path, browser_page: Page) -> None:
    book = written(tmp_path / "book", greeting=GREETING)
    port = str(free_port())
    first = Serving(book, tmp_path / "data", OVERTURE_PORT=port)
    try:
        first.__enter__()
        opened(browser_page, first, "chat.html")
        browser_page.get_by_label("Your message").fill("before")
        browser_page.keyboard.press("Enter")
        expect(browser_page.get_by_label("Your message")).to_have_value("")
    finally:
        first.stop(signal.SIGKILL)
    expect(browser_page.get_by_role("alert")).to_contain_text("The connection is lost")
    with Serving(book, tmp_path / "data", OVERTURE_PORT=port) as second:
        expect(browser_page.get_by_role("alert")).to_be_hidden()
        desk(second, f"interactions/{newest(second)}/accept", agent="Ana")
        expect(browser_page.get_by_role("heading", level=1)).to_have_text("Ana")
        expect(browser_page.get_by_role("log").get_by_text("before")).to_have_count(1)


def test_a_call_at_a_time_then_another_time_then_done(
    serving: Serving, browser_page: Page, complaints: list[str]
) -> None:
    sit_down(serving, "Ana")
    visit = opened(browser_page, serving, "callback.html", first_name="Zoë")
    page = browser_page
    expect(page.get_by_label("Your telephone number")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Please write a number like")).to_be_visible()
    looked_at(page, "callback-lacking")
    page.get_by_label("Your telephone number").fill("+49 30 123456")
    page.get_by_label("At a time that I choose").check()
    page.get_by_label("Day", exact=True).select_option(index=1)
    first = page.get_by_role("group", name="Time").get_by_role("radio").first
    first.focus()
    page.keyboard.press("ArrowRight")
    looked_at(page, "callback-slots")
    page.get_by_role("button", name="Call me").press("Enter")
    heading = page.get_by_role("heading", level=2)
    expect(heading).to_be_focused()
    expect(heading).to_contain_text("at 00:15")
    looked_at(page, "callback-booked")

    page.reload()
    expect(heading).to_contain_text("at 00:15")
    page.get_by_role("button", name="Change the time").click()
    page.get_by_label("Day", exact=True).select_option(index=1)
    expect(page.get_by_role("radio", name="00:15")).to_have_count(0)  # taken
    page.get_by_role("radio", name="00:30").check(force=True)
    page.get_by_role("button", name="Change the time").click()
    expect(heading).to_contain_text("at 00:30")

    one = serving.get("/desk/api/callbacks").json()["callbacks"][0]
    assert (one["phone"], one["nickname"]) == ("+49 30 123456", "Zoë")
    assert one["attached"]["visitID"] == visit["visitID"]
    desk(serving, f"callbacks/{one['id']}/take", agent="Ana")
    expect(heading).to_have_text("We are calling you now")
    desk(serving, f"callbacks/{one['id']}/finish", agent="Ana", outcome="failed")
    expect(heading).to_have_text("We could not reach you")
    assert events(serving, visit)[-2:] == ["InteractionStarted", "InteractionEnded"]


def test_refusals_are_in_the_language_of_the_page(serving: Serving, browser_page: Page) -> None:
    words = json.loads((LANGUAGES / "de.json").read_text("utf-8"))
    visit = opened(browser_page, serving, "callback.html", languageCode="de")
    asked = {"visitID": visit["visitID"], "phone": "soon", "slot": ""}
    httpx.post(f"{serving.address}/media/callback", json=asked | {"phone": "+49301234"})
    browser_page.get_by_label(words["Your telephone number"]).fill("+49301234")
    browser_page.get_by_role("button", name=words["Call me"], exact=True).click()
    alert = browser_page.get_by_role("alert").filter(visible=True)
    expect(alert).to_have_text(words["refused.already"])
    refused = httpx.post(f"{serving.address}/media/callback", json=asked)
    assert refused.json() == {
        "error": "This is not a telephone number: write it like +49 30 123456.",
        "code": "phone",
    }

    opened(browser_page, serving, "webhook.html", languageCode="de")
    expect(browser_page.locator("#words")).to_have_text(words["refused.unset"])


def test_a_call_at_once_is_cancelled(
    serving: Serving, browser_page: Page, complaints: list[str]
) -> None:
    opened(browser_page, serving, "callback.html", phone="030123456")
    expect(browser_page.get_by_label("As soon as possible")).to_be_checked()
    browser_page.get_by_role("button", name="Call me").click()
    heading = browser_page.get_by_role("heading", level=2)
    expect(heading).to_have_text("We call you as soon as we can")
    browser_page.get_by_role("button", name="Do not call me").click()
    expect(heading).to_have_text("We do not call you")
    assert serving.get("/desk/api/callbacks").json()["callbacks"][0]["state"] == "cancelled"
    browser_page.get_by_role("button", name="Ask for another call").click()
    expect(browser_page.get_by_role("button", name="Call me")).to_be_visible()


def snippet(name: str) -> str:
    """The example of the guide that begins with this comment."""
    guide = (ROOT / "widgets" / "README.md").read_text("utf-8")
    found = re.search(rf"```js\n(// {re.escape(name)}.*?)```", guide, re.DOTALL)
    assert found, name
    return found[1]


def test_a_site_brings_its_own_widget(tmp_path: Path, browser_page: Page) -> None:
    site = "http://site.example"
    page = """<!doctype html><title>Site</title><ul id="said"></ul>
      <form id="talk"><input aria-label="Say"></form><script type="module" src="own.js"></script>"""
    book = written(tmp_path / "book", greeting=GREETING)
    with Serving(book, tmp_path / "data", OVERTURE_ORIGINS=site) as serving:
        script = snippet("A chat of your own").replace(
            "https://overture.example.com", serving.address
        )
        visit = serving.visit()
        script = script.replace("ids.visitID", repr(visit["visitID"])).replace("ids.pageID", "'P1'")
        serving.event("PageEntered", visit["visitID"], "P1")
        browser_page.route(
            f"{site}/", lambda road: road.fulfill(content_type="text/html", body=page)
        )
        browser_page.route(
            f"{site}/own.js", lambda road: road.fulfill(content_type="text/javascript", body=script)
        )
        browser_page.goto(f"{site}/")
        chat = newest(serving)
        desk(serving, f"interactions/{chat}/accept", agent="Ana")
        browser_page.get_by_label("Say").fill("Hello")
        browser_page.keyboard.press("Enter")
        expect(browser_page.get_by_text("Visitor: Hello")).to_be_visible()
        desk(serving, f"interactions/{chat}/messages", agent="Ana", text="How can I help?")
        expect(browser_page.get_by_text("Ana: How can I help?")).to_be_visible()
        found = serving.get(f"/desk/api/interactions/{chat}").json()
        assert found["attached"] == {
            "visitID": visit["visitID"],
            "pageID": "P1",
            "webengagement": "my own widget",
        }


INVITED = """
event Asked
  topic text

message Chat is gpe.appendContent { url: "/frontend/resources/invite.html" }
message Call is gpe.appendContent { url: "/frontend/resources/invite.html?type=callback" }

strategy "Chat with us"
  on Asked where event.topic = "chat"
    send Chat
    attach { reason: "asked" }

strategy "Call me"
  on Asked where event.topic = "call"
    send Call
    attach { reason: "asked" }
"""


@pytest.mark.parametrize(
    ("topic", "button", "strategy", "medium"),
    [("chat", "Start chat", "Chat with us", "chat"), ("call", "Yes", "Call me", "callback")],
)
def test_from_the_invitation_to_the_desk(
    tmp_path: Path,
    browser_context: BrowserContext,
    topic: str,
    button: str,
    strategy: str,
    medium: str,
) -> None:
    book = written(tmp_path / "book", one=INVITED)
    with Serving(book, tmp_path / "data", **ALWAYS) as serving:
        desk_page = browser_context.new_page()
        desk_page.goto(f"{serving.address}/desk/")
        site = Site(browser_context.new_page(), serving.address).open()
        ids = site.ids
        site.push("event", "Asked", {"data": {"topic": topic}})
        frame = site.page.frame_locator("iframe[src*='/invite.html']")
        with browser_context.expect_page() as opened_window:
            frame.get_by_role("button", name=button).click()
        window = opened_window.value
        if medium == "callback":
            window.get_by_label("Your telephone number").fill("+49 30 123456")
            window.get_by_role("button", name="Call me").click()
            expect(window.get_by_role("heading", level=2)).to_contain_text("We call you")
        else:
            window.get_by_label("Your message").fill("Is it in stock?")
            window.keyboard.press("Enter")
            desk_page.get_by_role("button", name="Is it in stock?").click()
            desk_page.get_by_role("button", name="Accept").click()
            desk_page.get_by_role("textbox", name="Your answer").fill("3 of them.")
            desk_page.keyboard.press("Enter")
            expect(window.get_by_role("log").get_by_text("3 of them.")).to_be_visible()
        (found,) = serving.get("/desk/api/interactions").json()
        details = serving.get(f"/desk/api/interactions/{found['id']}").json()
        assert (details["medium"], details["proactive"]) == (medium, True)
        assert details["attached"] == {
            "visitID": ids["visitID"],
            "pageID": ids["pageID"],
            "webengagement": strategy,
            "reason": "asked",
        }
        assert site.has("InvitationAccepted")[0]["data"]["medium"] == medium
        assert site.has("InteractionStarted")[0]["data"]["strategy"] == strategy


THIRD_PARTY = """
message Invite is gpe.appendContent { url: "/frontend/resources/inviteOther.html" }

strategy "Third party"
  on PageEntered
    send Invite
    attach { reason: "tries it" }
"""


def copy_of_the_invitation(context: BrowserContext, script: str) -> None:
    """``inviteOther.html``: the standard invitation with one script more, as the documents say."""
    page = (ROOT / "widgets" / "invitation" / "invite.html").read_text("utf-8")
    page = page.replace("</head>", '<script src="inviteOther.js" defer></script></head>')

    def answer(road: Route) -> None:
        is_script = "/inviteOther.js" in road.request.url
        kind, body = ("text/javascript", script) if is_script else ("text/html", page)
        road.fulfill(content_type=kind, body=body)

    context.route(re.compile("/inviteOther[.]"), answer)


def test_a_third_party_gets_a_signed_request_and_only_the_disposition_is_known(
    tmp_path: Path, browser_context: BrowserContext, elsewhere: Elsewhere
) -> None:
    book = written(tmp_path / "book", one=THIRD_PARTY)
    setting = {
        "OVERTURE_WEBHOOK_URL": elsewhere.url,
        "OVERTURE_WEBHOOK_SECRET": "a secret that nobody can guess",
    }
    copy_of_the_invitation(browser_context, snippet("Somebody else answers"))
    with Serving(book, tmp_path / "data", **setting) as serving:
        site = Site(browser_context.new_page(), serving.address).open()
        ids = site.ids
        frame = site.page.frame_locator("iframe[src*='inviteOther.html']")
        with browser_context.expect_page() as window:
            frame.get_by_role("button", name="Start chat").click()
        expect(window.value.get_by_role("status")).to_have_text("Our colleagues know")
        looked_at(window.value, "webhook")
        window.value.reload()
        expect(window.value.get_by_role("status")).to_have_text("Our colleagues know")
        (accepted,) = site.has("InvitationAccepted")
        assert accepted["data"]["medium"] == "webhook"
        assert serving.get("/desk/api/interactions").json() == []
        names = [one["eventName"] for one in site.history()]
        assert "InteractionStarted" not in names
    ((headers, body),) = elsewhere.got
    assert headers["webhook-signature"].startswith("v1,")
    told = json.loads(body)["data"]
    assert (told["visitID"], told["pageID"]) == (ids["visitID"], ids["pageID"])
    assert told["attached"]["webengagement"] == "Third party"
    assert told["attached"]["reason"] == "tries it"


@pytest.mark.parametrize("theme", ["", "night", "meadow"])
@pytest.mark.parametrize("language", ["ar", "de", "en"])
def test_windows_speak_the_language_and_wear_the_theme_of_the_invitation(
    lasting: Serving, browser_page: Page, language: str, theme: str
) -> None:
    words = json.loads((LANGUAGES / f"{language}.json").read_text("utf-8"))
    page = browser_page
    expected = {
        "chat.html": ("#status", "An agent will be with you soon"),
        "callback.html": ("#status", "We are here for you"),
        "indexGPE.html": ("#status", "An agent will be with you soon"),
    }
    for window, (place, sentence) in expected.items():
        opened(page, lasting, window, languageCode=f"{language}-XX", theme=theme)
        expect(page.locator(place)).to_have_text(words.get(sentence, sentence))
        direction = page.evaluate("getComputedStyle(document.body).direction")
        assert direction == words["direction"]
        looked_at(page, f"{window}-{language}-{theme}")
