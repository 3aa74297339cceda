"""Tokens, keys, cookies, origins: who gets in, and who does not."""

import stat
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving import GREETING, ORIGIN, Serving, new_id, written

from engine.delivery.access import Access, is_loopback, key_in

VISITS = "/server/data/visits"
EVIL = "https://evil.example"


def test_the_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    key = key_in(tmp_path)
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(key) >= 32
    assert key_in(tmp_path) == key


def test_a_short_key_is_not_used(tmp_path: Path) -> None:
    key_in(tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(b"short")
    with pytest.raises(ValueError, match="too short; delete it"):
        key_in(tmp_path)


NAME = st.text().map(lambda text: text.encode("utf-8", "replace").decode())


@given(visit=NAME, other=NAME, visitor=NAME, key=st.binary(min_size=32, max_size=32))
def test_a_token_fits_its_visit_alone(visit: str, other: str, visitor: str, key: bytes) -> None:
    access = Access(key=key, api_token=None)
    token = access.token(visit, visitor)
    assert len(token) >= 22  # 128 bits
    assert access.visitor(visit, token) == visitor
    assert access.fits(other, token) == (other == visit)
    assert access.visitor(visit, access.token(other, visitor)) in (None, visitor)
    assert not Access(key=key + b"x", api_token=None).fits(visit, token)


@given(text=st.text())
def test_no_text_but_the_token_fits(text: str) -> None:
    access = Access(key=b"k" * 32, api_token=None)
    assert not access.fits("V1", text)
    assert access.unsealed("visit", text) is None


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("127.0.0.1.evil.example", False),
        ("shop", False),
        ("", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_a_page_learns_who_it_is_and_stays_who_it_was(guarded: Serving) -> None:
    with httpx.Client(base_url=guarded.address) as browser:
        first = browser.post(VISITS)
        who = first.json()
        assert who["newVisit"] is True
        assert all(len(who[name]) == 32 for name in ("visitID", "globalVisitID"))
        assert all("HttpOnly" in one for one in first.headers.get_list("set-cookie"))
        assert all("samesite=lax" in one.lower() for one in first.headers.get_list("set-cookie"))
        assert browser.post(VISITS).json() == {**who, "newVisit": False}
        browser.cookies.delete("overture_visit")
        later = browser.post(VISITS).json()
        assert later["newVisit"] is True
        assert later["globalVisitID"] == who["globalVisitID"]


def test_what_the_tracker_kept_wins_when_the_token_fits(guarded: Serving) -> None:
    kept = guarded.visit()
    mine = {name: kept[name] for name in ("visitID", "globalVisitID", "token")}
    with httpx.Client(base_url=guarded.address) as browser:
        browser.post(VISITS)
        assert browser.post(VISITS, json=mine).json() == {**mine, "newVisit": False}


def test_nobody_gets_the_token_of_a_foreign_visit(guarded: Serving) -> None:
    victim = guarded.visit()
    asked: list[dict[str, Any]] = [
        {"json": {"visitID": victim["visitID"]}},
        {"json": {"visitID": victim["visitID"], "token": guarded.visit()["token"]}},
        {"headers": {"Cookie": f"overture_visit={victim['visitID']}"}},
        {"headers": {"Cookie": f"overture_visit={victim['visitID']}.{victim['token']}"}},
    ]
    for how in asked:
        answer = httpx.post(guarded.address + VISITS, **how).json()
        assert answer["visitID"] != victim["visitID"]


def test_cookies_are_taken_back_and_the_next_visitor_is_another(guarded: Serving) -> None:
    with httpx.Client() as browser:
        first = browser.post(guarded.address + VISITS).json()
        evil = browser.delete(guarded.address + VISITS, headers={"Origin": EVIL})
        assert (evil.status_code, len(browser.cookies)) == (403, 2)
        assert browser.delete(guarded.address + VISITS).status_code == 204
        assert len(browser.cookies) == 0
        second = browser.post(guarded.address + VISITS).json()
    assert second["visitID"] != first["visitID"]
    assert second["globalVisitID"] != first["globalVisitID"]


def test_a_malformed_memory_is_refused(guarded: Serving) -> None:
    for body in ("[]", "{", '{"visitID": 1}', '{"colour": "red"}'):
        headers = {"Content-Type": "application/json"}
        answer = httpx.post(guarded.address + VISITS, content=body, headers=headers)
        assert answer.status_code == 400


def test_without_an_origin_a_token_alone_decides(guarded: Serving) -> None:
    """Programs send none; browsers leave it out where the page can not read the answer."""
    answer = httpx.post(guarded.address + VISITS)
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers
    closed = guarded.address + "/server/data/notification/notify/V"
    assert httpx.post(closed, json=[]).status_code == 401
    wrong = {"Authorization": "Bearer wrong"}
    assert httpx.post(closed, json=[], headers=wrong).status_code == 401
    asked = httpx.options(guarded.address + VISITS)
    assert "Access-Control-Allow-Methods" not in asked.headers


def test_allowed_origins_get_cors_and_others_a_refusal(guarded: Serving) -> None:
    url = guarded.address + VISITS
    allowed = httpx.post(url, headers={"Origin": ORIGIN})
    assert allowed.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert allowed.headers["Access-Control-Allow-Credentials"] == "true"
    assert allowed.headers["Access-Control-Expose-Headers"] == "Overture-Code"
    assert "Origin" in allowed.headers["Vary"]
    for origin in (EVIL, "null", "", f"{ORIGIN}.evil.example", "http://[", "https://é"):
        refused = httpx.post(url, headers={"Origin": origin.encode()})
        assert (refused.status_code, refused.json()["code"]) == (403, "origin")
        assert "Access-Control-Allow-Origin" not in refused.headers
    assert httpx.post(url, headers={"Origin": guarded.address}).status_code == 200


def test_preflight(guarded: Serving) -> None:
    asked = {"Access-Control-Request-Method": "POST"}
    allowed = httpx.options(guarded.address + VISITS, headers={"Origin": ORIGIN, **asked})
    assert allowed.status_code == 204
    assert "X-Overture-Token" in allowed.headers["Access-Control-Allow-Headers"]
    refused = httpx.options(guarded.address + VISITS, headers={"Origin": EVIL, **asked})
    assert refused.status_code == 403


def test_the_open_api_answers_this_machine_by_its_own_name_alone(serving: Serving) -> None:
    url = serving.address + "/api/status"
    assert httpx.get(url).status_code == 200
    # A page that points its own host name at 127.0.0.1 sends its own name.
    assert httpx.get(url, headers={"Host": "evil.example"}).status_code == 403
    rebound = {"Host": "evil.example:80", "Origin": "http://evil.example:80"}
    assert httpx.get(url, headers=rebound).status_code == 403
    assert httpx.get(url, headers={"Host": "[::"}).status_code in (400, 403)


def test_pages_of_allowed_origins_have_no_part_in_the_open_api(tmp_path: Path) -> None:
    folder = written(tmp_path / "book", one=GREETING)
    with Serving(folder, tmp_path / "data", OVERTURE_ORIGINS=ORIGIN) as serving:
        url = serving.address + "/api/status"
        assert httpx.get(url, headers={"Origin": ORIGIN}).status_code == 403
        assert httpx.get(url, headers={"Origin": serving.address}).status_code == 200
        visits = serving.address + VISITS
        assert httpx.post(visits, headers={"Origin": ORIGIN}).status_code == 200


@pytest.mark.parametrize("path", ["/api/book", "/api/status", "/desk/api/interactions"])
def test_the_api_needs_its_token(guarded: Serving, path: str) -> None:
    assert httpx.get(guarded.address + path).status_code == 401
    wrong = {"Authorization": "Bearer " + "x" * 22}
    assert httpx.get(guarded.address + path, headers=wrong).status_code == 401
    for broken in ("Bearer", "Basic", "Basic !!!", "Basic eA==", "Digest x", "Bearer é"):
        headers = {"Authorization": broken.encode()}
        assert httpx.get(guarded.address + path, headers=headers).status_code == 401
    assert guarded.get(path).status_code == 200


def test_history_of_a_visit_needs_authority(guarded: Serving) -> None:
    visit = guarded.visit()
    guarded.event("PageEntered", visit["visitID"], "P1")
    url = f"{guarded.address}/server/data/visits/{visit['visitID']}"
    for path in ("", "/events"):
        assert httpx.get(url + path, params={"token": visit["token"]}).status_code == 401
        assert httpx.get(url + path, headers=guarded.headers).status_code == 200


def test_every_answer_has_security_headers(guarded: Serving) -> None:
    for path in ("/", "/shop/", "/desk/", "/api/status", "/nothing-here"):
        headers = httpx.get(guarded.address + path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self';")
        assert "unsafe" not in policy
        assert f"frame-ancestors 'self' {ORIGIN}" in policy
        assert "server" not in headers


@pytest.mark.parametrize("token", [True, False], ids=["accepted", "refused"])
def test_an_answer_to_events_is_taken_for_nothing_but_json(guarded: Serving, token: bool) -> None:
    visit = guarded.visit()
    answer = httpx.post(
        f"{guarded.address}/server/data/events",
        json={"eventName": "PageEntered", "visitID": visit["visitID"]},
        headers={"X-Overture-Token": visit["token"]} if token else {},
    )
    assert answer.status_code == (200 if token else 401)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Content-Security-Policy" not in answer.headers


@pytest.mark.parametrize("root", ["/server", "/frontend"])
def test_answers_to_events_are_for_allowed_origins_alone(guarded: Serving, root: str) -> None:
    visit = guarded.visit()
    url = f"{guarded.address}{root}/data/events"
    event = {"eventName": "PageEntered", "visitID": visit["visitID"]}
    token = {"X-Overture-Token": visit["token"]}
    for _ in range(2):  # who was let in, or not, is met again
        for headers, status in ((token, 200), ({}, 401)):
            allowed = httpx.post(url, json=event, headers={"Origin": ORIGIN, **headers})
            assert allowed.status_code == status
            assert allowed.headers["Access-Control-Allow-Origin"] == ORIGIN
            assert allowed.headers["Access-Control-Allow-Credentials"] == "true"
        own = httpx.post(url, json=event, headers={"Origin": guarded.address, **token})
        assert own.status_code == 200
        assert "Access-Control-Allow-Origin" not in own.headers
        for origin in (EVIL, "null", "", f"{ORIGIN}.evil.example", "http://["):
            refused = httpx.post(url, json=event, headers={"Origin": origin, **token})
            assert (refused.status_code, refused.json()["code"]) == (403, "origin")
            assert "Access-Control-Allow-Origin" not in refused.headers
            assert refused.headers["X-Content-Type-Options"] == "nosniff"
        for host in ("evil.example", ""):
            other = {"Origin": guarded.address, "Host": host, **token}
            assert httpx.post(url, json=event, headers=other).status_code == 403


def test_public_files_are_for_every_page(guarded: Serving) -> None:
    for root in ("/frontend", "/server"):
        url = f"{guarded.address}{root}/resources/js/build/GPE.min.js"
        answer = httpx.get(url, headers={"Origin": EVIL})
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "javascript" in answer.headers["Content-Type"]


@pytest.mark.parametrize("path", ["../engine/cli.py", "%2e%2e/%2e%2e/pyproject.toml", "%00"])
def test_no_file_outside_the_pages_is_served(guarded: Serving, path: str) -> None:
    for root in ("/frontend/resources/", "/shop/", "/desk/"):
        assert httpx.get(guarded.address + root + path).status_code in (400, 404)


def test_an_unknown_address_and_method_say_so(serving: Serving) -> None:
    assert serving.get(f"/{new_id()}").json()["code"] == "not-found"
    assert serving.get("/server/data/events").status_code == 405
