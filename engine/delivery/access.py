"""Who may do what: visit tokens for pages, the API token for systems, origins for browsers."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from engine.delivery.wire import Refusal

_KEY_FILE: Final = "visit.key"
_KEY_BYTES: Final = 32
_PROVED: Final = 20_000
"""Tokens that are remembered as good."""
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="Overture", charset="UTF-8"'}


def is_loopback(host: str) -> bool:
    """Say whether a host name or address can only be reached from this machine."""
    return host in _LOOPBACK or (host.startswith("127.") and host.replace(".", "").isdigit())


def key_in(folder: Path) -> bytes:
    """Read the key that signs visit tokens, or make it (mode 0600). Raises OSError, ValueError."""
    path = folder / _KEY_FILE
    if not path.exists():
        _make_key(path)
    key = path.read_bytes()
    if len(key) < _KEY_BYTES:
        raise ValueError(
            f"The key {path} is too short; delete it and a new one is made "
            "(open pages then ask for a new token by themselves)."
        )
    return key


def _make_key(path: Path) -> None:
    """Make it whole or not at all: who dies meanwhile must not leave half a key."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{_KEY_FILE}.") as file:
        file.write(secrets.token_bytes(_KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another server was faster: its key counts
            os.link(file.name, path)


class Access:
    """The three checks of the door. All comparisons of secrets take constant time.

    Without ``api_token`` the API is open to programs and own pages on this machine: the request
    must name the server by a loopback name too, so that a page elsewhere cannot get in by pointing
    its own host name at 127.0.0.1, and a page of another origin has no part in it.
    """

    def __init__(self, *, key: bytes, api_token: str | None, origins: Iterable[str] = ()) -> None:
        self._key = key
        self._api_token = api_token.encode() if api_token else None
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)
        self._proved: dict[tuple[str, str], str] = {}

    @property
    def origins(self) -> frozenset[str]:
        """The origins that are allowed beside the server's own."""
        return self._origins

    def token(self, visit: str, visitor: str) -> str:
        """Give the token of a visit: whose it is, and 256 bits that only this server can make."""
        name = base64.urlsafe_b64encode(visitor.encode()).rstrip(b"=").decode()
        return f"{name}.{self._sign('visit', _pair(visit, visitor))}"

    def fits(self, visit: str, token: str | None) -> bool:
        """Say whether ``token`` is the token of this visit."""
        return self.visitor(visit, token) is not None

    def visitor(self, visit: str, token: str | None) -> str | None:
        """Give the visitor that a visit was given to, or None when the token is not its own.

        A page has no other say in whose visit it is: it cannot join that of a stranger.
        """
        # A page sends the same token with each request: what was proved is looked up.
        proved = self._proved.get((visit, token or ""))
        if proved is not None:
            return proved
        visitor = self._proof(visit, token)
        if visitor is not None:
            if len(self._proved) >= _PROVED:
                del self._proved[next(iter(self._proved))]
            self._proved[visit, token or ""] = visitor
        return visitor

    def _proof(self, visit: str, token: str | None) -> str | None:
        name, _, signature = (token or "").partition(".")
        try:
            visitor = base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()
        except (binascii.Error, ValueError):
            return None
        return visitor if _same(self._sign("visit", _pair(visit, visitor)), signature) else None

    def sealed(self, kind: str, name: str) -> str:
        """Give an id with its signature, to be kept by a browser as a cookie."""
        return f"{name}.{self._sign('cookie ' + kind, name)}"

    def unsealed(self, kind: str, text: str | None) -> str | None:
        """Give the id of a cookie back, or None when this server did not make it."""
        name, dot, signature = (text or "").rpartition(".")
        fits = bool(dot) and _same(self._sign("cookie " + kind, name), signature)
        return name if fits else None

    def has_authority(self, connection: HTTPConnection) -> bool:
        """Say whether the request comes from a system that may name any visit."""
        if self._api_token is None:
            client = connection.client.host if connection.client else ""
            near = is_loopback(client) and is_loopback(_host_name(connection))
            return near and _is_own(connection)
        given = _credential(connection.headers.get("authorization", ""))
        return given is not None and hmac.compare_digest(given, self._api_token)

    def require_authority(self, connection: HTTPConnection) -> None:
        """Refuse a request without API authority. Raises Refusal 401, or 403 for a wrong token."""
        if self.has_authority(connection):
            return
        if self._api_token is None:
            raise Refusal(
                403, "local-only", "Without OVERTURE_API_TOKEN the API answers this machine alone."
            )
        if "authorization" in connection.headers:
            raise Refusal(401, "wrong-token", "This is not the API token.", _CHALLENGE)
        raise Refusal(
            401, "no-token", "Send the API token as 'Authorization: Bearer ..'.", _CHALLENGE
        )

    def admits(self, connection: HTTPConnection) -> str | None:
        """Give the origin of a browser's request, None without one. Raises Refusal 403."""
        origin = connection.headers.get("origin")
        if origin is None:
            return None
        if origin.lower() in self._origins or _is_own(connection):
            return origin
        raise Refusal(
            403, "origin", "Pages of this origin may not use this server; see OVERTURE_ORIGINS."
        )

    def _sign(self, purpose: str, name: str) -> str:
        digest = hmac.new(self._key, f"{purpose}\n{name}".encode(), sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _pair(visit: str, visitor: str) -> str:
    """Two names as one, so that no two pairs read alike."""
    return f"{len(visit)} {visit}{visitor}"


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode("utf-8", "surrogateescape"))


def _host_name(connection: HTTPConnection) -> str:
    try:
        return urlsplit(f"//{connection.headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


def _is_own(connection: HTTPConnection) -> bool:
    """Say whether no page, or one of this server, asks. A proxy may end TLS: no scheme here."""
    origin = connection.headers.get("origin")
    if origin is None:
        return True
    try:
        name = urlsplit(origin).netloc.lower()
    except ValueError:
        return False
    return bool(name) and name == connection.headers.get("host", "").lower()


def _credential(header: str) -> bytes | None:
    """The API token as it was given: by Bearer, or as the password of Basic."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip().encode("latin-1", "replace")  # the bytes of the header as they came
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return None
    return None
