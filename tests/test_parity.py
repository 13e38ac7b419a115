"""The parts keep step: API, functions, deployment, indexes, docs, and what is really answered."""

import ast
import json
import re

import pytest
import yaml

import functions.main
from emulator import hosting
from functions import http_api, http_identity, http_projects, http_resources, http_secrets
from shared import app_revisions, quotas, resources
from shared.errors import STATUS
from shared.kinds import APPS, KINDS
from shared.routes import route
from shared.schema import COMPILED, operations
from shared.store import Store
from tests.answers import check
from tests.kinds_support import Home
from tests.support import GRANT, ROOT, call

ENDPOINTS = yaml.safe_load((ROOT / "functions" / "functions.yaml").read_text())["endpoints"]
INDEXES = json.loads((ROOT / "firestore.indexes.json").read_text())
DOCUMENT = json.loads(COMPILED.read_text())
SERVED = {
    "get_api_document": http_api.OPERATIONS["get_api_document"],
    **http_projects.OPERATIONS,
    **http_secrets.OPERATIONS,
    **http_resources.OPERATIONS,
    **http_identity.OPERATIONS,
    **http_identity.PRIVATE,
}
ID = "4e49b3e0-27a8-48d2-a784-c7ee48bb863b"
# The limits of shared/quotas.py that a user can meet, as docs may write them.
LIMITS = {
    "PROJECTS_PER_REGION": ("20",),
    "RESOURCES_PER_PROJECT": ("100",),
    "SECRET_BYTES": ("2 MiB",),
    "TEMPLATE_BYTES": ("1 MiB",),
    "INLINE_CODE_BYTES": ("102,400",),
    "JOB_BYTES": ("10 KiB",),
    "JOB_INDICES": ("1,000",),
    "DATA_STORE_MOUNTS": ("2",),
    "PRIVATE_PATHS": ("3",),
    "BODY_BYTES": ("13 MiB",),
    "PLAIN_BODY_BYTES": ("64 KiB",),
    "TEMPLATE_BODY_BYTES": ("7 MiB",),
    "FAULTS_TOLD": ("20",),
    "PART_READS": ("3",),
    "RECLAMATIONS": ("1,000",),
    "JSON_DEPTH": ("32",),
    "PAGE_BYTES": ("4 MiB",),
    "TOKEN_LIFETIME": ("1 h", "one hour", "an hour", "60 minutes"),
    "KEY_CACHE_LIFETIME": ("60 s", "60 seconds", "a minute", "one minute"),
    "STORE_DEADLINE": ("10 s", "10 seconds"),
    "NUDGE_AFTER": ("15 min", "15 minutes"),
    "FAIL_AFTER": ("24 h", "24 hours"),
    "RETRY_AFTER": ("1 h", "one hour", "an hour", "every hour", "hourly"),
    "FIRST_VERSION": ("2021-03-31",),
    "NEWEST_VERSION": ("2026-09-04",),
}
INNER = {  # of no user's concern
    "MIB",
    "SEALED_PART_BYTES",
    "KEY_CACHE_ENTRIES",
    "TOKEN_CACHE_ENTRIES",
    "SWEEP_BATCH",
    "SWEEP_PARTS",
    "FAULTS_SOUGHT_BYTES",
    "DUE_BATCH",
    "REGIONS_CHECKED",
    "ORPHAN_AFTER",
}


def docs():
    """Give all that users and operators can read."""
    files = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    return {file.name: file.read_text() for file in files}


def test_every_operation_has_its_function():
    """Every operation is served by the one function it names, which is deployed."""
    assert set(SERVED) == set(operations())
    for operation in operations().values():
        assert operation.function in ENDPOINTS
        assert callable(getattr(functions.main, operation.function))


def test_every_function_has_its_operation():
    """Every function called over HTTP serves an operation."""
    http = {name for name, endpoint in ENDPOINTS.items() if "httpsTrigger" in endpoint}
    assert http == {operation.function for operation in operations().values()}


