"""The composition root: opens book, host, media and pages by name, binds, serves, drains."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import BaseRoute, Route

import engine
from engine import garbage
from engine.config import PORT, Settings
from engine.delivery import pages, stack
from engine.delivery.access import Access, is_loopback, key_in
from engine.delivery.app import create_app
from engine.delivery.history import Histories
from engine.delivery.hub import Hub
from engine.delivery.ingest import Ingest
from engine.delivery.rates import Rates
from engine.delivery.scripts import Script
from engine.delivery.wire import BrowserEvent, body
from engine.hosts import document
from engine.hosts.clock import now_ms
from engine.hosts.document import EngagementCore
from engine.hosts.journal import Retention
from engine.hosts.sqlite import SqliteHost
from engine.language.quiet import undisturbed
from engine.media.agents import Agents
from engine.media.deliveries import Deliveries, Receiver, receiver
from engine.media.gms_client import GmsAddress, GmsClient
from engine.media.gms_menus import Menu, menus
from engine.media.interactions import InteractionStore
from engine.media.opening import Opening, hours
from engine.media.places import Places
from engine.media.routes import create_routes
from engine.media.third_party import ThirdParty
from engine.reporting.door import ReportDoor
from engine.reporting.reasons import reason
from engine.shelf import BookError, Shelf

DRAIN: Final = 10
"""Seconds that requests under way get when the server stops."""
_FRAME: Final = 16 * 1024
"""Bytes of a frame from a page: who it is, or how far it came."""

Say = Callable[[str], None]

log = logging.getLogger("overture")


class StartError(Exception):
    """Why the server cannot start: sentences for a person, with the way out."""


def serve(settings: Settings, say: Say) -> None:
    """Serve until SIGTERM or SIGINT, then drain. ``say`` shows lines. Raises StartError."""
    with asyncio.Runner(loop_factory=stack.loop_factory()) as runner:
        runner.run(_serve(settings, say))


async def _serve(settings: Settings, say: Say) -> None:
    _check_exposure(settings)
    _allow_many_connections()
    try:
        with undisturbed():
            shelf = Shelf(settings.book, int(settings.visit_hours * 3_600_000))
            gc.freeze()  # a book has no cycles, and there is much of it to look through in vain
    except BookError as error:
        raise StartError(str(error)) from error
    widgets = widgets_folder()
    key = _prepared(settings.data)
    with contextlib.closing(_bound(settings.host, settings.port)) as listener:
        address = _address(settings.host, listener.getsockname()[1])
        access = Access(
            key=key,
            api_token=settings.token.get_secret_value() if settings.token else None,
            origins=settings.origins,
        )
        async with _opened(settings, shelf, access, widgets) as (app, hub, reports):
            server = _server(app, hub, reports)
            garbage.settle()
            # First, so that who reads the address can stop the server properly at once.
            with server.stopped_by_signals():
                _announce(settings, address, shelf, say)
                await _run(server, listener, shelf)


def widgets_folder() -> Path:
    """Find the pages for browsers beside the package. Raises StartError."""
    folder = Path(engine.__file__).resolve().parent.parent / "widgets"
    if not folder.is_dir():
        raise StartError(
            f"The pages for browsers are not at {folder}: install Overture from its source folder "
            "with pip install -e ."
        )
    return folder


@contextlib.asynccontextmanager
async def _opened(
    settings: Settings, shelf: Shelf, access: Access, widgets: Path
) -> AsyncIterator[tuple[Starlette, Hub, ReportDoor]]:
    """Open host and media, put the application together; close all in the reverse order."""
    agents = Agents(now_ms)
    outside = _Outside.of(settings, lambda: shelf.book.zone)
    keep = Retention(
        age=int(settings.journal_days * 86_400_000), size=int(settings.journal_gb * 1024**3)
    )
    host = SqliteHost(settings.data / "visits.sqlite3", keep=keep)
    ingest = Ingest(
        host,
        clock=now_ms,
        version=lambda: shelf.library.live.version,
        agents=agents.free,
        vocabulary=lambda: shelf.vocabulary,
    )
    hub = Hub(host, ingest, document.outbox_after)
    try:
        await host.start(EngagementCore(shelf.library, agents.free), hub.deliver)
        store = InteractionStore(
            settings.data / "interactions.sqlite3",
            clock=now_ms,
            per_visit=settings.chats_per_visitor,
        )
    except OSError as error:
        await host.stop()
        raise StartError(str(error)) from error
    reports = ReportDoor(settings.data, lambda: shelf.book, access.require_authority)
    try:
        inside = _Inside(host, ingest, access, shelf)
        deliveries = Deliveries(store, outside.webhook)
        places = Places(
            ingest.visitor_of,
            of_visitor=settings.chats_per_visitor,
            of_address=settings.chats_per_address,
        )
        media = _media(store, agents, inside, deliveries, outside, places)
        app = create_app(
            access=access,
            ingest=ingest,
            hub=hub,
            histories=inside.histories,
            rates=Rates(now_ms),
            book=shelf.report,
            agents=agents.free,
            routes=[
                *media,
                *reports.routes(),
                *pages.captures(lambda: shelf.captures),
                *_pages(widgets, preview=is_loopback(settings.host)),
            ],
        )
        async with (
            _beside("the search for garbage", garbage.search(lambda: ingest.accepted)),
            _beside("what carries webhooks", deliveries.run()),
        ):
            yield app, hub, reports
    finally:
        await host.stop()
        await store.close()
        if outside.gms is not None:
            await outside.gms.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outside:
    """Who answers besides our own agents, and when ours call back, as the settings say."""

    opening: Callable[[], Opening]
    number: str
    menus: Mapping[str, Menu]
    gms: GmsClient | None
    third_party: ThirdParty | None
    webhook: Receiver | None

    @staticmethod
    def of(settings: Settings, zone: Callable[[], str]) -> _Outside:
        """``zone`` is that of the book. Raises StartError for settings that do not fit together."""
        return _Outside(
            opening=_opening(settings, zone),
            number=settings.callback_number,
            menus=_menus(settings),
            third_party=_third_party(settings),
            webhook=_webhook(settings),
            gms=_gms(settings),
        )


def _media(
    store: InteractionStore,
    agents: Agents,
    inside: _Inside,
    deliveries: Deliveries,
    outside: _Outside,
    places: Places,
) -> list[Route]:
    return create_routes(
        store,
        agents=agents,
        happened=inside.happened,
        journey=inside.journey,
        earlier=inside.histories.earlier,
        invitation=inside.invitation,
        name=inside.histories.name,
        authorised=inside.authorised,
        opening=outside.opening,
        number=outside.number,
        menus=outside.menus,
        deliveries=deliveries,
        gms=outside.gms,
        third_party=outside.third_party,
        places=places,
    )


def _third_party(settings: Settings) -> ThirdParty | None:
    """Where an invitation to a third party leads, where one is set."""
    if not settings.third_party_url:
        return None
    if settings.third_party_secret is None:
        raise StartError("OVERTURE_THIRD_PARTY_URL needs OVERTURE_THIRD_PARTY_SECRET, too.")
    secret = settings.third_party_secret.get_secret_value().encode()
    return ThirdParty(url=settings.third_party_url, secret=secret)


def _menus(settings: Settings) -> Mapping[str, Menu]:
    """The menus of our own GMS services, where a file of them is set."""
    if settings.gms_menus is None:
        return {}
    if settings.gms_url:
        raise StartError("OVERTURE_GMS_MENUS and OVERTURE_GMS_URL exclude each other: unset one.")
    try:
        return menus(settings.gms_menus, number=settings.callback_number)
    except ValueError as error:
        raise StartError(f"OVERTURE_GMS_MENUS cannot be used: {error}.") from None


def _gms(settings: Settings) -> GmsClient | None:
    """The GMS elsewhere, where one is set."""
    if not settings.gms_url:
        return None
    return GmsClient(
        GmsAddress(
            url=settings.gms_url,
            user=settings.gms_user,
            password=settings.gms_password.get_secret_value(),
            apikey=settings.gms_apikey.get_secret_value(),
        )
    )


def _opening(settings: Settings, of_the_book: Callable[[], str]) -> Callable[[], Opening]:
    """When visitors are called back: in the zone that is set, else in that of the live book."""
    try:
        zone = ZoneInfo(settings.callback_zone or of_the_book())
    except (KeyError, ValueError, OSError):
        raise StartError(
            f"OVERTURE_CALLBACK_ZONE cannot be used: there is no zone {settings.callback_zone!r};"
            " write one like Europe/Madrid."
        ) from None
    try:
        opening = hours(settings.callback_hours)
    except ValueError as error:
        raise StartError(f"OVERTURE_CALLBACK_HOURS cannot be used: {error}.") from None
    found = Opening(
        hours=opening,
        zone=zone,
        minutes=settings.callback_minutes,
        capacity=settings.callback_capacity,
        days=settings.callback_days,
    )
    if settings.callback_zone:
        return lambda: found
    return lambda: replace(found, zone=ZoneInfo(of_the_book()))


def _webhook(settings: Settings) -> Receiver | None:
    """Who is told of what the medium ``webhook`` starts."""
    if not settings.webhook_url:
        return None
    if settings.webhook_secret is None:
        raise StartError("OVERTURE_WEBHOOK_URL needs OVERTURE_WEBHOOK_SECRET, which signs.")
    try:
        return receiver(settings.webhook_url, settings.webhook_secret.get_secret_value())
    except ValueError as error:
        raise StartError(f"OVERTURE_WEBHOOK_SECRET cannot be used: {error}.") from None


class _Inside:
    """What the media may ask of the rest of the engine."""

    def __init__(self, host: SqliteHost, ingest: Ingest, access: Access, shelf: Shelf) -> None:
        self._host = host
        self._ingest = ingest
        self._access = access
        self._shelf = shelf
        self.histories = Histories(host)

    async def happened(
        self, visit: str, page: str | None, name: str, data: Mapping[str, Any]
    ) -> None:
        """Put an event into a visit that is known. Said twice, it happens once."""
        if await self._ingest.visitor_of(visit) is None:
            log.info("%s is of a visit that sent no event: left out.", name)
            return
        event = BrowserEvent(
            eventName=name,
            visitID=visit,
            pageID=page,
            eventType="SYSTEM",
            eventID=f"{name}-{data['interaction']}" if "interaction" in data else None,
            data=dict(data),
        )
        await self._ingest.accept([body(event)])

    async def journey(self, visit: str) -> Sequence[Mapping[str, Any]]:
        """Give the events of a visit; sent or excepted, a decision has ``because``, in words."""
        events = await self.histories.events(visit)
        for event in events:
            event["decisions"] = [
                {**one, "because": reason(self._shelf.book, one["strategy"], one["rule"])}
                if one["reason"] in (None, "unless")
                else one
                for one in event["decisions"]
            ]
        return events

    async def invitation(
        self, visit: str, page: str | None, wanted: str | None
    ) -> Mapping[str, Any] | None:
        """Give the invitation with that id, else the youngest of a page, or of its visit."""
        visitor = await self._ingest.visitor_of(visit)
        found = await self._host.peek(visitor) if visitor else None
        return document.invitation_of(found, visit, page, wanted) if found else None

    async def authorised(self, request: Request) -> None:
        """Refuse a request without API authority."""
        self._access.require_authority(request)


def _pages(widgets: Path, *, preview: bool) -> list[BaseRoute]:
    """The pages for browsers. ``preview`` is for whoever writes strategies: never in public."""
    try:
        shop = pages.pages_in(widgets / "shop" / "pages.json")
    except ValueError as error:
        raise StartError(str(error)) from error
    tracker = Script(widgets / "tracker" / "tracker.js", join="classic")
    return [
        *pages.resources(
            [widgets / "invitation", widgets / "media"],
            {
                "js/build/GPE.min.js": tracker,
                "js/build/GTC.min.js": tracker,
                "js/build/live.js": Script(widgets / "tracker" / "live.js", join="module"),
                "js/build/gt.js": Script(widgets / "tracker" / "gt.js"),
                "js/build/captures.js": Script(widgets / "tracker" / "captures.js"),
            },
        ),
        *pages.site("/shop", widgets / "shop", shop),
        *pages.site("/desk", widgets / "desk"),
        # Where the sample widgets of GMS are looked for.
        *pages.site("/genesys/admin/js/sample/cb", widgets / "media"),
        *(pages.site("/preview", widgets / "preview") if preview else []),
        pages.address_page(
            "Overture",
            {
                "/shop/": "the demo shop: a visitor's view",
                "/desk/": "the desk: an agent's view",
                "/desk/report.html": "the report: what came of the strategies",
                **(
                    {"/preview/": "what invitations look like, without a strategy"}
                    if preview
                    else {}
                ),
                "/api/book": "the live book and its problems",
                "/api/status": "what is connected and counted",
            },
        ),
    ]


class _Uvicorn(uvicorn.Server):
    """Uvicorn that leaves signals to us and ends the long connections before it waits for them."""

    def __init__(self, config: uvicorn.Config, hub: Hub, reports: ReportDoor) -> None:
        super().__init__(config)
        self._hub = hub
        self._reports = reports

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are captured already, and for longer."""
        yield

    @contextlib.contextmanager
    def stopped_by_signals(self) -> Iterator[None]:
        """Signals stop the server without ending the process: the store is closed after."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell the pages to come back later, then finish what is under way."""
        self._reports.stop()
        await self._hub.close()
        await super().shutdown(sockets)


