"""A proxy that keeps streams back is noticed: the page goes on to another transport."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import httpx
import pytest
from playwright.sync_api import BrowserContext
from serving import GREETING, Serving, eventually, written
from tracker_site import Site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

PROXY = Path(__file__).with_name("buffering_proxy.py")
LIVE = """() => (window._gt ??= []).push(['on', 'overture.state', (now) => {
    window.transport = now.state === 'live' ? now.transport : '';
}])"""


class Between:
    """A server behind the proxy, which refuses two sockets; then a page tries a stream."""

    def __init__(self, server: str, said: IO[str]) -> None:
        self.address = f"http://127.0.0.1:{said.readline().strip()}"
        self.server = server
        self._said = said

    def did(self, count: int) -> list[str]:
        """The next things that the proxy did; waits for them."""
        return [self._said.readline().strip() for _ in range(count)]


@pytest.fixture
def between(tmp_path: Path) -> Iterator[Between]:
    book = written(tmp_path / "book", one=GREETING)
    with Serving(book, tmp_path / "data") as serving:
        port = str(httpx.URL(serving.address).port)
        command = [sys.executable, str(PROXY), port, "2"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as proxy:
            assert proxy.stdout is not None
            try:
                yield Between(serving.address, proxy.stdout)
            finally:
                proxy.kill()


def test_a_stream_that_opens_and_is_silent_is_given_up(
    between: Between, browser_context: BrowserContext
) -> None:
    site = Site(browser_context.new_page(), between.address).open()
    site.page.evaluate(LIVE)
    assert between.did(3) == ["socket", "socket", "stream"]
    # After a second silent stream the socket has its turn again, which the proxy lets through now.
    site.page.wait_for_function("window.transport === 'websocket'", timeout=120_000)
    assert between.did(1) == ["stream"]
    status = f"{between.server}/api/status"
    eventually(lambda: httpx.get(status).json()["connections"] == 1)
    assert site.errors == []