@pytest.mark.parametrize("name", ENDPOINTS)
def test_endpoint(name):
    """Every deployed function is what main.py gives under its name, and says what it needs."""
    endpoint = ENDPOINTS[name]
    assert endpoint["entryPoint"] == name
    function = getattr(functions.main, name)
    assert function.__name__ == name
    assert function.__doc__
    assert endpoint["serviceAccount"] in {
        "reprieve-manage@",
        "reprieve-reveal@",
        "reprieve-retain@",
    }
    assert len({"httpsTrigger", "eventTrigger", "scheduleTrigger"} & set(endpoint)) == 1


def test_main_gives_nothing_else():
    """What main.py gives is what is deployed, each once."""
    assert sorted(functions.main.__all__) == sorted(ENDPOINTS)


def test_api_serves_all_that_is_public():
    """The API's function serves every operation but the private ones, with the same handlers."""
    public = {name for name, operation in operations().items() if not operation.private}
    assert set(http_api.OPERATIONS) == public
    assert all(http_api.OPERATIONS[name] is SERVED[name] for name in public)
    private = {operations()[name].function for name in set(operations()) - public}
    invokers = {
        n: e["httpsTrigger"].get("invoker") for n, e in ENDPOINTS.items() if "httpsTrigger" in e
    }
    assert {name for name, invoker in invokers.items() if invoker == ["private"]} == private


def test_only_what_shows_or_takes_values_may_unwrap():
    """The identity that may unwrap keys is that of functions which show or take sealed members."""
    served = [
        operation
        for operation in operations().values()
        for kind in KINDS
        if kind.sealed and f"/{{project_id}}/{kind.collection}" in operation.path
    ]
    blind = {"list_app_instances"}  # there are none
    sealed = {
        operation.function
        for operation in served
        if operation.method != "DELETE" and operation.id not in blind
    }
    reveal = {n for n, e in ENDPOINTS.items() if e["serviceAccount"] == "reprieve-reveal@"}
    assert reveal == sealed | {"api"}
    retain = {n for n, e in ENDPOINTS.items() if e["serviceAccount"] == "reprieve-retain@"}
    assert retain == {n for n, e in ENDPOINTS.items() if "httpsTrigger" not in e}


@pytest.mark.parametrize("name", [name for name, op in operations().items() if not op.private])
def test_rewrites(name):
    """Hosting's rewrites bring every public operation's path to the API, and no private one's."""
    rewrites = hosting.read(ROOT, ENDPOINTS.__contains__).rewrites
    path = re.sub(r"\{\w+\}", ID, operations()[name].path)
    targets = [rewrite.function for rewrite in rewrites if rewrite.match.fullmatch(path)]
    assert targets == ["api"]


def test_rewrites_of_private_paths():
    """No rewrite reaches a private operation."""
    rewrites = hosting.read(ROOT, ENDPOINTS.__contains__).rewrites
    for operation in operations().values():
        found = [rewrite for rewrite in rewrites if rewrite.match.fullmatch(operation.path)]
        assert bool(found) != operation.private


def test_event_trigger_and_rules():
    """Events are of projects alone, and no client reads or writes past the functions."""
    event = ENDPOINTS["onProjectWritten"]["eventTrigger"]
    assert event["eventFilterPathPatterns"] == {"document": "projects/{projectId}"}
    assert event["retry"] is True
    rules = (ROOT / "firestore.rules").read_text()
    assert re.findall(r"allow .*;", rules) == ["allow read, write: if false;"]


ASKS = {"query", "read_beside"}


def queries():
    """Give the file of each query in shared/."""
    return [
        file.name
        for file in (ROOT / "shared").glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ASKS
    ]


