"""Two transports over one hub: nothing is missed, nothing is shown twice."""

import json
import threading
import time
from typing import Any

import httpx
import pytest
from serving import ORIGIN, Page, Serving, connected, eventually, new_id, open_socket, streaming
from websockets.exceptions import ConnectionClosed, InvalidStatus


def visit_of(serving: Serving, *pages: str) -> dict[str, Any]:
    visit = serving.visit()
    for page in pages:
        serving.event("PageEntered", visit["visitID"], page)
    return visit


def test_the_message_of_a_strategy_is_exactly_the_documented_array(serving: Serving) -> None:
    visit, page = serving.visit(), new_id()
    with connected(serving, visit, page) as found:
        serving.event("AddToCart", visit["visitID"], page)
        packet = found.next()
    data = {"url": "/frontend/resources/inviteGMS.html"}
    assert packet["notifications"] == [{"page": page, "channel": "gpe.appendContent", "data": data}]
    assert packet["ids"] == [f"{visit['visitID']}/Greeting/1"]


def test_a_page_that_connects_later_gets_what_waits(serving: Serving) -> None:
    visit = visit_of(serving, "P1", "P2")
    serving.notify(visit["visitID"], "/1", page="P1")
    serving.notify(visit["visitID"], "/2", page="P1")
    with connected(serving, visit, "P2") as other:
        assert other.is_quiet()
    with connected(serving, visit, "P1") as page:
        assert (page.urls(), page.urls()) == (["/1"], ["/2"])


def test_a_cursor_goes_on_where_the_page_was(serving: Serving) -> None:
    visit = visit_of(serving, "P1")
    with connected(serving, visit, "P1") as page:
        serving.notify(visit["visitID"], "/1", page="P1")
        serving.notify(visit["visitID"], "/2", page="P1")
        assert page.urls() == ["/1"]
        first = page.cursor
        assert page.urls() == ["/2"]
    serving.notify(visit["visitID"], "/3", page="P1")
    with connected(serving, visit, "P1", first) as page:
        assert (page.urls(), page.urls()) == (["/2"], ["/3"])
        last = page.cursor
    with connected(serving, visit, "P1", last) as page:
        assert page.is_quiet()


def test_what_was_acknowledged_is_gone(serving: Serving) -> None:
    visit = visit_of(serving, "P1")
    serving.notify(visit["visitID"], "/1", page="P1")
    with connected(serving, visit, "P1") as page:
        assert page.urls() == ["/1"]
        page.acknowledge()
        serving.notify(visit["visitID"], "/2", page="P1")
        assert page.urls() == ["/2"]

    def waiting() -> list[str]:
        with connected(serving, visit, "P1") as page:
            return page.urls()

    assert eventually(lambda: waiting() == ["/2"])


@pytest.mark.parametrize("cursor", ["", "x", "0.0", "deadbeef.99", "1.2.3", "é.1"])
def test_a_cursor_of_another_store_means_from_the_beginning(serving: Serving, cursor: str) -> None:
    visit = visit_of(serving, "P1")
    serving.notify(visit["visitID"], "/1", page="P1")
    with connected(serving, visit, "P1", cursor) as page:
        assert page.urls() == ["/1"]


def test_an_acknowledgement_of_what_was_never_sent_removes_nothing(serving: Serving) -> None:
    visit = visit_of(serving, "P1")
    with connected(serving, visit, "P1") as page:
        assert page.cursor is not None
        store = page.cursor.partition(".")[0]
        page.acknowledge(f"{store}.1000")
        page.acknowledge("elsewhere.1")
        serving.notify(visit["visitID"], "/1", page="P1")
        assert page.urls() == ["/1"]
    with connected(serving, visit, "P1") as page:
        assert page.urls() == ["/1"]


def test_reconnecting_under_load_misses_nothing_and_shows_nothing_twice(serving: Serving) -> None:
    visit = visit_of(serving, "P1")
    count = 60

    def push() -> None:
        for number in range(count):
            serving.notify(visit["visitID"], f"/{number}", page="P1")

    pusher = threading.Thread(target=push)
    pusher.start()
    seen: list[str] = []
    cursor: str | None = None
    while len(seen) < count:
        with connected(serving, visit, "P1", cursor) as page:
            for _ in range(3):
                seen += page.urls()
                cursor = page.cursor
                if len(seen) == count:
                    break
    pusher.join()
    assert seen == [f"/{number}" for number in range(count)]


