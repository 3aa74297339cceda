"""Agents at work on a real server: why a visitor was invited, several chats at once, handing over,
callbacks, what is ready for whom; by keyboard, and as axe-core wants it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from accessible import assert_accessible
from held_roads import hold_the_first
from playwright.sync_api import Browser, BrowserContext, Page, expect
from serving import Serving, eventually, new_id, written

BOOK = """
category Checkout is url "/checkout/**"

event AddToCart "A product was put in the cart"
  cartTotal number

message Hello is gpe.appendContent { url: "/frontend/resources/inviteGMS.html" }

strategy "Big carts"
  description "A large cart at the checkout, and somebody is there to help."
  on PageEntered in Checkout
    when   latest(AddToCart.cartTotal, this visit) >= 100
      and  agents.ready("chat") > 0
    unless visitor.state = "recognized"
    send   Hello
    attach { reason: "large cart" }
"""

pytestmark = pytest.mark.browser


class Shopper:
    """A visitor, played over the wire."""

    def __init__(self, serving: Serving, person: str | None = None) -> None:
        self.serving = serving
        known = {"visitID": new_id(), "globalVisitID": person or new_id()}
        self.ids = known
        self.page = new_id()
        self.key = ""

    def does(self, name: str, path: str, title: str = "", /, **data: Any) -> None:
        event = {**self.ids, "eventName": name, "pageID": self.page, "data": data}
        event |= {"url": f"https://shop.example{path}", "title": title}
        assert self.serving.post("/server/data/events", json=event).status_code == 200

    def opens(self, path: str, title: str) -> None:
        self.page = new_id()
        self.does("PageEntered", path, title)

    def chats(self, name: str, **more: str) -> None:
        body = {"visitID": self.ids["visitID"], "pageID": self.page, "first_name": name, **more}
        answer = self.serving.post("/media/chat", json=body)
        assert answer.status_code == 201, answer.text
        self.key = answer.json()["id"]

    def says(self, text: str) -> None:
        answer = self.serving.post(f"/media/chat/{self.key}/messages", json={"text": text})
        assert answer.status_code == 201, answer.text

    def news(self) -> dict[str, Any]:
        found: dict[str, Any] = self.serving.get(f"/media/chat/{self.key}").json()
        return found


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("work")
    hours = {"OVERTURE_CALLBACK_HOURS": "Mon-Sun 00:00-24:00"}
    with Serving(written(folder / "book", one=BOOK), folder / "data", **hours) as found:
        yield found


OpenDesk = Callable[[str], Page]


@pytest.fixture
def open_desk(chromium: Browser, shop: Serving) -> Iterator[OpenDesk]:
    """Opens the desk of an agent in a browser of their own."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(name: str) -> Page:
        context = chromium.new_context(viewport={"width": 1280, "height": 800})
        context.set_default_timeout(30_000)
        contexts.append(context)
        context.add_init_script(f"localStorage.setItem('overture.agent', '{name}')")
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{shop.address}/desk/")
        expect(page.get_by_text(" of 3 chats")).to_be_visible()
        return page

    yield opened
    for context in contexts:
        context.close()
    for chat in httpx.get(f"{shop.address}/desk/api/interactions").json():
        if chat["state"] != "ended":
            body = {"agent": chat["agent"] or "Nobody"}
            shop.post(f"/desk/api/interactions/{chat['id']}/end", json=body)
    assert complaints == []