async def _run(server: _Uvicorn, listener: socket.socket, shelf: Shelf) -> None:
    async with _beside("what watches the book folder", shelf.watch()):
        await server.serve([listener])


@contextlib.asynccontextmanager
async def _beside(name: str, work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Let work go on as long as something else does; that it failed meanwhile is logged."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_has_ended)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _has_ended(task: asyncio.Task[None]) -> None:
    problem = None if task.cancelled() else task.exception()
    if problem is not None:
        sentence = "Restart the server: %s has stopped, though the rest goes on."
        log.error(sentence, task.get_name(), exc_info=problem)


def _server(app: Starlette, hub: Hub, reports: ReportDoor) -> _Uvicorn:
    config = uvicorn.Config(
        app,
        http=stack.parser(),
        ws=stack.sockets(),
        ws_max_size=_FRAME,
        ws_per_message_deflate=False,
        lifespan="off",
        access_log=False,  # addresses of Server-Sent Events hold tokens
        log_config=None,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=DRAIN,
    )
    return _Uvicorn(config, hub, reports)


def _check_exposure(settings: Settings) -> None:
    if settings.token is None and not is_loopback(settings.host):
        raise StartError(
            f"Without an API token the server serves this machine alone, not {settings.host}: "
            "set OVERTURE_API_TOKEN to a long secret, or leave --host out."
        )


def _prepared(folder: Path) -> bytes:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return key_in(folder)
    except OSError as error:
        raise StartError(
            f"The data folder {folder} cannot be used: {error.strerror}. Name another with --data."
        ) from error
    except ValueError as error:
        raise StartError(str(error)) from error


def _bound(host: str, port: int) -> socket.socket:
    """Bind the address that will be announced, so that it is the one that answers."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise StartError(f"The host {host} is not known here: {error.strerror}.") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise StartError(
            f"Port {port} on {host} cannot be used ({error.strerror}). Is another Overture running?"
            f" Choose a port with --port, or --port 0 for any free one (default {PORT})."
        ) from error
    return listener


def _address(host: str, port: int) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}"


def _announce(settings: Settings, address: str, shelf: Shelf, say: Say) -> None:
    report = shelf.report()
    strategies = _counted(len(report["strategies"]), "strategy", "strategies")
    files = _counted(len(report["files"]), "file", "files")
    say(f"book     {settings.book} ({strategies} in {files}, watched)")
    say(f"data     {settings.data}")
    say(f"shop     {address}/shop/")
    say(f"desk     {address}/desk/")
    if is_loopback(settings.host):
        say(f"preview  {address}/preview/")
    say(f"api      {address}/api/book")
    if settings.gms_url:
        say(f"gms      {settings.gms_url} (chats and callbacks of GMS are carried there)")
    if settings.webhook_url:
        say(f"webhook  {urlsplit(settings.webhook_url).hostname} is told who accepts it")
    if settings.token is None:
        say("")
        say("WARNING  The API is open: every program on this machine can push notifications,")
        say("         read visits and answer chats. Set OVERTURE_API_TOKEN to close it.")


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _allow_many_connections() -> None:
    """Each page holds a connection; the soft limit of many systems is far below the hard one."""
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < hard:
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
