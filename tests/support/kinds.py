"""A project to try every kind in, whose every answer is held against the API's description."""

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from shared.kinds import KINDS, SECRETS, Kind
from tests.support import Account, answers
from tests.support.kinds_examples import EXAMPLES, filled

MERGE = {"Content-Type": "application/merge-patch+json"}
# What differs from one to the next, or is computed of where it is: held by tests of their own.
OWN = (
    "id", "name", "project_id", "region", "href", "created_at", "entity_tag",
    "computed_env_variables", "endpoint", "endpoint_internal", "cname_target",
)  # fmt: skip

# What a body may hold to no effect: unknown, not the caller's to say, of an impossible type.
STRAYS = {
    "ScaleMaxExecutionTime": 3,
    "name": {"a": 1},
    "id": 7,
    "entity_tag": ["x"],
    "created_at": None,
    "project_id": "x",
    "href": {},
    "region": True,
    "resource_type": 1,
    "status": [],
    "computed_env_variables": "x",
}


BY_KIND = {example.kind: example for example in EXAMPLES}
UPDATED = [kind for kind in KINDS if kind.update]
PATCHED = [kind for kind in KINDS if kind.update == "PATCH"]
TAGGED = [kind for kind in KINDS if "entity_tag" in kind.members]


def called(kind: Kind) -> str:
    """Give the name of a kind as tests are told apart by it."""
    return kind.collection


@dataclass(frozen=True)
class Request:
    """A request of one operation: over REST, and the members of a call by name."""

    verb: str  # of the permission: `list`, `view` or `manage`
    method: str
    path: str  # below the project
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    members: dict[str, Any] = field(default_factory=dict)
    version: str = "v2"

    def at(self, project_id: str) -> str:
        """Give the whole path, in a project."""
        return f"/{self.version}/projects/{project_id}{self.path}"


def requests_of(kind: Kind, key: str, number: int = 99) -> dict[str, Request]:
    """Give a request of every operation of a kind, by its id; those of one are of `key`."""
    example, home, which = BY_KIND[kind], f"/{kind.collection}", {kind.key: key}
    one, body = f"{home}/{key}", example.body(number, example.full)
    found = {
        f"list_{kind.collection}": Request("view", "GET", home),
        f"get_{kind.noun}": Request("view", "GET", one, members=which),
        f"create_{kind.noun}": Request("manage", "POST", home, body, members=body),
        f"list_{kind.noun}_metadata": Request("list", "GET", home, version="v1"),
    }
    if kind.revised:
        app = {f"{kind.noun}_name": key}
        last = f"{one}/revisions/{key}-00001"
        revision = app | {"name": f"{key}-00001"}
        found |= {
            "list_app_revisions": Request("view", "GET", f"{one}/revisions", members=app),
            "get_app_revision": Request("view", "GET", last, members=revision),
            "list_app_instances": Request("view", "GET", f"{one}/instances", members=app),
            "delete_app_revision": Request("manage", "DELETE", last, members=revision),
        }
    if kind.keyed:
        data, sent = {"data": {"more": "x"}}, {"If-Match": "*"} | MERGE
        members = {**data, **which, "if_match": "*"}
        found[f"patch_{kind.noun}"] = Request("manage", "PATCH", one, data, sent, members, "v1")
    if kind is SECRETS:
        keys, last = f"{one}/keys", next(iter(body["data"]))
        value = which | {"key": last}
        found |= {
            "list_secret_keys": Request("view", "GET", keys, members=which, version="v1"),
            "get_secret_key": Request("view", "GET", f"{keys}/{last}", members=value, version="v1"),
        }
    if kind.update:
        change = filled(example.change, number, "")
        headers = {"If-Match": "*"} | (MERGE if kind.update == "PATCH" else {})
        members = {**change, **which, "if_match": "*"}
        word = "update" if kind.update == "PATCH" else "replace"
        found[f"{word}_{kind.noun}"] = Request("manage", kind.update, one, change, headers, members)
    return found | {f"delete_{kind.noun}": Request("manage", "DELETE", one, members=which)}


