"""A real book on every host: timers, reconnects, restarts, and the journal as the whole truth."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from hosts.booked import library_of
from hosts.house import MakeHost, run, running, standing, undisturbed

from engine.hosts.clock import now_ms
from engine.hosts.contract import Host, Input
from engine.hosts.document import EngagementCore, outbox_after
from engine.hosts.sqlite import SqliteHost

SOON = """
event AddToCart "A product was put in the cart"

message Hello is gpe.appendContent { url: "/frontend/resources/invite.html" }

strategy "Patience"
  limit 1 per visit
  on PageEntered, then no AddToCart for 300 ms
    when agents.ready("chat") > 0
    send Hello
"""

LIBRARY = library_of(SOON)
CORE = EngagementCore(LIBRARY, lambda: {"chat": 2})


def stamped(kind: str, body: dict[str, Any], visit: str = "V", name: str | None = None) -> Input:
    version = LIBRARY.live.version
    return Input(kind=kind, visit=visit, time=now_ms(), version=version, id=name, body=body)


def happened(name: str, visit: str = "V", page: str = "P", key: str | None = None) -> Input:
    body = {"eventName": name, "visitID": visit, "pageID": page, "agents": {"chat": 2}, "data": {}}
    return stamped("event", body, visit, key)


def joined(connection: str, page: str = "P", visit: str = "V") -> Input:
    return stamped("connected", {"page": page, "connection": connection}, visit)


async def waiting(host: Host, visitor: str, offset: int = 0) -> list[int]:
    document = await host.peek(visitor)
    assert document is not None
    return [message.offset for message in outbox_after(document, "V", "P", offset)]


async def replays(host: Host, visitor: str) -> None:
    """Replaying the journal decides the same, and gives the same document."""
    past = await host.past(visitor)
    document = past.document
    for entry in past.entries:
        advance = CORE.advance(visitor, document, [entry.input])
        document = advance.document and CORE.decode(CORE.encode(advance.document))
        assert json.dumps(advance.decisions[0]) == json.dumps(entry.decisions)
    live = await host.peek(visitor)
    assert (document and CORE.encode(document)) == (live and CORE.encode(live))


def test_hesitation_is_answered_once_per_visit(make_host: MakeHost) -> None:
    async def story() -> bool:
        host = make_host()
        async with running(host, CORE) as postbox:
            visits = [f"V{n}" for n in range(30)]
            begun = now_ms()
            await asyncio.gather(
                *(
                    host.submit(v, [joined("c", visit=v), happened("PageEntered", v)])
                    for v in visits
                )
            )
            await asyncio.gather(*(host.submit(v, [happened("AddToCart", v)]) for v in visits[:10]))
            if now_ms() - begun >= 300:
                return False  # too late to say that nobody hesitated
            messages = await postbox.wait_for(20)
            assert now_ms() - begun >= 300
            assert sorted(message.visit for message in messages) == sorted(visits[10:])
            await asyncio.gather(*(host.submit(v, [happened("PageEntered", v)]) for v in visits))
            await postbox.wait_for(30)
            assert {message.ids for message in messages} == {(f"{v}/Patience/1",) for v in visits}
            await asyncio.sleep(0.4)
            assert len(messages) == 30, "the limit holds"
            for v in visits:
                await replays(host, v)
        return True

    run(undisturbed(story))


def test_a_page_that_comes_back_gets_what_it_missed(make_host: MakeHost) -> None:
    async def test() -> None:
        host = make_host()
        async with running(host, CORE) as postbox:
            await host.submit("G", [happened("PageEntered"), joined("first")])
            await postbox.wait_for(1)
            gone = stamped("disconnected", {"page": "P", "connection": "first"})
            wires = [{"page": "P", "channel": "c", "data": {}}]
            await host.submit("G", [gone, stamped("pushed", {"notifications": wires})])
            await host.submit("G", [joined("second")])
            assert await waiting(host, "G") == [1, 2]
            assert await waiting(host, "G", 1) == [2]
            await host.submit("G", [stamped("acknowledged", {"page": "P", "offset": 1})])
            assert await waiting(host, "G") == [2]
            await host.submit("G", [stamped("acknowledged", {"page": "P", "offset": 2})])
            assert await waiting(host, "G") == []
            await replays(host, "G")

    run(test())


def test_a_restart_forgets_connections_and_nothing_else(tmp_path: Path) -> None:
    async def test() -> None:
        path = tmp_path / "store.db"
        here, entered = joined("first"), happened("PageEntered", key="e1")
        first, later = standing(entered.time), standing(entered.time + 350)
        async with running(host := SqliteHost(path, clock=first), CORE):
            await host.submit("G", [here, entered])
        # The timer fell due while nothing ran.
        async with running(host := SqliteHost(path, clock=later), CORE) as postbox:
            (message,) = await postbox.wait_for(1)
            assert message.ids == ("V/Patience/1",)
            document = await host.peek("G") or {}
            assert not document["connected"]
            assert document["outbox"]["V"][0]["left"] is False
            assert await host.submit("G", [entered, joined("second")]) == 1, "a duplicate and a new"
            document = await host.peek("G") or {}
            assert document["outbox"]["V"][0]["left"] is True
            assert await waiting(host, "G") == [1]
            decided = [d for e in await host.history(visit="V") for d in e.decisions]
            assert [(d["strategy"], d["reason"]) for d in decided] == [("Patience", None)]
            await replays(host, "G")

    run(test())


def test_a_new_book_is_used_by_the_inputs_after_it(make_host: MakeHost) -> None:
    async def test() -> None:
        library = library_of(SOON)
        core = EngagementCore(library, lambda: {"chat": 2})
        host = make_host()
        async with running(host, core) as postbox:
            await host.submit("G", [joined("c"), happened("PageEntered")])
            library.swap(library_of(SOON.replace("invite.html", "inviteGMS.html")).live)
            (message,) = await postbox.wait_for(1)
            assert "inviteGMS.html" in message.payload
            (woken,) = [e for e in await host.history(visit="V") if e.input.kind == "woken"]
            assert woken.input.version == library.live.version
            assert woken.input.body == {"agents": {"chat": 2}}

    run(test())
