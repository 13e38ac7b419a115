"""What the verbs of `apikey` ask of the API.

The text of a key passes through here once, in the answer to its creation: it is never kept, and
no other command can show it.
"""

from datetime import UTC, datetime, timedelta

import click

from ce.call import Call
from ce.server import Doc, Failure, path
from ce.verbs import ending, projects
from ce.verbs.dialog import confirm, ordered, say

KEYS = "/v1/apikeys"


def create(call: Call) -> Doc:
    """Make a key for the account, or for one project."""
    if call["name"] is None:
        raise click.UsageError("Give NAME or --name.")
    wanted = {
        "name": call["name"],
        "description": call["description"],
        "roles": [*call["role"]],
        "project_id": _project(call),
        "expires_at": _expiry(call["expires_in"]),
    }
    say(call, name=call["name"])
    return _made(call, {name: value for name, value in wanted.items() if value})


def _made(call: Call, wanted: Doc, tries: int = 3) -> Doc:
    """Make the key whose text is shown; one whose text was lost with the answer is deleted."""
    try:
        return call.client.post(KEYS, wanted)
    except Failure as failure:
        if failure.code != "already_made" or tries == 1:
            raise
        lost = failure.location.rpartition("/")[2]
    try:
        call.client.delete(path("v1", "apikeys", lost))
    except Failure as failure:
        if failure.status != 404:
            left = f"A key was made whose text is lost, and is still there: its ID is '{lost}'."
            raise failure.saying(*failure.messages, left) from None
    return _made(call, wanted, tries - 1)


def unmake(call: Call, key: Doc) -> str:
    """Delete a key whose text reached nobody."""
    try:
        call.client.delete(path("v1", "apikeys", key["id"]))
    except Failure:
        return (
            "The API key was made, and its text is lost: delete it with 'ce apikey delete --id "
            f"{key['id']}'.\n"
        )
    return "The API key was made and could not be shown: it was deleted again.\n"


def listing(call: Call) -> Doc:
    """List keys, page after page."""
    say(call)
    return {"apikeys": ordered(call, call.client.pages(KEYS, "apikeys"))}


def delete(call: Call) -> None:
    """Delete the key of a name or of an id."""
    key, where = _find(call), call.client.target
    own = where.apikey.split("_")[1:2] == [key["id"]]
    if own:
        ending.confirm(
            call,
            key,
            f"API key '{key['name']}' is the one of {where.origin}: no command can use it then.",
            ending.NOBODY,
        )
    else:
        confirm(call, name=key["name"])
    say(call, name=key["name"])
    call.client.delete(path("v1", "apikeys", key["id"]))
    if own:
        ending.note(f"That was the key of {where.origin}. {where.remedy}")


def _find(call: Call) -> Doc:
    name, identity = call["name"], call["id"]
    if (name is None) == (identity is None):
        raise click.UsageError("Give exactly one of NAME, --name and --id.")
    if identity is not None:
        return call.client.get(path("v1", "apikeys", identity))
    found = [key for key in call.client.pages(KEYS, "apikeys") if key["name"] == name]
    if not found:
        raise Failure(f"API key '{name}' was not found; 'ce apikey list' shows them.", status=404)
    if len(found) > 1:
        raise Failure(
            f"{len(found)} API keys have the name '{name}': give --id; 'ce apikey list' shows them."
        )
    return found[0]


def _project(call: Call) -> str | None:
    name, identity = call["project"], call["project_id"]
    if name is not None and identity is not None:
        raise click.UsageError("Give only one of --project and --project-id.")
    return identity if name is None else str(projects.named(call, name)["id"])


def _expiry(span: timedelta | None) -> str | None:
    return None if span is None else (datetime.now(UTC) + span).isoformat(timespec="seconds")
