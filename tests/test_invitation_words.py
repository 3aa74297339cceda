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
ENGINE = INVITATION.parents[1] / "engine" / "media"
_CODE = re.compile(r"""(?:Refused\(|Unreadable\(\s*\w+,)\s*"([a-z-]+)\"""")
_SAID = re.compile(r"""(?:confirmation\(key, |code, words = \(|else \()"([a-z-]+)\"""")
_CLIENT = re.compile(r"""(?:Refusal|GmsError)\(.*?, ["']([a-z-]+)["'][,)]|\?\? "([a-z-]+)"\)""")
_WINDOWS_SAY = ("refused.", "says.")
"""What begins like this is a code of the server's, with what a window says for it."""
_TO_NO_WINDOW = {
    "no-place", "absent", "waiting", "elsewhere",  # to an agent, at the desk
    "gms", "menu", "unserved", "value",  # to a program that starts media or asks for lists
    "not-json", "media-type",  # our windows send what is right
    "not-set", "no-invitation",  # to the console: an invitation has no place for it
}  # fmt: skip
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
    coded = {word for word in words if word.startswith(_WINDOWS_SAY)}
    named = {word for word in words if word[0].islower()} - {"direction"} - coded
    assert named == needed
    # English is what the windows say by themselves.
    missing = sentences() - set(words) if language != "en" else set()
    assert missing == set()
    assert all(text.strip() == text and text for text in words.values())
    for sentence, said in words.items():
        if sentence not in named | coded:
            assert set(_VALUE.findall(said)) == set(_VALUE.findall(sentence)), sentence


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_a_language_has_what_the_server_says_by_its_code(language: str) -> None:
    engine = "".join(path.read_text("utf-8") for path in ENGINE.glob("*.py"))
    gms, web = ((MEDIA / f"{one}.js").read_text("utf-8") for one in ("gms", "web-media"))
    ours = {"".join(found) for found in _CLIENT.findall(gms + web)} | {"broken"}
    refused = (set(_CODE.findall(engine)) | {"unknown", "unavailable"}) - _TO_NO_WINDOW
    said = set(_SAID.findall(engine))
    assert said == {"chat-wait", "call-wait", "call-now", "call-later"}
    known = {word for word in LANGUAGES[language] if word.startswith(_WINDOWS_SAY)}
    assert known == {f"refused.{one}" for one in refused | ours} | {f"says.{one}" for one in said}


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_a_number_stays_in_what_is_said_of_it(language: str) -> None:
    words = LANGUAGES[language]
    for code in ("call-now", "call-later"):
        assert _VALUE.findall(words[f"says.{code}"]) == ["{number}"]
    for word, said in words.items():
        assert not word.startswith("refused.") or not _VALUE.search(said)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_stands_in_english(page: Path) -> None:
    """What a visitor reads when the file of words does not come in time."""
    words = placed(page)
    assert words
    assert words == {word: LANGUAGES["en"].get(word) for word in words}
