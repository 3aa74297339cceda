"""W3: a book in which nothing is of one shape, and the events that it is about.

Ten templates in turn hold every operator, every form of behaviour, every aggregate and window, and
every kind of category. Each rule is about a *niche*: one shelf of the shop when there are ten
rules, one of ten times as many brands when there are a hundred, then a product, then a single
article. So an event meets as many rules of ten as of ten thousand, and what grows is the book
alone. What no index can find (a regular expression, ``has``, ``ends with``) stands beside something
that one can, as it does when a rule is about something.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, Final

from .workload import SEED, VISITS

LEVELS: Final = ("shelf", "brand", "product", "article")
SHELVES: Final = 2
ARTICLES: Final = SHELVES * 1000
EVENTS: Final = (
    "PageEntered", "PageExited", "Search", "AddToCart", "ReviewsRead", "VideoWatched", "Order",
    "SignIn",
)  # fmt: skip
_WEIGHTS: Final = (40, 8, 16, 18, 10, 6, 1, 1)
_WORDS: Final = ("red", "blue", "shoe", "tent", "lamp", "phone", "case", "desk", "pan", "book")
_START: Final = 1_700_000_000_000

_FIELDS: Final = """\
  shelf       text
  brand       text
  product     text
  article     text
  price       number
  cartTotal   number
  words       text
  tags        list of text
  watched     duration
  offer.price number
"""

_HEAD: Final = """\
zone "Europe/Madrid"
hours Open is Mon-Sun 00:00-00:00 except 2026-12-25
hours Night is Mon-Fri 22:00-06:00, Sat 00:00-04:00 in "UTC"
fact visitor.dislikesChat boolean = false
fact visitor.userId text from SignIn
fact visit.stage text = "looking"
fact visit.offers number = 0
category Shop is url matches "^https://shop\\\\.example/"
category Spanish is language starts with "es" or query.lang = "es"
channel shop.banner { words: text, seconds: number, links: list of text }
message Invite(address) is gpe.appendContent { url: address }
message Banner(words) is shop.banner { words: words, seconds: 8, links: ["/help", "/cart"] }
group Invitations "Everything that interrupts a visitor"
  one at a time
  limit 30 per visit
  limit 60 in 1 h
group Banners
  limit 5 in 30 s per visit
guarantee "Not three in a second" never (3 times sent Invitations, within 1 s, per visitor)
guarantee "Not after an order" enforced never (Order, then sent Invitations, within 1 s)
"""


def events(count: int, visits: int = VISITS) -> Iterator[dict[str, Any]]:
    """The stream: visits that stay at an article for a while, and then go to any other."""
    draw = random.Random(SEED * 13)
    place = [draw.randrange(ARTICLES) for _ in range(visits)]
    pages = [0] * visits
    clock = float(_START)
    for _ in range(count):
        clock += draw.expovariate(visits / 60_000)
        visit = draw.randrange(visits)
        if draw.random() < 0.2:
            place[visit] = draw.randrange(ARTICLES)
        name = draw.choices(EVENTS, _WEIGHTS)[0]
        pages[visit] += name == "PageEntered"
        yield _event(draw, name, visit, pages[visit], place[visit], int(clock))


def _event(
    draw: random.Random, name: str, visit: int, page: int, article: int, time: int
) -> dict[str, Any]:
    niches = {level: _niche(number, article) for number, level in enumerate(LEVELS)}
    query = "&".join(f"{level}={niche}" for level, niche in niches.items())
    data: dict[str, Any] = {"cartTotal": round(draw.uniform(0, 1000), 2)}
    data |= niches | {"tags": draw.sample(_WORDS, 2)}
    # Browsers omit things: every tenth event has no price.
    price = round(draw.uniform(1, 300), 2)
    if draw.random() >= 0.1:
        data["price"] = price
    data["offer"] = {"price": round(price * draw.uniform(0.5, 1), 2)}
    if name == "Search":
        data["words"] = f"{draw.choice(_WORDS)} {draw.choice(_WORDS)}"
    if name == "VideoWatched":
        data["watched"] = draw.randrange(120_000)
    if name == "SignIn":
        data["userId"] = f"u{visit}"
    return {
        "visitID": f"v{visit:05}",
        "pageID": f"v{visit:05}-p{page}",
        "globalVisitID": f"g{visit:05}",
        "eventName": name,
        "url": f"https://shop.example/{'/'.join(niches.values())}?{query}",
        "title": f"{_WORDS[article % 10]} {niches['article']} - shop",
        "languageCode": draw.choice(("en", "en-GB", "es", "de")),
        "timestamp": time,
        "data": data,
    }


def _niche(level: int, article: int) -> str:
    size = 10 ** (3 - level)
    return f"{LEVELS[level][0]}{article // size}"


def text(count: int) -> str:
    """The book of so many rules."""
    parts = [_HEAD, *(f"event {name}\n{_FIELDS}" for name in EVENTS)]
    parts += _strategies(count)
    return "".join(parts)


def _strategies(count: int) -> Iterator[str]:
    draw = random.Random(SEED * 17 + count)
    level = max(0, min(3, len(str(count - 1)) - 1))
    size = SHELVES * 10**level
    # Every template meets a niche as often as another, and no niche twice before all had a turn.
    niches = [draw.sample(range(size), size) for _ in TEMPLATES]
    for number in range(count):
        template = number % len(TEMPLATES)
        niche = niches[template - 8 if template == 8 else template][number // 10 % size]
        article = niche * 10 ** (3 - level)
        names = {
            "id": f"r{number:05}",
            "before": f"r{number - 8:05}",
            "field": LEVELS[level],
            "value": _niche(level, article),
            "next": _niche(level, (article + 10 ** (3 - level)) % ARTICLES),
            "under": "/".join(_niche(depth, article) for depth in range(level + 1)),
            "above": "/*" * level,
            "priority": draw.randrange(1, 100),
            "total": round(1000 - draw.uniform(0, 4000) / size, 2),
            "low": draw.randrange(5, 40),
            "seconds": draw.randrange(20, 40),
        }
        yield TEMPLATES[template].format_map(names)


TEMPLATES: Final = (
    # 0: the event in a place; guards over the visit and over what was sent
    """
