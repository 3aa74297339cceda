"""W1 and W2 as a book: what an analyst would write for the same rules."""

from __future__ import annotations

from collections.abc import Sequence

from .workload import CATEGORIES, NAMES, TIMES, Counted, Followed, Rule, Threshold

_MESSAGE = "message Offer(address) is gpe.appendContent { url: address }"


def text(workload: str, rules: Sequence[Rule]) -> str:
    """The book of these rules: one strategy each, named after its rule, without limits.

    In ``w1p`` a category is what the address says, otherwise what the event says of itself.
    """
    place = 'url "/shop/{}/**"' if workload == "w1p" else 'event.category = "{}"'
    heads = [
        *(f"event {name}\n  cartTotal number" for name in NAMES),
        *(f"category {name.upper()} is {place.format(name)}" for name in CATEGORIES),
        _MESSAGE,
    ]
    return "\n".join([*heads, *(_strategy(rule) for rule in rules)]) + "\n"


def _strategy(rule: Rule) -> str:
    return f"""\
strategy "{rule.id}"
  on {_behaviour(rule)}
    send Offer("/offers/{rule.id}.html")"""


def _behaviour(rule: Rule) -> str:
    place = rule.category.upper()
    match rule:
        case Threshold():
            return f"{rule.event} in {place} where event.cartTotal >= {rule.at_least}"
        case Counted():
            return f"{TIMES} times {rule.event} in {place}, within {rule.within // 1000} s"
        case Followed():
            then = f"{rule.then} in {place}, within {rule.within // 1000} s"
            return f"{rule.first} in {place}, then {then}"
