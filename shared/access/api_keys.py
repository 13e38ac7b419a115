"""API keys: made, listed and deleted by an account's administrators (contract section 7).

A key's text is in the answer to its creation and nowhere else. Keys, as tokens, live by the
host's clock without the offset, so no answer here tells the lifecycle's time.
"""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared import evidence
from shared.access import key_quota, records, signin
from shared.access.callers import own_key, owned, require_own
from shared.access.roles import OWNER, lacking, require_all
from shared.access.tokens import digest, key_id
from shared.app import App
from shared.calls import Answer, Call, Page, timestamp
from shared.errors import Error, invalid, missing
from shared.store import Read, Write

Fields = Mapping[str, Any]
LOOK_ONLY = ("reader", "viewer")  # the roles of who names none: they change nothing
ALWAYS = ("id", "name", "account_id", "roles", "created_at")
OWN = ("id", "name", "account_id", "roles", "scope", "created_at", "expires_at")
OPTIONAL = ("description", "project_id", "created_by", "expires_at")


def create(app: App, call: Call) -> Answer:
    """Make a key of the caller's account, for all of it or for one project; its text is told once.

    It is no more than the key that makes it: no verb that that one has not, no later expiry; and
    it stays when that one is deleted. Raises Error `forbidden` for roles of more, `invalid_field`
    for an expiry that is past or later, `unauthorized` where the caller's own key is gone,
    `resource_not_found` for a project that is not the caller's, `quota_exceeded` when the account
    has as many keys as it may.
    """
    now, text = _moment(app), _new_text()
    asked = _record(text, call.principal.account, _roles(call), now) | {
        "name": call.body["name"],
        "description": call.body.get("description"),
        "project_id": call.body.get("project_id"),
        "created_by": call.principal.subject,
        "expires_at": _expiry(call.body.get("expires_at"), now),
    }
    own, path = own_key(call.principal), records.path_of(asked["id"])
    once = evidence.Once(app, call)
    projects = [f"projects/{asked['project_id']}"] if asked["project_id"] is not None else []

    def decide(read: Read) -> tuple[list[Write], dict[str, Any]]:
        maker, now = require_own(app, call.principal, read), app.now(read)
        _refuse_again(app, once.told(read, now))
        require_all(call.principal, asked["roles"])
        for project in projects:
            owned(app, call.principal, read, project)
        key = asked | {"expires_at": _within(asked["expires_at"], maker["expires_at"])}
        made = evidence.of_key(app, call.origin, "apikey.create", key, now)
        named = key_quota.added(app, call, read, key["id"])
        stored = Write.create(path, records.signed(app, key))
        left = once.left(read, now, {"id": key["id"]})
        return [Write.verify(read[own]), stored, named, made, *left], key

    paths = [own, path, key_quota.path_of(asked["account_id"]), *projects, *once.paths]
    key = app.store.transact(evidence.operation(call.origin), paths, decide)
    return Answer(present(key) | {"apikey": text}, location=_where(app, key))


def get(app: App, call: Call) -> Answer:
    """Give a key of the caller's account; never its text.

    Raises Error `unauthorized` where the caller's own key is gone.
    """
    path = records.path_of(call.parameters["id"])
    read = app.store.read(own_key(call.principal), path)
    return Answer(present(_owned(app, call, read, path)))


def own(app: App, call: Call) -> Answer:
    """Give the key that calls: what it is and allows, and the one project it is for, as `scope`.

    Raises Error `unauthorized` where it is gone.
    """
    key = require_own(app, call.principal, app.store.read(own_key(call.principal)))
    told = present(key)
    told["scope"] = told.pop("project_id", None)
    return Answer({name: told[name] for name in OWN if told.get(name) is not None})


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
    # By what it is ordered by, which is no id of ours where somebody else wrote it.
    following = found[limit - 1].contents["id"] if len(found) > limit else None
    return Answer(page=Page("apikeys", [present(key) for key in shown], following))


