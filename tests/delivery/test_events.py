"""What arrives at the door for events, good and bad; bad input changes nothing."""

import json
from typing import Any

import httpx
import pytest
from serving import Serving, new_id

EVENTS = "/server/data/events"


def event(visit: str, name: str = "PageEntered", **more: Any) -> dict[str, Any]:
    return {"eventName": name, "visitID": visit, "pageID": "P1", **more}


def history(serving: Serving, visit: str) -> list[dict[str, Any]]:
    answer = serving.get(f"/server/data/visits/{visit}/events")
    return answer.json() if answer.status_code == 200 else []


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


BAD = {
    "nothing": ("", 400, "malformed"),
    "no JSON": ("{", 400, "malformed"),
    "no UTF-8": (b'{"eventName": "\xff"}', 400, "malformed"),
    "half a surrogate": ('{"eventName": "\\ud800", "visitID": "V"}', 400, "malformed"),
    "NaN": ('{"eventName": "E", "visitID": "V", "timestamp": NaN}', 400, "malformed"),
    "a number beyond all": (
        '{"eventName": "E", "visitID": "V", "timestamp": 1e999}',
        400,
        "malformed",
    ),
    "a long number": ('{"eventName": "E", "data": {"n": ' + "9" * 5000 + "}}", 400, "malformed"),
    "a text": ('"PageEntered"', 400, "wrong-shape"),
    "null": ("null", 400, "wrong-shape"),
    "a number in the array": ("[1]", 400, "wrong-shape"),
    "an empty array": ("[]", 400, "empty"),
    "no name": ('{"visitID": "V"}', 400, "wrong-shape"),
    "an empty name": ('{"eventName": "", "visitID": "V"}', 400, "wrong-shape"),
    "a name of the wrong kind": ('{"eventName": 7, "visitID": "V"}', 400, "wrong-shape"),
    "no visit": ('{"eventName": "E"}', 400, "wrong-shape"),
    "a visit that is no id": ('{"eventName": "E", "visitID": "../../etc"}', 400, "wrong-shape"),
    "a long id": (json.dumps({"eventName": "E", "visitID": "V" * 65}), 400, "wrong-shape"),
    "data that is no object": (
        '{"eventName": "E", "visitID": "V", "data": []}',
        400,
        "wrong-shape",
    ),
    "a boolean as time": (
        '{"eventName": "E", "visitID": "V", "timestamp": true}',
        400,
        "wrong-shape",
    ),
    "deep nesting": (
        '{"eventName": "E", "visitID": "V", "data": {"a": ' + nested(17) + "}}",
        400,
        "too-deep",
    ),
    "very deep nesting": (nested(100_000), 400, "too-deep"),
    "too many": (json.dumps([event("V")] * 201), 413, "too-many"),
    "too large": (json.dumps(event("V", data={"a": "x" * 300_000})), 413, "too-large"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_with_one_line(serving: Serving, name: str) -> None:
    body, status, code = BAD[name]
    before = serving.get("/api/status").json()["events_accepted"]
    answer = serving.post(EVENTS, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    sentence = answer.json()["error"]
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert "pydantic" not in sentence.lower()
    assert serving.get("/api/status").json()["events_accepted"] == before


def test_a_body_without_declared_length_is_bounded_too(serving: Serving) -> None:
    answer = serving.post(
        EVENTS,
        content=(b"x" * 1000 for _ in range(1000)),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 413


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", ""])
def test_what_is_not_json_is_not_read(serving: Serving, kind: str) -> None:
    answer = serving.post(EVENTS, content=b"{}", headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (415, "not-json")


def test_one_mistake_refuses_the_whole_request(serving: Serving) -> None:
    visit = new_id()
    answer = serving.post(EVENTS, json=[event(visit), {"eventName": "E", "visitID": 5}])
    assert answer.status_code == 400
    assert answer.json()["error"] == "In event 2, visitID must be text."
    assert history(serving, visit) == []


def test_events_are_stored_in_order_and_duplicates_counted(serving: Serving) -> None:
    visit = new_id()
    events = [event(visit, f"E{n}", eventID=f"id{n}") for n in range(5)]
    assert serving.post(EVENTS, json=events).json() == {"accepted": 5, "duplicates": 0}
    again = serving.post(EVENTS, json=[*events, event(visit, "E5", eventID="id5")])
    assert again.json() == {"accepted": 1, "duplicates": 5}
    assert [one["eventName"] for one in history(serving, visit)] == [f"E{n}" for n in range(6)]


def test_unknown_names_and_fields_are_stored_and_counted(serving: Serving) -> None:
    visit = new_id()
    name = f"Unheard-{visit[:8]}"
    serving.post(EVENTS, json=event(visit, name, colour="red", data={"a": {"b": 1}}))
    serving.post(EVENTS, json=event(visit, "AddToCart", data={"price": 3, "wrap": True}))
    first, second = history(serving, visit)
    assert (first["eventName"], first["colour"], first["data"]) == (name, "red", {"a": {"b": 1}})
    assert second["data"] == {"price": 3, "wrap": True}
    status = serving.get("/api/status").json()
    assert status["unknown_events"][name] == 1
    assert status["unknown_fields"]["AddToCart.wrap"] >= 1
    assert "AddToCart.price" not in status["unknown_fields"]


def test_a_page_cannot_invent_free_agents(serving: Serving) -> None:
    visit = new_id()
    serving.post(EVENTS, json=event(visit, agents={"chat": 99}))
    assert "agents" not in history(serving, visit)[0]


def test_a_page_cannot_join_the_visits_of_a_stranger(serving: Serving) -> None:
    victim, page = serving.visit(), serving.visit()
    body = {"eventName": "A", "visitID": page["visitID"], "globalVisitID": victim["globalVisitID"]}
    headers = {"X-Overture-Token": page["token"]}
    answer = httpx.post(f"{serving.address}/server/data/events", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    (event,) = serving.get(f"/server/data/visits/{page['visitID']}/events").json()
    assert event["globalVisitID"] == page["globalVisitID"]


@pytest.mark.parametrize("text", ["x" * 33_000, "é" * 17_000], ids=["letters", "bytes"])
def test_a_large_event_is_refused_in_a_small_request_too(serving: Serving, text: str) -> None:
    event = {"eventName": "A", "visitID": "large", "data": {"text": text}}
    answer = serving.post("/server/data/events", json=[event])
    assert (answer.status_code, answer.json()["code"]) == (413, "event-too-large")
    assert serving.get("/server/data/visits/large/events").status_code == 404


def test_null_is_the_same_as_absent(serving: Serving) -> None:
    visit = new_id()
    body = event(visit, url=None, title=None, data=None, timestamp=None, eventID=None)
    assert serving.post(EVENTS, json=body).status_code == 200
    assert history(serving, visit)[0]["data"] == {}


def test_a_visit_keeps_its_visitor(serving: Serving) -> None:
    visit, visitor = new_id(), new_id()
    serving.post(EVENTS, json=event(visit, globalVisitID=visitor))
    serving.post(EVENTS, json=event(visit, globalVisitID=new_id()))
    serving.post(EVENTS, json=event(visit))
    assert {one["globalVisitID"] for one in history(serving, visit)} == {visitor}


def test_history_answers_visits_pages_and_events(serving: Serving) -> None:
    visit = new_id()
    serving.post(EVENTS, json=event(visit, url="https://s/a", title="A", timestamp=1.5))
    serving.post(EVENTS, json=event(visit, "PageExited"))
    found = serving.get(f"/frontend/data/visits/{visit}").json()
    assert found["events"] == 2
    (page,) = found["pages"]
    assert (page["pageID"], page["url"], page["title"]) == ("P1", "https://s/a", "A")
    assert page["entered"] <= page["exited"]
    first = history(serving, visit)[0]
    assert first["browserPageID"] == "P1"
    assert first["timestamp"] == 1.5
    assert first["decisions"] == []
    assert serving.get("/server/data/visits/UNKNOWN").status_code == 404


def test_decisions_stand_with_the_event(serving: Serving) -> None:
    visit = new_id()
    serving.post(EVENTS, json=event(visit, "AddToCart"))
    (decision,) = history(serving, visit)[0]["decisions"]
    assert (decision["strategy"], decision["reason"]) == ("Greeting", None)


def test_a_page_needs_its_token(guarded: Serving) -> None:
    visit = guarded.visit()
    body = event(visit["visitID"])
    url = guarded.address + EVENTS
    right, wrong = visit["token"], guarded.visit()["token"]
    assert httpx.post(url, json=body).status_code == 401
    assert httpx.post(url, json=body, headers={"X-Overture-Token": wrong}).status_code == 403
    assert httpx.post(url, json=body, headers={"X-Overture-Token": right}).status_code == 200
    assert httpx.post(url, json=body, params={"token": right}).status_code == 200
    two = [body, event(new_id())]
    assert httpx.post(url, json=two, headers={"X-Overture-Token": right}).status_code == 403
    assert guarded.post(EVENTS, json=two).status_code == 200


def test_too_many_events_of_one_visit_have_to_wait(guarded: Serving) -> None:
    visit = guarded.visit()
    body = [event(visit["visitID"])] * 200
    headers = {"X-Overture-Token": visit["token"]}
    answers = [httpx.post(guarded.address + EVENTS, json=body, headers=headers) for _ in range(8)]
    assert answers[0].status_code == 200
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) > 0
