"""Genesys categories, written down as JSON, become categories of the language.

Genesys keeps them in its configuration and publishes no file format, so this shape is ours::

    {"categories": [
      {"name": "Solutions", "tags": ["solutions", {"value": "^/b/[0-9]+", "regex": true,
                                                   "in": "url"}], "match": "any"}
    ]}

A tag is looked for in the address and the title of the page, or ``in`` one of them; as plain text
or as a regular expression; ``"ignoreCase": true`` makes large and small letters equal. With several
tags ``match`` says whether ``any`` or ``all`` must be there: nobody can know that from outside.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

import re2
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.trials.gwe import LARGEST, UnreadableModel
from engine.trials.gwe_events import Note
from engine.trials.gwe_names import Namer, quoted, remark

_Text = Annotated[str, Field(min_length=1, max_length=1_000)]


class _Tag(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    value: _Text
    regex: bool = False
    place: Literal["url", "title", "both"] = Field("both", alias="in")
    ignore_case: bool = Field(False, alias="ignoreCase")  # noqa: FBT003


class _Category(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: _Text
    tags: list[_Text | _Tag] = Field(max_length=200)
    match: Literal["any", "all"] | None = None


class _Categories(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    categories: list[_Category] = Field(max_length=5_000)


def categories_text(raw: bytes, file: str) -> tuple[str, list[Note]]:
    """The strategy file of a file of categories, and what a person should know of it.

    Raises UnreadableModel with a sentence when it is not of the shape.
    """
    if len(raw) > LARGEST:
        raise UnreadableModel(f"is larger than {LARGEST:,} bytes.")
    try:
        found = _Categories.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors()[0]
        place = " > ".join(str(part) for part in first["loc"]) or "the file"
        raise UnreadableModel(
            f"is not of the shape of categories at {place}: {first['msg']}."
        ) from error
    names, notes = Namer(), _Lines(raw)
    blocks = [f"# Categories from {remark(file)}."]
    seen: set[str] = set()
    for category in found.categories:
        line = notes.line_of(category.name)
        why = "it is there twice" if category.name in seen else _why_not(category)
        seen.add(category.name)
        if why:
            text = f"the category `{category.name}`: {why}."
            notes.add(line, "left out", text)
            blocks.append(f"# Left out ({remark(file)} line {line}): {remark(text)}")
            continue
        name = names.name(category.name)
        if name != category.name:
            notes.add(line, "renamed", f"The category `{category.name}` is `{name}`.")
        blocks.append(f"category {name} is {_condition(category)}")
    return "\n\n".join(blocks) + "\n", notes.found


class _Lines:
    """Notes, with the line on which a category's name stands."""

    def __init__(self, raw: bytes) -> None:
        self.found: list[Note] = []
        self._text = raw.decode("utf-8", "replace")
        self._place = 0

    def line_of(self, name: str) -> int:
        """The line (from 1) of the next category of this name, as far as it can be told."""
        match = re.compile(rf'"name"\s*:\s*"{re.escape(name)}"').search(self._text, self._place)
        self._place = match.end() if match else self._place
        return self._text.count("\n", 0, match.start() if match else self._place) + 1

    def add(self, line: int, what: Literal["left out", "renamed"], text: str) -> None:
        """Note something."""
        self.found.append(Note(line=line, what=what, text=remark(text)))


def _why_not(category: _Category) -> str | None:
    if not category.tags:
        return "it has no tag"
    if len(category.tags) > 1 and category.match is None:
        return 'it has several tags; say `"match": "any"` or `"match": "all"`'
    for tag in category.tags:
        if isinstance(tag, _Tag) and tag.regex and not _is_linear(tag.value):
            return f"`{tag.value}` is no regular expression that can be run in linear time"
    return None


def _is_linear(pattern: str) -> bool:
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error:
        return False
    return True


def _condition(category: _Category) -> str:
    tags = [
        _Tag.model_validate({"value": tag}) if isinstance(tag, str) else tag
        for tag in category.tags
    ]
    joint = " and " if category.match == "all" else " or "
    several = len(tags) > 1 and category.match == "all"
    return joint.join(_tag(tag, bracket=several) for tag in tags)


def _tag(tag: _Tag, *, bracket: bool) -> str:
    places = ("url", "title") if tag.place == "both" else (tag.place,)
    operator, value = ("matches", tag.value) if tag.regex else ("has", tag.value)
    if tag.ignore_case:
        operator = "matches"
        value = f"(?i){value if tag.regex else re2.escape(value)}"
    found = " or ".join(f"{place} {operator} {quoted(value)}" for place in places)
    return f"({found})" if bracket and len(places) > 1 else found
