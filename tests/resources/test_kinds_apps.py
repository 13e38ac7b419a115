"""Apps and what hangs on them: revisions, instances, bindings and the secrets these bring."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared import quotas
from shared.kinds import APPS, BINDINGS, KINDS, SECRETS, table
from tests.support.kinds import BY_KIND, called, refused
from tests.support.kinds_examples import CANARY

BINDABLE = [kind for kind in KINDS if "bindings" in kind.dependents]
INSTANCE = {"service_instance": {"id": "12345678-1234-1234-1234-123456789abc"}}
LARGE = [{"type": "literal", "name": "BIG", "value": "x" * (quotas.SEALED_PART_BYTES + 1)}]
SMALL = [{"type": "literal", "name": "SMALL", "value": "x"}]


def below(home, app, rest=""):
    """Give the path of what is below an app."""
    return f"{home.at(APPS, app)}/{rest}"


def revisions(home, app):
    """Give an app's revisions, as listed one a page; each is got as it is listed."""
    url, found = below(home, app, "revisions?limit=1"), []
    while url:
        page = home.ask("GET", url).json()
        found += page["revisions"]
        url = page.get("next", {}).get("href", "").removeprefix(home.host.url)
        assert len(found) < 9
    for one in found:
        got = home.ask("GET", below(home, app, f"revisions/{one['name']}"))
        assert (got.json(), "ETag" in got.headers) == (one, False)
    return found


def names(home, app):
    """Give the numbers of an app's revisions."""
    return [int(one["name"].removeprefix(f"{app}-")) for one in revisions(home, app)]


def documents(home, app):
    """Give the documents below an app, revisions apart from parts, by their last segment."""
    start = f"projects/{home.project['id']}/apps/{app}/"
    found = {path.removeprefix(start): f for path, f in home.stored().items() if start in path}
    parts = {path.removeprefix("parts/") for path in found if path.startswith("parts/")}
    kept = {path.removeprefix("revisions/") for path in found if path.startswith("revisions/")}
    assert len(parts) + len(kept) == len(found)
    return kept, parts


def test_a_services_secret_is_small(home):
    """A hundred of them may go with what they are bound to, in one commit."""
    members = {"format": "service_access", "service_access": INSTANCE}
    for most, key in ((quotas.SERVICE_BYTES - 1, "k"), (quotas.SERVICE_BYTES - 200, "k" * 200)):
        fits, exceeds = {key: "x" * most}, {key: "x" * (most + 1)}
        assert home.create(SECRETS, "least", data=fits, **members).status_code == 201
        answer = home.create(SECRETS, "least", data=exceeds, **members)
        refused(answer, 413, "payload_too_large", "data")


@pytest.mark.parametrize(
    ("argument", "arguments", "value"),
    [(100_000, 1, 900_000), (100_000, 5, 900_000), (50_000, 10, 1_040_000), (0, 0, 1_040_000)],
)
def test_large_together(home, argument, arguments, value):
    """What is sealed and what is not may both be large: they never exceed a document."""
    members = {
        "run_arguments": ["a" * argument] * arguments,
        "run_env_variables": [{**SMALL[0], "value": "v" * value}],
    }
    app = home.made(APPS, "least", **members)["name"]
    assert bind(home, APPS, app).status_code == 201  # the commit that has the document twice
    assert home.update(APPS, app, {"run_as_user": 7}).status_code == 200
    got = home.get(APPS, app).json()
    assert got["run_as_user"] == 7
    assert {name: got[name] for name in members} == members


@pytest.mark.parametrize(
    "members",
    [
        {"run_arguments": ["a" * 131_072] * 9},
        {"run_commands": ["a" * 131_072, "a" * 131_072], "run_arguments": ["é" * 131_072]},
        {
            "run_volume_mounts": [
                {
                    "mount_path": f"/{n:0200}",
                    "reference": "r" * 253,
                    "sub_path": "\U0001f600" * 1000,
                }
                for n in range(100)
            ],
            "run_arguments": ["a" * 100_000],
        },
    ],
)
def test_too_large_beside_the_environment(home, members):
    """What would not fit in a document is refused, at a create and at an update."""
    refused(home.create(APPS, "least", **members), 413, "payload_too_large")
    app = home.made(APPS)["name"]
    refused(home.update(APPS, app, members), 413, "payload_too_large")


