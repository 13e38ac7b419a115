"""Updates of every kind: entity tags, what a merge patch leaves and resets, what replaces."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.kinds import KINDS, table
from tests.support.answers import DOCUMENT
from tests.support.kinds import (
    BY_KIND,
    MERGE,
    PATCHED,
    STRAYS,
    TAGGED,
    UPDATED,
    called,
    refused,
    tag_of,
    without_own,
)
from tests.support.kinds_examples import CANARY, PROBE, filled

every_kind = pytest.mark.parametrize("kind", KINDS, ids=called)
updated_kinds = pytest.mark.parametrize("kind", UPDATED, ids=called)
patched_kinds = pytest.mark.parametrize("kind", PATCHED, ids=called)


@pytest.fixture
def subject(home, request):
    """An example of the test's kind: its number, its key, its answer, and its change."""
    kind = request.getfixturevalue("kind")
    number = next(home.numbers[kind])
    made = home.create(kind, "full", number).json()
    return number, made[kind.key], made, filled(BY_KIND[kind].change, number, "")


@every_kind
def test_etag(home, kind):
    """The ETag is the entity tag as it is, on every answer of those that have one; on no other."""
    made = home.create(kind)
    shown = [made, home.get(kind, made.json()[kind.key])]
    if kind.update:
        number = next(home.numbers[kind])
        key = made.json()[kind.key]
        change = filled(BY_KIND[kind].change, number, "")
        shown += [home.update(kind, key, change) for _ in range(2)]  # the same again is a write
        shown.append(home.get(kind, key))
    assert [answer.status_code for answer in shown] == [kind.created] + [200] * (len(shown) - 1)
    tags = [tag_of(answer) for answer in shown]
    assert tags == [answer.json().get("entity_tag") for answer in shown]
    if kind not in TAGGED:
        assert set(tags) == {None}
        return
    assert all(re.fullmatch("[0-9a-f]{16}", tag) for tag in tags)
    assert tags[0] == tags[1]
    assert len(set(tags)) == (3 if kind.update else 1)
    assert all(tag_of(home.ask("GET", home.at(kind))) is None for _ in range(2))


@updated_kinds
def test_change(home, kind, subject):
    """A change is answered as a get answers it then; what it does not name stays or is gone."""
    number, key, made, change = subject
    usage = home.usage(kind)["count"]
    answer = home.update(kind, key, change, made["entity_tag"])
    assert answer.status_code == 200
    assert without_own(answer.json()) == BY_KIND[kind].says("change", number)
    lasting = {"id", "name", "project_id", "region", "href", "created_at", "resource_type"}
    assert {n: made[n] for n in lasting & set(made)}.items() <= answer.json().items()
    assert "Location" not in answer.headers
    assert home.get(kind, key).content == answer.content
    assert answer.json() in home.entries(kind)
    assert home.usage(kind)["count"] == usage


@updated_kinds
def test_if_match(home, kind, subject):
    """Only the tag that is, or a star, lets a change through; a refused one changes nothing."""
    _, key, made, change = subject
    stale = made["entity_tag"]
    fresh = home.update(kind, key, change, stale).json()
    target = "If-Match"
    for tag in (stale, "0" * 16, "x"):
        refused(home.update(kind, key, change, tag), 412, "precondition_failed", target)
    refused(home.update(kind, key, change, None), 400, "missing_field", target)
    for tag in (f'"{fresh["entity_tag"]}"', f'W/"{stale}"', "A", "a, b"):
        refused(home.update(kind, key, change, tag), 400, "invalid_field", target)
    assert home.get(kind, key).json() == fresh
    assert home.update(kind, key, change, "*").status_code == 200
    assert home.get(kind, key).json()["entity_tag"] not in {stale, fresh["entity_tag"]}


@updated_kinds
def test_of_changes_at_once_one_wins(home, kind, subject):
    """Of eight changes of one tag, one is made; the count stays as it is."""
    _, key, made, change = subject
    usage = home.usage(kind)
    with ThreadPoolExecutor(8) as pool:
        work = [pool.submit(home.update, kind, key, change, made["entity_tag"]) for _ in range(8)]
        found = [future.result() for future in work]
    assert sorted(answer.status_code for answer in found) == [200] + [412] * 7
    (won,) = [answer.json() for answer in found if answer.status_code == 200]
    assert home.get(kind, key).json() == won
    assert home.usage(kind)["count"] == usage["count"]


