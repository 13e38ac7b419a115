"""Sign-in codes, wired in memory: once, for a minute, for the key as it was; five at most."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared import access, quotas
from shared.access import api_keys, records, signin
from shared.errors import Error
from shared.store import Write
from shared.upkeep import schedule
from tests.access.test_revocation import Overtaken
from tests.faults.faulty import COMMIT, READ, Rule, troubled
from tests.support import call, paths_below, principal_of

KEY = records.path_of("key")
MINUTE, HOUR = quotas.SIGNIN_LIFETIME.total_seconds(), 3600


def made(app, asks=call, **more):
    """Make a code; give its text."""
    return signin.create(app, asks(**more)).body["code"]


def exchanged(app, code):
    """Exchange a code for a token; give the answer's body."""
    return access.issue_token(app, asked(code)).body


def asked(code):
    """Give the call that exchanges a code."""
    return call(body={"grant_type": access.CODE_GRANT, "code": code})


def why(act, *given):
    """Give the code of the refusal, `done` where there is none."""
    try:
        act(*given)
    except Error as error:
        return error.code
    return "done"


def refusal(app, code):
    """Give all that is told where a code is refused, to who would see its key or use it."""
    told = []
    for act in (exchanged, lambda app, code: signin.preview(app, asked(code))):
        with pytest.raises(Error) as error:
            act(app, code)
        told.append((error.value.code, error.value.message, error.value.target))
    return told


def at(app, seconds):
    """Give the domain whose clock is so many seconds ahead."""
    return replace(app, wall=lambda: app.wall() + seconds)


def stored(app):
    """Give all that is stored of codes, by path."""
    documents = app.store.read(*paths_below(app.store, "", 1000)).documents
    return {path: one.fields for path, one in documents.items() if path.startswith("signin_")}


def another(app, **body):
    """Make a further key; give its id, and how calls are made with it."""
    answer = api_keys.create(app, call(body={"name": "k"} | body)).body
    principal = principal_of(app, answer["apikey"])
    return answer["id"], lambda **more: replace(call(**more), principal=principal)


@pytest.mark.claim("ID4", "a sign-in code gives one token, whoever comes at once")
def test_once(app):
    """Of twenty at once one is given a token, and it is of the key that made the code."""
    code = made(app)
    with ThreadPoolExecutor(20) as pool:
        ends = Counter(pool.map(lambda _: why(exchanged, app, code), range(20)))
    assert ends == {"done": 1, "apikey_not_found": 19}
    assert refusal(app, code) == refusal(app, "never")
    assert stored(app) == {}


def test_the_session_is_the_keys(app):
    """The token has the key's id, account, roles and scope, and is the usual hour's."""
    project = "4e49b3e0-27a8-48d2-a784-c7ee48bb863b"
    _, asks = another(app, roles=["reader"])
    answer = exchanged(app, made(app, asks))
    assert access.authenticate(app, answer["access_token"]) == asks().principal
    assert answer["expires_in"] == HOUR
    record = api_keys._record("ce_f00d_x", "a" * 32, ["viewer"], datetime.now(UTC))
    record |= {"project_id": project, "expires_at": datetime.now(UTC) + timedelta(minutes=5)}
    app.store.commit([Write.create(records.path_of("f00d"), records.signed(app, record))])
    who = principal_of(app, "ce_f00d_x")
    answer = exchanged(app, made(app, lambda: replace(call(), principal=who)))
    assert access.authenticate(app, answer["access_token"]).project == project
    assert 295 < answer["expires_in"] <= 300  # no longer than its key
    assert answer["expiration"] == int(record["expires_at"].timestamp())


