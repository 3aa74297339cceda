"""W1 and W2: one stream of browser events and the rules over it, drawn from fixed seeds.

The answers of a rule are defined by the floors (``floors.py``); every engine is held to them.
All windows are half-open, as in the language: what is exactly ten minutes old is outside.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

SEED: Final = 20240611
VISITS: Final = 10_000
NAMES: Final = (
    "PageEntered", "PageScrolled", "Timeout", "Search", "AddToCart", "RemoveFromCart",
    "UpdateCart", "CheckoutStarted", "Login", "Logout", "ChatOpened", "FormSubmitted",
)  # fmt: skip
"""Names of events. None of them closes a page, because a message for a closed page is refused."""
_NAME_WEIGHTS: Final = (30, 24, 8, 9, 8, 3, 3, 3, 3, 2, 3, 4)
CATEGORIES: Final = tuple(f"c{number:02}" for number in range(50))
_CATEGORY_WEIGHTS: Final = tuple(1 / (number + 1) ** 0.8 for number in range(50))
_NAMES_SO_FAR: Final = tuple(accumulate(_NAME_WEIGHTS))
_CATEGORIES_SO_FAR: Final = tuple(accumulate(_CATEGORY_WEIGHTS))
_WORDS: Final = ("red", "blue", "shoe", "tent", "lamp", "phone", "case", "desk", "pan", "book")

TIMES: Final = 3
COUNTED_WITHIN: Final = 600_000
FOLLOWED_WITHIN: Final = 300_000


@dataclass(frozen=True, slots=True)
class Threshold:
    """W1: the event, in the category, with a cart of at least so much."""

    id: str
    event: str
    category: str
    at_least: float

    @property
    def prefix(self) -> str:
        """What the address of an event in the category begins with (W1 by address)."""
        return f"/shop/{self.category}/"


@dataclass(frozen=True, slots=True)
class Counted:
    """W2: the event in the category three times in a visit, within so many milliseconds."""

    id: str
    event: str
    category: str
    within: int = COUNTED_WITHIN


@dataclass(frozen=True, slots=True)
class Followed:
    """W2: ``first``, then ``then`` in the category in a visit, within five minutes."""

    id: str
    first: str
    then: str
    category: str
    within: int = FOLLOWED_WITHIN


Rule = Threshold | Counted | Followed


def events(count: int, visits: int = VISITS) -> Iterator[dict[str, Any]]:
    """The stream: interleaved visits, each with about one event a minute, times never going back.

    A visit stays in its category with probability 0.7. Lines are about 250 bytes.
    """
    draw = random.Random(SEED)
    place = [_category(draw) for _ in range(visits)]
    pages = [0] * visits
    clock = 1_700_000_000_000.0
    for _ in range(count):
        clock += draw.expovariate(visits / 60_000)
        visit = draw.randrange(visits)
        if draw.random() >= 0.7:
            place[visit] = _category(draw)
        name = _name(draw)
        pages[visit] += name == "PageEntered"
        yield _event(draw, name, visit, pages[visit], place[visit], int(clock))


def _event(
    draw: random.Random, name: str, visit: int, page: int, category: str, time: int
) -> dict[str, Any]:
    item, price = draw.randrange(40), round(draw.uniform(1, 300), 2)
    total = round(draw.uniform(0, 1000), 2)
    words = f"{draw.choice(_WORDS)} {draw.choice(_WORDS)}" if name == "Search" else ""
    return {
        "visitID": f"v{visit:05}",
        "pageID": f"v{visit:05}-p{page}",
        "eventName": name,
        "url": f"/shop/{category}/item-{item:02}",
        "category": category,
        "title": f"{category} {_WORDS[item % 10]} - shop",
        "timestamp": time,
        "data": {
            "productPrice": price,
            "cartTotal": total,
            "searchString": words,
            "sku": f"sku-{draw.randrange(5000):04}",
            "qty": draw.randint(1, 5),
        },
    }


def line(event: dict[str, Any]) -> bytes:
    """An event as a page or a recording brings it: one line of JSON."""
    return json.dumps(event, separators=(",", ":")).encode()


def rules(workload: str, count: int) -> tuple[Rule, ...]:
    """The rules of a workload, always the same for the same number."""
    return _followed_and_counted(count) if workload == "w2" else _thresholds(count)


def _thresholds(count: int) -> tuple[Rule, ...]:
    """Rules drawn like the events, with thresholds so high that about one fires for an event."""
    draw = random.Random(SEED * 7 + count)
    share = min(1.0, 1 / (count * _same_pair()))
    found = []
    for number in range(count):
        name = _name(draw) if count > 1 else NAMES[0]
        category = _category(draw) if count > 1 else CATEGORIES[0]
        passing = draw.uniform(0, min(1.0, 2 * share))
        at_least = round(1000 * (1 - passing), 2)
        found.append(Threshold(f"r{number:05}", name, category, at_least))
    return tuple(found)


def _followed_and_counted(count: int) -> tuple[Rule, ...]:
    """Half of each, all different, pairs drawn evenly: a rule more is a rule touched more often."""
    draw = random.Random(SEED * 11 + count)
    if count == 1:
        return (Counted("s00000", NAMES[0], CATEGORIES[0]),)
    counted = [
        Counted("", name, category, COUNTED_WITHIN - 30_000 * step)
        for step in range(1 + count // 1_201)
        for name in NAMES
        for category in CATEGORIES
    ]
    found: list[Rule] = list(draw.sample(counted, count // 2))
    pairs: set[tuple[str, str, str]] = set()
    while len(pairs) < count - count // 2:
        first, then = draw.sample(NAMES, 2)
        pair = (first, then, draw.choice(CATEGORIES))
        if pair not in pairs:
            pairs.add(pair)
            found.append(Followed("", *pair))
    draw.shuffle(found)
    return tuple(_named(rule, f"s{number:05}") for number, rule in enumerate(found))


def _named(rule: Rule, name: str) -> Rule:
    match rule:
        case Counted():
            return Counted(name, rule.event, rule.category, rule.within)
        case Followed():
            return Followed(name, rule.first, rule.then, rule.category, rule.within)
        case Threshold():
            return rule


def _name(draw: random.Random) -> str:
    return draw.choices(NAMES, cum_weights=_NAMES_SO_FAR)[0]


def _category(draw: random.Random) -> str:
    return draw.choices(CATEGORIES, cum_weights=_CATEGORIES_SO_FAR)[0]


def _same_pair() -> float:
    """The probability that a rule and an event, both drawn, are about one name and category."""
    names, categories = sum(_NAME_WEIGHTS), sum(_CATEGORY_WEIGHTS)
    same_name = sum((weight / names) ** 2 for weight in _NAME_WEIGHTS)
    return same_name * sum((weight / categories) ** 2 for weight in _CATEGORY_WEIGHTS)
