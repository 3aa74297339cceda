"""A conversation belongs to the invitation that was answered, though a younger one is there."""

from __future__ import annotations

from pathlib import Path

from serving import Serving, new_id, written

BOOK = """
event AddToCart "A product was put in the cart"
  product text

message Hello is gpe.appendContent { url: "/frontend/resources/invite.html" }

strategy "Welcome"
  on PageEntered
    send Hello
    attach { reason: "welcome" }

strategy "Cart"
  on AddToCart
    send Hello
    attach { reason: "cart" }
"""


def test_the_younger_one_takes_nothing_from_the_one_that_was_answered(tmp_path: Path) -> None:
    visit, page = new_id(), new_id()
    with Serving(written(tmp_path / "book", one=BOOK), tmp_path / "data") as serving:
        for name in ("PageEntered", "AddToCart"):
            serving.event(name, visit, page, url="/shop/")
        wish = {"visitID": visit, "pageID": page, "invitation": f"{visit}/Welcome/1"}
        answer = serving.post("/media/chat", json=wish)
        assert answer.status_code == 201, answer.text
        stranger = {**wish, "invitation": f"{new_id()}/Welcome/1"}
        assert serving.post("/media/chat", json=stranger).status_code == 201
        listed = sorted(
            serving.get("/desk/api/interactions").json(), key=lambda one: one["created"]
        )
        first, second = (
            serving.get(f"/desk/api/interactions/{one['id']}").json()["attached"] for one in listed
        )
    assert (first["webengagement"], first["reason"]) == ("Welcome", "welcome")
    assert (second["webengagement"], second["reason"]) == ("Cart", "cart"), (
        "never sent: not believed"
    )
