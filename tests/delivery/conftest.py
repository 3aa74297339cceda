"""One open server and one with a token and an allowed origin, for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import ORIGIN, Serving, written

TOKEN = "a-token-for-tests-only"
BOOK = """
event AddToCart "A product was put in the cart"
  productName text
  price number

message Hello is gpe.appendContent { url: "/frontend/resources/inviteGMS.html" }

strategy "Greeting"
  on AddToCart
    send Hello
"""


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder: Path = tmp_path_factory.mktemp("open")
    with Serving(written(folder / "book", sample=BOOK), folder / "data") as found:
        yield found


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder: Path = tmp_path_factory.mktemp("guarded")
    book = written(folder / "book", sample=BOOK)
    with Serving(book, folder / "data", OVERTURE_API_TOKEN=TOKEN, OVERTURE_ORIGINS=ORIGIN) as found:
        yield found
