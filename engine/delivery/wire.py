"""The wire: bytes from browsers and other systems become values here, or one clear refusal.

Everything is bounded before it is looked at: size while the body is read, nesting while it is
decoded (the decoder stops by itself) and again level by level, counts and lengths by the models.
Nothing here recurses over what a stranger sent.
"""

from __future__ import annotations

import asyncio
import functools
import math
import types
from collections.abc import Awaitable, Generator, Mapping, MutableMapping, Sequence
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive, Scope

from engine.vocabulary import limits

MAX_BODY: Final = 256 * 1024
"""Bytes of one request body, and of one WebSocket frame from a page."""
PATIENCE: Final = 30.0
"""Seconds in which a body must arrive."""
MAX_DEPTH: Final = 16
"""Levels of nesting of one body, the outermost counted."""
MAX_EVENTS: Final = 200
MAX_NOTIFICATIONS: Final = 50
_LARGEST: Final = 2**63 - 1
_JSON: Final = b"application/json"

Value = TypeVar("Value")


class Refusal(HTTPException):
    """A request that is answered with a 4xx or 5xx status and has changed nothing.

    ``code`` is the word for programs, ``sentence`` the one line for people.
    """

    def __init__(
        self, status: int, code: str, sentence: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, sentence, dict(headers) if headers else None)
        self.code = code
        self.sentence = sentence


Id = Annotated[str, Field(pattern=rf"\A[A-Za-z0-9._~-]{{1,{limits.ID}}}\z")]
"""An id of a visit, visitor or page: browsers make 32 upper-case hex digits, systems others."""
Word = Annotated[str, Field(min_length=1, max_length=limits.WORD, pattern=r"\A[^\x00-\x1f\x7f]+\z")]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class BrowserEvent(_Strict):
    """One event as a page or a system sends it; fields that nobody knows are kept."""

    model_config = ConfigDict(extra="allow")

    eventName: Word  # noqa: N815 - the documented names of the wire
    visitID: Id  # noqa: N815
    pageID: Id | None = None  # noqa: N815
    globalVisitID: Id | None = None  # noqa: N815
    eventType: Word | None = None  # noqa: N815
    eventID: Word | None = None  # noqa: N815
    timestamp: int | float | None = None
    url: Annotated[str, Field(max_length=limits.URL)] | None = None
    title: Annotated[str, Field(max_length=limits.TITLE)] | None = None
    languageCode: Annotated[str, Field(max_length=limits.LANGUAGE)] | None = None  # noqa: N815
    category: Annotated[str, Field(max_length=limits.CATEGORY)] | None = None
    data: dict[str, Any] | None = None


Body = dict[str, Any]
"""An event as it is stored: its fields that are there, in the order of ``BrowserEvent``."""


def body(event: BrowserEvent) -> Body:
    """The event as it is stored."""
    return {name: value for name, value in event if value is not None}


class Notification(_Strict):
    """One message that a system pushes to a page of a visit (to all its pages without ``page``)."""

    page: Id | None = None
    channel: Word
    data: dict[str, Any]


class VisitRequest(_Strict):
    """What a tracker kept of an earlier page, if anything."""

    visitID: Id | None = None  # noqa: N815
    globalVisitID: Id | None = None  # noqa: N815
    token: Annotated[str, Field(max_length=256)] | None = None


class Subscription(_Strict):
    """The first words of a page on its connection: who it is and how far it had come."""

    visitID: Id  # noqa: N815
    pageID: Id | None = None  # noqa: N815
    token: Annotated[str, Field(max_length=256)]
    cursor: Annotated[str, Field(max_length=64)] | None = None


class Remark(_Strict):
    """What is said on a connection: a page acknowledges, joins it, or leaves it.

    Without ``pageID`` it is about the page that opened the connection.
    """

    type: Annotated[str, Field(pattern=r"\A(?:ack|join|leave)\z")]
    pageID: Id | None = None  # noqa: N815
    cursor: Annotated[str, Field(max_length=64)] | None = None


class StreamRemark(Remark):
    """The same, of a stream that its ready packet named."""

    visitID: Id  # noqa: N815
    token: Annotated[str, Field(max_length=256)]
    stream: Id


