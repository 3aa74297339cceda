"""The official CometD client in a real browser hears a chat of this server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from node_packages import node_package
from playwright.sync_api import Page, Route
from serving import GREETING, eventually, written

pytestmark = pytest.mark.browser

CHAT_NOW = {
    "_call_direction": "USERORIGINATED",
    "_wait_for_agent": "false",
    "_wait_for_user_confirm": "false",
    "_media_type": "chat",
}

LISTEN = """
import { CometD } from '/cometd/cometd.js';
import { AckExtension } from '/cometd/AckExtension.js';
window.listen = (url, name) => {
  window.heard = [];
  const client = new CometD();
  client.configure({ url, requestHeaders: { gms_user: name }, useWorkerScheduler: false });
  client.unregisterTransport('websocket');
  client.registerExtension('ack', new AckExtension());
  client.addListener('/meta/handshake', (told) => { window.shaken = told.successful; });
  client.handshake((told) => {
    if (!told.successful) return;
    client.subscribe('/_genesys', (message) => window.heard.push(message.data.message),
      (answer) => { window.subscribed = answer.successful; });
  });
  window.client = client;
};
window.chat = (url, channel) => {
  window.told = [];
  const client = new CometD();
  client.configure({ url, useWorkerScheduler: false });
  client.unregisterTransport('websocket');
  client.registerExtension('ack', new AckExtension());
  client.handshake((shaken) => {
    if (!shaken.successful) return;
    client.subscribe(channel, (message) => window.told.push(message.data));
    window.ask = (data) => new Promise((resolve) => client.publish(channel, data, resolve));
  });
};
"""


def open_client(page: Page, server: str, folder: Path) -> None:
    def answer(route: Route) -> None:
        name = route.request.url.removeprefix(server)
        if name == "/site/":
            body = "<!doctype html><title>Site</title><script type=module src=/site/a.js></script>"
            route.fulfill(content_type="text/html", body=body)
        elif name == "/site/a.js":
            route.fulfill(content_type="text/javascript", body=LISTEN)
        else:
            route.fulfill(path=folder / name.removeprefix("/cometd/"))

    page.route(f"{server}/site/**", answer)
    page.route(f"{server}/cometd/**", answer)
    page.goto(f"{server}/site/")
    page.wait_for_function("!!window.listen")


def texts(page: Page) -> list[str]:
    page.wait_for_timeout(20)  # the browser's work is done only while it is being spoken to
    heard: list[dict[str, Any]] = page.evaluate("window.heard ?? []")
    return [line[2] for one in heard for line in one["transcriptToShow"]]


def test_the_official_client_hears_the_agent_at_once(
    overture_server: Any, tmp_path: Path, browser_page: Page
) -> None:
    cometd = node_package("cometd", "9.0.0")
    server = overture_server(written(tmp_path / "book", one=GREETING))
    start = f"{server}/genesys/1/service/callback/samples_new"
    begun = httpx.post(start, data=CHAT_NOW | {"first_name": "Zoe"}).json()
    httpx.post(begun["_start_chat_url"])
    open_client(browser_page, server, cometd)
    browser_page.evaluate("([url, name]) => listen(url, name)", [begun["_comet_url"], "Zoe"])
    browser_page.wait_for_function("window.subscribed === true")
    eventually(lambda: texts(browser_page) == ["has joined the session"])

    (chat,) = httpx.get(f"{server}/desk/api/interactions").json()
    desk = f"{server}/desk/api/interactions/{chat['id']}"
    assert httpx.post(f"{desk}/accept", json={"agent": "Ana"}).is_success
    for text in ("Good day", "How can I help?"):
        assert httpx.post(f"{desk}/messages", json={"agent": "Ana", "text": text}).is_success
    joined = "has joined the session"
    wanted = [joined, joined, "Good day", "How can I help?"]
    eventually(lambda: texts(browser_page) == wanted)

    assert httpx.post(f"{desk}/end", json={"agent": "Ana"}).is_success
    eventually(lambda: texts(browser_page) == [*wanted, "has left the session"])
    assert browser_page.evaluate("window.heard.at(-1).chatIxnState") == "DISCONNECTED"


def test_the_official_client_holds_a_chat_of_version_2(
    overture_server: Any, tmp_path: Path, browser_page: Page
) -> None:
    cometd = node_package("cometd", "9.0.0")
    server = overture_server(written(tmp_path / "book", one=GREETING))
    open_client(browser_page, server, cometd)
    url, channel = f"{server}/genesys/cometd", "/service/chatV2/support"
    browser_page.evaluate("([url, channel]) => chat(url, channel)", [url, channel])
    browser_page.wait_for_function("!!window.ask")

    def said(**data: str) -> None:
        assert browser_page.evaluate("(data) => ask(data)", data)["successful"] is True

    def messages() -> list[str]:
        browser_page.wait_for_timeout(20)
        told: list[dict[str, Any]] = browser_page.evaluate("window.told")
        shown = [one for answer in told for one in answer["messages"]]
        return [one.get("text", one["type"]) for one in shown]

    said(operation="requestChat", nickname="Zoe")
    (begun,) = browser_page.evaluate("window.told")
    proof = {name: begun[name] for name in ("chatId", "userId", "alias", "secureKey")}
    (chat,) = httpx.get(f"{server}/desk/api/interactions").json()
    desk = f"{server}/desk/api/interactions/{chat['id']}"
    assert httpx.post(f"{desk}/accept", json={"agent": "Ana"}).is_success
    assert httpx.post(f"{desk}/messages", json={"agent": "Ana", "text": "Good day"}).is_success
    wanted = ["ParticipantJoined", "ParticipantJoined", "Good day"]
    eventually(lambda: messages() == wanted)
    said(operation="sendMessage", message="Hello", **proof)
    eventually(lambda: messages() == [*wanted, "Hello"])
    said(operation="disconnect", **proof)
    eventually(lambda: messages() == [*wanted, "Hello", "ParticipantLeft"])
    assert browser_page.evaluate("window.told.at(-1).chatEnded") is True


def test_a_stranger_who_knows_the_name_alone_hears_nothing(
    overture_server: Any, tmp_path: Path, browser_page: Page
) -> None:
    cometd = node_package("cometd", "9.0.0")
    server = overture_server(written(tmp_path / "book", one=GREETING))
    start = f"{server}/genesys/1/service/callback/samples_new"
    httpx.post(start, data=CHAT_NOW, headers={"gms_user": "Zoe"})
    open_client(browser_page, server, cometd)
    browser_page.evaluate("([url, name]) => listen(url, name)", [f"{server}/genesys/cometd", "Zoe"])
    browser_page.wait_for_function("window.subscribed === false")
    assert browser_page.evaluate("window.shaken") is True