@pytest.mark.claim("ID4", "a sign-in code lives for a minute")
def test_a_minute(app):
    """It is good to the last second and not after, and looking at it uses nothing up."""
    code = made(app)
    for seconds in (0, MINUTE - 2):
        told = signin.preview(at(app, seconds), asked(code)).body
        first = {"name": "first", "account_id": "a" * 32, "roles": ["administrator", "manager"]}
        assert told == first | {"expires_at": told["expires_at"]}
    assert refusal(at(app, MINUTE + 1), code) == refusal(app, "never")
    assert exchanged(at(app, MINUTE - 2), code)["token_type"] == "Bearer"


CHANGES = {
    "deleted": None,
    "expired": {"expires_at": datetime(2020, 1, 31, tzinfo=UTC)},
    "to expire": {"expires_at": datetime(2999, 1, 31, tzinfo=UTC)},
    "fewer roles": {"roles": ["manager"]},
    "more roles": {"roles": ["administrator", "manager", "purge"]},
    "for one project": {"project_id": "4e49b3e0-27a8-48d2-a784-c7ee48bb863b"},
    "another text": {"sha256": bytes(32)},
}


@pytest.mark.claim("ID4", "a sign-in code is worth nothing once its key is gone or has changed")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_key_changed_between(app, change):
    """What the key is when the code is used decides: it must be what it was, to the letter."""
    code = made(app)
    before = app.store.read(KEY)[KEY]
    record = change and records.signed(app, before.contents | change)
    app.store.commit([Write.replace(before, record) if change else Write.delete(before)])
    assert refusal(app, code) == refusal(app, "never")
    app.store.commit([Write(KEY, before.contents)])
    assert exchanged(app, code)


def test_deleting_a_key_removes_its_codes(app):
    """All of its codes, and of no other key's."""
    key, asks = another(app)
    codes = [made(app, asks) for _ in "12"]
    mine = made(app)
    assert len(stored(app)) == 5  # three codes, two lists
    api_keys.delete(app, call(id=key))
    assert len(stored(app)) == 2
    assert {why(exchanged, app, code) for code in codes} == {"apikey_not_found"}
    assert exchanged(app, mine)


def test_a_key_deleted_meanwhile(app):
    """Between the reading of a code and its use, or its making, the key goes: nothing is given."""
    code = made(app)
    before = app.store.read(KEY)[KEY]
    for act in (lambda app: exchanged(app, code), made):
        api, database, jitter = app.store._api, app.store._database, app.store._jitter
        store = Overtaken(api, database, jitter, token="owner")
        store.meanwhile = lambda: app.store.commit([Write.discard(KEY)])
        assert why(act, replace(app, store=store)) in {"apikey_not_found", "unauthorized"}
        app.store.commit([Write(KEY, before.contents)])
    assert len(stored(app)) == 2


@pytest.mark.claim("ID4", "five live sign-in codes a key, whoever comes at once")
def test_the_sixth(app):
    """Twenty at once make five; a used one makes room, an expired one too, another key has its."""
    with ThreadPoolExecutor(20) as pool:
        ends = Counter(pool.map(lambda _: why(made, app), range(20)))
    assert ends == {"done": quotas.SIGNIN_CODES, "quota_exceeded": 20 - quotas.SIGNIN_CODES}
    assert made(app, another(app)[1])
    later = at(app, MINUTE + 1)
    code = made(later)
    (listed,) = (one for path, one in stored(app).items() if path == signin.live_of("key"))
    assert len(listed["codes"]) == 1
    for _ in range(quotas.SIGNIN_CODES - 1):
        made(later)
    assert why(made, later) == "quota_exceeded"
    assert exchanged(later, code)
    assert why(made, later) == "done"


def test_a_session_makes_no_code(app):
    """Who was signed in by a code cannot go on for ever by codes of its own."""
    token = exchanged(app, made(app))["access_token"]
    principal = access.authenticate(app, token)
    assert why(signin.create, app, replace(call(), principal=principal)) == "forbidden"


EDITS = {
    "another key": {"key_id": "other"},
    "another key's digest": {"key": bytes(32)},
    "later": {"expires_at": datetime(2999, 1, 1, tzinfo=UTC)},
    "another signature": {"signature": bytes(64)},
    "half a signature": {"signature": bytes(32)},
    "no signature": {"signature": None},
    "a text for a time": {"expires_at": "2999-01-01T00:00:00+00:00"},
    "bytes for a key": {"key_id": b"key"},
}


