"""How many of each kind a project holds: exact, one by one and at once, and never off by one."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared import quotas
from shared.kinds import KINDS, table
from tests.support.kinds import Home, called, refused

ROOM = 4  # places left for those who come at once


@pytest.fixture
def full(owner):
    """A project of its own, permanently deleted afterwards: its slot is free again."""
    home = Home(owner)
    yield home
    owner.destroy(home.project)


def at_once(home, kind, count, threads):
    """Create some at once, and count the statuses."""
    with ThreadPoolExecutor(threads) as pool:
        work = [pool.submit(home.create, kind, "least") for _ in range(count)]
        return Counter(future.result().status_code for future in work)


def held(home, kind):
    """Give how many there are: in the list, in the store; the count must say the same."""
    listed = home.keys(kind)
    below = [path for path in home.stored() if path.split("/")[2] == kind.collection]
    documents = [path for path in below if path.count("/") == 3]
    assert len(listed) == len(documents) == home.usage(kind)["count"]
    return len(listed)


def test_every_kind_has_a_quota():
    """No kind is without a limit, and there is none of what is no kind."""
    assert set(quotas.RESOURCES_PER_PROJECT) == {kind.collection for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS, ids=called)
def test_quota(full, kind):
    """So many fit in, and not one more; a deletion makes room for one; a refusal keeps nothing."""
    limit = quotas.RESOURCES_PER_PROJECT[kind.collection]
    begun = held(full, kind)
    few = limit - begun - ROOM
    assert at_once(full, kind, few, 2) == {kind.created: few}
    assert at_once(full, kind, 3 * ROOM, 8) == {kind.created: ROOM, 403: 2 * ROOM}
    assert held(full, kind) == limit
    (entry,) = refused(full.create(kind), 403, "quota_exceeded")
    assert f"{limit} {kind.collection.replace('_', ' ')}" in entry["message"]
    stored = full.stored()
    refused(full.create(kind), 403, "quota_exceeded")
    assert full.stored() == stored
    one = full.left[0][1]
    if kind.update:
        assert full.update(kind, one, {"format": "generic", "data": {}}).status_code == 200
        assert held(full, kind) == limit
    assert full.delete(kind, one).status_code == 202
    assert held(full, kind) == limit - 1
    assert at_once(full, kind, 3, 3) == {kind.created: 1, 403: 2}
    assert held(full, kind) == limit


@pytest.mark.parametrize("kind", KINDS, ids=called)
def test_creates_and_deletes_at_once(full, kind):
    """Eight at once create and delete; count, list and documents agree at the end."""

    def work(_):
        seen = []
        for _ in range(3):
            answer = full.create(kind, "least")
            seen.append(answer.status_code)
            if answer.status_code == kind.created and len(seen) < 3:
                seen.append(full.delete(kind, answer.json()[kind.key]).status_code)
        return seen

    begun = held(full, kind)
    with ThreadPoolExecutor(8) as pool:
        seen = Counter(status for statuses in pool.map(work, range(8)) for status in statuses)
    assert set(seen) <= {kind.created, 202, 403}
    if kind.created == 201:
        assert held(full, kind) == begun + seen[201] - seen[202]
    assert held(full, kind) <= quotas.RESOURCES_PER_PROJECT[kind.collection]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.key == "name"], ids=called)
def test_of_one_name_at_once_one_is_made(full, kind):
    """Of eight creates of one name one is made, and counted once."""
    begun = held(full, kind)
    with ThreadPoolExecutor(8) as pool:
        work = [pool.submit(full.create, kind, "full", 7) for _ in range(8)]
        found = [future.result() for future in work]
    assert Counter(a.status_code for a in found) == {kind.created: 1, 409: 7}
    assert held(full, kind) == begun + 1
    (made,) = [answer.json() for answer in found if answer.status_code == kind.created]
    assert full.get(kind, made["name"]).json() == made


def test_kinds_have_room_of_their_own(full):
    """A kind that is full takes no other's room."""
    limit = quotas.RESOURCES_PER_PROJECT["persistent_data_stores"]
    for _ in range(limit):
        full.made(table.PERSISTENT_DATA_STORES)
    refused(full.create(table.PERSISTENT_DATA_STORES), 403, "quota_exceeded")
    for kind in KINDS:
        if kind is not table.PERSISTENT_DATA_STORES:
            full.made(kind)


def test_private_paths(full):
    """A project has three private paths, however many destinations."""
    crn = "crn:v1:bluemix:public:is:us-south:a/{}::private-path-service-gateway:r1"
    body = {"type": "private_path_service_gateway", "cidr_block": None}

    def create(number):
        path = {"private_path_service_gateway_crn": crn.format(number)}
        sent = {**body, "name": f"p-{number}", **path}
        del sent["cidr_block"]
        return full.ask("POST", full.at(table.ALLOWED_OUTBOUND_DESTINATIONS), sent)

    with ThreadPoolExecutor(8) as pool:
        found = Counter(answer.status_code for answer in pool.map(create, range(8)))
    assert found == {201: quotas.PRIVATE_PATHS, 403: 8 - quotas.PRIVATE_PATHS}
    made = full.entries(table.ALLOWED_OUTBOUND_DESTINATIONS)
    paths = [one for one in made if one["type"] == "private_path_service_gateway"]
    assert {one["isolation_policy"] for one in paths} == {"shared"}
    assert full.delete(table.ALLOWED_OUTBOUND_DESTINATIONS, paths[0]["name"]).status_code == 202
    assert create(9).status_code == 201
    refused(create(10), 403, "quota_exceeded")