# Each query of shared/, by the file it stands in: collection group, equalities, order.
QUERIES = {
    "api_keys.py": [("api_keys", ("account_id",), "id")],
    "projects.py": [("projects", ("account_id", "region"), "name")],
    "places.py": [
        ("revisions", (), "revision_name"),
        *((kind.collection, (), kind.key) for kind in KINDS),
        *(
            (kind.collection, (f"body.{name}",), kind.key)
            for kind in KINDS
            for name in kind.filters
        ),
    ],
    "retention.py": [
        ("projects", ("status",), "purge_at"),
        ("projects", ("status",), "progress_at"),
        ("projects", ("status",), "updated_at"),
        ("projects", ("account_id", "region"), "name"),
        ("regions", (), "key"),
    ],
}


def test_queries_are_all_known():
    """The queries below are those in the code: a new one must be entered, and gets its index."""
    once = ["api_keys.py", "places.py", "projects.py"]
    # The store's own call is `read_beside` asking what it was asked.
    assert sorted(queries()) == [*once, *["retention.py"] * 4, "store.py"]
    assert set(queries()) == {*QUERIES, "store.py"}


def asked(app, monkeypatch):
    """Run every list and the schedule, and give what was asked of the store."""
    seen = set()
    query = Store.query

    def noted(self, collection, *filters, order, **more):
        equal = tuple(sorted(field for field, operator, _ in filters if operator == "=="))
        seen.add((collection.rpartition("/")[2], equal, order))
        return query(self, collection, *filters, order=order, **more)

    monkeypatch.setattr(Store, "query", noted)
    from shared import (
        api_keys,
        projects,
        reclamations,
        resource_instances,
        retention,
    )

    made = projects.create(app, call(body={"name": "p"})).body["id"]
    api_keys.listing(app, call())
    projects.listing(app, call())
    reclamations.listing(app, call())
    resource_instances.listing(app, call())
    app_at = {"project_id": made, "app_name": "a"}
    body = {"name": "a", "image_reference": "icr.io/ns/image"}
    resources.create(APPS, app, call(project_id=made, body=body))
    app_revisions.listing(app, call(**app_at))
    for kind in KINDS:
        for given in ({}, *({name: "none"} for name in kind.filters)):
            resources.listing(kind, app, call(project_id=made, **given))
    for number in (0, 0.999):
        retention.enforce(_with_random(app, number))
    return seen


def _with_random(app, number):
    from dataclasses import replace

    return replace(app, random=lambda: number)


def test_indexes(app, monkeypatch):
    """Every composite query that is really made has its index, and no index is without a query."""
    seen = asked(app, monkeypatch)
    known = {row for rows in QUERIES.values() for row in rows}
    assert seen == known
    composite = {(group, (*equal, order)) for group, equal, order in known if equal}
    listed = [
        (index["collectionGroup"], tuple(field["fieldPath"] for field in index["fields"]))
        for index in INDEXES["indexes"]
    ]
    assert len(listed) == len(set(listed))
    assert set(listed) == composite
    orders = {field["order"] for index in INDEXES["indexes"] for field in index["fields"]}
    assert orders == {"ASCENDING"}
    assert {index["queryScope"] for index in INDEXES["indexes"]} == {"COLLECTION"}


def test_large_fields_are_not_indexed():
    """Bytes that are never asked for are not indexed: Firestore indexes 1,500 bytes and charges."""
    overrides = {(row["collectionGroup"], row["fieldPath"]) for row in INDEXES["fieldOverrides"]}
    groups = [(kind.collection, kind) for kind in KINDS] + [("revisions", APPS)]
    bodies = {(group, "body") for group, _ in groups}
    sealed = {(group, "sealed") for group, kind in groups if kind.sealed}
    assert overrides == bodies | sealed | {("parts", "bytes"), ("keys", "wrapped")}
    assert all(row["indexes"] == [] for row in INDEXES["fieldOverrides"])


def test_limits_are_all_known():
    """Every limit of quotas.py is either a user's concern, and documented, or ours alone."""
    names = {name for name in vars(quotas) if name.isupper()}
    assert names == set(LIMITS) | INNER


def test_error_codes_in_docs():
    """Every error code is named in README.md or docs/."""
    text = "\n".join(docs().values())
    assert [code for code in STATUS if f"`{code}`" not in text] == []


