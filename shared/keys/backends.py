"""What a keyring is made of: who wraps first halves, and who keeps the second ones.

`local` and `cloud` have these protocols. What both say when no key may be used is here too.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Protocol

from shared.errors import Error
from shared.failures import tell

EVER = datetime.max.replace(tzinfo=UTC)  # no time that is noted is later
ABSENT, REFUSED, GIVEN = "absent", "refused", "given"  # what comes of reading a half
MOST_TEXT = 300  # characters of one of its texts
# What a key store says of a version of a half that it destroyed; see `attested`.
Evidence = dict[str, str | int | None]
NOT_AT_HAND = "The keys of this store are not at hand."


class Wrapper(Protocol):
    """Wraps the first halves, under key-encryption keys that never leave it.

    Raises OSError when it is out of reach.
    """

    def wrap(self, half: bytes, project_id: str) -> tuple[str, bytes]:
        """Give the name of the key-encryption key used, and the wrapped half."""

    def unwrap(self, kek: str, wrapped: bytes, project_id: str) -> bytes:
        """Give the half; raises Undecryptable if the key or the bytes are wrong.

        PermissionError (an OSError) says that this identity may wrap and not unwrap.
        """

    def keks(self) -> dict[str, datetime | None]:
        """Give the key-encryption keys there are, and since when each is not used for new ones.

        The one that is used for new ones, None, comes last.
        """

    def add(self, instead_of: str, now: datetime) -> None:
        """Make a new key for what is wrapped from now on, unless `instead_of` is not it any more.

        So two who rotate at once make one key. What older keys wrapped can be unwrapped still.
        """

    def remove(self, kek: str) -> None:
        """Destroy an old key; raises KeyError when it is none, or is the one in use."""


class Wrappers(Protocol):
    """Gives the wrapper that there is now: what it is made of may have been replaced."""

    def now(self) -> Wrapper:
        """Give it, the same or an equal one while nothing was; raises Error `unavailable`."""


class KeyStore(Protocol):
    """Keeps the second halves, and no history of them. Raises OSError when it is out of reach."""

    name: str  # what tells it from another one, for good; empty where an identity in it does

    def belong(self, identity: str, *, first: bool) -> None:
        """Require at each call from now on that it has this identity, and is this database's.

        `first` makes it so where it has none. Raises Error `unavailable`, after a line in the log,
        where it has none, or another, or is not there.
        """

    def ours(self) -> bool:
        """Tell whether it is still the one it had to be."""

    def verify(self) -> None:
        """Raise Error `unavailable`, after a line in the log, if it would keep what it destroys."""

    def put(self, project_id: str, half: bytes, created_at: datetime) -> None:
        """Keep the half of a new project, durably."""

    def get(self, project_id: str) -> bytes:
        """Give the half; raises KeyError when it does not exist (any more)."""

    def holds(self, project_id: str) -> bool:
        """Tell whether there is a half to be destroyed, whole or not."""

    def destroy(self, project_id: str) -> list[Evidence]:
        """Destroy the half and read back that it is gone; destroying it twice succeeds.

        Gives what shows it, a version each, at most quotas.EVIDENCE: the same each time, until
        `drop`. Raises Error `unavailable`, after a line in the log, where it is another database's.
        """

    def drop(self, project_id: str) -> None:
        """Take away what is left of a destroyed half, and holds nothing. May be repeated.

        Raises as `destroy` does.
        """

    def confirm(self, project_id: str) -> None:
        """Note that the project is stored: its half is no orphan. May be repeated."""

    def unconfirmed(self, before: datetime, limit: int, after: datetime = EVER) -> list[str]:
        """Give up to `limit` projects whose half is not confirmed, made before or after a time."""

    def confirmed(self, start: str) -> tuple[list[str], str]:
        """Give a page of the projects whose half is confirmed, and where the next one starts.

        It starts where a former page said, or with nothing at the first; nothing is the end.
        """


def attested(store: str, version: str, state: str, at: str, read_back: str) -> Evidence:
    """Give the evidence of one version: its number, its state and since when, what a reading gave.

    A number or a time that is none is None; texts are cut.
    """
    numbered = version.isascii() and version.isdecimal() and len(version) < 16
    moment = noted(at, EVER)
    return {
        "store": store[:MOST_TEXT],
        "version": int(version) if numbered else None,
        "state": state[:MOST_TEXT],
        "at": None if moment == EVER else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z",
        "read_back": read_back,
    }


def is_wrapped(record: Mapping[str, Any]) -> bool:
    """Tell whether a record has the form of what a wrapper gave, and is not damaged or another."""
    return isinstance(record.get("kek"), str) and isinstance(record.get("wrapped"), bytes)


def newest(keks: Mapping[str, datetime | None]) -> str:
    """Give the key-encryption key that new halves are wrapped under."""
    return [*keks][-1]


def unfit(why: str, message: str) -> Error:
    """Say in the log why no key may be used; give the error, which says less of it."""
    tell("CRITICAL", why)
    return refusal(message)


def refusal(message: str) -> Error:
    """Give the error for keys that may not be used until somebody has seen to it."""
    return Error("unavailable", message, headers={"Retry-After": "5"})


def noted(text: str, otherwise: datetime) -> datetime:
    """Give the time that a half's note says; `otherwise` if the note is damaged, or cut short."""
    with suppress(ValueError):
        made = datetime.fromisoformat(text)
        return made if made.tzinfo else otherwise
    return otherwise