def test_sse_carries_the_same_and_goes_on_by_cursor(serving: Serving) -> None:
    visit = visit_of(serving, "P1")
    serving.notify(visit["visitID"], "/1", page="P1")
    with streaming(serving, visit, "P1") as stream:
        packet = stream.next()
        assert packet["type"] == "notifications"
        assert packet["cursor"] == stream.cursor
        assert packet["notifications"][0]["data"] == {"url": "/1"}
        first = stream.cursor
        serving.notify(visit["visitID"], "/2", page="P1")
        assert stream.urls() == ["/2"]
    assert first is not None
    with streaming(serving, visit, "P1", params={"cursor": first}) as stream:
        assert stream.urls() == ["/2"]
        second = stream.cursor
    serving.notify(visit["visitID"], "/3", page="P1")
    # The browser's own header is younger than the address with which it began.
    headers = {"Last-Event-ID": second or ""}
    with streaming(serving, visit, "P1", params={"cursor": first}, headers=headers) as stream:
        assert stream.urls() == ["/3"]
    # The cursor acknowledged what was before it.
    with streaming(serving, visit, "P1") as stream:
        assert stream.urls() == ["/3"]


def test_a_page_that_goes_is_forgotten(serving: Serving) -> None:
    def connections() -> int:
        found: int = serving.get("/api/status").json()["connections"]
        return found

    eventually(lambda: connections() == 0)
    visit = visit_of(serving, "P1")
    with connected(serving, visit, "P1"), streaming(serving, visit, "P1"):
        assert connections() == 2
        assert serving.get("/api/status").json()["visits_connected"] == 1
    eventually(lambda: connections() == 0)


def closing(serving: Serving, first: Any) -> tuple[int, str]:
    with open_socket(serving) as socket:
        socket.send(first)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(30)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


def test_a_page_subscribes_to_its_own_visit_only(serving: Serving) -> None:
    visit, other = visit_of(serving, "P1"), visit_of(serving, "P1")
    words = {"visitID": visit["visitID"], "pageID": "P1", "token": other["token"]}
    code, reason = closing(serving, json.dumps(words))
    assert code == 4403
    assert "token" in reason
    answer = serving.get("/server/push/sse", params=words)
    assert (answer.status_code, answer.json()["code"]) == (403, "token")


@pytest.mark.parametrize(
    "first", ["", "{", "[]", "{}", '{"visitID": "V1"}', '{"visitID": 1, "token": "x"}', b"\xff"]
)
def test_a_malformed_first_frame_is_refused(serving: Serving, first: Any) -> None:
    assert closing(serving, first)[0] == 4400


def test_a_frame_that_is_no_acknowledgement_ends_the_connection(serving: Serving) -> None:
    visit = visit_of(serving, "P1")
    with open_socket(serving) as socket:
        words = {"visitID": visit["visitID"], "pageID": "P1", "token": visit["token"]}
        socket.send(json.dumps(words))
        Page(socket).next()
        socket.send('{"type": "dance"}')
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(30)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4400


def test_a_silent_connection_is_closed(serving: Serving) -> None:
    started = time.monotonic()
    with open_socket(serving) as socket, pytest.raises(ConnectionClosed) as closed:
        socket.recv(30)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4400
    assert time.monotonic() - started > 4, "a page has a while to say who it is"


def test_an_oversized_frame_is_refused(serving: Serving) -> None:
    with open_socket(serving) as socket:
        socket.send("x" * 100_000)
        with pytest.raises(ConnectionClosed):
            socket.recv(30)


@pytest.mark.parametrize("params", [{}, {"visitID": "V1"}, {"visitID": "a b", "token": "x"}])
def test_sse_without_its_words_is_refused(serving: Serving, params: dict[str, str]) -> None:
    assert serving.get("/server/push/sse", params=params).status_code == 400


def test_sockets_of_other_origins_are_refused(guarded: Serving) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        open_socket(guarded, origin="https://evil.example"),
    ):
        pass
    assert refused.value.response.status_code == 403
    with open_socket(guarded, origin=ORIGIN):
        pass


def test_a_token_is_enough_to_listen(guarded: Serving) -> None:
    visit = guarded.visit()
    guarded.event("PageEntered", visit["visitID"], "P1")
    with connected(guarded, visit, "P1") as page, streaming(guarded, visit, "P1") as stream:
        guarded.notify(visit["visitID"], "/1", page="P1")
        assert page.urls() == stream.urls() == ["/1"]


