"""A customer's site for the tests of the tracker: any page, any policy, on any origin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol, cast

import httpx
from playwright.sync_api import Page, Route, WebSocketRoute
from serving import eventually

STRICT = "default-src 'self'; require-trusted-types-for 'script'"
TRACKER = "/server/resources/js/build/GPE.min.js"


class StartServer(Protocol):
    """The fixture ``overture_server``: starts a server on a book folder and gives its address."""

    def __call__(self, book: Path, **environment: str) -> str: ...


class Site:
    """Pages ``/site/..`` that load the tracker of the server; ``script`` runs before it."""

    def __init__(self, page: Page, server: str, origin: str | None = None) -> None:
        self.page = page
        self.server = server
        self.origin = origin or server
        self.script = ""
        self.markup = ""
        self.policy: str | None = None
        self.said: list[str] = []
        self.errors: list[str] = []
        page.route(f"{self.origin}/site/**", self._answer)
        page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, path: str = "/site/a", script: str | None = None) -> Site:
        if script is not None:
            self.script = script
        self.page.goto(self.origin + path)
        return self

    @property
    def ids(self) -> dict[str, str]:
        found = self.page.evaluate(
            "new Promise((tell) => { (window._gt ??= []).push(['getIDs', tell]); })"
        )
        return cast("dict[str, str]", found)

    def push(self, *command: Any) -> None:
        self.page.evaluate("(command) => { (window._gt ??= []).push(command); }", list(command))

    def history(self, visit: str | None = None) -> list[dict[str, Any]]:
        visit = visit or self.ids["visitID"]
        answer = httpx.get(f"{self.server}/server/data/visits/{visit}/events")
        return cast("list[dict[str, Any]]", answer.json() if answer.is_success else [])

    def has(self, name: str, count: int = 1) -> list[dict[str, Any]]:
        """Waits until the server has ``count`` events of a name, and gives them."""
        visit = self.ids["visitID"]

        def found() -> list[dict[str, Any]]:
            events = [event for event in self.history(visit) if event["eventName"] == name]
            return events if len(events) >= count else []

        events = eventually(found)
        assert len(events) == count, events
        return cast("list[dict[str, Any]]", events)

    def is_live(self) -> str:
        """Waits for the live connection and gives its transport."""
        state = self.page.evaluate(
            """new Promise((tell) => {
                (window._gt ??= []).push(['on', 'overture.state', (now) => {
                    if (now.state === 'live') tell(now.transport);
                }]);
            })"""
        )
        return cast("str", state)

    def is_watching(self) -> None:
        """Waits until the page knows what to capture; what a site says is held back till then."""
        self.push("event", "Watched")
        self.has("Watched")

    def notify(self, *notifications: dict[str, Any]) -> None:
        visit = self.ids["visitID"]
        self.has_visit(visit)
        address = f"{self.server}/server/data/notification/notify/{visit}"
        answer = httpx.post(address, json=list(notifications))
        assert answer.status_code == 204, answer.text

    def has_visit(self, visit: str) -> None:
        eventually(lambda: self.history(visit))

    def warned(self, text: str) -> None:
        self.page.wait_for_function("1")
        eventually(lambda: self._pump() or any(text in line for line in self.said))

    def _pump(self) -> bool:
        """Lets the browser's messages in: they only arrive while it is being spoken to."""
        self.page.wait_for_timeout(20)
        return False

    def _answer(self, route: Route) -> None:
        if route.request.url.endswith("site.js"):
            route.fulfill(content_type="text/javascript", body=self.script)
            return
        tracker = self.server + TRACKER
        body = (
            "<!doctype html><html lang='en'><title>Site</title>"
            "<script src='/site/site.js'></script>"
            f"<script async src='{tracker}'></script>"
            f"<body>{self.markup}<a href='/site/b'>next</a></body></html>"
        )
        headers = {"Content-Security-Policy": self.policy} if self.policy else {}
        route.fulfill(content_type="text/html", headers=headers, body=body)


def busy_with(page: str, kind: str) -> str:
    """A script for all frames: in this page something happens again and again, of its own accord,
    so that it is no matter how slow the one is who tests."""
    # A frame begins without an address, with the same window.
    return (
        f"setInterval(() => {{ if (location.pathname.endsWith('/{page}'))"
        f" document.dispatchEvent(new Event('{kind}')); }}, 500);"
    )


class Wire:
    """The page's WebSocket with a person in the middle, who can cut it and be hard of hearing."""

    def __init__(self, page: Page) -> None:
        self.sockets: list[WebSocketRoute] = []
        self.heard: list[dict[str, Any]] = []
        self.forgetful = False
        page.route_web_socket("**/server/push/ws", self._connect)

    def cut(self) -> None:
        self.sockets[-1].close(code=1012, reason="cut by the test")

    def say(self, notification: dict[str, Any], page: str) -> None:
        """Say to a page that joined the socket."""
        packet = {"type": "notifications", "cursor": "test.0", "notifications": [notification]}
        self.sockets[-1].send(json.dumps({**packet, "pageID": page}))

    def notifications(self) -> int:
        return sum(1 for packet in self.heard if packet["type"] == "notifications")

    def _connect(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        server = socket.connect_to_server()

        def from_page(message: str | bytes) -> None:
            words = json.loads(message)
            if self.forgetful and words.get("type") == "ack":
                return
            if self.forgetful and "cursor" in words:
                words["cursor"] = None
            server.send(json.dumps(words))

        def from_server(message: str | bytes) -> None:
            self.heard.append(json.loads(message))
            socket.send(message)

        socket.on_message(from_page)
        server.on_message(from_server)