_EVENTS: Final = TypeAdapter(Annotated[list[BrowserEvent], Field(max_length=MAX_EVENTS)])
_NOTIFICATIONS: Final = TypeAdapter(
    Annotated[list[Notification], Field(max_length=MAX_NOTIFICATIONS)]
)
_VISIT: Final = TypeAdapter(VisitRequest)
_SUBSCRIPTION: Final = TypeAdapter(Subscription)
_REMARK: Final = TypeAdapter(Remark)
_STREAM_REMARK: Final = TypeAdapter(StreamRemark)


async def body_of(request: Request, limit: int = MAX_BODY) -> bytes:
    """Read a JSON body of at most ``limit`` bytes. Raises Refusal 400, 408, 413, 415."""
    return await body_from(heads_of(request.scope), request.receive, limit)


def heads_of(scope: Scope) -> Mapping[bytes, bytes]:
    """The headers of a request by name, in small letters; of several, the first."""
    return dict(reversed(scope["headers"]))


async def body_from(heads: Mapping[bytes, bytes], receive: Receive, limit: int = MAX_BODY) -> bytes:
    """Read a JSON body of at most ``limit`` bytes. Raises Refusal 400, 408, 413, 415."""
    _check_heads(heads, limit)
    first = receive().__await__()
    try:
        # The first part is there already, nearly always: then there is nothing to time.
        waiting = next(first)
    except StopIteration as there:
        message: Message = there.value
        if not message.get("more_body", False):
            return _part(message, limit)
        return await _in_time(receive, limit, message)
    return await _in_time(receive, limit, _resumed(first, waiting))


async def _in_time(receive: Receive, limit: int, first: Message | Awaitable[Message]) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(PATIENCE):
            message = first if isinstance(first, MutableMapping) else await first
            while True:
                parts.append(_part(message, limit - size))
                size += len(parts[-1])
                if not message.get("more_body", False):
                    return b"".join(parts)
                message = await receive()
    except TimeoutError:
        close = {"Connection": "close"}
        raise Refusal(408, "slow", f"The body took longer than {PATIENCE:g} s.", close) from None


@types.coroutine
def _resumed(begun: Generator[Any, Any, Message], waiting: Any) -> Generator[Any, Any, Message]:
    """What was begun by hand and has to wait after all: from there on, as ``await`` does it."""
    while True:
        try:
            given = yield waiting
        except BaseException as problem:
            proceed = functools.partial(begun.throw, problem)
        else:
            proceed = functools.partial(begun.send, given)
        try:
            waiting = proceed()
        except StopIteration as there:
            return there.value  # type: ignore[no-any-return]


def _part(message: Message, limit: int) -> bytes:
    if message["type"] == "http.disconnect":
        raise Refusal(400, "cut", "The connection ended in the middle of the body.") from None
    part: bytes = message.get("body", b"")
    if len(part) > limit:
        raise _too_large(limit)
    return part


def _check_heads(heads: Mapping[bytes, bytes], limit: int) -> None:
    kind = heads.get(b"content-type", b"")
    if kind != _JSON and kind.partition(b";")[0].strip().lower() != _JSON:
        raise Refusal(415, "not-json", "Send the body as Content-Type: application/json.")
    if heads.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Refusal(415, "encoded", "Send the body as it is, without Content-Encoding.")
    declared = heads.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)


def _too_large(limit: int) -> Refusal:
    return Refusal(413, "too-large", f"The body is larger than {limit // 1024} kB.")


def decoded(raw: bytes | str) -> Any:
    """Decode JSON that is nested at most MAX_DEPTH deep. Raises Refusal 400."""
    try:
        value = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        if "recursion limit" in str(error):
            raise _too_deep() from None
        raise Refusal(400, "malformed", f"The body is not JSON: {_place(error)}.") from None
    _measure(value)
    return value


def events(raw: bytes) -> list[BrowserEvent]:
    """Read one event or an array of them. Raises Refusal 400, 413."""
    value = decoded(raw)
    single = isinstance(value, dict)
    found = _validated(_EVENTS, [value] if single else value, "" if single else "event ")
    if not found:
        raise Refusal(400, "empty", "The array has no event; send at least one.")
    if len(raw) > limits.EVENT:
        for place, event in enumerate(found, 1):
            if len(event.model_dump_json().encode()) > limits.EVENT:
                sentence = f"Event {place} is larger than {limits.EVENT // 1024} kB."
                raise Refusal(413, "event-too-large", sentence)
    return found


def notifications(raw: bytes) -> list[Notification]:
    """Read an array of notifications. Raises Refusal 400."""
    return _validated(_NOTIFICATIONS, decoded(raw), "notification ")


