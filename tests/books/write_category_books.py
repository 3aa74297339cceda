"""Writes the books that count visits with three pages of one category, one for each data set.

A book names its categories, so there is one for each value that a set holds. The files it writes
are kept in the repository; run it again only when the data change:

    python tests/books/write_category_books.py ../shared/data
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path

BOOKS = Path(__file__).parent

HEAD = """\
# O2: visits with three pages of one category within five minutes, for the set {name}.
# Written by write_category_books.py: one category and one rule for each value in the set.
"""

STRATEGY = """
strategy "O2"
  description "Three pages of one category within five minutes, once in a visit"
  limit 1 per visit
"""

RULE = """
  on 3 times PageEntered in {category}, within 5 min
    send gpe.appendContent {{ url: "/frontend/resources/invite.html" }}
"""

NOTHING = """
  on 3 times PageEntered where event.category is known, within 5 min
    send gpe.appendContent { url: "/frontend/resources/invite.html" }
"""


def values(recording: Path) -> list[str]:
    with gzip.open(recording) as lines:
        found = {json.loads(line).get("category") for line in lines}
    return sorted(value for value in found if value)


def identifier(number: int, value: str) -> str:
    words = re.findall("[A-Za-z0-9]+", value)
    return f"C{number:02}" + "".join(word[0].upper() + word[1:] for word in words)


def book(name: str, categories: list[str]) -> str:
    names = [identifier(number, value) for number, value in enumerate(categories, 1)]
    pairs = zip(names, categories, strict=True)
    declared = "".join(
        f"category {category} is event.category = {json.dumps(value, ensure_ascii=False)}\n"
        for category, value in pairs
    )
    rules = "".join(RULE.format(category=category) for category in names) or NOTHING
    return HEAD.format(name=name) + ("\n" + declared if declared else "") + STRATEGY + rules


def main(data: Path) -> None:
    for recording in sorted(data.glob("*/events.jsonl.gz")):
        name = recording.parent.name
        text = book(name, values(recording))
        (BOOKS / f"{name}.strategy").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
