"""Who did something, as the audit trail has it: a key by its id, with its name and roles then."""

import jwt
import pytest

from shared import access, projects
from shared.access import api_keys, records
from shared.calls import OPERATOR
from shared.evidence import genuine
from shared.store import Write
from tests.access.test_accounts import operator
from tests.support import call, dump, principal_of
from tests.support.entries import entries as trail

OWNER = ["administrator", "manager"]


def made(app, **body):
    """Make a key; give its text and its id."""
    told = api_keys.create(app, call(body={"name": "ci", "roles": OWNER, **body})).body
    return told["apikey"], told["id"]


def asks(app, principal, name):
    """Make a project as somebody; give the entry of it."""
    asked = call(body={"name": name})
    by = type(asked)(principal, asked.parameters, asked.body, asked.trace, asked.operation)
    projects.create(app, by)
    (entry,) = trail(app.store, "initiator", principal.subject)[-1:]
    return entry


def rewritten(app, id_, *, signed=True, **fields):
    """Change the record of a key, as who has the signing key can, or who has the database."""
    path = records.path_of(id_)
    document = app.store.read(path)[path]
    whole = {**document.contents, **fields}
    changed = {name: value for name, value in whole.items() if value is not ...}
    new = records.signed(app, changed) if signed else changed
    app.store.commit([Write.replace(document, new)])


def test_name_and_roles_at_the_time(app):
    """Both are what they were when it was done, whatever has become of the key since."""
    text, id_ = made(app)
    first = asks(app, principal_of(app, text), "p")
    rewritten(app, id_, name="ci no more", roles=["editor"])
    second = asks(app, principal_of(app, text), "q")
    api_keys.delete(app, call(id=id_))
    kept = trail(app.store, "initiator", id_)
    assert kept == [first, second]
    assert [(one["key_name"], one["roles"]) for one in kept] == [
        ("ci", OWNER),
        ("ci no more", ["editor"]),
    ]
    assert {one["initiator"] for one in kept} == {id_}


def test_a_token_without_a_name(app):
    """One that was issued before tokens had it is taken, and the entry says that none was known."""
    text, id_ = made(app)
    token = access.issue_token(app, call(body={"apikey": text})).body["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims.pop("name") == "ci"
    header = jwt.get_unverified_header(token)
    former = jwt.encode(claims, app.keyring.signing_key, "EdDSA", headers=header)
    entry = asks(app, access.authenticate(app, former), "p")
    assert (entry["initiator"], entry["key_name"], entry["roles"]) == (id_, None, OWNER)


def test_the_operator_has_no_key(app):
    """Who makes accounts is told by the platform's e-mail; no key has a name there."""
    api_keys.create_account(app, operator())
    (entry,) = trail(app.store, "initiator", OPERATOR.subject)
    assert (entry["key_name"], entry["roles"]) == (None, [])
    assert entry["email"] == "ops@example.com"


HOSTILE = {
    "JSON": ('x","roles":["administrator"],"y":"', True),
    "markup": ("<img src=x onerror=alert(1)>", True),
    "a formula": ("=1+1", True),
    "lines": ("a\nINFO: all is well", False),
    "escapes": ("\x1b[2J", False),
    "a direction": ("\u202eselor", False),
    "half a character's escape": ("\\ud800", True),
    "nothing to be seen": ("\u2060", False),
    "longer than a name may be": ("x" * 129, False),
    "a megabyte": ("x" * 900_000, False),
    "a number": (7, False),
    "bytes": (b"x", False),
    "a list": (["x"], False),
    "no name": (..., False),
}


@pytest.mark.claim("R3", "a key's name, whatever the database says it is, does no harm on record")
@pytest.mark.parametrize("odd", HOSTILE)
def test_hostile_names(app, odd):
    """It is told as it is, or not at all: it is not signed, so who writes the database picks it."""
    name, told = HOSTILE[odd]
    text, id_ = made(app, roles=["editor"])
    rewritten(app, id_, signed=False, name=name)
    principal = principal_of(app, text)
    entry = asks(app, principal, "p")
    assert entry["key_name"] == (name if told else None)
    assert (entry["initiator"], entry["roles"]) == (id_, ["editor"])
    (document,) = app.store.query("audit", ("initiator", "==", id_), order="at", limit=9)[1]
    assert genuine(app, document.contents)
    assert len(document.contents["record"]) < 1000
    (shown,) = [key for key in api_keys.listing(app, call()).page.entries if key["id"] == id_]
    assert shown.get("name") == entry["key_name"]
    api_keys.delete(app, call(id=id_))
    (gone,) = [one for one in trail(app.store) if one["action"] == "codeengine.apikey.delete"]
    assert gone["granted"]["name"] == entry["key_name"]


def test_what_was_granted(app):
    """Of a key that is made or deleted: which, its name, roles, project and end; never its text."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    more = {"project_id": project, "expires_at": "2999-01-01T00:00:00Z"}
    text, id_ = made(app, **more)
    api_keys.delete(app, call(id=id_))
    granted = {
        "id": id_,
        "name": "ci",
        "roles": OWNER,
        "project_id": project,
        "expires_at": "2999-01-01T00:00:00.000000Z",
    }
    told = [one for one in trail(app.store) if "granted" in one]
    assert [(one["action"], one["granted"]) for one in told] == [
        ("codeengine.apikey.create", granted),
        ("codeengine.apikey.delete", granted),
    ]
    assert {one["initiator"] for one in told} == {"key"}
    secret = text.split("_", 2)[2].encode()
    assert not any(secret in piece for one in told for piece in dump(one))