def test_too_many_pages_of_one_visit_are_refused(serving: Serving) -> None:
    visit = visit_of(serving, "P1")
    query = {"visitID": visit["visitID"], "pageID": "P1", "token": visit["token"]}
    streams = []
    try:
        for _ in range(40):
            client = httpx.Client(base_url=serving.address)
            request = client.build_request("GET", "/server/push/sse", params=query)
            streams.append((client, client.send(request, stream=True)))
        statuses = [response.status_code for _, response in streams]
        assert statuses[:32] == [200] * 32
        assert set(statuses[32:]) == {429}
    finally:
        for client, response in streams:
            response.close()
            client.close()


def test_pages_of_a_visit_share_a_socket(serving: Serving) -> None:
    visit = visit_of(serving, "P1", "P2", "P3")
    serving.notify(visit["visitID"], "/waits", page="P2")
    with connected(serving, visit, "P1") as page:

        def says(kind: str, name: str, cursor: str | None = None) -> None:
            page.send({"type": kind, "pageID": name, "cursor": cursor})

        says("join", "P2")
        assert (page.next()["type"], page.last["pageID"]) == ("ready", "P2")
        assert (page.urls(), page.last["pageID"]) == (["/waits"], "P2")
        says("ack", "P2", page.cursor)
        serving.notify(visit["visitID"], "/first", page="P1")
        assert (page.urls(), "pageID" in page.last) == (["/first"], False)
        serving.notify(visit["visitID"], "/all")
        both = [(page.urls(), page.last.get("pageID")) for _ in range(2)]
        assert sorted(both, key=str) == [(["/all"], "P2"), (["/all"], None)]
        # Another document takes over the place of the first; what P2 handled does not come again.
        says("leave", "P1")
        says("join", "P3")
        assert (page.next()["type"], page.last["pageID"]) == ("ready", "P3")
        assert (page.urls(), page.last["pageID"]) == (["/all"], "P3")
        serving.notify(visit["visitID"], "/gone", page="P1")
        serving.notify(visit["visitID"], "/third", page="P3")
        assert (page.urls(), page.last["pageID"]) == (["/third"], "P3")
        says("join", "P2", page.cursor)
        assert page.next()["type"] == "ready"
        assert page.is_quiet()
        assert serving.get("/api/status").json()["connections"] == 2
    eventually(lambda: serving.get("/api/status").json()["connections"] == 0)
    with connected(serving, visit, "P1") as again:
        assert again.urls() == ["/first"]


def test_a_page_that_finds_no_place_hears_so_and_the_others_stay(serving: Serving) -> None:
    visit = visit_of(serving, "P1")
    with connected(serving, visit, "P0") as page:
        for number in range(1, 32):
            page.send({"type": "join", "pageID": f"P{number}"})
            assert page.next()["type"] == "ready"
        page.send({"type": "join", "pageID": "P32"})
        assert page.packet() == {"type": "lost", "pageID": "P32"}
        serving.notify(visit["visitID"], "/1", page="P1")
        assert page.urls() == ["/1"]


def test_pages_of_a_visit_share_a_stream(serving: Serving) -> None:
    visit = visit_of(serving, "P1", "P2")
    with streaming(serving, visit, "P1") as stream:

        def says(kind: str, page: str, cursor: str | None = None, **other: str) -> int:
            words = {"visitID": visit["visitID"], "token": visit["token"], "stream": stream.name}
            words |= {"type": kind, "pageID": page, **({"cursor": cursor} if cursor else {})}
            return serving.post("/server/push/sse", json=words | other).status_code

        assert says("join", "P2") == 204
        assert (stream.next()["type"], stream.last["pageID"]) == ("ready", "P2")
        before = stream.cursor
        serving.notify(visit["visitID"], "/2", page="P2")
        assert (stream.urls(), stream.last["pageID"]) == (["/2"], "P2")
        assert stream.cursor == before, "what the browser remembers is of the first page"
        assert says("ack", "P2", stream.last["cursor"]) == 204
        # The page that opened the stream leaves it to the other.
        assert says("leave", "P1") == 204
        serving.notify(visit["visitID"], "/again", page="P2")
        assert stream.urls() == ["/again"]
        assert serving.get("/api/status").json()["connections"] == 1
        assert says("join", "P3", stream="0" * 32) == 404
        assert says("join", "P3", token="wrong") == 403
        assert says("dance", "P3") == 400
        other = visit_of(serving, "P1")
        assert says("join", "P3", visitID=other["visitID"], token=other["token"]) == 404
    eventually(lambda: serving.get("/api/status").json()["connections"] == 0)
    assert says("join", "P2") == 404
    with connected(serving, visit, "P2") as again:
        assert again.urls() == ["/again"]
