"""An account has 100 API keys at most: counted exactly, whoever makes and deletes at once."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared import access, quotas
from shared.access import api_keys, key_quota, records
from shared.errors import Error
from shared.store import Write
from tests.support import call, told

ACCOUNT = "a" * 32
CALLER = call().principal.subject
MOST = 5  # beside the key that calls


@pytest.fixture(autouse=True)
def few(request, monkeypatch):
    """Few keys at most, so that a test in this process need not make a hundred."""
    if "app" in request.fixturenames:
        monkeypatch.setattr(quotas, "KEYS_PER_ACCOUNT", MOST + 1)


def made(app):
    """Make a key; give its id, or the code of the refusal."""
    try:
        return api_keys.create(app, call(body={"name": "k"})).body["id"]
    except Error as error:
        return error.code


def stored(app):
    """Give the ids of the account's keys that there are, but for the one that calls."""
    found = app.store.query("api_keys", ("account_id", "==", ACCOUNT), order="id", limit=500)[1]
    return [document.id for document in found if document.id != CALLER]


def named(app):
    """Give the ids that are named as the account's, but for the one that calls."""
    path = key_quota.path_of(ACCOUNT)
    keys = (app.store.read(path)[path].fields or {}).get("keys")
    return keys and [key for key in keys if key != CALLER]


def planted(app, count):
    """Store keys as a former version did, without naming them."""
    keys = [api_keys._record(f"ce_{n:016x}_x", ACCOUNT, ["viewer"], at(app)) for n in range(count)]
    signed = [records.signed(app, key) for key in keys]
    app.store.commit([Write.create(f"api_keys/{key['id']}", key) for key in signed])
    return [key["id"] for key in keys]


def at(app):
    """Give the time that keys live by."""
    return api_keys._moment(app)


@pytest.mark.slow
def test_one_key_too_many(host):
    """Over HTTP: the hundred and first is refused, 403, and says what to do; deleting frees."""
    owner = host.account()
    numbers = range(quotas.KEYS_PER_ACCOUNT)
    make = lambda n: owner.call("POST", "/v1/apikeys", {"name": f"k{n}"})  # noqa: E731
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(make, numbers))
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses == {201: quotas.KEYS_PER_ACCOUNT - 1, 403: 1}  # the first is one of them
    refused = next(answer for answer in answers if answer.status_code == 403)
    (error,) = refused.json()["errors"]
    assert error["code"] == "quota_exceeded"
    assert "100 API keys" in error["message"]
    one = next(answer for answer in answers if answer.status_code == 201).json()
    assert owner.call("DELETE", f"/v1/apikeys/{one['id']}").status_code == 204
    assert told.body(make("again"), 201)["name"] == "kagain"
    assert make("more").status_code == 403
    assert len(owner.got("/v1/apikeys?limit=200")["apikeys"]) == quotas.KEYS_PER_ACCOUNT
    assert host.account().call("POST", "/v1/apikeys", {"name": "k"}).status_code == 201
    assert one["apikey"] not in json.dumps(host.inside.document(key_quota.path_of(owner.id)))


@pytest.mark.claim("D2", "20 creates of a key at once, for five places: five keys, named exactly")
def test_creates_at_once(app):
    """Also where nobody has counted them yet."""
    with ThreadPoolExecutor(20) as pool:
        ids = list(pool.map(lambda _: made(app), range(20)))
    assert Counter(ids)["quota_exceeded"] == 20 - MOST
    assert stored(app) == named(app) == sorted(set(ids) - {"quota_exceeded"})


