"""Captures and field sources as a page is told them, and selectors that no browser would take."""

import json

import pytest

from engine.language.captures import captures
from engine.language.compiler import compile_book
from engine.language.selectors import fault
from engine.language.source import Source

BOOK = """
event Everything "All ways of noticing"
  productName text from text of "h1.name"
  cart.total number from variable "dataLayer.cart.total"
  prices list of number from attribute "data-price" of ".product"
  words text from value of "#search"
  note text
  capture on click of "button.buy"
  capture on submit of "form"
  capture on key "Enter" in "#search"
  capture on timer 1.5 s while focused
  capture on scroll to 90%
  capture on exit intent
  capture on visible "#reviews"

event Plain "The page sends it"
  price number
"""


def test_every_capture_and_source() -> None:
    book = compile_book([Source(name="a.strategy", text=BOOK)]).book
    assert book is not None
    found = json.loads(json.dumps(captures(book)))
    assert (found["shape"], found["version"]) == (1, book.version)
    (event,) = found["events"]
    assert event == {
        "name": "Everything",
        "captures": [
            {"on": "click", "selector": "button.buy"},
            {"on": "submit", "selector": "form"},
            {"on": "key", "selector": "#search", "key": "Enter"},
            {"on": "timer", "ms": 1500},
            {"on": "scroll", "percent": 90.0},
            {"on": "exit"},
            {"on": "visible", "selector": "#reviews"},
        ],
        "fields": [
            {"path": "productName", "kind": "text", "from": "text", "selector": "h1.name"},
            {
                "path": "cart.total",
                "kind": "number",
                "from": "variable",
                "name": "dataLayer.cart.total",
            },
            {
                "path": "prices",
                "kind": "list of number",
                "from": "attribute",
                "name": "data-price",
                "selector": ".product",
            },
            {"path": "words", "kind": "text", "from": "value", "selector": "#search"},
        ],
    }


def codes(text: str) -> list[str]:
    return [one.code for one in compile_book([Source(name="a.strategy", text=text)]).diagnostics]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('capture on click of ""', "P330"),
        ('capture on visible "a:visible"', "P330"),
        ('capture on key "" in "#q"', "P331"),
        ('capture on key "Enter" in "#q["', "P330"),
        ('x text from attribute "a b" of "h1"', "P331"),
        ('x text from variable "a[0]"', "P331"),
        ('x text from text of "h1 >"', "P330"),
    ],
)
def test_what_no_page_could_do(line: str, code: str) -> None:
    assert codes(f"event E\n  {line}\n") == [code]


@pytest.mark.parametrize(
    "selector",
    [
        "a", ".b", "#c", "*", "*.x", " a ", "a,b", "a , b", 'form > input[name="q"]:not(.off)',
        "td#gobutton input", "img.bdt-addToCart", "ul > li + li ~ p", "[data-x]",
        "input[type=text i]", "a:nth-child(2n + 1)", "li:nth-child(odd of .x, .y)",
        "div:has(> img)", "p:is(.a, .b)", r".sm\:flex", "[a='x]y']", "p:lang(en)", "#größe",
        'button[data-id="(1)"]', r'[a="\""]',
    ],
)  # fmt: skip
def test_selectors_of_css(selector: str) -> None:
    assert fault(selector) is None


@pytest.mark.parametrize(
    ("selector", "why"),
    [
        ("", "empty"), ("  ", "empty"), ("a[", "`[` is not closed"), ('a[x="y]', '`"` is not'),
        ("a)", "closes nothing"), ("a >", "nothing after"), ("> a", "nothing before"),
        (",a", "nothing before"), ("a,", "nothing after"), ("a,,b", "nothing before"),
        ("a > > b", "nothing before"), ("li:eq(0)", "jQuery"), ("a:contains('x')", "jQuery"),
        ("a:first", "jQuery"), (".1x", "means nothing"), ("#1", "means nothing"),
        ("[t=1]", "means nothing"), ("a::before", "no element"), ("a:foo", "not known"),
        ("p:not()", "empty"), (".a*", "must stand first"), ("a:nth-child(x)", "no count"),
        (":not(" * 20 + "a" + ")" * 20, "too deeply"),
    ],
)  # fmt: skip
def test_selectors_that_no_page_takes(selector: str, why: str) -> None:
    assert why in (fault(selector) or "")