category In{id} is url "/{under}/**"
strategy "{id}"
  group Invitations
  priority {priority}
  hours Open
  on PageEntered in In{id}
    when visit.pages >= 2 and visit.duration > {low} s and visit.stage != "bought"
    unless visitor.dislikesChat or count(sent "{id}", last 10 min) >= 3
    send Invite("/offers/{id}.html")
""",
    # 1: a threshold; aggregates over the visit and over time
    """
strategy "{id}"
  priority {priority}
  limit 9 in 1 h per visit
  on AddToCart where event.cartTotal >= {total} and event.offer.price < event.price + {low}
    when latest(AddToCart.cartTotal, this visit) > {low} and sum(AddToCart.price, last 30 min) > 10
    unless since(Order) < 5 min or average(AddToCart.price, ever) <= 2
    send Banner("Nearly there, {id}")
    set visit.offers = visit.offers + 1
""",
    # 2: several times
    """
category In{id} is query.{field} = "{value}"
strategy "{id}"
  group Banners
  priority {priority}
  on 3 times PageEntered in In{id}, within 10 min
    when min(AddToCart.price, this visit) is missing or max(AddToCart.price, ever) >= {low}
    send Banner("Again, {id}") to every page
""",
    # 3: one after the other, compared
    """
strategy "{id}"
  priority {priority}
  limit 9 per visit
  on PageEntered where event.{field} = "{value}" as first,
     then AddToCart where event.{field} = "{value}" and event.price * 2 > first.price as second,
     within 5 min
    when second.price - first.price < 290 or event.price / 2 > {low}
    send Invite("/offers/{id}.html")
    attach {{ reason: "sequence", before: first.price, tags: event.tags }}
""",
    # 4: in any order, of the visitor
    """
category In{id} is event.{field} in ("{value}", "{next}") and title ends with "shop"
strategy "{id}"
  group Invitations
  priority {priority}
  audience 90% of "mixed"
  on all of (PageEntered in In{id}, Search in In{id}), within 10 min, per visitor
    unless weekday = "Sun" and now in Night
    send Invite("/offers/{id}.html")
    set visit.stage = "hot"
""",
    # 5: something that does not happen
    """
category In{id} is url "shop.example{above}/{value}/**" or url "shop.example{above}/{value}"
strategy "{id}"
  priority {priority}
  valid for 1 min
  limit 9 per page
  on AddToCart in In{id}, then no PageEntered in In{id} for 2 min
    when agents.ready("chat") > 0 or pacing("chat") > 0.2 or now >= 2020-01-01
    unless pacing admits "chat" and event.price is known
    send Invite("/offers/{id}.html")
""",
    # 6: a page that stays open
    """
category In{id} is url matches "/{value}[/?]" and event.{field} = "{value}"
strategy "{id}"
  priority {priority}
  active from 2020-01-01
  limit 9 per visitor
  on PageEntered in In{id}, stays {seconds} s, per page
    when count(Search, this page) < 5 and not event.title starts with "x"
    send Banner("Take your time, {id}") to page
""",
    # 7: one of several, whatever happens
    """
category In{id} is event.{field} = "{value}" and language starts with "e"
category Dear{id} is event.{field} = "{next}" and event.price > 280
strategy "{id}"
  group Banners
  priority {priority}
  on any of (VideoWatched where event.{field} = "{value}" and event.watched > 30 s,
             any event in In{id} or Dear{id} where event.tags has "lamp")
    when event.path starts with "/" and event.query.{field} = "{value}" and event in (Shop)
    unless event.words has "pan" and event.path ends with ".pdf"
    send shop.banner {{ words: event.title, seconds: {seconds} / 2, links: [event.path] }}
""",
    # 8: what goes on after a message
    """
category In{id} is event.{field} = "{value}"
strategy "{id}"
  priority {priority}
  on sent "{before}",
     then any event in In{id} where event.eventName in ("AddToCart", "ReviewsRead", "Search")
    when seen(PageEntered in In{id}, this visit) and visitor.state in ("anonymous", "authenticated")
    send Banner("Here it is, {id}")
""",
    # 9: a row of a table
    """
strategy "{id}"
  priority {priority}
table "Rows of {id}" for strategy "{id}"
  on Search where event.{field} = ? | when visit.stage | unless event.price | send
  "{value}" | - | <= {low} | Banner("Found, {id}")
""",
)
