"""A slow network: what a page asks for first is held back until the test lets it go."""

from __future__ import annotations

from playwright.sync_api import Page, Route


def hold_the_first(page: Page, road: str) -> list[Route]:
    """Hold the first request to addresses that fit ``road``; it is in the list once it was made."""
    held: list[Route] = []

    def meet(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route(road, meet)
    return held