def test_making_and_deleting_at_once(app):
    """However they come in each other's way, what is named is what there is."""
    first = [made(app) for _ in range(MOST)]

    def one(number):
        if number % 2:
            return made(app)
        api_keys.delete(app, call(id=first[number // 2]))
        return "deleted"

    with ThreadPoolExecutor(2 * MOST) as pool:
        list(pool.map(one, range(2 * MOST)))
    assert stored(app) == named(app)
    assert len(stored(app)) <= MOST
    while made(app) != "quota_exceeded":
        assert len(stored(app)) <= MOST
    assert len(stored(app)) == MOST


@pytest.mark.parametrize("before", [0, 3, MOST, MOST + 2])
def test_keys_of_before(app, before):
    """What a former version stored is counted, once; an account that has more keeps them."""
    old = planted(app, before)
    ids = [made(app) for _ in range(MOST)]
    assert ids.count("quota_exceeded") == min(before, MOST)
    assert set(old) <= set(stored(app))
    assert len(stored(app)) == max(before, MOST)
    for key in list(stored(app)):
        api_keys.delete(app, call(id=key))
        assert named(app) in (None, stored(app))
    assert named(app) == []
    assert made(app) in named(app)


def test_deletes_of_too_many_at_once(app):
    """Nobody names a key that another deletes meanwhile."""
    old = planted(app, MOST + 3)
    with ThreadPoolExecutor(MOST + 3) as pool:
        list(pool.map(lambda key: api_keys.delete(app, call(id=key)), old))
    assert stored(app) == []
    assert [made(app) != "quota_exceeded" for _ in range(MOST + 1)] == [True] * MOST + [False]
    assert stored(app) == named(app)


def test_a_place_of_a_key_that_is_gone(app):
    """A former version that deletes one beside it leaves its name; before a refusal it is found."""
    ids = [made(app) for _ in range(MOST)]
    app.store.commit([Write.discard(f"api_keys/{ids[0]}")])
    assert made(app) in stored(app)
    assert stored(app) == named(app)
    assert made(app) == "quota_exceeded"


def test_keys_that_do_not_hold(app):
    """Who replaced the signing key is not held up by those that nobody can delete."""
    planted(app, 3 * MOST)
    dead = [Write.discard(key_quota.path_of(ACCOUNT))]
    for path in (f"api_keys/{n:016x}" for n in range(3 * MOST)):
        document = app.store.read(path)[path]
        dead.append(Write.update(document, {"signature": bytes(64)}))
    app.store.commit(dead)
    assert [made(app) != "quota_exceeded" for _ in range(MOST + 1)] == [True] * MOST + [False]


def test_the_operator_s_keys(app):
    """They are never refused, else who lost all keys could not be helped; and they count."""
    for _ in range(MOST + 2):
        api_keys.create_account(app, call(body={"account_id": ACCOUNT}))
    assert made(app) == "quota_exceeded"
    for key in stored(app)[:3]:
        api_keys.delete(app, call(id=key))
    assert made(app) in stored(app)
    api_keys.delete(app, call(id=stored(app)[0]))
    for number in range(2):  # one and the same, as at each start of a local host
        again = {"account_id": ACCOUNT, "apikey": f"ce_{'f' * 16}_x"}
        api_keys.create_account(app, call(body=again))
        assert len(stored(app)) == MOST, number
    assert made(app) == "quota_exceeded"


def test_an_operator_s_key_amid_a_create(app, monkeypatch):
    """One that is made between count and commit is counted all the same."""
    planted(app, MOST - 2)
    api_keys.create_account(app, call(body={"account_id": ACCOUNT}))  # nobody has counted since
    found, meanwhile = key_quota._found, iter([True])

    def counted(*asked):
        ids = found(*asked)
        if next(meanwhile, False):
            api_keys.create_account(app, call(body={"account_id": ACCOUNT}))
        return ids

    monkeypatch.setattr(key_quota, "_found", counted)
    assert made(app) == "quota_exceeded"
    assert len(stored(app)) == MOST


def test_ordinary_work_leaves_it_alone(app):
    """An exchange of a key writes nothing there, so it is no hot document."""
    key = api_keys.create(app, call(body={"name": "k"})).body
    before = app.store.read(key_quota.path_of(ACCOUNT))[key_quota.path_of(ACCOUNT)].update_time
    for _ in range(3):
        assert access.issue_token(app, call(body={"apikey": key["apikey"]})).body["access_token"]
    after = app.store.read(key_quota.path_of(ACCOUNT))[key_quota.path_of(ACCOUNT)].update_time
    assert before == after