def delete(app: App, call: Call) -> Answer:
    """Delete a key, its sign-in codes, and what its tokens may do, but for lists of the account.

    A key may delete itself. Raises Error `unauthorized` where the caller's own key is gone.
    """
    own, path = own_key(call.principal), records.path_of(call.parameters["id"])
    once, codes = evidence.Once(app, call), signin.live_of(call.parameters["id"])

    def decide(read: Read) -> tuple[list[Write], Answer]:
        if own != path:  # who deleted the key that it calls with is told so all the same
            require_own(app, call.principal, read)
        now = app.now(read)
        if once.told(read, now):
            return [], Answer()
        key = _owned(app, call, read, path)
        held = [Write.verify(read[own])] if own != path else []  # deleting it verifies it too
        gone = evidence.of_key(app, call.origin, "apikey.delete", key, now)
        unnamed = key_quota.removed(app, call, read, key["id"])
        left = [*signin.ended(read[codes]), *once.left(read, now, {"id": key["id"]})]
        return [*held, Write.delete(read[path]), unnamed, gone, *left], Answer()

    named = key_quota.path_of(call.principal.account)
    paths = [*dict.fromkeys((own, path)), named, codes, *once.paths]
    return app.store.transact(evidence.operation(call.origin), paths, decide)


def create_account(app: App, call: Call) -> Answer:
    """Make an account, or a further key of one, or register such a key again as it was at first.

    For the operator alone: the function that binds it is private. The key's text is in the
    answer and nowhere else; each call leaves an audit entry. Raises Error `conflict` for a key
    whose id another one has: of another account, of another text, or made by a tenant's key.
    """
    account = call.body.get("account_id") or secrets.token_hex(16)
    text = call.body.get("apikey") or _new_text()
    key = _record(text, account, call.body.get("roles") or OWNER, _moment(app))
    stored, path = records.signed(app, key), records.path_of(key["id"])
    once = evidence.Once(app, call)

    def decide(read: Read) -> tuple[list[Write], None]:
        now = app.now(read)
        _refuse_again(app, once.told(read, now))
        # What is stored, whether or not it counts: nothing is replaced but the key itself.
        before = read[path].fields
        same = "account_id", "sha256", "created_by"  # of one that a tenant made, that is its maker
        if before and any(before.get(name) != key[name] for name in same):
            raise Error("conflict", "Another key has this id: it is not replaced.")
        made = evidence.of_key(app, call.origin, "account.create", key, now)
        named, left = key_quota.uncounted(account, call), once.left(read, now, {"id": key["id"]})
        return [Write.replace(read[path], stored), named, made, *left], None

    app.store.transact(evidence.operation(call.origin), [path, *once.paths], decide)
    return Answer({"account_id": account, "apikey": text, "roles": key["roles"]})


def _where(app: App, key: Fields) -> str:
    return f"{app.settings.endpoint}/v1/apikeys/{key['id']}"


def _refuse_again(app: App, made: Fields | None) -> None:
    """Raise Error `already_made` for a key that the same request made: its text is told once."""
    if made:
        told = f"The same request made the key `{made['id']}`, and its text is told only once"
        message = f"{told}: delete it, and make another under an Idempotency-Key of its own."
        raise Error("already_made", message, headers={"Location": _where(app, made)})


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


def _roles(call: Call) -> list[str]:
    """Give the roles that are asked for; of none, those to look only that its maker may give."""
    if asked := call.body.get("roles"):
        return list(asked)
    return [role for role in LOOK_ONLY if not lacking(call.principal, [role])]


def _within(asked: datetime | None, most: datetime | None) -> datetime | None:
    """Give a key's expiry: its maker's where none is asked for, and none later."""
    if asked and most and asked > most:
        raise invalid("expires_at", "must not be later than that of the key it is made with")
    return asked or most


def _owned(app: App, call: Call, read: Read, path: str) -> dict[str, Any]:
    """Give a key's fields to its account; to any other it does not exist (Error 404)."""
    require_own(app, call.principal, read)
    key = records.of(app, read[path])
    if key is None or key["account_id"] != call.principal.account:
        raise missing()
    return key
