"""Notifications that another system pushes."""

import httpx
import pytest
from serving import Serving, connected, new_id

PATHS = [
    "/server/data/notification/notify/",
    "/frontend/data/notification/notify/",
]
ONE = [{"page": "P1", "channel": "gpe.appendContent", "data": {"url": "/a.html"}}]


@pytest.mark.parametrize("path", PATHS)
def test_a_pushed_array_arrives_byte_for_byte(serving: Serving, path: str) -> None:
    visit = serving.visit()
    serving.event("PageEntered", visit["visitID"], "P1")
    with connected(serving, visit, "P1") as page:
        answer = serving.post(path + visit["visitID"], json=ONE)
        assert (answer.status_code, answer.content) == (204, b"")
        assert page.next()["notifications"] == ONE


def test_without_a_page_every_page_of_the_visit_gets_it(serving: Serving) -> None:
    visit = serving.visit()
    serving.event("PageEntered", visit["visitID"], "P1")
    serving.event("PageEntered", visit["visitID"], "P2")
    with connected(serving, visit, "P1") as one, connected(serving, visit, "P2") as two:
        serving.notify(visit["visitID"], "/all.html")
        assert one.urls() == two.urls() == ["/all.html"]


@pytest.mark.parametrize("visit", ["NEVER-SEEN", "a b", "x" * 100])
def test_an_unknown_visit_is_said(serving: Serving, visit: str) -> None:
    answer = serving.post(PATHS[0] + visit, json=ONE)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-visit")


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        '{"channel": "gpe.appendContent", "data": {}}',
        "[1]",
        '[{"data": {}}]',
        '[{"channel": "c"}]',
        '[{"channel": "c", "data": "text"}]',
        '[{"channel": "c", "data": {}, "page": 4}]',
        '[{"channel": "c", "data": {}, "colour": "red"}]',
        "[",
    ],
)
def test_a_body_of_another_shape_is_refused(serving: Serving, body: str) -> None:
    visit = new_id()
    serving.event("PageEntered", visit, "P1")
    answer = serving.post(
        PATHS[0] + visit, content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert answer.json()["error"].endswith(".")


def test_at_most_fifty(serving: Serving) -> None:
    visit = new_id()
    serving.event("PageEntered", visit, "P1")
    assert serving.post(PATHS[0] + visit, json=ONE * 51).status_code == 413
    assert serving.post(PATHS[0] + visit, json=ONE * 50).status_code == 204
    assert serving.post(PATHS[0] + visit, json=[]).status_code == 204


def test_only_a_system_with_authority_may_push(guarded: Serving) -> None:
    visit = guarded.visit()
    guarded.event("PageEntered", visit["visitID"], "P1")
    url = guarded.address + PATHS[0] + visit["visitID"]
    refused = httpx.post(url, json=ONE)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Basic")
    # The token of a page is none for a system.
    page = {"X-Overture-Token": visit["token"], "Authorization": f"Bearer {visit['token']}"}
    assert httpx.post(url, json=ONE, headers=page).status_code == 401
    assert httpx.post(url, json=ONE, auth=("desk", "wrong")).status_code == 401
    assert httpx.post(url, json=ONE, auth=("desk", guarded.token or "")).status_code == 204
    assert httpx.post(url, json=ONE, headers=guarded.headers).status_code == 204
