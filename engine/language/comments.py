"""Comments: where they are in a text, and which piece of the new layout each hangs on."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from lark import Token

from engine.language.layout import Attached, Comment, Piece
from engine.language.phrases import Sorted

_BLANKS: Final = " \t\r\ufeff\u00a0"
_BEFORE, _BEHIND = 0, 1


def find_comments(text: str, tokens: Sequence[Token]) -> list[Comment]:
    """All comments of a file: what begins with ``#`` between two tokens."""
    found, place = [], 0
    for start, end in [*((t.start_pos or 0, t.end_pos or 0) for t in tokens), (len(text), 0)]:
        while (at := text.find("#", place, start)) >= 0:
            place = text.find("\n", at)
            place = len(text) if place < 0 else place
            line = text.rfind("\n", 0, at) + 1
            found.append(
                Comment(
                    text=text[at:place].rstrip(),
                    start=at,
                    end=place,
                    column=at - line,
                    alone=not text[line:at].strip(_BLANKS),
                )
            )
        place = end
    return found


def attach(
    comments: Sequence[Comment], pieces: Sequence[Piece], moved: Sequence[Sorted]
) -> tuple[Attached, list[Comment]]:
    """Hang every comment on a piece; gives also those behind the last piece of the file.

    A comment alone on its line stands before the next piece, another behind the last one; beside
    ``and``, ``or`` and commas the piece is chosen at which a line can begin or end. ``pieces``
    are all of the output in its order; of clauses that changed order ``moved`` tells the places.
    """
    written = sorted((each for each in pieces if each.start >= 0), key=lambda each: each.start)
    starts = [each.start for each in written]
    ends = [each.end for each in written]
    before: dict[int, list[Comment]] = defaultdict(list)
    behind: dict[int, list[Comment]] = defaultdict(list)
    rest: list[Comment] = []
    reached = (0, _BEFORE)
    for comment in comments:
        last = bisect_right(ends, comment.start) - 1
        following = bisect_left(starts, comment.start)
        place = next((each for each in moved if each.start <= comment.start < each.end), None)
        if place is not None and (comment.alone or written[last].start >= place.start):
            before[place.first].append(comment)
        elif comment.alone and following == len(written):
            rest.append(comment)
        else:
            # Never before the place of an earlier comment: they keep their order.
            here = _line_begins(written, following) if comment.alone else _line_ends(written, last)
            reached = at, side = max(reached, here)
            start = written[at].start
            inside = next((each for each in moved if each.start <= start < each.end), None)
            if side == _BEFORE:
                before[inside.first if inside else start].append(comment)
            else:
                behind[inside.last if inside else start].append(comment)
    return Attached(before=before, behind=behind), rest


def _line_begins(written: Sequence[Piece], at: int) -> tuple[int, int]:
    if at > 0 and written[at - 1].kind in ("AND", "OR"):
        return at - 1, _BEFORE
    if written[at].kind == "COMMA" and at + 1 < len(written):
        return at + 1, _BEFORE
    return at, _BEFORE


def _line_ends(written: Sequence[Piece], at: int) -> tuple[int, int]:
    if at > 0 and written[at].kind in ("AND", "OR"):
        return at - 1, _BEHIND
    return at, _BEHIND