def bind(home, kind, name, secret="access", **members):
    """Bind a secret to a component."""
    component = {"name": name, "resource_type": kind.resource_type}
    body = {"component": component, "prefix": "MY", "secret_name": secret, **members}
    answer = home.ask("POST", home.at(BINDINGS), body)
    if answer.status_code == 201:
        home.left.append((BINDINGS, answer.json()["id"]))
    return answer


def access(home, name="access"):
    """Make a service access secret."""
    return home.made(SECRETS, "least", name=name, format="service_access", service_access=INSTANCE)


def test_revisions(home):
    """The first is there with the app; each update adds one; two are kept, as they were."""
    app = home.made(APPS)["name"]
    (first,) = revisions(home, app)
    assert first["name"] == f"{app}-00001"
    assert (first["app_name"], first["status"]) == (app, "warning")
    assert first["status_details"] == {"actual_instances": 0, "reason": "no_runtime_attached"}
    whole = {k: v for k, v in BY_KIND[APPS].full.items() if k != "managed_domain_mappings"}
    assert whole.items() <= first.items()
    for number in range(2, 5):
        body = {"run_env_variables": [{**SMALL[0], "value": str(number)}]}
        answer = home.update(APPS, app, body).json()
        assert answer["status_details"]["latest_created_revision"] == f"{app}-{number:05}"
        found = revisions(home, app)
        assert [one["name"] for one in found] == [f"{app}-{n:05}" for n in (number - 1, number)]
        values = [one["run_env_variables"][0]["value"] for one in found]
        assert values == [CANARY if number == 2 else str(number - 1), str(number)]
    assert len({first["id"], *(one["id"] for one in found)}) == 3
    gone = home.ask("GET", below(home, app, f"revisions/{app}-00001"))
    refused(gone, 404, "resource_not_found")


def test_a_binding_makes_a_revision(home):
    """A binding on an app makes a revision of it as it is, under a new tag; others make none."""
    made = home.made(APPS)
    app = made["name"]
    assert bind(home, APPS, app).status_code == 201
    now = home.get(APPS, app).json()
    assert now["entity_tag"] != made["entity_tag"]
    assert names(home, app) == [1, 2]
    one, two = revisions(home, app)
    differ = {name for name in one if one[name] != two[name]}
    assert {"name", "id", "href"} <= differ <= {"name", "id", "href", "created_at"}
    stale = home.update(APPS, app, {}, made["entity_tag"])
    refused(stale, 412, "precondition_failed", "If-Match")
    refused(bind(home, APPS, app), 409, "conflict", "secret_name")
    other = home.made(table.JOBS, "least", name=app)["name"]
    assert bind(home, table.JOBS, other).status_code == 201
    assert bind(home, APPS, "none-yet").status_code == 201
    assert names(home, app) == [1, 2]
    assert home.ask("GET", home.at(APPS, "none-yet")).status_code == 404


def test_revisions_are_deleted(home):
    """A revision is deleted for good, the app stays; the number is never given again."""
    app = home.made(APPS)["name"]
    home.update(APPS, app, {"run_env_variables": SMALL})
    before = home.get(APPS, app).content
    for number, left in ((1, [2]), (2, [])):
        path = below(home, app, f"revisions/{app}-{number:05}")
        gone = home.ask("DELETE", path)
        assert (gone.status_code, gone.content) == (202, b"")
        refused(home.ask("DELETE", path), 404, "resource_not_found")
        assert names(home, app) == left
        assert home.get(APPS, app).content == before
    assert documents(home, app) == (set(), set())
    home.update(APPS, app, {})
    assert names(home, app) == [3]


