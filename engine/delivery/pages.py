"""Static pages: tracker, widgets, desk and shop from folders; nothing outside them is served."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from engine.delivery.answers import has_tag
from engine.delivery.scripts import Script

_FRESH: Final = "no-cache"
"""Asked for again each time, answered 304 when nothing changed: an edited page is seen at once."""


class Folders(StaticFiles):
    """Several folders under one address; the first that has a file gives it."""

    def __init__(self, folders: Sequence[Path]) -> None:
        super().__init__(directory=folders[0], html=True)
        self.all_directories: list[str | PathLike[str]] = list(folders)

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Answer a file that is looked for again each time."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = _FRESH
        return response


def resources(folders: Sequence[Path], scripts: Mapping[str, Script]) -> list[BaseRoute]:
    """Give ``/frontend/resources`` and ``/server/resources``; ``scripts`` by name."""
    files = Folders(folders)
    found: list[BaseRoute] = []
    for root in ("/frontend/resources", "/server/resources"):
        found += [Route(f"{root}/{name}", script.answer) for name, script in scripts.items()]
        found.append(Mount(root, files))
    return found


def captures(live: Callable[[], Mapping[str, Any]]) -> list[BaseRoute]:
    """Give ``dsl/events.json`` under both resources: what a page captures, asked for each time.

    ``live`` gives the document of now; its ``version`` is the ETag, so that a page asks for little.
    """

    async def answer(request: Request) -> Response:
        document = live()
        headers = {"Cache-Control": _FRESH, "ETag": f'"{document["version"]}"'}
        if has_tag(request.headers.get("If-None-Match", ""), headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return JSONResponse(dict(document), headers=headers)

    roots = ("/frontend/resources", "/server/resources")
    return [Route(f"{root}/dsl/events.json", answer) for root in roots]


def site(root: str, folder: Path, pages: Mapping[str, str] | None = None) -> list[BaseRoute]:
    """Give a folder under ``root``; ``pages`` are the addresses of its pages, from the top."""
    found: list[BaseRoute] = [
        Route(address, _file(folder / name)) for address, name in (pages or {}).items()
    ]
    return [*found, Route(root, _redirect(f"{root}/")), Mount(root, Folders([folder]))]


def pages_in(path: Path) -> dict[str, str]:
    """Read addresses and files of a site from JSON; a site without that file has none.

    Raises ValueError with the name of the file.
    """
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}.") from error
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise ValueError(f"{path} must be an object of addresses and file names.")
    return found


def address_page(title: str, addresses: Mapping[str, str]) -> Route:
    """Give ``/``: a small page that names the addresses of this server."""
    items = "".join(
        f'<li><a href="{html.escape(address)}">{html.escape(address)}</a> {html.escape(text)}</li>'
        for address, text in addresses.items()
    )
    name = html.escape(title)
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}</title>'
        '<link rel="icon" href="data:,">'
        f"<h1>{name}</h1><ul>{items}</ul></html>"
    )

    async def page(_: Request) -> Response:
        return HTMLResponse(text)

    return Route("/", page)


def _file(path: Path) -> Any:
    async def answer(_: Request) -> Response:
        return FileResponse(path, headers={"Cache-Control": _FRESH})

    return answer


def _redirect(target: str) -> Any:
    async def answer(_: Request) -> Response:
        return RedirectResponse(target)

    return answer