@pytest.mark.claim("ID4", "a sign-in code planted or changed in the database is none")
@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_who_writes_the_database_makes_no_code(app, edit, caplog):
    """Each member counts, and the place; the log tells it and shows nothing of it."""
    code, where = made(app), signin._path
    fields = stored(app)[where(code)]
    app.store.commit([Write(where(code), fields | edit), Write(where("mine"), fields)])
    for text in (code, "mine"):
        caplog.clear()
        assert refusal(app, text) == refusal(app, "never")
        assert [json.loads(line)["severity"] for line in caplog.messages] == ["CRITICAL"] * 2
        assert "mine" not in caplog.text
        assert code not in caplog.text
    app.store.commit([Write(where(code), fields)])
    assert exchanged(app, code)


def test_codes_from_before(app):
    """`CE_KEYS_SINCE` ends codes that were made before, as it does tokens."""
    code = made(app)
    key = app.store.read(KEY)[KEY].contents | {"created_at": datetime(2999, 1, 1, tzinfo=UTC)}
    since = replace(app.settings, keys_since=datetime.now(UTC) + timedelta(seconds=1))
    assert refusal(replace(app, settings=since), code) == refusal(app, "never")
    # Of the code alone: a key that counts makes no difference.
    app.store.commit([Write(KEY, records.signed(app, key))])
    old = replace(app, wall=lambda: app.wall() - 100)
    fresh = made(old)
    assert why(exchanged, replace(old, settings=since), fresh) == "apikey_not_found"


def test_kept_an_hour(app):
    """The schedule removes what nobody used an hour after its end, and nothing sooner."""
    made(app), made(app, another(app)[1])
    assert schedule.enforce(at(app, MINUTE + HOUR - 5))["forgotten"] == 0
    assert len(stored(app)) == 4
    late = at(app, MINUTE + HOUR + 1)
    code = made(late)  # of a key whose list is old
    assert schedule.enforce(late)["forgotten"] == 3
    assert len(stored(app)) == 2
    assert exchanged(late, code)


@pytest.mark.claim("ID4", "a sign-in code whose answer the store lost is used once all the same")
def test_lost_answers(app):
    """A commit whose answer is lost is found again; one told as 503 leaves the code used."""
    there, _ = troubled(app, Rule(COMMIT, "after", last=1))
    assert exchanged(there, made(app))["access_token"]
    code = made(app)
    silent = Rule(COMMIT, "after", last=1), Rule(READ, "before", first=3), Rule(COMMIT, "before")
    there, _ = troubled(app, *silent)
    assert why(exchanged, there, code) == "unavailable"
    assert refusal(app, code) == refusal(app, "never")


@pytest.mark.parametrize("on", [READ, COMMIT])
def test_the_store_is_down(app, on):
    """Nothing is given and nothing used up; it is 503, to be tried again."""
    code = made(app)
    before = stored(app)
    there, _ = troubled(app, Rule(on, "before"))
    acts = [made, lambda app: exchanged(app, code), lambda app: signin.preview(app, asked(code))]
    for act in acts[: 3 if on == READ else 2]:
        assert why(act, there) == "unavailable"
    assert stored(app) == before
    assert exchanged(app, code)


def test_sent_again(app):
    """Under an `Idempotency-Key` one code is made; its text is told once, and stored nowhere."""
    under = {"idempotency_key": "k", "operation": "create_signin_code"}
    code = made(app, **under)
    assert why(made, replace(app), call) == "done"
    before = stored(app)
    assert why(lambda: made(app, **under)) == "already_made"
    assert stored(app) == before
    whole = app.store.read(*paths_below(app.store, "", 1000)).documents
    assert code not in str({path: one.fields for path, one in whole.items()})