def test_what_an_app_has_not(home):
    """What hangs on an app that does not exist does not exist; nor another app's revision."""
    one, two = (home.made(APPS, "least")["name"] for _ in range(2))
    for path in ("revisions", "revisions/none-00001", "instances"):
        refused(home.ask("GET", below(home, "none", path)), 404, "resource_not_found")
    for method in ("GET", "DELETE"):
        for name in (f"{two}-00001", f"{one}-00002", one):
            answer = home.ask(method, below(home, one, f"revisions/{name}"))
            refused(answer, 404, "resource_not_found")
    assert names(home, one) == names(home, two) == [1]


def test_revisions_go_with_the_app(home):
    """A deleted app leaves nothing; one of the same name begins anew."""
    app = home.made(APPS, "least", name="again", run_env_variables=LARGE)["name"]
    home.update(APPS, app, {"run_env_variables": LARGE * 1})
    assert len(documents(home, app)[1]) == 4
    assert home.delete(APPS, app).status_code == 202
    assert documents(home, app) == (set(), set())
    home.made(APPS, "least", name="again")
    assert names(home, app) == [1]
    assert home.get(APPS, app).json()["run_env_variables"] == []


def value_ids(parts):
    """Give how many envelopes parts are of; each must be whole."""
    ids = {part.rpartition("-")[0] for part in parts}
    assert parts == {f"{one}-{n}" for one in ids for n in range(2)}
    return len(ids)


def test_large_values_are_shared_and_discarded(home):
    """Values in parts are kept once for the app and its revisions, until nothing has them."""
    app = home.made(APPS, "least", run_env_variables=LARGE)["name"]
    assert value_ids(documents(home, app)[1]) == 1
    bind(home, APPS, app)  # the second revision shares the first one's
    assert value_ids(documents(home, app)[1]) == 1
    bind(home, APPS, app, "other")  # so does the third; the first is gone
    assert (names(home, app), value_ids(documents(home, app)[1])) == ([2, 3], 1)
    home.ask("DELETE", below(home, app, f"revisions/{app}-00002"))
    assert [one["run_env_variables"] for one in revisions(home, app)] == [LARGE]
    assert value_ids(documents(home, app)[1]) == 1

    home.update(APPS, app, {"run_env_variables": SMALL})  # the fourth; the third has them still
    assert value_ids(documents(home, app)[1]) == 1
    assert [one["run_env_variables"] for one in revisions(home, app)] == [LARGE, SMALL]
    home.update(APPS, app, {"run_env_variables": SMALL})
    assert (names(home, app), documents(home, app)[1]) == ([4, 5], set())

    home.update(APPS, app, {"run_env_variables": LARGE})
    home.ask("DELETE", below(home, app, f"revisions/{app}-00006"))  # the app has them itself
    assert home.get(APPS, app).json()["run_env_variables"] == LARGE
    assert value_ids(documents(home, app)[1]) == 1
    home.update(APPS, app, {"scale_down_delay": 5})  # sealed anew, and no revision has the old
    assert value_ids(documents(home, app)[1]) == 1
    assert home.get(APPS, app).json()["run_env_variables"] == LARGE


def test_instances_and_runtimes(home):
    """Nothing runs: an app has no instance; the runtimes are those a function can name."""
    app = home.made(APPS)["name"]
    page = home.ask("GET", below(home, app, "instances?limit=5")).json()
    assert (page["instances"], page["limit"], "next" in page) == ([], 5, False)
    runtimes = home.ask("GET", "/v2/function_runtimes").json()["function_runtimes"]
    ids = {row["id"]: row for row in runtimes}
    assert set(ids) == {"nodejs-20", "nodejs-22", "nodejs-24", "python-3.11", "python-3.13"}
    assert [name for name, row in ids.items() if row["default"]] == ["nodejs-22", "python-3.11"]
    assert [name for name, row in ids.items() if row["deprecated"]] == ["nodejs-20"]
    for name in ids:
        assert home.made(table.FUNCTIONS, "least", runtime=name)["runtime"] == name
    answer = home.create(table.FUNCTIONS, "least", runtime="nodejs-18")
    refused(answer, 400, "invalid_field", "runtime")