def _photograph(page: Page, name: str) -> None:
    if folder := os.environ.get("OVERTURE_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def _chat(page: Page, name: str) -> Any:
    return page.get_by_role("navigation").get_by_role("button", name=name)


def test_what_a_page_says_of_an_invitation_is_not_told_as_one(
    shop: Serving, open_desk: OpenDesk
) -> None:
    ana = open_desk("Ana")
    visitor = Shopper(shop)
    visitor.opens("/products/a", "Phone A")
    visitor.chats("Ulla", webengagement="Big carts")
    _chat(ana, "Ulla").click()
    pane = ana.get_by_role("complementary", name="Visitor")
    expect(pane.get_by_role("heading", name="The page says: “Big carts”")).to_be_visible()
    expect(pane).not_to_contain_text("Invited by")


def test_who_it_is_and_why_they_were_invited(shop: Serving, open_desk: OpenDesk) -> None:
    ana = open_desk("Ana")
    person = new_id()
    before = Shopper(shop, person)
    before.opens("/products/a", "Phone A")
    before.chats("Zoe")
    visitor = Shopper(shop, person)
    visitor.opens("/products/b", "Phone B")
    visitor.does("AddToCart", "/products/b", cartTotal=180)
    visitor.does("SignIn", "/products/b", userId="u-17", email="zoe@example.com")
    visitor.opens("/checkout/pay", "Checkout")
    visitor.chats("Zoe Now")
    _chat(ana, "Zoe Now").click()
    pane = ana.get_by_role("complementary", name="Visitor")
    card = pane.locator(".card")
    expect(card).to_contain_text("Invited by “Big carts”")
    expect(card).to_contain_text("completed by “Page opened” on /checkout/pay.")
    expect(card).to_contain_text("A large cart at the checkout, and somebody is there to help.")
    for sentence in (
        "PageEntered in Checkout",
        "the latest AddToCart.cartTotal in this visit is at least 100",
        "the number of agents ready for chat is more than 0",
        'the visitor\'s state is "recognized"',
    ):
        expect(card.get_by_role("listitem").filter(has_text=sentence)).to_be_visible()
    for row in ("state Signed in", "userId u-17", "email zoe@example.com", "visits before 1"):
        expect(pane.get_by_role("row", name=row)).to_be_visible()
    expect(pane.locator(".now")).to_contain_text("Checkout /checkout/pay")
    expect(pane.get_by_role("row", name="reason large cart")).to_be_visible()
    _photograph(ana, "desk-why")
    # How long it took depends on the machine.
    expect(pane.locator(".visits")).to_contain_text(re.compile(r"1 page in .* · last /products/a"))
    # What was talked about in an earlier visit is one key away.
    pane.get_by_role("button", name="chat of").focus()
    ana.keyboard.press("Enter")
    expect(ana.get_by_role("heading", name="Zoe", exact=True)).to_be_visible()
    expect(card).to_contain_text("The visitor asked for this")


def test_whoever_gives_no_name_is_called_what_their_visit_said(
    shop: Serving, open_desk: OpenDesk
) -> None:
    ana = open_desk("Ana")
    visitor = Shopper(shop)
    visitor.opens("/", "Home")
    named = "<b onclick=x>Eva</b>"
    visitor.does("SignIn", "/", userId="u-17", name=named, email="eva@example.com")
    visitor.chats("")
    visitor.says("Hello")
    entry = _chat(ana, "Eva")
    expect(entry).to_contain_text(f"{named}from the visit")
    entry.click()
    expect(ana.get_by_role("heading", name=f"{named} from the visit")).to_be_visible()
    expect(ana.get_by_role("log")).to_contain_text(named)
    assert ana.locator("[onclick]").count() == 0
    assert "Eva" not in str(visitor.news()), "a visitID proves nobody"
    assert_accessible(ana)
    _photograph(ana, "desk-name-of-the-visit")


def test_several_chats_at_once(shop: Serving, open_desk: OpenDesk) -> None:
    ana = open_desk("Ana")
    shoppers = [Shopper(shop) for _ in range(2)]
    for number, shopper in enumerate(shoppers):
        shopper.opens("/", "Home")
        shopper.chats(f"Visitor {number}")
    answer = ana.get_by_label("Your answer")
    for number in range(2):
        expect(_chat(ana, f"Visitor {number}")).to_be_visible()
        ana.keyboard.press("Alt+n")
        expect(ana.get_by_role("button", name="Accept")).to_be_focused()
        ana.keyboard.press("Enter")
        expect(answer).to_be_focused()
    expect(ana.get_by_text("2 of 3 chats")).to_be_visible()
    # What was begun in one stays while another is answered, and what came meanwhile is counted.
    expect(ana.get_by_role("heading", name="Visitor 1")).to_be_visible()
    ana.keyboard.type("half a sen")
    ana.keyboard.press("Alt+ArrowDown")
    expect(ana.get_by_role("heading", name="Visitor 0")).to_be_visible()
    expect(answer).to_be_empty()
    ana.keyboard.type("Hello, zero.")
    ana.keyboard.press("Enter")
    eventually(lambda: "Hello, zero." in str(shoppers[0].news()["lines"]))
    shoppers[1].says("are you there?")
    shoppers[1].says("are you there?")
    expect(_chat(ana, "Visitor 1")).to_contain_text("2 new")
    expect(ana).to_have_title("(1) Desk · Overture")
    expect(ana.locator("#news")).to_have_text("Visitor 1: are you there?")
    ana.keyboard.press("Alt+u")
    expect(answer).to_have_value("half a sen")
    expect(_chat(ana, "Visitor 1")).not_to_contain_text("new")
    expect(ana).to_have_title("Desk · Overture")
    assert shoppers[1].news()["typing"] is False
    ana.keyboard.type("tence")
    eventually(lambda: shoppers[1].news()["typing"])
    ana.keyboard.press("Enter")
    eventually(lambda: "half a sentence" in str(shoppers[1].news()["lines"]))
    assert "half a sentence" not in str(shoppers[0].news()["lines"])
    _photograph(ana, "desk-several")
    assert_accessible(ana)


def test_an_answer_on_its_way_holds_up_no_other(shop: Serving, open_desk: OpenDesk) -> None:
    ana = open_desk("Ana")
    shoppers = [Shopper(shop) for _ in range(2)]
    answer = ana.get_by_label("Your answer")
    for number, shopper in enumerate(shoppers):
        shopper.chats(f"Shopper {number}")
        expect(_chat(ana, f"Shopper {number}")).to_be_visible()
        ana.keyboard.press("Alt+n")
        expect(ana.get_by_role("button", name="Accept")).to_be_focused()
        ana.keyboard.press("Enter")
        expect(answer).to_be_focused()
    held = hold_the_first(ana, "**/messages")
    answer.fill("One moment.")
    answer.press("Enter")
    eventually(lambda: ana.wait_for_timeout(20) or held)
    answer.press("Enter")  # impatience says nothing twice
    answer.fill("It is in stock.")
    answer.press("Enter")
    _chat(ana, "Shopper 0").click()
    expect(ana.get_by_role("heading", name="Shopper 0")).to_be_visible()
    answer.fill("Hello, zero.")
    answer.press("Enter")
    eventually(lambda: ana.wait_for_timeout(20) or said(shoppers[0]) == ["Hello, zero."])
    held[0].continue_()
    wanted = ["One moment.", "It is in stock."]
    eventually(lambda: ana.wait_for_timeout(20) or said(shoppers[1]) == wanted)
    _chat(ana, "Shopper 1").click()
    expect(answer).to_be_empty()


def said(shopper: Shopper) -> list[str]:
    """What the agent has said to a visitor."""
    answers = [one for one in shopper.news()["lines"] if one["party"] == "agent"]
    return [one["text"] for one in answers if one["type"] == "Message.Text"]


def test_a_chat_is_handed_over(shop: Serving, open_desk: OpenDesk) -> None:
    ana, ben = open_desk("Ana"), open_desk("Ben")
    visitor = Shopper(shop)
    visitor.opens("/", "Home")
    visitor.chats("Kim")
    _chat(ana, "Kim").click()
    ana.get_by_role("button", name="Accept").click()
    expect(_chat(ben, "Kim")).to_contain_text("Ana")
    to = ana.get_by_label("Hand this chat over to")
    to.focus()
    ana.keyboard.type("Ben")
    ana.keyboard.press("Tab")
    ana.keyboard.press("Enter")
    expect(ana.get_by_text("Ben is in this chat")).to_be_visible()
    expect(ana.get_by_label("Your answer")).to_be_hidden()
    expect(_chat(ben, "Kim")).to_contain_text("Ben")
    # Together with the chat, and not with the next renewal ten seconds later.
    assert ben.locator("#places").inner_text() == "1 of 3 chats"
    expect(ana.locator("#places")).to_have_text("0 of 3 chats")
    _chat(ben, "Kim").click()
    ben.get_by_label("Your answer").fill("Ben here.")
    ben.keyboard.press("Enter")
    eventually(lambda: "Ben here." in str(visitor.news()["lines"]))
    expect(ben.get_by_role("listitem").filter(has_text="Ana ready for")).to_be_visible()


def test_ready_for_each_medium(shop: Serving, open_desk: OpenDesk) -> None:
    ana = open_desk("Ana")

    def free() -> dict[str, int]:
        found: dict[str, int] = shop.get("/api/status").json()["agents"]
        return found

    eventually(lambda: free() == {"callback": 1, "chat": 1})
    ana.get_by_role("checkbox", name="Callback").focus()
    ana.keyboard.press("Space")
    eventually(lambda: free() == {"callback": 0, "chat": 1})
    ana.reload()
    expect(ana.get_by_role("checkbox", name="Callback")).not_to_be_checked()
    eventually(lambda: free() == {"callback": 0, "chat": 1})
    ana.get_by_role("switch", name="Ready").press("Enter")
    eventually(lambda: free() == {"callback": 0, "chat": 0})


def test_callbacks_are_worked(shop: Serving, open_desk: OpenDesk) -> None:
    ana = open_desk("Ana")
    visitor = Shopper(shop)
    visitor.opens("/", "Home")
    body = {"phone": "+34 600 123 456", "first_name": "Pau", **visitor.ids}
    body["pageID"] = visitor.page
    body.pop("globalVisitID")
    assert shop.post("/media/callback", json=body).status_code == 201
    later = shop.get("/media/callback/slots").json()["slots"][-1]["start"]
    much_later = {"phone": "+34 600 654 321", "first_name": "Later", "slot": later}
    assert shop.post("/media/callback", json=much_later).status_code == 201
    expect(_chat(ana, "Later")).to_contain_text("+34 600 654 321 · at")
    expect(ana).to_have_title("(1) Desk · Overture")
    _chat(ana, "Pau").focus()
    ana.keyboard.press("Enter")
    expect(ana.get_by_role("link", name="+34 600 123 456")).to_be_visible()
    expect(ana.get_by_role("button", name="Take this callback")).to_be_focused()
    ana.keyboard.press("Enter")
    expect(ana.get_by_label("Note")).to_be_focused()
    ana.keyboard.type("Wants two phones.")
    _photograph(ana, "desk-callback")
    assert_accessible(ana)
    ana.get_by_role("button", name="We talked").press("Enter")
    expect(_chat(ana, "Pau")).to_contain_text("Called")
    expect(ana.get_by_text("Note: Wants two phones.")).to_be_visible()
    ana.set_viewport_size({"width": 360, "height": 640})
    _photograph(ana, "desk-callback-narrow")
    assert ana.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert_accessible(ana)


def test_the_browser_notifies_who_wants_it(shop: Serving, open_desk: OpenDesk) -> None:
    ana = open_desk("Ana")
    ana.context.grant_permissions(["notifications"], origin=shop.address)
    # What the browser would show is written down; the desk itself is not touched.
    ana.evaluate(
        """() => {
          window.shown = [];
          window.Notification = class extends EventTarget {
            static permission = 'granted';
            constructor(title, options) { super(); window.shown.push(options.body); }
            close() {}
          };
          document.hasFocus = () => false;
        }"""
    )
    first = Shopper(shop)
    first.opens("/", "Home")
    first.chats("Quiet")
    expect(_chat(ana, "Quiet")).to_be_visible()
    expect(ana.locator("#news")).to_have_text("Quiet waits for an answer")
    assert ana.evaluate("window.shown") == []
    expect(ana.get_by_label("Sound")).not_to_be_checked()
    ana.get_by_text("Alerts").click()
    ana.get_by_label("Notifications of the browser").check()
    ana.get_by_label("Sound").check()
    _photograph(ana, "desk-alerts")
    assert_accessible(ana)
    second = Shopper(shop)
    second.opens("/", "Home")
    second.chats("Loud")
    expect(ana.locator("#news")).to_have_text("Loud waits for an answer")
    assert ana.evaluate("window.shown") == ["Loud waits for an answer"]


def test_an_empty_desk_and_the_report_are_accessible(shop: Serving, open_desk: OpenDesk) -> None:
    ana = open_desk("Ana")
    assert_accessible(ana)
    ana.get_by_role("link", name="Report").click()
    expect(ana.get_by_role("heading", name="What came of the strategies")).to_be_visible()
    expect(ana.locator("#funnel li")).to_have_count(6)
    assert_accessible(ana)