@updated_kinds
def test_strays_of_a_change_are_ignored(home, kind, subject):
    """Members that are unknown, of no type they could have, or not to be changed do nothing."""
    number, key, made, change = subject
    lasting = dict.fromkeys(kind.lasting, "private_path_service_gateway")
    answer = home.update(kind, key, {**STRAYS, **lasting, **change})
    assert answer.status_code == 200, answer.text
    assert without_own(answer.json()) == BY_KIND[kind].says("change", number)
    assert (answer.json()["name"], answer.json()["project_id"]) == (key, home.project["id"])
    assert answer.json()["entity_tag"] != "x"
    assert answer.json().get("id") == made.get("id")


def members(kind):
    """Give the members that a patch may name, and those of a create that are required."""
    schemas = DOCUMENT["components"]["schemas"]
    known = schemas[f"{kind.schema}Patch"]["properties"]
    return known, {*schemas[f"{kind.schema}Prototype"]["required"], *BY_KIND[kind].least}


@patched_kinds
def test_an_empty_patch(home, kind, subject):
    """A patch without members changes nothing but the tag."""
    number, key, made, _ = subject
    answer = home.update(kind, key, {}).json()
    same = {**made, "entity_tag": answer["entity_tag"], **BY_KIND[kind].changed}
    assert answer == filled(same, number, key)
    assert answer["entity_tag"] != made["entity_tag"]


@patched_kinds
@pytest.mark.parametrize("kind_of_media", ["merge-patch+json", "json", "json; charset=utf-8"])
def test_media_types(home, kind, subject, kind_of_media):
    """A patch comes as either of two media types."""
    number, key, _, change = subject
    sent = {"Content-Type": f"application/{kind_of_media}"}
    answer = home.update(kind, key, change, **sent)
    assert answer.status_code == 200
    assert without_own(answer.json()) == BY_KIND[kind].says("change", number)


@patched_kinds
def test_null_resets(home, kind, subject):
    """Null takes a member back to its default; all of them, to what the least one would be."""
    number, key, _, _ = subject
    example = BY_KIND[kind]
    known, required = members(kind)
    nulls = dict.fromkeys(set(known) - required)
    answer = home.update(kind, key, nulls)
    assert answer.status_code == 200, answer.text
    least = example.says("least", number) | {n: example.full[n] for n in required - {"name"}}
    expected = filled({**least, **example.changed}, number, key)
    assert without_own(answer.json()) == expected


@patched_kinds
def test_null_of_what_is_required(home, kind, subject):
    """Null takes away what is required: that is refused, all at once."""
    _, key, _, _ = subject
    known, _ = members(kind)
    required = set(DOCUMENT["components"]["schemas"][f"{kind.schema}Prototype"]["required"])
    before = home.get(kind, key).content
    for names in [[name] for name in required & set(known)] + [sorted(required & set(known))]:
        if names:
            nulls = dict.fromkeys(names)
            refused(home.update(kind, key, nulls), 400, "invalid_field", *names)
    across = set(BY_KIND[kind].least) - required - set(kind.lasting)
    for name in across:  # required by a rule across fields
        refused(home.update(kind, key, {name: None}), 400, "missing_field", name)
    assert home.get(kind, key).content == before


@patched_kinds
def test_arrays_are_replaced(home, kind, subject):
    """An array is never merged: the patch's takes its place, be it shorter, longer or empty."""
    _, key, made, _ = subject
    known, _ = members(kind)
    arrays = [name for name in known if isinstance(made.get(name), list)]
    for name in arrays:
        for wanted in (made[name][:1], made[name] * 2, []):
            if name == "run_volume_mounts" and len(wanted) > 1:
                wanted[1] = {**wanted[1], "mount_path": "/etc/other"}  # its own, as is the rule
            answer = home.update(kind, key, {name: wanted})
            assert answer.status_code == 200, answer.text
            assert answer.json()[name] == wanted
    whole = {name: made[name] for name in arrays}
    assert home.update(kind, key, whole).json().items() >= whole.items()


