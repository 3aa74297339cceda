"""What must survive: restarts, a deaf engine, many at once, visitors who vanish."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from media_room import CHAT_NOW, INVITATION, START, Clock, Room, Surroundings

from engine.hosts.reading import reading
from engine.media import person
from engine.media.agents import Agents
from engine.media.conversations import VISITOR_SILENCE, Conversations
from engine.media.examination import of_the_chats
from engine.media.interactions import (
    LINES_AT_MOST,
    Draft,
    InteractionStore,
    Refused,
    Unavailable,
)
from engine.media.schema import STEPS

REPORTED = {
    "id": INVITATION["id"],
    "strategy": INVITATION["strategy"],
    "group": "Invitations",
    "message": "InviteToGmsChat",
    "medium": "chat",
}


def draft(visit: str | None = None) -> Draft:
    return Draft(
        medium="chat",
        visit=visit,
        page=None,
        nickname="Zoë",
        attached={},
        customer={},
        invitation={},
    )


def test_start_and_end_are_events_of_the_visit(room: Room) -> None:
    room.around.invitations["V1"] = INVITATION
    key = room.start()
    data = REPORTED | {"interaction": room.newest()}
    assert room.around.happenings == [("V1", "P2", "InteractionStarted", data)]
    room.chat(key, "disconnect")
    room.chat(key, "disconnect")
    assert room.around.happenings[1:] == [("V1", "P2", "InteractionEnded", data)]


def test_a_chat_without_a_visit_tells_nobody(room: Room) -> None:
    answer = room.client.post(START, data=CHAT_NOW)
    assert answer.status_code == 200
    assert room.around.happenings == []


def test_a_deaf_engine_loses_neither_the_chat_nor_the_event(room: Room) -> None:
    room.around.broken = True
    key = room.start()
    room.chat(key, "send", message="hello")
    assert room.desk("interactions")[0]["last_message"] == "hello"
    room.around.broken = False
    room.restart()
    room.clock.now += 60_000
    room.desk("interactions")
    room.desk("interactions")
    assert [event for _, _, event, _ in room.around.happenings] == ["InteractionStarted"]


def test_an_event_that_never_arrives_is_given_up(room: Room) -> None:
    room.around.broken = True
    room.start()
    for _ in range(12):
        room.clock.now += 2_000_000
        room.desk("interactions")
    room.around.broken = False
    room.clock.now += 2_000_000
    room.desk("interactions")
    assert room.around.happenings == []


def test_everything_is_there_after_a_restart(room: Room) -> None:
    room.around.invitations["V1"] = INVITATION
    key = room.start(first_name="Zoë")
    room.chat(key)
    room.chat(key, "send", message="hello")
    chat = room.newest()
    room.desk(f"interactions/{chat}/accept", {"agent": "Ana"})
    before = room.desk(f"interactions/{chat}")
    room.restart()
    assert room.desk(f"interactions/{chat}") == before
    assert room.agents.everyone()[0].chats == 1, "the place of the agent is taken again"
    assert room.chat(key, "refresh", transcriptPosition="2")["transcriptPosition"] == 3
    room.desk(f"interactions/{chat}/end", {"agent": "Ana"})
    assert room.agents.everyone() == []


def test_the_file_holds_no_key_of_a_visitor(room: Room) -> None:
    key = room.start()
    room.close()
    try:
        for file in room.path.parent.iterdir():
            assert key.encode() not in file.read_bytes()
    finally:
        room.open()


def test_a_visitor_who_vanished_leaves_the_chat(room: Room) -> None:
    key = room.start()
    other = room.start(visitID="V2")
    chat = room.desk("interactions")[1]["id"]
    room.clock.now += VISITOR_SILENCE - 1
    room.chat(other, "refresh")
    room.clock.now += 1_001
    states = {one["visitID"]: one["state"] for one in room.desk("interactions")}
    assert states == {"V1": "ended", "V2": "waiting"}
    assert room.around.happenings[-1][:3] == ("V1", "P2", "InteractionEnded")
    assert room.desk(f"interactions/{chat}")["transcript"][-1]["party"] == "system"
    assert room.chat(key, "refresh")["chatIxnState"] == "DISCONNECTED"


def test_many_speak_at_once_and_every_line_has_its_place(tmp_path: Path) -> None:
    async def run() -> None:
        store = InteractionStore(tmp_path / "i.db")
        chat, _ = await store.create(draft())
        await store.accept(chat.id, "Ana", take_over=False)
        await asyncio.gather(
            *(store.say(chat.id, "visitor", "Zoë", f"v{n}") for n in range(100)),
            *(store.say(chat.id, "agent", "Ana", f"a{n}") for n in range(100)),
        )
        lines = await store.transcript(chat.id)
        assert [line.position for line in lines] == list(range(1, 202))
        assert len({line.text for line in lines}) == 201
        await store.close()

    asyncio.run(run())


def test_two_agents_accept_at_once_and_one_has_it(tmp_path: Path) -> None:
    async def run() -> None:
        store, around, agents = InteractionStore(tmp_path / "i.db"), Surroundings(), Agents(Clock())
        talk = Conversations(
            store, agents=agents, happened=around.happened, invitation=around.invitation
        )
        names = ["Ana", "Bo", "Cy"]
        for name in names:
            agents.heard(name, ready=True, media=["chat"])
        chat, _ = await store.create(draft())
        results = await asyncio.gather(
            *(talk.accept(chat.id, name) for name in names), return_exceptions=True
        )
        winners = [one for one in results if not isinstance(one, BaseException)]
        assert len(winners) == 1
        assert sum(isinstance(one, Refused) for one in results) == 2
        assert agents.holder(chat.id) == winners[0].agent
        await store.close()

    asyncio.run(run())


def test_a_transcript_is_bounded_but_can_always_end(tmp_path: Path) -> None:
    async def run() -> None:
        store = InteractionStore(tmp_path / "i.db")
        chat, _ = await store.create(draft())
        await asyncio.gather(
            *(store.say(chat.id, "visitor", "Zoë", str(n)) for n in range(LINES_AT_MOST))
        )
        with pytest.raises(Refused, match="1000 lines"):
            await store.say(chat.id, "visitor", "Zoë", "one more")
        assert (await store.end(chat.id, "visitor", "Zoë")).state == "ended"
        assert len(await store.transcript(chat.id)) == LINES_AT_MOST + 1
        await store.close()

    asyncio.run(run())


def test_a_long_transcript_comes_in_pages(room: Room) -> None:
    key = room.start()
    for n in range(230):
        room.chat(key, "send", message=str(n), transcriptPosition=str(n))
    first = room.chat(key, "refresh")
    assert (first["transcriptPosition"], len(first["transcriptToShow"])) == (200, 200)
    rest = room.chat(key, "refresh", transcriptPosition="200")
    assert [line[2] for line in rest["transcriptToShow"]] == [str(n) for n in range(200, 230)]


def test_a_refused_disk_answers_503_and_changes_nothing(room: Room) -> None:
    key = room.start()

    def fill(*, full: bool) -> None:
        # The file may not grow any more: SQLite answers as it does on a full disk.
        limit = "PRAGMA max_page_count = 1" if full else "PRAGMA max_page_count = 1000000"
        room.store._worker.submit(room.store._db.execute, limit).result()

    fill(full=True)
    texts = ["x" * 4_000] * 20
    answers = [
        room.client.post(f"/genesys/1/service/{key}/ixn/chat/send", data={"message": text})
        for text in texts
    ]
    refused = [one for one in answers if one.status_code == 503]
    assert refused
    assert refused[0].headers["retry-after"] == "2"
    assert "/" not in refused[0].json()["message"], "a visitor learns nothing of the machine"
    fill(full=False)
    stored = len(answers) - len(refused)
    assert room.chat(key, "refresh")["transcriptPosition"] == stored
    room.chat(key, "send", message="again")


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="can not be opened"):
        InteractionStore(tmp_path / "missing" / "i.db")


def test_a_file_of_another_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "i.db"
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(OSError, match="another version"):
        InteractionStore(path)


def test_a_file_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "i.db"
    db = sqlite3.connect(path)
    db.executescript(
        f"{STEPS[0]}PRAGMA user_version = 1;"
        "INSERT INTO interactions (id, key, medium, state, created, visit, nickname, attached,"
        " customer, invitation) VALUES ('I1', x'00', 'chat', 'waiting', 1, 'V1', 'Zoë', '{}',"
        " '{}', '{}');"
    )
    db.close()
    before = person.exported(path, ["V1"])

    async def run() -> None:
        store = InteractionStore(path)
        assert [one.id for one in store.resumed] == ["I1"]
        assert (await store.end("I1", "agent", "Ana", "done")).outcome == "done"
        await store.close()

    asyncio.run(run())
    after = person.exported(path, ["V1"])
    assert [one["id"] for one in before["conversations"]] == ["I1"], "also before it is"
    assert after["conversations"][0]["outcome"] == "done"
    with reading(path) as connection:
        assert list(of_the_chats(connection)) == [], "what was there before has its checksums"


def test_a_closed_store_is_unavailable_or_refuses_work(tmp_path: Path) -> None:
    async def run() -> None:
        store = InteractionStore(tmp_path / "i.db")
        await store.close()
        with pytest.raises((Unavailable, RuntimeError)):
            await store.recent()

    asyncio.run(run())
