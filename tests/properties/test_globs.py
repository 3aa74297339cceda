"""The automaton of all globs says of any address what each glob says alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.runtime.globs import Globs
from engine.vocabulary import address

PIECES = ("a", "b", "ab", "*", "a*", "*b", "**", "a**", "", "shop.example")
SEGMENTS = ("a", "b", "ab", "aab", "", "shop.example", "SHOP.example")


def joined(pieces: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(pieces), min_size=1, max_size=5).map("/".join)


globs = st.builds(lambda start, rest: start + rest, st.sampled_from(("", "/")), joined(PIECES))
urls = st.builds(
    lambda start, rest, end: start + rest + end,
    st.sampled_from(("", "/", "https://shop.example/", "https://u:p@shop.example:8080/", "//")),
    joined(SEGMENTS),
    st.sampled_from(("", "/", "?q=/a/b", "#a", "?")),
)


@given(st.lists(globs, max_size=8), st.lists(urls, min_size=1, max_size=5))
def test_all_at_once_is_each_alone(patterns: list[str], addresses: list[str]) -> None:
    automaton = Globs(list(enumerate(patterns)))
    for url in (*addresses, *addresses):
        alone = {number for number, one in enumerate(patterns) if address.glob(one)(url)}
        assert automaton.fitting(url) == alone