def visit_request(raw: bytes) -> VisitRequest:
    """Read what a tracker remembers; an empty body is nothing. Raises Refusal 400."""
    return _validated(_VISIT, decoded(raw)) if raw.strip() else VisitRequest()


def subscription(raw: bytes | str) -> Subscription:
    """Read the first frame of a page. Raises Refusal 400."""
    return subscription_of(decoded(raw))


def subscription_of(value: Any) -> Subscription:
    """Read the same from a query string's values. Raises Refusal 400."""
    return _validated(_SUBSCRIPTION, value)


def remark(raw: bytes | str) -> Remark:
    """Read what a page says after its first frame. Raises Refusal 400."""
    return _validated(_REMARK, decoded(raw))


def stream_remark(raw: bytes) -> StreamRemark:
    """Read what a page says on a stream. Raises Refusal 400."""
    return _validated(_STREAM_REMARK, decoded(raw))


def visit_id(text: str) -> str:
    """Check an id from a path. Raises Refusal 404: an id of another shape names no visit."""
    try:
        return _ID.validate_python(text)
    except ValidationError:
        raise unknown_visit(text) from None


_ID: Final[TypeAdapter[str]] = TypeAdapter(Id)


def unknown_visit(visit: str) -> Refusal:
    """Give the refusal for a visit that no event has named."""
    return Refusal(404, "unknown-visit", f"No event of a visit '{visit[:64]}' has arrived yet.")


def _measure(value: Any) -> None:
    """Refuse what is nested too deep, and numbers that no double and no database holds."""
    level: Sequence[Any] = [value]
    for depth in range(MAX_DEPTH + 2):
        below: list[Any] = []
        for node in level:
            if isinstance(node, dict | list):
                if depth >= MAX_DEPTH:
                    raise _too_deep()
                below.extend(node.values() if isinstance(node, dict) else node)
            elif isinstance(node, int | float) and not _fits(node):
                raise Refusal(400, "malformed", "A number is too large to be kept.")
        level = below


def _fits(number: float) -> bool:
    if isinstance(number, float):
        return math.isfinite(number)
    return -_LARGEST <= number <= _LARGEST


def _too_deep() -> Refusal:
    return Refusal(400, "too-deep", f"The body is nested deeper than {MAX_DEPTH} levels.")


def _place(error: ValueError) -> str:
    """Keep of the decoder's words what helps: the kind of mistake and where it is."""
    return str(error).splitlines()[0].strip().removesuffix(".")


def _validated(model: TypeAdapter[Value], value: Any, item: str = "") -> Value:
    try:
        return model.validate_python(value)
    except ValidationError as mistakes:
        first = mistakes.errors(include_url=False, include_context=True)[0]
        sentence = _sentence(first, item)
        if first["type"] == "too_long" and not first["loc"]:
            raise Refusal(413, "too-many", sentence) from None
        raise Refusal(400, "wrong-shape", sentence) from None


_EXPECTED: Final[Mapping[str, str]] = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "list_type": "must be an array",
    "int_type": "must be a number",
    "float_type": "must be a number",
}
_IDS: Final = frozenset({"visitID", "pageID", "globalVisitID", "page"})


def _spoken(name: str) -> str:
    """A key of a stranger, fit for one line of an answer and a log."""
    return "".join(sign if sign.isprintable() else "?" for sign in name[:64])


def _sentence(mistake: ErrorDetails, item: str) -> str:
    """Say one mistake of a body in one line: the place and what it should be."""
    place = [part for part in mistake["loc"] if part not in ("int", "float")]
    number = f"{item}{int(place.pop(0)) + 1}" if place and isinstance(place[0], int) else ""
    name = ".".join(_spoken(str(part)) for part in place)
    kind = mistake["type"]
    context = mistake.get("ctx", {})
    if kind in ("too_long", "string_too_long"):
        unit = "entries" if kind == "too_long" else "characters"
        expected = f"has more than {context.get('max_length')} {unit}"
    elif kind == "string_pattern_mismatch" and name in _IDS:
        expected = "must be an id: 1 to 64 letters, digits or any of . _ ~ -"
    else:
        expected = _EXPECTED.get(kind, "has a value that does not belong there")
    if item and number:
        return f"In {number}, {name} {expected}." if name else f"{number.capitalize()} {expected}."
    return f"{name or 'The body'} {expected}."
