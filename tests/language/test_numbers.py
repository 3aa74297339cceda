"""Numbers, money and times as other countries and trades write them: each says what to write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from engine.language import amounts
from engine.language.compiler import compile_book
from engine.language.lints import lint
from engine.language.source import Source

HEAD = 'message M is gpe.appendContent { url: "/" }\nevent Cart\n  price number\n'
STRATEGY = HEAD + 'strategy "S"\n  limit 1 per visit\n  on Cart'


def said(text: str) -> list[tuple[str, str]]:
    """Code and way out of everything that is said of a book."""
    source = Source(name="a", text=text)
    compiled = compile_book([source])
    found = lint(compiled.book, [source]) if compiled.book else compiled.found
    return [(one.code, one.hint) for one in found.diagnostics]


@pytest.mark.parametrize(
    ("written", "code", "fixed"),
    [
        ("1,5", "S017", "1.5"), ("0,5", "S017", "0.5"), ("1.000", "L440", "1000` or `1"),
        ("1.500", "L440", "1500` or `1.5"), ("12.345", "L440", "12345` or `12.3450"),
        ("1 000", "S024", "1000"), ("1\u00a0000", "S024", "1000"), ("1_000", "S024", "1000"),
        ("1'000", "S024", "1000"), ("1\u2019000", "S024", "1000"), ("1,000", "S024", "1000"),
        ("1.000.000", "S024", "1000000"), ("1,000.50", "S024", "1000.50"),
        ("1.000,50", "S024", "1000.50"), ("1 000,50", "S024", "1000.50"),
        ("100\u20ac", "S036", "100"), ("\u20ac100", "S036", "100"), ("\u20ac 100", "S036", "100"),
        ("100 \u20ac", "S036", "100"), ("1.000 \u20ac", "S036", "1000"),
        ("1,5 \u20ac", "S036", "1.5"), ("$1,000.50", "S036", "1000.50"),
        ("100 EUR", "S036", "100"), ("EUR 100", "S036", "100"), ("100EUR", "S036", "100"),
        ("100 euros", "S036", "100"), ("50 %", "S002", "0.5"), ("50%", "S002", "0.5"),
        ("2k", "S037", "2000"), ("1.5 million", "S037", "1500000"), ("\u00bd", "S037", "0.5"),
        ("1\u00be", "S037", "1.75"), (".5", "S037", "0.5"), ("5.", "S037", "5"),
    ],
)  # fmt: skip
def test_a_number(written: str, code: str, fixed: str) -> None:
    found = said(f"{STRATEGY}\n    when event.price > {written}\n    send M\n")
    assert [one for one, _ in found] == [code]
    assert f"`{fixed}`" in found[0][1]


@pytest.mark.parametrize(
    ("written", "code", "fixed"),
    [
        ("30s", "S006", "30 s"), ("30sec", "S006", "30 s"), ("5min", "S006", "5 min"),
        ("30 seconds", "S016", "30 s"), ("30 Sekunden", "S016", "30 s"),
        ("30 segundos", "S016", "30 s"), ("5 mins", "S016", "5 min"), ("5 Min", "S016", "5 min"),
        ("2 weeks", "S016", "14 d"), ("2weeks", "S006", "14 d"), ("1h30", "S016", "90 min"),
        ("1h30m", "S016", "90 min"), ("1 h 30", "S016", "90 min"), ("1 h 30 min", "S016", "90 min"),
        ("1m30s", "S016", "90 s"), ("1,5 h", "S017", "1.5 h"), ("1 000 ms", "S016", "1000 ms"),
        ("1.000 s", "L440", "1000` or `1"), ("\u00bd h", "S016", "0.5 h"),
        ("half an hour", "S002", "30 min"), ("half a minute", "S002", "30 s"),
        ("a quarter of an hour", "S002", "15 min"), ("an hour", "S002", "1 h"),
        ("one week", "S002", "7 d"), ("thirty seconds", "S002", "30 s"),
        ("PT1H30M", "S002", "90 min"),
        ("1:30", "S002", "90 min` for hours and minutes, `90 s"), ("30", "S002", "30 s"),
    ],
)  # fmt: skip
def test_a_time(written: str, code: str, fixed: str) -> None:
    found = said(f"{STRATEGY}, then no SignOut for {written}\n    send M\n")
    assert [one for one, _ in found] == [code]
    assert f"`{fixed}`" in found[0][1]


@pytest.mark.parametrize(
    "written", ["1", "1.5", "0.125", "1000", "1e3", "-5", "1000.000", "1.0000"]
)
def test_a_number_of_the_language(written: str) -> None:
    assert said(f"{STRATEGY}\n    when event.price > {written}\n    send M\n") == []


@pytest.mark.parametrize(
    ("written", "fixed"), [("1,100", "1100` or `1, 100"), ("1, 100", ""), ("1,100,5", "")]
)
def test_numbers_of_a_list_without_spaces(written: str, fixed: str) -> None:
    found = said(f"{STRATEGY}\n    when event.price in ({written})\n    send M\n")
    assert [code for code, _ in found] == ["L440"] * bool(fixed)
    assert all(f"`{fixed}`" in hint for _, hint in found)


def test_in_a_list_too_no_number_begins_with_nothing() -> None:
    found = said(f"{STRATEGY}\n    when event.price in (1,000, 1,05)\n    send M\n")
    assert found == [("S024", "Write `1000`."), ("S017", "Write `1.05`.")]


def test_what_is_no_number_is_left_alone() -> None:
    text = f'# 1.000\n{STRATEGY}\n    when event.title = "1.000 EUR"\n    send M\n'
    assert said(text) == []


@pytest.mark.parametrize("sign", ["\u017f", "\u212a", "\u0131", "\u0130"])
def test_letters_that_only_look_like_ours_are_no_units(sign: str) -> None:
    for written in (f"30 {sign}", f"5 m{sign}n", f"2 {sign}ep 2026", f"2{sign}", f"3 t{sign}g"):
        assert said(f"{STRATEGY}, then no SignOut for {written}\n    send M\n")
        assert said(f"hours H is {written[2:]} 09:00-10:00\n{HEAD}")


@given(some.integers(0, 10**9), some.integers(0, 99), some.sampled_from(".,' _\u00a0"))
def test_thousands_are_read_whatever_stands_between_them(
    whole: int, cents: int, between: str
) -> None:
    grouped = f"{whole:,}".replace(",", between)
    if whole >= 1_000:
        assert amounts.plain(grouped) == str(whole)
    point = "," if between == "." else "."
    assert amounts.plain(f"{grouped}{point}{cents:02}") == f"{whole}.{cents:02}"


@given(some.sampled_from([*amounts.UNITS, *amounts.LONG_UNITS]), some.integers(1, 500))
def test_every_unit_is_one_of_ours(unit: str, count: int) -> None:
    number, own = amounts.duration(str(count), unit).split()
    assert own in amounts.UNITS
    assert float(number) >= count
