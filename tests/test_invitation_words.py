"""Invitations and windows say the same in every language, and nothing that no language has."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

INVITATION = Path(__file__).parents[1] / "widgets" / "invitation"
PAGES = sorted(INVITATION.glob("*.html"))
LANGUAGES = {
    path.stem: json.loads(path.read_text("utf-8"))
    for path in (INVITATION / "languages").glob("*.json")
}
MEDIA = INVITATION.parent / "media"
WINDOWS = ["chat", "callback", "webhook", "gms-chat", "gms-dialogs", "web-media"]
_SENTENCE = re.compile(r"""\bword\(\s*["']([^"']+)["']""")
_TEXT = re.compile(r"""(?<=>)([^<>]+)(?=<)|(?:aria-label|placeholder)="([^"]+)\"""")
_NEVER_LOST = "needs JavaScript"
"""What is read where no script runs stays in English."""
_VALUE = re.compile(r"{\w+}")
_PLACE = re.compile(r'<(\w+)[^>]*? data-word="([^"]+)"(?: data-attribute="([^"]+)")?[^>]*>([^<]*)')


def placed(page: Path) -> dict[str, str]:
    """Each word of a page, as it stands there in English."""
    found = {}
    for match in _PLACE.finditer(page.read_text("utf-8")):
        _, word, attribute, text = match.groups()
        if attribute:
            inside = re.search(f' {attribute}="([^"]*)"', match.group(0))
            text = inside.group(1) if inside else ""
        found[word] = text
    return found


def sentences() -> set[str]:
    """Each sentence of the windows that stands in a page, or in a call of `word`."""
    found = set()
    for script in WINDOWS:
        found |= set(_SENTENCE.findall((MEDIA / f"{script}.js").read_text("utf-8")))
    for page in MEDIA.glob("*.html"):
        for match in _TEXT.findall(page.read_text("utf-8")):
            text = "".join(match).strip()
            if text and _NEVER_LOST not in text:
                found.add(text)
    return found


def test_five_languages_and_one_from_right_to_left() -> None:
    assert {"en", "de", "fr", "es"} <= set(LANGUAGES)
    assert any(words["direction"] == "rtl" for words in LANGUAGES.values())


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_a_language_has_every_word_and_no_other(language: str) -> None:
    needed = {word for page in PAGES for word in placed(page)}
    words = LANGUAGES[language]
    named = {word for word in words if word[0].islower()} - {"direction"}
    assert named == needed
    # English is what the windows say by themselves.
    missing = sentences() - set(words) if language != "en" else set()
    assert missing == set()
    assert all(text.strip() == text and text for text in words.values())
    for sentence, said in words.items():
        if sentence not in named:
            assert set(_VALUE.findall(said)) == set(_VALUE.findall(sentence)), sentence


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_stands_in_english(page: Path) -> None:
    """What a visitor reads when the file of words does not come in time."""
    words = placed(page)
    assert words
    assert words == {word: LANGUAGES["en"].get(word) for word in words}
