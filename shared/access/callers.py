"""The caller's own API key, read along with what is asked for: a token ends with its key.

What reads a project reads the key beside it, in the same batch, and the key is judged first: who
holds a token of a key that is gone hears of nothing else. Lists over a whole account read no
document by its path, so there a token lives out its hour (docs/security.md, Revocation).
"""

from typing import Any

from shared.access import records, roles
from shared.access.tokens import end
from shared.app import App
from shared.calls import Principal
from shared.lifecycle import Project
from shared.store import Read


def own_key(principal: Principal) -> str:
    """Give the path of the caller's own key, for the batch that `require_own` judges."""
    return records.path_of(principal.subject)


def require_own(app: App, principal: Principal, read: Read) -> dict[str, Any]:
    """Give the record of the caller's own key, which the batch must hold.

    Raises Error `unauthorized` where it is gone or has expired, or where it is not what the token
    says of it: account, roles, project.
    """
    record = records.alive(app, read[own_key(principal)])
    said = principal.account, principal.roles, principal.project
    if record is None or said != _meaning(record):
        raise end(app, principal)
    return record


def owned(app: App, principal: Principal, read: Read, path: str) -> Project:
    """Give the project, or tombstone, at a path of a batch that holds the caller's own key.

    Of another region's deployment, on the same database, there is none: each serves its own.

    Raises Error `unauthorized` as `require_own` does, then `resource_not_found` as `roles.owned`.
    """
    require_own(app, principal, read)
    return roles.owned(read[path], principal, app.settings.region)


def _meaning(record: dict[str, Any]) -> tuple[str, frozenset[str], str | None]:
    return record["account_id"], frozenset(record["roles"]), record["project_id"]