def test_limits_in_docs():
    """Every limit a user can meet is named in README.md or docs/, in number and unit."""
    text = "\n".join(docs().values())
    missing = [
        name
        for name, forms in LIMITS.items()
        if not any(re.search(rf"(?<![\d.,]){re.escape(form)}(?!\w)", text) for form in forms)
    ]
    assert missing == []


def test_functions_in_docs():
    """Every deployed function is named in README.md or docs/."""
    text = "\n".join(docs().values())
    assert [name for name in ENDPOINTS if name not in text] == []


def kinds_answered(owner):
    """Give a real answer of every operation of a kind."""
    home = Home(owner, owner.project("kinds"))
    for kind in KINDS:
        made = home.create(kind)
        key = made.json()[kind.key]
        yield f"create_{kind.noun}", made
        yield f"list_{kind.collection}", home.ask("GET", home.at(kind))
        yield f"get_{kind.noun}", home.get(kind, key)
        if kind is APPS:
            at = home.at(kind, key)
            yield "list_app_instances", home.ask("GET", f"{at}/instances")
            yield "list_app_revisions", home.ask("GET", f"{at}/revisions")
            yield "get_app_revision", home.ask("GET", f"{at}/revisions/{key}-00001")
            yield "delete_app_revision", home.ask("DELETE", f"{at}/revisions/{key}-00001")
        if kind.update:
            change = {"PATCH": "update", "PUT": "replace"}[kind.update]
            body = {} if kind.update == "PATCH" else home.get(kind, key).json()
            yield f"{change}_{kind.noun}", home.update(kind, key, body)
        yield f"delete_{kind.noun}", home.delete(kind, key)
    yield "list_function_runtimes", home.ask("GET", "/v2/function_runtimes")


def answered(host):
    """Give a real answer of every public operation, and of refusals of it."""
    owner = host.account()
    project = owner.project("a")
    at, by = f"/v2/projects/{project['id']}", f"/v1/reclamations/{project['id']}/actions"
    for name in ("x", "y"):
        owner.secret(project, name, {"k": name})
    other, instances = owner.project("b"), "/v2/resource_instances"
    form = {"grant_type": GRANT, "apikey": owner.apikey}
    key = {"name": "k", "description": "d", "roles": ["reader"], "project_id": project["id"]}
    key |= {"expires_at": "9999-12-31T23:59:59Z"}
    steps = [
        ("issue_token", "POST", "/identity/token", None, {"data": form}),
        ("issue_token", "POST", "/identity/token", None, {"data": form | {"apikey": "none"}}),
        ("issue_token", "POST", "/identity/token", None, {"data": {}}),
        ("list_api_keys", "GET", "/v1/apikeys?limit=1", None, {}),
        ("create_api_key", "POST", "/v1/apikeys", key, {}),
        ("create_api_key", "POST", "/v1/apikeys", {"name": "k"}, {}),
        ("create_api_key", "POST", "/v1/apikeys", {"name": "\n"}, {}),
        ("get_api_key", "GET", f"/v1/apikeys/{owner.key_id}", None, {}),
        ("list_api_keys", "GET", "/v1/apikeys?limit=1", None, {}),
        ("delete_api_key", "DELETE", f"/v1/apikeys/{owner.key_id}", None, {}),
        ("get_api_key", "GET", f"/v1/apikeys/{owner.key_id}", None, {}),
        ("create_project", "POST", "/v2/projects", {"name": "c"}, {}),
        ("create_project", "POST", "/v2/projects", {"name": "c"}, {}),
        ("create_project", "POST", "/v2/projects", {}, {}),
        ("list_projects", "GET", "/v2/projects", None, {}),
        ("list_projects", "GET", "/v2/projects?limit=1", None, {}),
        ("list_projects", "GET", "/v2/projects?limit=0", None, {}),
        ("get_project", "GET", at, None, {}),
        ("get_project", "GET", f"/v2/projects/{ID}", None, {}),
        ("get_project_egress_ips", "GET", f"{at}/egress_ips", None, {}),
        ("get_project_status_details", "GET", f"{at}/status_details", None, {}),
        ("list_resource_instances", "GET", f"{instances}?limit=1", None, {}),
        ("list_resource_instances", "GET", f"{instances}?state=none", None, {}),
        ("get_resource_instance", "GET", f"{instances}/{project['id']}", None, {}),
        ("get_resource_instance", "GET", f"{instances}/{ID}", None, {}),
        ("delete_resource_instance", "DELETE", f"{instances}/{other['id']}", None, {}),
        ("delete_resource_instance", "DELETE", f"{instances}/{other['id']}", None, {}),
        ("get_resource_instance", "GET", f"{instances}/{other['id']}", None, {}),
        ("delete_project", "DELETE", at, None, {}),
        ("get_project", "GET", at, None, {}),
        ("list_reclamations", "GET", "/v1/reclamations", None, {}),
        ("restore_project", "POST", f"{by}/restore", {}, {}),
        ("restore_project", "POST", f"{by}/restore", {}, {}),
        ("reclaim_project", "POST", f"{by}/reclaim", {}, {}),
        ("get_resource_instance", "GET", f"{instances}/{project['id']}", None, {}),
        ("get_project", "GET", "/v2/projects/x", None, {}),
        ("get_api_document", "GET", "/openapi.json", None, {}),
        ("get_api_document", "GET", "/openapi.json", None, {"headers": {"Accept": "text/html"}}),
    ]
    host.hold()
    try:
        rows = [(name, owner.call(m, path, body, **kw)) for name, m, path, body, kw in steps]
        return [*rows, *kinds_answered(owner)]
    finally:
        host.release()


