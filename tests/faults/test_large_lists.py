"""Lists of values that are six times as long in an answer as they are stored, many at once."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from shared import quotas
from tests.functions.test_functions import running
from tests.support.memory import Server
from tests.support.wire import MIB

pytestmark = pytest.mark.slow

AT_ONCE = 16
MOST = 1_048_576  # characters of one value
# How many secrets, how many values in each, and each value: of null bytes, which JSON writes as
# `\u0000`, or of what makes Python keep four bytes for each character.
ESTATES = {
    "many small": (40, 1, "\0" * 100_000),
    "few large": (3, 2, "\0" * MOST),
    "many keys": (20, 1000, "\0" * 200),
    "beyond 16 bits": (6, 1, "\U0001f512" * (MOST // 2)),
    "one beyond 16 bits": (4, 2, "\U0001f512" + "a" * (MOST - 4)),
    "small, and one beyond 16 bits": (40, 1, "\U0001f512" + "a" * 100_000),
}


@pytest.fixture(scope="module")
def url(host):
    """The function of lists as a process of its own."""
    with running(host, "listSecrets", THREADS="64", CE_RATE="0") as url:
        yield url


def filled(owner, secrets, keys, value):
    """Give the path of a project that holds secrets, and the names of these."""
    project = owner.project()
    for number in range(secrets):
        data = {f"k{key}": value for key in range(keys)}
        owner.secret(project, f"s{number:02}", data)
    return f"/v2/projects/{project['id']}/secrets", [f"s{n:02}" for n in range(secrets)]


@pytest.mark.claim(
    "D1", "16 lists at once of what is six times as long in an answer: under 512 MiB"
)
@pytest.mark.parametrize("estate", ESTATES)
def test_large_lists(owner, url, estate):
    """A page ends by the bytes it is answered with; all come, and the pages after them."""
    path, names = filled(owner, *ESTATES[estate])
    headers = {"Authorization": f"Bearer {owner.token}"}
    server, ready = Server.at(url), threading.Barrier(AT_ONCE)
    requests.get(url + path + "?limit=1", headers=headers, timeout=60)

    def page(_):
        ready.wait(60)
        with requests.get(url + path, headers=headers, timeout=120, stream=True) as answer:
            assert answer.status_code == 200
            return answer.content

    server.mark()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        pages = list(pool.map(page, range(AT_ONCE)))
    assert server.peak < 512 * MIB
    assert len(set(pages)) == 1
    answered = json.loads(pages[0])
    del pages
    assert len(answered["secrets"]) == 1 or len(json.dumps(answered)) < quotas.PAGE_BYTES + MIB // 8
    seen = []
    while True:
        seen += [entry["name"] for entry in answered["secrets"]]
        if "next" not in answered:
            break
        more = f"{url}{path}?start={answered['next']['start']}"
        answered = requests.get(more, headers=headers, timeout=60).json()
    assert seen == names