class Home:
    """A project, and what is made in it; every answer is held against the API's description."""

    def __init__(self, account: Account, project: dict[str, Any] | None = None) -> None:
        self.account = account
        self.host = account.host
        self.project = project or account.project()
        self.path = f"/v2/projects/{self.project['id']}"
        self.numbers: dict[Kind, Any] = defaultdict(lambda: itertools.count(1))
        self.left: list[tuple[Kind, str]] = []

    def seen_by(self, account: Account) -> "Home":
        """Give the same project as another caller meets it."""
        return Home(account, self.project)

    def at(self, kind: Kind, key: str = "") -> str:
        """Give the path of a kind's resources, or of one."""
        return f"{self.path}/{kind.collection}{'/' * bool(key)}{key}"

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """Send a request and check its answer."""
        return answers.check(self.account.call(method, path, body, **more))

    def create(self, kind: Kind, form: str = "full", number: int = 0, **members: Any) -> Any:
        """Create an example of a kind, of its own number unless one is given."""
        example = BY_KIND[kind]
        body = example.body(number or next(self.numbers[kind]), getattr(example, form))
        answer = self.ask("POST", self.at(kind), {**body, **members})
        if answer.status_code == kind.created:
            self.left.append((kind, answer.json()[kind.key]))
        return answer

    def clear(self) -> None:
        """Delete what was created and is still there."""
        while self.left:
            assert self.delete(*self.left.pop()).status_code in {202, 404}

    def made(self, kind: Kind, form: str = "full", **members: Any) -> Any:
        """Create an example and give its body; it must succeed."""
        answer = self.create(kind, form, **members)
        assert answer.status_code == kind.created, answer.text
        return answer.json()

    def get(self, kind: Kind, key: str) -> Any:
        """Get one."""
        return self.ask("GET", self.at(kind, key))

    def update(self, kind: Kind, key: str, body: Any, tag: str | None = "*", **headers: str) -> Any:
        """Patch or replace one, if it is at the tag."""
        sent = (MERGE if kind.update == "PATCH" else {}) | headers
        sent |= {"If-Match": tag} if tag is not None else {}
        return self.ask(kind.update, self.at(kind, key), body, headers=sent)

    def delete(self, kind: Kind, key: str, query: str = "") -> Any:
        """Delete one."""
        return self.ask("DELETE", self.at(kind, key) + query)

    def entries(self, kind: Kind, query: str = "limit=200") -> list[dict[str, Any]]:
        """Give what a list holds, through all its pages."""
        return [one for page in self.pages(kind, query) for one in page[kind.collection]]

    def keys(self, kind: Kind, query: str = "limit=200") -> list[str]:
        """Give the keys of what a list holds, through all its pages."""
        return [entry[kind.key] for entry in self.entries(kind, query)]

    def pages(self, kind: Kind, query: str = "") -> Iterator[dict[str, Any]]:
        """Give the pages of a list, its links followed as they are."""
        url = f"{self.host.url}{self.at(kind)}?{query}"
        for _ in range(250):
            assert url.startswith(f"{self.host.url}/v2/")
            answer = self.ask("GET", url.removeprefix(self.host.url))
            assert answer.status_code == 200, answer.text
            yield answer.json()
            if "next" not in answer.json():
                return
            url = answer.json()["next"]["href"]
        raise AssertionError("the pages do not end")

    def stored(self) -> dict[str, Any]:
        """Give every document below the project."""
        return self.host.inside.below(f"projects/{self.project['id']}")

    def usage(self, kind: Kind) -> dict[str, Any]:
        """Give the usage document of a kind."""
        path = f"projects/{self.project['id']}/usage/{kind.collection}"
        return self.host.inside.document(path) or {"count": 0}

    def village(self) -> dict[Kind, dict[str, Any]]:
        """Make one of every kind, and give their answers."""
        return {kind: self.made(kind) for kind in KINDS}


def refused(answer: Any, status: int, code: str, *targets: str) -> Any:
    """Require a refusal, all of one code, with its targets; give the entries."""
    assert answer.status_code == status, answer.text[:500]
    entries = answer.json()["errors"]
    assert {entry["code"] for entry in entries} == {code}, entries
    found = [entry["target"]["name"] for entry in entries if "target" in entry]
    assert sorted(found) == sorted(targets), entries
    return entries


def tag_of(answer: Any) -> str | None:
    """Give the ETag of an answer."""
    return answer.headers.get("ETag")


def without_own(body: dict[str, Any]) -> dict[str, Any]:
    """Give what an answer says that can be foretold."""
    return {name: value for name, value in body.items() if name not in OWN}