@pytest.fixture(scope="module")
def answers(host):
    """Real answers by operation."""
    host.set_clock(0)
    return answered(host)


def test_answers_cover_the_api(answers):
    """Every public operation is answered with success and, but for plain lists, with a refusal."""
    public = {name for name, operation in operations().items() if not operation.private}
    good = {name for name, answer in answers if answer.status_code < 300}
    assert good == public
    bad = {name for name, answer in answers if answer.status_code >= 400}
    assert len(bad) >= 8
    for name, answer in answers:
        if answer.status_code < 300:
            assert answer.status_code == operations()[name].status


def test_answers_are_as_described(answers):
    """Every answer, good or bad, is as openapi.yaml describes it, and has no member beyond that."""
    for _, answer in answers:
        assert check(answer) is answer


def test_links_lead_where_they_say(host, answers):
    """Every link in an answer is whole, and its path is that of an operation."""
    links = []

    def walk(value):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if key == "href":
                links.append(item)
            elif isinstance(item, dict | list):
                walk(item)

    for name, answer in answers:
        if answer.content and name != "get_api_document":  # it names members `href`
            walk(answer.json())
            links.extend([answer.headers["Location"]] if "Location" in answer.headers else [])
    assert len(links) > 15
    for link in links:
        assert link.startswith((f"{host.url}/v2/projects", f"{host.url}/v1/apikeys"))
        path = link.removeprefix(host.url).partition("?")[0]
        assert route(operations().keys(), "GET", path)[0].method == "GET"


def test_descriptions_are_whole():
    """Every operation has a summary of its own, and every parameter a sentence."""
    specs = [
        spec
        for path in DOCUMENT["paths"].values()
        for method, spec in path.items()
        if method != "parameters"
    ]
    summaries = [spec["summary"] for spec in specs]
    assert len(set(summaries)) == len(summaries)
    refusals = [set(spec["responses"]) for spec in specs]
    assert all({"406", "500", "503"} <= told and "default" not in told for told in refusals)
    assert all(len(spec["tags"]) == 1 for spec in specs)
    assert all(
        parameter["description"] for parameter in DOCUMENT["components"]["parameters"].values()
    )
