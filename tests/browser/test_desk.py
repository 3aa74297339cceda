"""The chat widget and the desk talk to each other in Chromium, under a strict policy."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect
from serving import eventually
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.media.agents import Agents
from engine.media.interactions import Draft, InteractionStore, wall_clock
from engine.media.routes import create_routes

WIDGETS = Path(__file__).parents[2] / "widgets"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src data:; worker-src 'self'; form-action 'self'; base-uri 'none'"
)
STRATEGY = "GMS chat for hesitant buyers"
MARKUP = "<img src=x onerror=\"document.title='owned'\"><b>bold</b>"

pytestmark = pytest.mark.browser


class Site:
    """The media over real sockets; what the engine would answer is written by the test."""

    def __init__(self, folder: Path) -> None:
        self.agents = Agents(wall_clock)
        self.store = InteractionStore(folder / "interactions.db")
        self.token: str | None = None
        self.invited = True
        self.happenings: list[tuple[str, str | None, str]] = []
        now = wall_clock()
        self.history: list[dict[str, Any]] = [
            _event("VisitStarted", now - 190_000, None, {}),
            _event("PageEntered", now - 190_000, "P1", {}, "/products/phone-a", "Phone A"),
            _event("PageExited", now - 118_000, "P1", {}, "/products/phone-a", "Phone A"),
            _event("PageEntered", now - 117_000, "P2", {}, "/products/phone-b", "Phone B"),
            _event(
                "AddToCart",
                now - 90_000,
                "P2",
                {"productName": "Phone B", "cartTotal": 180},
                "/products/phone-b",
                "Phone B",
            ),
            _event("PageExited", now - 80_000, "P2", {}, "/products/phone-b", "Phone B"),
            _event("PageEntered", now - 78_000, "P3", {}, "http://shop.example/checkout", MARKUP)
            | {
                "decisions": [
                    {"strategy": "Newsletter", "reason": "one-at-a-time", "sends": []},
                    {"strategy": STRATEGY, "reason": None, "sends": ["V1/x/1"]},
                ]
            },
            _event("InvitationShown", now - 47_000, "P3", {}),
            _event("InvitationAccepted", now - 40_000, "P3", {}),
        ]

    async def happened(
        self, visit: str, page: str | None, event: str, _data: Mapping[str, Any]
    ) -> None:
        self.happenings.append((visit, page, event))

    async def journey(self, _visit: str) -> list[dict[str, Any]]:
        return self.history

    async def invitation(
        self, _visit: str, _page: str | None, _wanted: str | None
    ) -> dict[str, Any] | None:
        attach = {"reason": "hesitant buyer", "cartTotal": 180}
        found = {"id": "V1/x/1", "strategy": STRATEGY, "group": "Invitations", "attach": attach}
        return found if self.invited else None

    async def authorised(self, request: Request) -> None:
        given = request.headers.get("authorization")
        if self.token is not None and given != f"Bearer {self.token}":
            raise HTTPException(401)

    def application(self) -> Starlette:
        routes = create_routes(
            self.store,
            agents=self.agents,
            happened=self.happened,
            journey=self.journey,
            invitation=self.invitation,
            authorised=self.authorised,
        )
        return Starlette(
            routes=[
                *routes,
                Mount("/desk", StaticFiles(directory=WIDGETS / "desk", html=True)),
                Mount("/frontend/resources", StaticFiles(directory=WIDGETS / "media")),
            ],
            middleware=[Middleware(_Policy)],
            exception_handlers={HTTPException: _refused},
        )


class _Policy:
    """Every answer carries the strict policy: an inline script or style would not work."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def strict(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"content-security-policy", POLICY.encode()))
            await send(message)

        await self.app(scope, receive, strict)