def test_endpoints(home):
    """An app and a function are told where they would be, by what is said of their domains."""
    for kind in (APPS, table.FUNCTIONS):
        for mapping, has in (("local_public", True), ("local_private", True), ("local", False)):
            body = home.made(kind, "least", managed_domain_mappings=mapping)
            assert ("endpoint" in body) is has
            assert body["endpoint_internal"].startswith(f"http://{body['name']}.")
            assert (".private." in body.get("endpoint", "")) is (mapping == "local_private")
            assert len(body["computed_env_variables"]) == 6
    assert len(home.made(table.JOBS)["computed_env_variables"]) == 3


@pytest.mark.parametrize("kind", BINDABLE, ids=called)
@pytest.mark.parametrize("keep", [None, "false", "true"])
def test_bindings_go_with_the_component(home, kind, keep):
    """They always go; the service access secrets that no other needs go too, unless kept."""
    name, other = (home.made(kind, "least")["name"] for _ in range(2))
    for secret in ("mine", "shared"):
        access(home, secret)
    home.made(SECRETS, "least", name="plain")
    for secret in ("mine", "shared", "plain", "none-yet"):
        assert bind(home, kind, name, secret).status_code == 201
    kept = bind(home, kind, other, "shared").json()["id"]
    elsewhere = bind(home, next(k for k in BINDABLE if k is not kind), name, "more").json()["id"]
    assert len(home.keys(BINDINGS)) == 6
    before = home.usage(SECRETS)["count"]
    query = "" if keep is None else f"?keep_service_access={keep}"
    assert home.delete(kind, name, query).status_code == 202
    assert set(home.keys(BINDINGS)) == {kept, elsewhere} == set(home.usage(BINDINGS)["claims"])
    secrets = {"shared", "plain"} | ({"mine"} if keep == "true" else set())
    assert set(home.keys(SECRETS)) == secrets
    assert home.usage(SECRETS)["count"] == len(secrets) == before - (keep != "true")
    assert home.delete(kind, other, query).status_code == 202
    assert set(home.keys(SECRETS)) == secrets - ({"shared"} if keep != "true" else set())


@pytest.mark.parametrize("keep", ["1", "yes", "TRUE", ""])
def test_keep_is_true_or_false(home, keep):
    """Any other word is refused, and nothing is deleted."""
    app = home.made(APPS)["name"]
    answer = home.delete(APPS, app, f"?keep_service_access={keep}")
    refused(answer, 400, "invalid_field", "keep_service_access")
    assert home.get(APPS, app).status_code == 200


def test_one_secret_once_to_one_component(home):
    """A secret is bound to a component once, to others as often as there are."""
    for kind in BINDABLE:
        assert bind(home, kind, "same").status_code == 201
        refused(bind(home, kind, "same"), 409, "conflict", "secret_name")
        assert bind(home, kind, "same", "more").status_code == 201
        assert bind(home, kind, "another").status_code == 201
    assert home.usage(BINDINGS)["count"] == 3 * len(BINDABLE) == len(home.keys(BINDINGS))
    gone = home.entries(BINDINGS)[0]
    home.delete(BINDINGS, gone["id"])
    component = {"component": gone["component"], "secret_name": gone["secret_name"]}
    again = home.ask("POST", home.at(BINDINGS), {"prefix": "MY", **component})
    assert again.status_code == 201
    home.left.append((BINDINGS, again.json()["id"]))


def test_revisions_at_once(home):
    """Updates and bindings at once: each makes its revision, two are kept, no value is left."""
    app = home.made(APPS, "least", run_env_variables=LARGE)["name"]

    def act(number):
        if number % 2:
            return bind(home, APPS, app, f"secret-{number}").status_code
        return home.update(APPS, app, {"scale_down_delay": number}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(act, range(8))) == [200, 201] * 4
    assert names(home, app) == [8, 9]
    kept, parts = documents(home, app)
    assert kept == {f"{app}-00008", f"{app}-00009"}
    assert value_ids(parts) <= 2
    assert [one["run_env_variables"] for one in revisions(home, app)] == [LARGE] * 2
    assert home.delete(APPS, app).status_code == 202
    assert documents(home, app) == (set(), set())
    assert home.keys(BINDINGS) == []
