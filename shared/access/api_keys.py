"""API keys: made, listed and deleted by an account's administrators (contract section 7).

A key's text is in the answer to its creation and nowhere else. Keys, as tokens, live by the
host's clock without the offset, so no answer here tells the lifecycle's time.
"""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared import evidence
from shared.access import records
from shared.access.roles import OWNER, owned
from shared.access.tokens import digest, key_id
from shared.app import App
from shared.calls import Answer, Call, Page, timestamp
from shared.errors import invalid, missing
from shared.store import Document, Read, Write

Fields = Mapping[str, Any]
LOOK_ONLY = ("reader", "viewer")  # the roles of who names none: they change nothing
ALWAYS = ("id", "name", "account_id", "roles", "created_at")
OPTIONAL = ("description", "project_id", "created_by", "expires_at")


def create(app: App, call: Call) -> Answer:
    """Make a key of the caller's account, for all of it or for one project; its text is told once.

    Raises Error `invalid_field` for an expiry that is past, `resource_not_found` for a project
    that is not the caller's.
    """
    now = _moment(app)
    text = _new_text()
    roles = call.body.get("roles") or LOOK_ONLY
    key = _record(text, call.principal.account, roles, now) | {
        "name": call.body["name"],
        "description": call.body.get("description"),
        "project_id": call.body.get("project_id"),
        "created_by": call.principal.subject,
        "expires_at": _expiry(call.body.get("expires_at"), now),
    }
    stored = records.signed(app, key)
    path = records.path_of(key["id"])
    projects = [f"projects/{key['project_id']}"] if key["project_id"] is not None else []

    def decide(read: Read) -> tuple[list[Write], None]:
        for project in projects:
            owned(read[project], call.principal)
        made = evidence.of_key(call.origin, "apikey.create", key, app.now(read))
        return [Write.create(path, stored), made], None

    app.store.transact(evidence.operation(call.origin), [path, *projects], decide)
    where = f"{app.settings.endpoint}/v1/apikeys/{key['id']}"
    return Answer(present(key) | {"apikey": text}, location=where)


def get(app: App, call: Call) -> Answer:
    """Give a key of the caller's account; never its text."""
    path = records.path_of(call.parameters["id"])
    return Answer(present(_owned(app, app.store.read(path)[path], call)))


def listing(app: App, call: Call) -> Answer:
    """Give a page of the account's keys by id: names need not differ."""
    limit = call.parameters["limit"]
    _, found = app.store.query(
        "api_keys",
        ("account_id", "==", call.principal.account),
        order="id",
        after=call.parameters.get("start"),
        limit=limit + 1,
    )
    shown = [key for document in found[:limit] if (key := records.of(app, document))]
    following = found[limit - 1].id if len(found) > limit else None
    return Answer(page=Page("apikeys", [present(key) for key in shown], following))


def delete(app: App, call: Call) -> Answer:
    """Delete a key: no token is given for it from now on; those given live out their hour."""
    path = records.path_of(call.parameters["id"])

    def decide(read: Read) -> tuple[list[Write], Answer]:
        key = _owned(app, read[path], call)
        gone = evidence.of_key(call.origin, "apikey.delete", key, app.now(read))
        return [Write.delete(read[path]), gone], Answer()

    return app.store.transact(evidence.operation(call.origin), [path], decide)


def create_account(app: App, call: Call) -> Answer:
    """Make an account with its first API key, or register such a key again.

    For the operator alone: the function that binds it is private. The key's text is in the
    answer and nowhere else.
    """
    account = call.body.get("account_id") or secrets.token_hex(16)
    text = call.body.get("apikey") or _new_text()
    key = _record(text, account, call.body.get("roles") or OWNER, _moment(app))
    app.store.commit([Write(records.path_of(key["id"]), records.signed(app, key))])
    return Answer({"account_id": account, "apikey": text, "roles": key["roles"]})


def present(key: Fields) -> dict[str, Any]:
    """Give the answer's form of a key: what it is and allows, nothing that it could be used by."""
    told = {name: key[name] for name in (*ALWAYS, *OPTIONAL) if key[name] is not None}
    times = {name: timestamp(told[name]) for name in ("created_at", "expires_at") if name in told}
    return told | times


def _record(text: str, account: str, roles: Any, now: datetime) -> dict[str, Any]:
    """Give the stored form of an API key: never its text."""
    return {
        "id": key_id(text),
        "sha256": digest(text),
        "account_id": account,
        "name": "first",
        "roles": sorted(set(roles)),
        "created_at": now,
        **dict.fromkeys(OPTIONAL),
    }


def _new_text() -> str:
    """Mint a key's text, `ce_ID_SECRET`: 256 random bits and the id they are found by."""
    return f"ce_{secrets.token_hex(8)}_{secrets.token_urlsafe(32)}"


def _moment(app: App) -> datetime:
    """Give the time that keys and tokens live by, in whole seconds, as it is told."""
    return datetime.fromtimestamp(int(app.wall()), UTC)


def _expiry(text: str | None, now: datetime) -> datetime | None:
    if text is None:
        return None
    try:
        expiry = datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):  # a day or an hour that no calendar has
        expiry = now
    if expiry <= now:
        raise invalid("expires_at", "must be a time to come")
    return expiry


def _owned(app: App, document: Document, call: Call) -> dict[str, Any]:
    """Give a key's fields to its account; to any other it does not exist (Error 404)."""
    key = records.of(app, document)
    if key is None or key["account_id"] != call.principal.account:
        raise missing()
    return key