async def _refused(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return JSONResponse({"error": "Send the API token.", "code": "token"}, status_code=status)


def _event(
    name: str,
    moment: int,
    page: str | None,
    data: Mapping[str, Any],
    url: str | None = None,
    title: str | None = None,
) -> dict[str, Any]:
    return {
        "eventName": name,
        "timestamp": moment,
        "serverTimestamp": moment,
        "visitID": "V1",
        "browserPageID": page,
        "url": url,
        "title": title,
        "data": dict(data),
        "decisions": [],
    }


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def address(site: Site) -> Iterator[str]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(site.application(), log_level="warning", ws="none", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def desk(chromium: Browser, address: str, complaints: list[str]) -> Iterator[Page]:
    yield from _page(chromium, f"{address}/desk/", {"width": 1280, "height": 800}, complaints)


@pytest.fixture
def widget(chromium: Browser, address: str, complaints: list[str]) -> Iterator[Page]:
    url = f"{address}/frontend/resources/indexGPE.html?gmsScenario=CHAT-NOW&visitId=V1&pageId=P3"
    yield from _page(chromium, url, {"width": 360, "height": 640}, complaints)


def _page(browser: Browser, url: str, size: Any, complaints: list[str]) -> Iterator[Page]:
    context = browser.new_context(viewport=size)
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: complaints.append(message.text) if "Policy" in message.text else None,
    )
    page.goto(url)
    yield page
    context.close()


def _photograph(page: Page, name: str) -> None:
    """Keep a picture where the environment asks for one, to be looked at by people."""
    if folder := os.environ.get("OVERTURE_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def _fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_a_visitor_and_an_agent_chat(
    site: Site, desk: Page, widget: Page, complaints: list[str]
) -> None:
    # Opening the desk makes the agent ready, visibly.
    expect(desk.get_by_role("switch", name="Ready")).to_have_attribute("aria-checked", "true")
    expect(desk.get_by_text("0 of 3 chats")).to_be_visible()
    assert site.agents.ready("chat") == 1

    # The widget started the scenario by itself.
    expect(widget.get_by_role("status")).to_have_text("An agent will be with you soon")
    assert site.happenings == [("V1", "P3", "InteractionStarted")]
    expect(desk).to_have_title("(1) Desk · Overture")
    _photograph(widget, "chat-waiting")
    widget.get_by_label("Your message").fill("Is the delivery free?")
    widget.keyboard.press("Enter")
    expect(desk.get_by_role("button", name="Is the delivery free?")).to_be_visible()

    # By keyboard alone: choose, accept, answer.
    desk.keyboard.press("Alt+n")
    expect(desk.get_by_role("button", name="Accept")).to_be_focused()
    desk.keyboard.press("Enter")
    expect(desk.get_by_label("Your answer")).to_be_focused()
    desk.keyboard.type("Yes, above 50 euro.")
    desk.keyboard.press("Enter")
    expect(widget.get_by_role("log")).to_contain_text("Yes, above 50 euro.")
    expect(widget.get_by_role("status")).to_have_text("In this chat with you")
    expect(desk).to_have_title("Desk · Overture")

    # Who the visitor is.
    visitor = desk.get_by_role("complementary", name="Visitor")
    expect(visitor.get_by_role("heading", name=f"Invited by “{STRATEGY}”")).to_be_visible()
    for name, value in {
        "visitID": "V1",
        "pageID": "P3",
        "webengagement": STRATEGY,
        "reason": "hesitant buyer",
        "cartTotal": "180",
    }.items():
        expect(visitor.get_by_role("row", name=f"{name} {value}")).to_be_visible()
    expect(visitor).to_contain_text("1 min 12 s")
    expect(visitor).to_contain_text("“Newsletter” held back: another invitation was still open")
    expect(visitor).to_contain_text("cartTotal: 180")
    assert _fits(widget)
    assert _fits(desk)
    _photograph(desk, "desk")
    _photograph(widget, "chat")

    # The end, seen by both.
    desk.get_by_role("button", name="End chat").click()
    expect(widget.get_by_text("This chat has ended.")).to_be_visible()
    expect(widget.get_by_label("Your message")).to_be_hidden()
    expect(desk.get_by_label("Your answer")).to_be_hidden()
    _photograph(widget, "chat-over")
    assert site.happenings[1:] == [("V1", "P3", "InteractionEnded")]
    assert complaints == []


def test_markup_is_text_on_both_sides(desk: Page, widget: Page, complaints: list[str]) -> None:
    widget.get_by_label("Your message").fill(MARKUP)
    widget.get_by_role("button", name="Send").click()
    expect(widget.get_by_role("log").get_by_text(MARKUP)).to_be_visible()
    desk.get_by_role("button", name="Waiting").click()
    desk.get_by_role("button", name="Accept").click()
    expect(desk.get_by_role("log").get_by_text(MARKUP)).to_be_visible()
    desk.get_by_label("Your answer").fill(MARKUP)
    desk.get_by_role("button", name="Send").click()
    expect(widget.get_by_role("log").get_by_text(MARKUP)).to_have_count(2)
    for page in (desk, widget):
        assert page.locator("img, b").count() == 0
        assert "owned" not in page.title()
    assert complaints == []


def test_reloading_the_window_goes_on_with_the_chat(site: Site, desk: Page, widget: Page) -> None:
    widget.get_by_label("Your message").fill("before")
    widget.keyboard.press("Enter")
    expect(widget.get_by_role("log")).to_contain_text("before")
    widget.reload()
    expect(widget.get_by_role("log")).to_contain_text("before")
    widget.get_by_label("Your message").fill("after")
    widget.keyboard.press("Enter")
    expect(desk.get_by_role("button", name="after")).to_be_visible()
    assert [event for _, _, event in site.happenings] == ["InteractionStarted"]
    widget.get_by_role("button", name="End chat").click()
    expect(widget.get_by_role("button", name="Start a new chat")).to_be_focused()
    widget.keyboard.press("Enter")
    expect(widget.get_by_label("Your message")).to_be_focused()
    assert len(site.happenings) == 3


def test_the_documented_functions_are_globals(widget: Page) -> None:
    found = "[typeof getUrlVars, typeof gpeStartScenario, typeof connect, getUrlVars('pageId')]"
    assert widget.evaluate(found) == ["function", "function", "function", "P3"]


def test_a_scenario_that_is_not_served_is_said(widget: Page, address: str) -> None:
    widget.goto(f"{address}/frontend/resources/indexGPE.html?gmsScenario=VOICE-NEVER")
    alert = widget.get_by_role("alert")
    expect(alert).to_have_text("The scenario VOICE-NEVER is not available here.")


def test_the_desk_asks_for_the_token_and_keeps_it(site: Site, desk: Page) -> None:
    site.token = "secret"
    desk.reload()
    dialog = desk.get_by_role("dialog")
    expect(dialog).to_be_visible()
    _photograph(desk, "desk-token")
    dialog.get_by_label("Access token").fill("wrong")
    desk.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Access token").fill("secret")
    desk.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(desk.get_by_text("0 of 3 chats")).to_be_visible()
    desk.reload()
    expect(desk.get_by_text("0 of 3 chats")).to_be_visible()
    expect(dialog).to_be_hidden()


def test_the_switch_and_the_name_reach_the_engine(site: Site, desk: Page) -> None:
    expect(desk.get_by_text("0 of 3 chats")).to_be_visible()
    desk.get_by_role("switch", name="Ready").click()
    expect(desk.get_by_role("switch", name="Not ready")).to_be_visible()
    eventually(lambda: site.agents.ready("chat") == 0)
    desk.get_by_role("switch").click()
    eventually(lambda: site.agents.ready("chat") == 1)
    desk.get_by_label("Agent").fill("Ana")
    desk.keyboard.press("Tab")
    eventually(lambda: [one.name for one in site.agents.everyone()] == ["Ana"])
    desk.reload()
    expect(desk.get_by_label("Agent")).to_have_value("Ana")
    desk.goto("about:blank")
    eventually(lambda: site.agents.ready("chat") == 0)


def test_a_narrow_desk_is_usable(site: Site, desk: Page, widget: Page) -> None:
    site.invited = False
    desk.set_viewport_size({"width": 360, "height": 640})
    _photograph(desk, "desk-narrow-list")
    assert _fits(desk)
    desk.get_by_role("button", name="Waiting").click()
    desk.get_by_role("button", name="Accept").click()
    desk.get_by_label("Your answer").fill("Hello! " * 20)
    desk.keyboard.press("Enter")
    expect(widget.get_by_role("log")).to_contain_text("Hello!")
    _photograph(desk, "desk-narrow-chat")
    assert _fits(desk)
    desk.get_by_role("button", name="Back to all conversations").click()
    expect(desk.get_by_role("navigation", name="Conversations")).to_be_visible()


def test_what_is_answered_elsewhere_is_shown_and_not_answered(site: Site, desk: Page) -> None:
    made = Draft(
        medium="gms",
        visit="V1",
        page="P3",
        nickname="Elsewhere",
        attached={},
        customer={},
        invitation={},
    )
    with ThreadPoolExecutor(1) as beside:  # the browser's own loop runs in this thread
        beside.submit(asyncio.run, site.store.create(made)).result()
    chat = desk.get_by_role("navigation").get_by_role("button", name="Elsewhere")
    expect(chat).to_contain_text("GMS")
    expect(desk).to_have_title("Desk · Overture")
    chat.click()
    expect(desk.get_by_text("GMS carries this conversation: it is answered there.")).to_be_visible()
    for name in ("Accept", "End chat", "Send"):
        expect(desk.get_by_role("button", name=name)).to_be_hidden()
