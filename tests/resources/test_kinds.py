"""Every kind over HTTP: create, get, list, update, delete. One suite, a row for each kind."""

import itertools
import threading

import pytest

from shared.kinds import KINDS
from tests.support.answers import DOCUMENT
from tests.support.kinds import BY_KIND, STRAYS, TAGGED, Home, called, refused, tag_of, without_own
from tests.support.kinds_examples import EXAMPLES, filled

every_kind = pytest.mark.parametrize("kind", KINDS, ids=called)


def properties(kind):
    """Give the members of a create's body, and which are required."""
    schema = DOCUMENT["components"]["schemas"][f"{kind.schema}Prototype"]
    return schema["properties"], schema.get("required", [])


def test_every_kind_brings_its_example():
    """A kind without a row in kinds_examples.py has no tests, and is not to be."""
    assert [example.kind for example in EXAMPLES] == list(KINDS)


@every_kind
def test_the_example_is_whole(kind):
    """An example has every member of a create's body, and changes some of them."""
    example = BY_KIND[kind]
    known, required = properties(kind)
    assert {*example.full, *example.apart, "name"} >= set(known) >= set(example.full)
    assert {*example.least, "name"} >= set(required)
    assert bool(example.change) == bool(kind.update)
    for name, value in example.change.items():
        assert name == "format" or example.full[name] != value


@every_kind
@pytest.mark.parametrize("form", ["least", "full"])
def test_create(home, kind, form):
    """What is created is answered as it was sent, whole, at the place it says; and got so."""
    number = next(home.numbers[kind])
    answer = home.create(kind, form, number)
    assert answer.status_code == kind.created
    body = answer.json()
    example = BY_KIND[kind]
    assert without_own(body) == example.says(form, number)
    sent = example.body(number, getattr(example, form))
    if kind.key == "name":
        assert body["name"] == sent["name"]
    key = body[kind.key]
    place = home.host.url + home.at(kind, key)
    assert answer.headers["Location"] == place
    owned = {"project_id": home.project["id"], "region": home.project["region"], "href": place}
    for member, value in owned.items():
        assert body.get(member) == (value if member in kind.members else None)
    assert set(kind.members) <= set(body)
    got = home.get(kind, key)
    assert got.status_code == 200
    assert got.content == answer.content
    assert body in home.entries(kind)


@every_kind
def test_strays_of_a_create_are_ignored(home, kind):
    """Members that are not known, or not the caller's to say, change nothing."""
    strays = {name: value for name, value in STRAYS.items() if name != "name"}
    number = next(home.numbers[kind])
    answer = home.create(kind, "full", number, **strays)
    assert answer.status_code == kind.created
    assert without_own(answer.json()) == BY_KIND[kind].says("full", number)
    assert answer.json()["project_id"] == home.project["id"]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.key == "name"], ids=called)
def test_conflict(home, kind):
    """A name is taken once; what is there stays as it is."""
    number = next(home.numbers[kind])
    made = home.create(kind, "least", number).json()
    usage = home.usage(kind)
    for form in ("least", "full"):
        refused(home.create(kind, form, number), 409, "name_taken", "name")
    assert home.get(kind, made["name"]).json() == made
    assert home.usage(kind) == usage


def by_name(home, kind, verb, **members):
    """Call a kind's function by its name."""
    return home.account.function(
        verb + (kind.collection.title().replace("_", "") if verb == "list" else kind.schema),
        project_id=home.project["id"],
        **members,
    )


@every_kind
def test_by_name(home, kind):
    """A kind's functions, called by name, answer as its REST operations do."""
    number = next(home.numbers[kind])
    example = BY_KIND[kind]
    write = "put" if kind.update else "create"
    made = by_name(home, kind, write, **example.body(number, example.full))
    assert (made.status_code, without_own(made.json())) == (
        kind.created,
        example.says("full", number),
    )
    key = {kind.key: made.json()[kind.key]}
    assert by_name(home, kind, "get", **key).content == home.get(kind, *key.values()).content
    listed = by_name(home, kind, "list", limit=200).json()[kind.collection]
    assert listed == home.entries(kind)
    if kind.update:
        body = filled(example.change, number, "")
        changed = by_name(home, kind, write, **key, **body, if_match="*")
        assert changed.status_code == 200
        assert without_own(changed.json()) == example.says("change", number)
    gone = by_name(home, kind, "delete", **key)
    assert (gone.status_code, gone.content) == (202, b"")
    refused(home.get(kind, *key.values()), 404, "resource_not_found")


@pytest.fixture(scope="module")
def shelf(host):
    """A project with seven of each kind; what is listed is not changed by others."""
    home = Home(host.account())
    for kind in KINDS:
        for _ in range(7 - len(home.entries(kind))):  # some are there from the beginning
            home.made(kind)
    return home


@every_kind
def test_pages(shelf, kind, subtests):
    """Pages of any size give every one once, by key; links are followed as they are."""
    whole = shelf.entries(kind)
    keys = [entry[kind.key] for entry in whole]
    assert (keys, len(keys)) == (sorted(keys), 7)
    for limit in (1, 3, 7, 200):
        with subtests.test(limit=limit):
            paged(shelf, kind, limit, whole)


