"""Every word and phrase of the language: what it is to the grammar, what it means, an example.

The lexer, the messages and the reference for analysts all read this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Where = Literal[
    "declaration", "event", "hours", "group", "strategy", "behaviour", "condition", "action",
    "scenario", "guarantee", "value",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word or phrase. ``token`` names it to the grammar; a phrase is one token."""

    phrase: str
    token: str
    where: Where
    meaning: str
    example: str

    @property
    def is_phrase(self) -> bool:
        """Is it several words that belong together?"""
        return " " in self.phrase


def _words(where: Where, *rows: tuple[str, ...]) -> list[Word]:
    found = []
    for phrase, meaning, example, *token in rows:
        name = token[0] if token else phrase.upper().replace(" ", "_")
        found.append(Word(phrase=phrase, token=name, where=where, meaning=meaning, example=example))
    return found


WORDS: Final[tuple[Word, ...]] = (
    *_words(
        "declaration",
        ("event", "Declares a business event, and in conditions it is the event that completed the rule.", 'event AddToCart "A product was put in the cart"'),
        ("fact", "Declares something that is remembered of a visit or a visitor.", "fact visitor.vip boolean = false from UserInfo"),
        ("category", "Declares a label for events.", 'category Checkout is url "/checkout/**"'),
        ("hours", "Declares opening hours; in a strategy, when it may send.", 'hours Office is Mon-Fri 09:00-18:00 in "Europe/Madrid" except 2026-12-25'),
        ("group", "Declares strategies that compete; in a strategy, joins one.", 'group Invitations "Everything that interrupts a visitor"'),
        ("message", "Declares what a strategy can send.", 'message Invite is gpe.appendContent { url: "/invite.html" }'),
        ("channel", "Declares a channel of the site and its fields.", "channel shop.banner { html: text, seconds: number }"),
        ("medium", "Declares a name for who answers, beside `chat` and `callback`.", 'medium video "A call with picture"'),
        ("zone", "Declares the time zone of the book (UTC without it).", 'zone "Europe/Madrid"'),
        ("strategy", "Declares rules that belong together.", 'strategy "Help at the checkout"'),
        ("table", "Declares many similar rules of a strategy as rows.", 'table "Which widget where" for strategy "Help at the checkout"'),
        ("scenario", "Declares a story with a clock, and what is expected of it.", 'scenario "A visitor hesitates"'),
        ("guarantee", "Declares a behaviour that must never be seen.", 'guarantee "Not after a purchase" enforced never (Order, then sent Invite)'),
        ("is", "Stands between a name and its meaning.", 'category Checkout is url "/checkout/**"'),
    ),
    *_words(
        "event",
        ("text", "A kind: letters and digits.", "event Search\n  words text", "KIND"),
        ("number", "A kind: a number.", "event AddToCart\n  price number", "KIND"),
        ("boolean", "A kind: true or false.", "fact visitor.vip boolean", "KIND"),
        ("time", "A kind: a moment, in milliseconds since 1970.", "event Delivery\n  due time", "KIND"),
        ("duration", "A kind: a length of time, in milliseconds.", "event Video\n  watched duration", "KIND"),
        ("list of", "A kind: several values of one kind.", "event Order\n  products list of text"),
        ("from", "Where a fact comes from, or the first day of `active`.", "fact visitor.vip boolean from UserInfo"),
        ("from text of", "The field is the text of an element of the page.", 'productName text from text of "h1"'),
        ("from value of", "The field is the value of an input of the page.", 'words text from value of "#search"'),
        ("from attribute", "The field is an attribute of an element.", 'price number from attribute "data-price" of ".buy"'),
        ("from variable", "The field is a variable of the page.", 'cartTotal number from variable "dataLayer.cart.total"'),
        ("capture on click of", "The page sends the event when an element is clicked.", 'capture on click of "button.buy"', "CAPTURE_CLICK"),
        ("capture on submit of", "The page sends the event when a form is submitted.", 'capture on submit of "form.search"', "CAPTURE_SUBMIT"),
        ("capture on key", "The page sends the event when a key is pressed in an element.", 'capture on key "Enter" in "#search"', "CAPTURE_KEY"),
        ("capture on timer", "The page sends the event after a time with the page in focus.", "capture on timer 30 s while focused", "CAPTURE_TIMER"),
        ("while focused", "Only time counts in which the page is looked at.", "capture on timer 30 s while focused"),
        ("capture on scroll to", "The page sends the event when it is scrolled that far.", "capture on scroll to 90%", "CAPTURE_SCROLL"),
        ("capture on exit intent", "The page sends the event when the pointer leaves for the tabs or the address.", "capture on exit intent", "CAPTURE_EXIT"),
        ("capture on visible", "The page sends the event when an element comes into view.", 'capture on visible "#reviews"', "CAPTURE_VISIBLE"),
        ("of", "Stands between an attribute and its element, or a share and its experiment.", 'from attribute "data-price" of ".buy"'),
    ),
    *_words(
        "hours",
        ("except", "Dates on which it is closed.", "hours Office is Mon-Fri 09:00-18:00 except 2026-12-25, 2027-01-01"),
    ),
    *_words(
        "group",
        ("one at a time", "While one invitation of the group waits for its answer, no other is sent in that visit.", "group Invitations\n  one at a time"),
        ("limit", "At most so many messages.", "limit 2 per visit"),
        ("per", "What a limit or a pattern counts in: page, visit or visitor.", "limit 1 per page"),
        ("page", "One view of one page.", "limit 1 per page"),
        ("visit", "One visit.", "limit 2 per visit"),
        ("visitor", "One visitor, over all visits; in a scenario, who acts.", "limit 3 per visitor"),
        ("in", "In one of these categories, within a time, among values, or in hours.", "limit 3 in 7 d"),
    ),
    *_words(
        "strategy",
        ("description", "What the strategy is for.", 'description "A full cart and half a minute at the checkout."'),
        ("owner", "Who to ask about it.", 'owner "Sales"'),
        ("priority", "Which goes first (50 without it).", "priority 80"),
        ("active", "The days on which it sends.", "active from 2026-11-01 until 2026-12-24"),
        ("until", "The last day of `active`.", "active until 2026-12-24"),
        ("audience", "A stable share of the visitors; the rest is the control arm.", 'audience 50% of "chat or callback"'),
        ("valid for", "A message that has not left by then is dropped and does not count (30 s without it).", "valid for 1 min"),
    ),
    *_words(
        "behaviour",
        ("on", "Begins a rule: what must happen.", "on PageEntered in Checkout, stays 30 s"),
        ("then", "What happens after it.", "on AddToCart, then Order"),
        ("times", "So many of it.", "on 3 times PageEntered in Products, within 10 min"),
        ("no", "Something that does not happen.", "on AddToCart, then no Order for 2 min"),
        ("for", "How long it does not happen.", "on AddToCart, then no Order for 2 min"),
        ("stays", "The page stays open so long.", "on PageEntered in Checkout, stays 30 s"),
        ("within", "From the first to the last in less than this.", "on Search, then AddToCart, within 5 min"),
        ("all of", "Each of them, in any order.", "on all of (Search, AddToCart), within 10 min"),
        ("any of", "One of them.", "on any of (Search, AddToCart)"),
        ("any event", "Whatever happens.", "on AddToCart, then no any event for 1 min"),
        ("sent", "A message that went out: of a message, group or strategy.", "on sent Invite, then no Order for 5 min"),
        ("where", "A condition on that event.", "on AddToCart where event.price > 100"),
        ("as", "Gives that event a name for later.", "on AddToCart as first, then AddToCart where event.price > first.price"),
        ("or", "One of two categories or conditions.", "on PageEntered in Checkout or Products"),
    ),
    *_words(
        "condition",
        ("when", "The rule acts only when this is true.", "when visit.pages > 2"),
        ("unless", "The rule does not act when this is true.", "unless visitor.dislikesChat"),
        ("and", "Both.", "when visit.pages > 2 and visitor.vip"),
        ("not", "The opposite.", "when not visitor.vip"),
        ("has", "A text contains a text, or a list an item.", 'title has "Phone"', "COMPARISON"),
        ("starts with", "A text begins with a text.", 'event.path starts with "/p"', "COMPARISON"),
        ("ends with", "A text ends with a text.", 'event.path ends with ".pdf"', "COMPARISON"),
        ("matches", "A regular expression is found in a text.", 'event.path matches "^/p/[0-9]+$"', "COMPARISON"),
        ("is known", "The page sent it.", "when event.price is known"),
        ("is missing", "The page did not send it.", "when event.price is missing"),
        ("count", "How many.", "count(PageEntered in Products, last 10 min) >= 3", "FUNCTION"),
        ("seen", "Whether there was one.", "seen(Order, this visit)", "FUNCTION"),
        ("since", "How long ago the last one was.", "since(PageExited) < 5 s"),
        ("latest", "The last known value of a field.", "latest(AddToCart.cartTotal, this visit) >= 100", "FIELD_FUNCTION"),
        ("sum", "The sum of a field.", "sum(AddToCart.price, this visit) >= 100", "FIELD_FUNCTION"),
        ("min", "The smallest value of a field.", "min(AddToCart.price, this visit) < 10", "FIELD_FUNCTION"),
        ("max", "The largest value of a field.", "max(AddToCart.price, ever) > 500", "FIELD_FUNCTION"),
        ("average", "The mean of a field.", "average(AddToCart.price, last 30 d) > 50", "FIELD_FUNCTION"),
        ("last", "A rolling window.", "count(PageEntered, last 10 min)"),
        ("this page", "The window of one page.", "count(Search, this page)"),
        ("this visit", "The window of one visit.", "count(Search, this visit)"),
        ("ever", "Everything known of the visitor.", "seen(Order, ever)"),
        ("now", "The time of the event at the server.", "when now >= 2026-12-01"),
        ("now in", "Whether hours are open.", "when now in Office"),
        ("weekday", "The day: Mon, Tue, Wed, Thu, Fri, Sat or Sun.", 'when weekday in ("Sat", "Sun")'),
        ("pacing", "The probability that one more offer may go out.", 'when pacing("chat") > 0.2'),
        ("admits", "The draw of pacing lets one more offer out.", 'when pacing admits "chat"'),
    ),
    *_words(
        "action",
        ("send", "Sends a message to the page.", "send Invite"),
        ("to page", "To the page of the event (as without it), or of an address in a scenario.", "send Invite to page"),
        ("to every page", "To every open page of the visit; counts once.", "send Invite to every page"),
        ("attach", "Data that travels with the conversation.", 'attach { reason: "hesitant buyer" }'),
        ("set", "Remembers a fact.", "set visitor.dislikesChat = true"),
    ),
    *_words(
        "scenario",
        ("given", "What is so from the start.", 'given 3 agents ready for "chat"'),
        ("agents ready for", "How many agents are free.", 'given 3 agents ready for "chat"'),
        ("control", "The visitor is in the control arm.", 'given control "chat or callback"'),
        ("start at", "When the story begins.", 'start at 2026-11-23 10:00 in "Europe/Madrid"'),
        ("enters", "The visitor opens a page, and leaves the one before.", 'visitor enters "/checkout"'),
        ("titled", "The title of that page.", 'visitor enters "/p/1" titled "Phone"'),
        ("with", "The data of an event or a message.", 'visitor enters "/p/1" with { referrer: "/" }'),
        ("opens", "The visitor opens a page beside the others.", 'visitor opens "/p/2" in a new tab'),
        ("in a new tab", "Beside the other pages.", 'visitor opens "/p/2" in a new tab'),
        ("leaves", "The visitor closes the page.", "visitor leaves"),
        ("returns", "A new visit begins, a time later.", "visitor returns after 2 d"),
        ("after", "The clock moves on.", "after 30 s"),
        ("expect", "What must have happened.", "expect sent Invite"),
        ("nothing", "No message (since the last `expect`).", "expect nothing"),
        ("else", "Besides what was expected.", "expect nothing else"),
        ("refused", "A strategy did not send.", 'expect refused "Help at the checkout" because limit'),
        ("because", "The reason for it.", 'expect refused "Help at the checkout" because when'),
    ),
    *_words(
        "guarantee",
        ("enforced", "The message that would break it is not sent.", 'guarantee "Not after a purchase" enforced never (Order, then sent Invite)'),
        ("never", "What must not be seen.", 'guarantee "Once an hour" never (2 times sent Invite, within 1 h)'),
    ),
    *_words(
        "value",
        ("true", "Yes.", "set visitor.vip = true"),
        ("false", "No.", "fact visitor.vip boolean = false"),
    ),
)  # fmt: skip
"""All of them, in the order in which the reference shows them."""

DECLARATIONS: Final = tuple(
    word.phrase for word in WORDS if word.where == "declaration" and word.phrase != "is"
)
"""The words that begin a block."""
