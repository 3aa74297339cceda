"""The webhook: signed, retried, never twice for who remembers ids, whatever breaks between."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from elsewhere import Elsewhere
from media_room import INVITATION, Clock, Surroundings

from engine.media.agents import Agents
from engine.media.conversations import Conversations, Wish
from engine.media.deliveries import PAUSES, Answer, Deliveries, Receiver, posted, receiver
from engine.media.interactions import InteractionStore, Refused
from engine.media.webhook import STRANGERS, Webhook

SECRET = "a secret that nobody can guess"


class Story:
    """A webhook over a file, its clock moved by hand."""

    def __init__(self, path: Path, url: str) -> None:
        self.path, self.url, self.clock, self.around = path, url, Clock(), Surroundings()
        self.around.invitations["V1"] = INVITATION
        self.open()

    def open(self) -> None:
        self.store = InteractionStore(self.path, clock=self.clock)
        talk = Conversations(
            self.store,
            agents=Agents(self.clock),
            happened=self.around.happened,
            invitation=self.around.invitation,
        )
        self.deliveries = Deliveries(self.store, receiver(self.url, SECRET))
        self.webhook = Webhook(talk, self.deliveries)

    async def start(self, visit: str = "V1") -> str:
        wish = Wish(
            medium="webhook",
            visit=visit,
            page="P1",
            nickname="Zoë",
            webengagement=None,
            invitation=None,
            customer={"first_name": "Zoë"},
        )
        return (await self.webhook.start(wish)).key

    async def state(self, key: str) -> str:
        return (await self.webhook.known(key)).state


def test_one_signed_request_says_all(tmp_path: Path, elsewhere: Elsewhere) -> None:
    async def run() -> None:
        story = Story(tmp_path / "i.db", elsewhere.url)
        key = await story.start()
        await story.deliveries.hand_over()
        assert await story.state(key) == "handed"
        await story.deliveries.hand_over()
        await story.store.close()

    asyncio.run(run())
    ((headers, body),) = elsewhere.got
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mark = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{mark}"
    assert headers["webhook-timestamp"] == "1000"
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == {
        "type": "engagement.accepted",
        "timestamp": "1970-01-01T00:16:40.000Z",
        "data": {
            "visitID": "V1",
            "pageID": "P1",
            "nickname": "Zoë",
            "attached": {
                "visitID": "V1",
                "pageID": "P1",
                "webengagement": INVITATION["strategy"],
                "reason": "hesitant buyer",
            },
            "customer": {"first_name": "Zoë"},
            "invitation": {
                name: INVITATION[name] for name in ("id", "strategy", "group", "message")
            },
        },
    }


def test_it_is_tried_again_with_the_same_id_and_a_new_signature(
    tmp_path: Path, elsewhere: Elsewhere
) -> None:
    elsewhere.says[:] = [(500, {}), (0, {}), (302, {"Location": "http://127.0.0.1:1/"})]

    async def run() -> None:
        story = Story(tmp_path / "i.db", elsewhere.url)
        key = await story.start()
        for pause in (0, *PAUSES[:3]):
            story.clock.now += pause * 1000 - 1
            await story.deliveries.hand_over()
            story.clock.now += 1
            await story.deliveries.hand_over()
        assert await story.state(key) == "handed"
        await story.store.close()

    asyncio.run(run())
    got = elsewhere.got
    assert len(got) == 4, "none before its time"
    assert len({headers["webhook-id"] for headers, _ in got}) == 1
    assert len({headers["webhook-signature"] for headers, _ in got}) == 4
    assert len({body for _, body in got}) == 1


def test_a_receiver_that_wants_to_be_left_is_left(tmp_path: Path, elsewhere: Elsewhere) -> None:
    elsewhere.says[:] = [(429, {"Retry-After": "100"})]

    async def run() -> None:
        story = Story(tmp_path / "i.db", elsewhere.url)
        key = await story.start()
        await story.deliveries.hand_over()
        story.clock.now += 99_000
        await story.deliveries.hand_over()
        assert await story.state(key) == "waiting"
        story.clock.now += 1_000
        await story.deliveries.hand_over()
        assert await story.state(key) == "handed"
        await story.store.close()

    asyncio.run(run())


@pytest.mark.parametrize(("status", "attempts"), [(503, len(PAUSES) + 1), (410, 1)])
def test_it_is_given_up_in_the_end(
    tmp_path: Path, elsewhere: Elsewhere, status: int, attempts: int
) -> None:
    elsewhere.says[:] = [(status, {})] * 20

    async def run() -> None:
        story = Story(tmp_path / "i.db", elsewhere.url)
        key = await story.start()
        for _ in range(12):
            await story.deliveries.hand_over()
            story.clock.now += PAUSES[-1] * 1000
        assert await story.state(key) == "failed"
        await story.store.close()

    asyncio.run(run())
    assert len(elsewhere.got) == attempts


def test_a_crash_after_the_receiver_took_it_says_it_again_with_the_same_id(
    tmp_path: Path, elsewhere: Elsewhere
) -> None:
    async def run() -> None:
        story = Story(tmp_path / "i.db", elsewhere.url)
        key = await story.start()

        def dying(url: str, headers: Mapping[str, str], body: bytes) -> Answer:
            assert posted(url, headers, body).status == 204
            raise SystemError("the process is gone before it can write that down")

        story.deliveries._post = dying
        with pytest.raises(SystemError):
            await story.deliveries.hand_over()
        await story.store.close()
        story.open()
        assert await story.state(key) == "waiting"
        story.clock.now += PAUSES[0] * 1000
        await story.deliveries.hand_over()
        assert await story.state(key) == "handed"
        await story.store.close()

    asyncio.run(run())
    assert len({headers["webhook-id"] for headers, _ in elsewhere.got}) == 1
    assert len(elsewhere.got) == 2


def test_what_is_cancelled_is_tried_no_more(tmp_path: Path, elsewhere: Elsewhere) -> None:
    async def run() -> None:
        story = Story(tmp_path / "i.db", elsewhere.url)
        gone, sent = await story.start(), await story.start("V2")
        assert (await story.webhook.end(gone)).state == "cancelled"
        await story.deliveries.hand_over()
        assert (await story.webhook.end(sent)).state == "handed", "it can not be taken back"
        await story.store.close()

    asyncio.run(run())
    assert len(elsewhere.got) == 1


def test_it_runs_by_itself_and_wakes_for_what_is_new(tmp_path: Path, elsewhere: Elsewhere) -> None:
    async def run() -> None:
        story = Story(tmp_path / "i.db", elsewhere.url)
        work = asyncio.create_task(story.deliveries.run())
        await asyncio.sleep(0.05)
        keys = [await story.start(f"V{n}") for n in range(20)]
        for _ in range(3_000):
            if {await story.state(key) for key in keys} == {"handed"}:
                break
            await asyncio.sleep(0.02)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await story.store.close()

    asyncio.run(run())
    assert len({headers["webhook-id"] for headers, _ in elsewhere.got}) == 20
    assert len(elsewhere.got) == 20


def test_without_a_receiver_and_with_too_many_it_is_refused(tmp_path: Path) -> None:
    async def run() -> None:
        story = Story(tmp_path / "i.db", "https://receiver.example")
        for _ in range(20):
            await story.start()
        with pytest.raises(Refused, match="often enough"):
            await story.start()
        none = Webhook(story.webhook._conversations, Deliveries(story.store, None))
        assert none.availability() == 0
        story.webhook = none
        with pytest.raises(Refused, match="not available"):
            await story.start("V2")
        await Deliveries(story.store, None).run()
        await story.store.close()

    asyncio.run(run())


def test_strangers_can_not_make_the_receiver_a_target(tmp_path: Path) -> None:
    async def run() -> None:
        story = Story(tmp_path / "i.db", "https://receiver.example")
        for n in range(STRANGERS):
            await story.start(f"made up {n}")
        with pytest.raises(Refused, match="in a minute"):
            await story.start("made up")
        await story.start("V1")  # was invited
        story.clock.now += 60_000
        await story.start("made up")
        await story.store.close()

    asyncio.run(run())


def test_secrets() -> None:
    coded = base64.b64encode(b"twenty-four random bytes").decode()
    assert receiver("https://r.example", f"whsec_{coded}").secret == b"twenty-four random bytes"
    assert "twenty" not in repr(receiver("https://r.example/path?key=x", f"whsec_{coded}"))
    with pytest.raises(ValueError, match="base64"):
        receiver("https://r.example", "whsec_*")
    assert isinstance(receiver("https://r.example", "plain"), Receiver)