def paged(shelf, kind, limit, whole):
    """Follow the pages of a size, and hold them against the whole list."""
    found = list(shelf.pages(kind, f"limit={limit}&version=2024-05-13"))
    assert [entry for page in found for entry in page[kind.collection]] == whole
    assert [len(page[kind.collection]) for page in found[:-1]] == [limit] * (len(found) - 1)
    assert len(found) == -(-7 // limit)
    for page, following in itertools.pairwise(found):
        assert page["next"]["start"] == page[kind.collection][-1][kind.key]
        assert following["first"] == page["first"] == found[0]["first"]
    for page in found:
        links = [link["href"] for link in (page["first"], page.get("next")) if link]
        assert all(f"limit={limit}&" in f"{link}&" for link in links)
        assert all("version=2024-05-13" in link for link in links)
        assert page["limit"] == limit


@every_kind
def test_start(shelf, kind, subtests):
    """A page starts beyond any text, whether or not it is the key of anything."""
    whole = shelf.entries(kind)
    for start in ("testString", "", "\0", "é", "r-", "zzz", "y" * 512, "a/../b"):
        with subtests.test(start=start):
            answer = shelf.ask("GET", shelf.at(kind), params={"start": start, "limit": 200})
            assert answer.status_code == 200
            beyond = [entry for entry in whole if entry[kind.key].encode() > start.encode()]
            assert answer.json()[kind.collection] == beyond


@every_kind
def test_start_at_what_is_gone(home, kind):
    """A list goes on from a key that was deleted since the page that ended with it."""
    made = sorted(home.made(kind)[kind.key] for _ in range(3))
    pages = home.pages(kind, "limit=1")
    found = []
    for page in pages:
        found += [entry[kind.key] for entry in page[kind.collection]]
        if found[-1] == made[0]:
            assert home.delete(kind, made[0]).status_code == 202
    assert found == sorted([*home.keys(kind), made[0]])
    assert len(found) == len(set(found))


@every_kind
def test_pages_while_others_write(home, kind):
    """What was there before is listed once, whatever is created meanwhile."""
    before = [home.made(kind, "least")[kind.key] for _ in range(3)]
    before = sorted({*before, *home.keys(kind)})
    stop = threading.Event()
    made = []

    def write():
        while not stop.is_set() and len(made) < 12:
            made.append(home.create(kind, "least").status_code)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        found = home.keys(kind, "limit=1")
    finally:
        stop.set()
        writer.join(60)
    assert found == sorted(found)
    assert len(found) == len(set(found))
    assert set(before) <= set(found)
    assert set(made) <= {kind.created, 403}


# filter: two values of it, and how an example of each is made
FILTERS = {
    "format": ("generic", "tls"),
    "job_name": ("r-1", "r-2"),
    "build_name": ("r-1", "r-2"),
}
TLS = {"format": "tls", "data": {"tls_cert": "c", "tls_key": "k"}}


@pytest.mark.parametrize(
    ("kind", "name"),
    [(k, name) for k in KINDS for name in k.filters],
    ids=lambda one: getattr(one, "collection", one),
)
def test_filters(home, kind, name):
    """A list gives only what is asked for, on pages of any size; links keep the filter."""
    values = FILTERS[name]
    for template in (row for row in KINDS if row.collection == kind.template):
        for number in (1, 2):
            home.create(template, "least", number)
    expected = {value: set() for value in values}
    for value in values * 3:
        members = TLS if value == "tls" else {name: value}
        expected[value].add(home.made(kind, "least", **members)[kind.key])
    for value in values:
        for limit in (1, 2, 100):
            found = list(home.pages(kind, f"{name}={value}&limit={limit}"))
            entries = [entry for page in found for entry in page[kind.collection]]
            assert [entry[kind.key] for entry in entries] == sorted(expected[value])
            assert {entry[name] for entry in entries} == {value}
            links = [link["href"] for p in found for link in (p["first"], p.get("next")) if link]
            assert all(f"{name}={value}" in link for link in links)
    assert home.keys(kind, f"{name}={FILTERS[name][0]}&start=zzz") == []


@every_kind
def test_delete(home, kind):
    """What is deleted is gone for good: 202 without a body, then 404 for all, and uncounted."""
    number = next(home.numbers[kind])
    made = home.create(kind, "full", number).json()
    count = home.usage(kind)["count"]
    gone = home.delete(kind, made[kind.key])
    assert (gone.status_code, gone.content) == (202, b"")
    refused(home.get(kind, made[kind.key]), 404, "resource_not_found")
    refused(home.delete(kind, made[kind.key]), 404, "resource_not_found")
    if kind.update:
        for tag in ("*", made["entity_tag"]):
            change = filled(BY_KIND[kind].change, number, "")
            answer = home.update(kind, made[kind.key], change, tag)
            refused(answer, 404, "resource_not_found")
    assert home.usage(kind)["count"] == count - 1
    again = home.create(kind, "full", number)
    assert again.status_code == kind.created
    if "id" in made:
        assert again.json()["id"] != made["id"]
    if kind in TAGGED:
        assert tag_of(again) != made["entity_tag"]
