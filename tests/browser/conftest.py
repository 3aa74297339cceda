"""A real browser and a real server for all tests of this folder."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from serving import Serving
from tracker_site import StartServer

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Pages that a test makes up have no address, so the browser takes the server on this machine
    # for a neighbour whom they may not call.
    "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets",
]

# A machine that does much else takes its time; who waits for something sees it then at the latest.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def overture_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartServer]:
    """Starts ``overture serve`` on a book folder and gives its address; ends it with the module."""
    with contextlib.ExitStack() as running:

        def start(book: Path, **environment: str) -> str:
            data = tmp_path_factory.mktemp("data")
            return running.enter_context(Serving(book, data, **environment)).address

        yield start


class Running:
    """The browser of this folder: started for its first test, ended behind its last.

    Not a fixture of the session: while it runs, no other test of the process has a loop of its own.
    """

    def __init__(self) -> None:
        self._ending = contextlib.ExitStack()
        self._browser: Browser | None = None

    def browser(self) -> Browser:
        if self._browser is None or not self._browser.is_connected():
            self.end()
            playwright = self._ending.enter_context(sync_playwright())
            self._browser = playwright.chromium.launch(
                executable_path=CHROMIUM,
                args=FLAGS,
                # Pages that come back from the cache are a part of what is tested.
                ignore_default_args=["--disable-back-forward-cache"],
            )
            self._ending.callback(self._browser.close)
        return self._browser

    def end(self) -> None:
        self._ending.close()
        self._browser = None


RUNNING = Running()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Behind the fixtures of the last test that is here."""
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        RUNNING.end()


@pytest.fixture(scope="module")
def chromium() -> Browser:
    if CHROMIUM is None and "CI" not in os.environ:
        pytest.skip("Chromium is not installed")
    return RUNNING.browser()


@pytest.fixture
def browser_context(chromium: Browser) -> Iterator[BrowserContext]:
    """A visitor's browser: cookies and storage of its own."""
    context = chromium.new_context(viewport={"width": 1280, "height": 860})
    context.set_default_timeout(30_000)
    yield context
    context.close()


@pytest.fixture
def browser_page(browser_context: BrowserContext) -> Page:
    return browser_context.new_page()
