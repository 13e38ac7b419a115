"""What passes between the wire and a use case: who calls, the call, the answer. No rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: the identity behind a verified token."""

    subject: str  # the id of an API key, or of a service identity
    account: str
    roles: frozenset[str]
    project: str | None = None  # the one project a key is for; None is the whole account
    email: str | None = None  # of the operator alone: what the platform's token says, verified
    # whether its token came of a sign-in code; it is the same key all the same
    by_code: bool = field(default=False, compare=False)
    name: str | None = field(default=None, compare=False)  # of the key, as its token says it

    @property
    def is_operator(self) -> bool:
        """Whether this is who calls what is private, under whatever e-mail; no key is."""
        return (self.subject, self.account) == (OPERATOR.subject, OPERATOR.account)


ANYBODY = Principal("anybody", "", frozenset())  # who calls what takes no token
OPERATOR = Principal("operator", "", frozenset())  # who calls what is private


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a change comes from: all of a call that a record of it may know."""

    principal: Principal
    trace: str


@dataclass(frozen=True, slots=True)
class Call:
    """One request, parsed and checked against openapi.yaml, by a caller who may make it."""

    principal: Principal
    # of path, query and headers, under their OpenAPI names; of a reader, whatever was sent
    parameters: Mapping[str, Any] = field(repr=False)
    body: Mapping[str, Any] = field(repr=False)
    trace: str  # names this request in the answer, the logs and the audit trail
    operation: str = ""  # its id in openapi.yaml

    @property
    def origin(self) -> Origin:
        """Who calls, and in which request; nothing of what was sent."""
        return Origin(self.principal, self.trace)


@dataclass(frozen=True, slots=True)
class Page:
    """Entries of a list, under the list's key, and the last entry's key if there are more."""

    key: str
    entries: list[dict[str, Any]] = field(repr=False)
    next: str | None


class Raw(NamedTuple):
    """Bytes that are answered as they are: their type, and how long a cache may keep them."""

    data: bytes
    type: str
    kept: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a use case gives back; the status is the operation's."""

    body: Any = field(default=None, repr=False)
    page: Page | None = None
    entity_tag: str | None = None
    now: datetime | None = None  # the time the use case decided at
    location: str | None = None
    raw: Raw | None = field(default=None, repr=False)  # in place of a body
    told: Mapping[str, str] = field(default_factory=dict)  # headers of ours, without their prefix


def timestamp(moment: datetime) -> str:
    """Give a time in UTC as RFC 3339, in whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
