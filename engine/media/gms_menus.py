"""Menus of our own GMS services: how they are written, and what waits for a visitor's choice.

A menu is shown instead of starting what the widget asked for; the choice says what is started.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from engine.media.gms_bodies import CHATS, SCENARIOS, StartBody
from engine.media.interactions import Refused, Unknown, new_key

DISPLAY_MENU: Final = "DisplayMenu"
"""The ``_action`` of a dialog that asks."""
WAITS: Final = 600_000
"""Milliseconds in which a visitor chooses."""
WAITING_AT_MOST: Final = 2_000
"""Menus that wait for a choice; the oldest makes room."""
OF_ADDRESS_AT_MOST: Final = 200
"""How many of these one address has, so that it can not take the room of all others."""

_DIALLED: Final = frozenset({"VOICE-NOW-USERORIG", "VOICE-WAIT-USERORIG"})
_ASKS_TIME: Final = "VOICE-SCHEDULED-USERTERM"

T = TypeVar("T")
Label = Annotated[str, Field(min_length=1, max_length=100)]


class Choice(BaseModel):
    """One line of a menu, and the scenario that it starts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: Label
    label: Label
    scenario: str

    @field_validator("scenario")
    @classmethod
    def _is_known(cls, value: str) -> str:
        names = [name for name in SCENARIOS if name != _ASKS_TIME]
        if value == _ASKS_TIME:
            raise ValueError("a menu asks no time; write VOICE-WAIT-USERTERM")
        if value not in names:
            raise ValueError(f"write one of {', '.join(names)}")
        return value

    @property
    def calls(self) -> bool:
        """Does it need the visitor's number?"""
        return self.scenario not in CHATS


class Menu(BaseModel):
    """What a service asks before it starts anything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: Label
    choices: tuple[Choice, ...] = Field(min_length=1, max_length=20)


_FILE: Final = TypeAdapter(dict[str, Menu])


def menus(path: Path, *, number: str) -> dict[str, Menu]:
    """The menus of a TOML file, by service; ``number`` is what visitors may call, or empty.

    Raises ValueError with a sentence without its dot.
    """
    try:
        found = _FILE.validate_python(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8: save it as that") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not TOML: {error}") from None
    except ValidationError as mistakes:
        first = mistakes.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part + 1 if isinstance(part, int) else part) for part in first["loc"])
        reason = _REASONS.get(first["type"], first["msg"].removeprefix("Value error, "))
        raise ValueError(f"{place}: {reason}") from None
    for service, menu in found.items():
        if not number and any(choice.scenario in _DIALLED for choice in menu.choices):
            raise ValueError(f"{service} lets visitors call us: set OVERTURE_CALLBACK_NUMBER")
    return found


_REASONS: Final[Mapping[str, str]] = {
    "missing": "it is missing",
    "extra_forbidden": "there is no such key; a menu has label and choices,"
    " a choice has group, label and scenario",
    "string_type": "write a text in quotes",
    "string_too_short": "write a text of 1 to 100 characters",
    "string_too_long": "write a text of 1 to 100 characters",
    "too_short": "write 1 to 20 choices",
    "too_long": "write 1 to 20 choices",
    "tuple_type": "write each choice below its own [[service.choices]]",
    "model_type": "write a table, such as [support] with label and [[support.choices]]",
}


class Asking(Generic[T]):
    """What goes with each menu that is on a visitor's page, by its id, until something is chosen.

    Kept in memory alone: nothing has been started, so a restart loses no conversation, and of a
    visitor who goes away nothing stays.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[int, str, T]] = {}

    def put(self, key: str, value: T, address: str) -> None:
        """Keep it; the oldest of the same address makes room, then the oldest of all."""
        since = self._clock()
        for old in [old for old in self._kept if self.get(old) is None]:
            del self._kept[old]
        # A dict keeps the order in which they came.
        own = [old for old, (_, whose, _) in self._kept.items() if whose == address]
        if len(own) >= OF_ADDRESS_AT_MOST:
            del self._kept[own[0]]
        elif len(self._kept) >= WAITING_AT_MOST:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (since, address, value)

    def get(self, key: str) -> T | None:
        """What was kept, while the visitor may choose; else None."""
        since, _, value = self._kept.get(key, (0, "", None))
        return value if self._clock() - since < WAITS else None

    def drop(self, key: str) -> None:
        """It was chosen: another has it from now on."""
        self._kept.pop(key, None)


@dataclass(slots=True, kw_only=True)
class _Asked:
    """What a visitor said at the start, where they are asked first, and what they chose."""

    service: str
    menu: Menu
    values: Mapping[str, str]
    chosen: int | None = None


class Menus:
    """The menus of all our services, and what was said by those who are asked."""

    def __init__(self, known: Mapping[str, Menu], clock: Callable[[], int]) -> None:
        self._known = known
        self._asking: Asking[_Asked] = Asking(clock)

    def has(self, service: str) -> bool:
        """Does this service ask first?"""
        return service in self._known

    def show(
        self, service: str, values: Mapping[str, str], address: str, base: str
    ) -> dict[str, Any]:
        """The dialog of a start with these values; its choices lead below ``base``.

        What needs a number is offered to who gave one. Raises Refused where that leaves nothing.
        """
        menu, key = self._known[service], new_key()
        able = bool(values.get("_customer_number"))
        groups: dict[str, list[dict[str, str]]] = {}
        for number, choice in enumerate(menu.choices, 1):
            if able or not choice.calls:
                url = f"{base}/genesys/1/service/{key}/menu?choice={number}"
                line = {"_label": choice.label, "_user_action_url": url}
                groups.setdefault(choice.group, []).append(line)
        if not groups:
            raise Refused("no-phone", "_customer_number is missing.")
        self._asking.put(key, _Asked(service=service, menu=menu, values=dict(values)), address)
        content = [{"_group_name": name, "_group_content": groups[name]} for name in groups]
        return {"_id": key, "_action": DISPLAY_MENU, "_label": menu.label, "_content": content}

    def choose(self, key: str, number: int) -> tuple[str, StartBody, bool]:
        """The service, what is started there, and whether it is chosen for the first time.

        Raises Unknown, Refused (``choice``, ``chosen``), ValidationError.
        """
        found = self._asking.get(key)
        if found is None:
            raise Unknown("This menu is not open any more: start again.")
        if not 1 <= number <= len(found.menu.choices):
            raise Refused("choice", f"choice is a number from 1 to {len(found.menu.choices)}.")
        if found.chosen not in (None, number):
            raise Refused("chosen", "Something else has been chosen already.")
        scenario = found.menu.choices[number - 1].scenario
        values = {**found.values, **SCENARIOS[scenario]}
        if scenario in CHATS:
            values.pop("_provide_code", None)  # a chat has no access code
        body = StartBody.model_validate(values)
        first, found.chosen = found.chosen is None, number
        return found.service, body, first

    def reopen(self, key: str) -> None:
        """What was chosen could not be started: the visitor may choose again."""
        found = self._asking.get(key)
        if found is not None:
            found.chosen = None