# kind, what was, what comes, what is then: objects are merged, member by member.
NESTED = [
    (table.APPS, "probe_liveness", PROBE, {"port": 9, "timeout": None}, {"port": 9, "timeout": 1}),
    (table.APPS, "probe_readiness", PROBE, {"initial_delay": None}, {"initial_delay": ...}),
    (
        table.DOMAIN_MAPPINGS,
        "component",
        {"name": "a", "resource_type": "app_v2"},
        {"resource_type": "job_v2"},
        {"resource_type": "job_v2"},
    ),
]


@pytest.mark.parametrize(("kind", "member", "was", "comes", "differs"), NESTED)
def test_objects_are_merged(home, kind, member, was, comes, differs):
    """An object's members are merged one by one, at any depth; null takes one to its default."""
    key = home.made(kind, **{member: was})[kind.key]
    answer = home.update(kind, key, {member: comes})
    assert answer.status_code == 200, answer.text
    whole = {name: value for name, value in {**was, **differs}.items() if value is not ...}
    assert answer.json()[member] == whole
    inner = {name: None for name in was if kind is table.DOMAIN_MAPPINGS}
    if inner:
        names = [f"{member}.{name}" for name in inner]
        refused(home.update(kind, key, {member: inner}), 400, "invalid_field", *names)


def test_every_nested_member_is_tried():
    """Each member of a patch that is an object has a row above."""
    objects = {
        (kind, name)
        for kind in PATCHED
        for name, schema in members(kind)[0].items()
        if "properties" in schema
    }
    assert objects == {(kind, member) for kind, member, *_ in NESTED}


def test_an_object_can_be_added_and_taken_away(home):
    """What an app never had is merged into nothing: defaults are filled in."""
    key = home.made(table.APPS, "least")["name"]
    added = home.update(table.APPS, key, {"probe_liveness": {"type": "http", "path": "/x"}})
    assert added.json()["probe_liveness"] == {
        "type": "http",
        "failure_threshold": 1,
        "interval": 10,
        "path": "/x",
        "timeout": 1,
    }
    assert "probe_liveness" not in home.update(table.APPS, key, {"probe_liveness": None}).json()


@pytest.mark.parametrize("kind", [k for k in UPDATED if k.update == "PUT"], ids=called)
def test_a_replacement_is_whole(home, kind, subject):
    """Nothing stays of what was, and a patch's media type is none of a replacement's."""
    _, key, _, change = subject
    bare = {name: value for name, value in change.items() if name != "data"}
    before = home.get(kind, key).json()
    if kind is table.SECRETS:  # a config map may be emptied so, as IBM's clients do
        refused(home.update(kind, key, bare), 400, "missing_field", "data")
        assert home.get(kind, key).json() == before
    else:
        assert "data" not in home.update(kind, key, bare).json()
        assert "data" not in home.get(kind, key).json()
    merge = home.update(kind, key, change, **MERGE)
    refused(merge, 415, "unsupported_media_type")


@patched_kinds
def test_a_refused_change_changes_nothing(home, kind, subject):
    """A rule across fields, broken by what a patch makes of the whole, is told; nothing is kept."""
    _, key, _, _ = subject
    broken = {
        table.JOBS: ({"scale_cpu_limit": "8"}, "scale_memory_limit"),
        table.APPS: ({"scale_max_instances": 2}, "scale_min_instances"),
        table.FUNCTIONS: ({"runtime": "python-3.13"}, "scale_concurrency"),
        table.BUILDS: ({"source_type": "local", "source_url": None, "source_secret": None},
                       "source_revision"),
        table.ALLOWED_OUTBOUND_DESTINATIONS: ({"cidr_block": "127.0.0.0/8"}, "cidr_block"),
        table.DOMAIN_MAPPINGS: ({"tls_secret": "UPPER"}, "tls_secret"),
    }  # fmt: skip
    patch, target = broken[kind]
    before, stored = home.get(kind, key).content, home.stored()
    entries = refused(home.update(kind, key, patch), 400, "invalid_field", target)
    assert CANARY not in str(entries)
    assert home.get(kind, key).content == before
    assert home.stored() == stored
