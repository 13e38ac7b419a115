"""The kinds of resources a project holds: one row each. Pure.

A row may carry two hooks, never three: `check` for rules across fields, `present` for computed
fields. A kind that needs a third gets a use case of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared import sealed_secrets

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of resource.

    `collection` names it in paths, in lists and in the store; `fields` are the body members it
    keeps (all others are ignored, contract 12 no. 9); those in `sealed` are stored only sealed.
    `check(new, old)` raises Error; `present(fields)` gives computed members of the answer.
    """

    collection: str
    noun: str
    fields: tuple[str, ...]
    sealed: tuple[str, ...]
    check: Callable[[Fields, Fields | None], None]
    present: Callable[[Fields], dict[str, Any]]


SECRETS = Kind(
    "secrets",
    noun="secret",
    fields=("format", "data", "service_access", "service_operator"),
    sealed=("data",),
    check=sealed_secrets.check,
    present=sealed_secrets.present,
)

KINDS = (SECRETS,)
