"""A host of version 0.1.0 and the accounts in it, as make.py used them: `ce`, and the API."""

import json
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import contents
import requests
from google.cloud import firestore

CE = str(Path(sys.executable).with_name("ce"))
ENDPOINT = "http://reprieve.invalid"  # of the links in answers: the same on any host
GRANT = "urn:ibm:params:oauth:grant-type:apikey"
MERGE = {"Content-Type": "application/merge-patch+json"}
NO_ONE = "00000000-0000-4000-8000-000000000000"
# What a key is asked with, to see what it may: each is refused, or changes nothing.
PROBES = {
    "project.view": ("GET", "/v2/projects"),
    "project.create": ("POST", "/v2/projects"),
    "project.manage": ("DELETE", f"/v2/projects/{NO_ONE}"),
    "project.purge": ("POST", f"/v1/reclamations/{NO_ONE}/actions/reclaim"),
    "apikey.view": ("GET", "/v1/apikeys"),
    "entity.view": ("GET", "/v2/projects/{shop}/secrets/generic"),
    "entity.manage": ("DELETE", "/v2/projects/{shop}/secrets/none"),
    "another project": ("GET", "/v2/projects/{empty}/secrets"),
}


class Host:
    """A host of its own, in a folder of its own."""

    def __init__(self, home: Path) -> None:
        self.env = {**os.environ, "CE_HOME": str(home), "CE_ENDPOINT": ENDPOINT}
        self.state = home / "emulator"

    @contextmanager
    def running(self, region: str, *options: str) -> Any:
        """Let it run in a region."""
        ports = [f"--{name}-port=0" for name in ("hosting", "functions", "firestore", "hub")]
        command = [CE, "emulator", "start", "--quiet", *ports, *options]
        process = subprocess.Popen(command, env=self.env | {"CE_REGION": region})
        try:
            while not (self.state / "hub.json").exists():
                assert process.poll() is None
                time.sleep(0.1)
            self.info = json.loads((self.state / "hub.json").read_text())
            yield self
        finally:
            process.terminate()
            process.wait(30)

    def ce(self, *words: str) -> str:
        """Run a command of `ce emulator`."""
        command = [CE, "emulator", *words]
        return subprocess.run(
            command, env=self.env, text=True, check=True, capture_output=True
        ).stdout

    def hub(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the hub."""
        headers = {"Authorization": f"Bearer {self.info['token']}"}
        url = self.info["hub"] + path
        answer = requests.request(method, url, json=body, headers=headers, timeout=60)
        assert answer.ok, answer.text
        return answer.json()

    def documents(self, collection: str) -> dict[str, dict[str, Any]]:
        """Read a collection with Google's own client."""
        os.environ["FIRESTORE_EMULATOR_HOST"] = self.info["firestore"]
        client = firestore.Client(project=self.info["project"])
        return {found.id: found.to_dict() for found in client.collection(collection).stream()}


class Account:
    """An account: its keys, and what is in its projects."""

    def __init__(self, host: Host, account_id: str, apikey: str) -> None:
        self.host, self.id = host, account_id
        self.keys: dict[str, str] = {"owner": apikey}
        self.tokens: dict[str, str] = {}
        self.projects: dict[str, dict[str, Any]] = {}

    def send(
        self, method: str, path: str, body: Any = None, key: str = "owner", **head: str
    ) -> Any:
        """Send a request with a key; None where there is no token for it."""
        url = self.host.info["hosting"]
        if key not in self.tokens:
            form = {"grant_type": GRANT, "apikey": self.keys[key]}
            answer = requests.post(f"{url}/identity/token", data=form, timeout=30)
            if not answer.ok:
                return None
            self.tokens[key] = answer.json()["access_token"]
        head = {"Authorization": f"Bearer {self.tokens[key]}", **head}
        return requests.request(method, url + path, json=body, headers=head, timeout=60)

    def ask(self, method: str, path: str, body: Any = None, **head: str) -> Any:
        """Send a request that must succeed, and give its answer."""
        answer = self.send(method, path, body, **head)
        assert answer.ok, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else None

    def key(self, label: str, *roles: str, **members: Any) -> None:
        """Make a further key."""
        body = {"name": f"fake {label}", "roles": list(roles), **members}
        self.keys[label] = self.ask("POST", "/v1/apikeys", body)["apikey"]

    def path(self, label: str, rest: str = "") -> str:
        """Give the path of a project, or of something in it."""
        return f"/v2/projects/{self.projects[label]['id']}{'/' * bool(rest)}{rest}"

    def project(self, label: str, name: str = "") -> None:
        """Make a project, with a secret in it."""
        made = self.ask("POST", "/v2/projects", {"name": name or label, "tags": ["fake"]})
        self.projects[label] = {"id": made["id"]}
        data = {"token": f"fake of {label}, {self.id[:4]}"}
        body = {"name": "only", "format": "generic", "data": data}
        self.ask("POST", self.path(label, "secrets"), body)

    def fill(self, label: str) -> None:
        """Put everything into a project: of each kind `bare` and `full`, the latter changed."""
        where = f"{label}, {self.id[:4]}"
        for collection, rows in {
            "secrets": contents.secrets(where),
            **contents.kinds(where),
        }.items():
            for name, body in rows.items():
                named = body if collection == "bindings" else {"name": name, **body}
                self.ask("POST", self.path(label, collection), named)
        for collection, (method, name, body) in contents.changes(where).items():
            head = {"If-Match": "*"} | (MERGE if method == "PATCH" else {})
            self.ask(method, self.path(label, f"{collection}/{name}"), body, **head)
        runs = {"job_runs": {"job_name": "full"}, "build_runs": {"build_name": "full"}}
        for collection, body in runs.items():  # their names are given
            self.ask("POST", self.path(label, collection), body)

    def large(self, label: str) -> None:
        """Put values into a project that are kept in parts: a secret's, and an app's first."""
        value = contents.LINE * contents.LINES
        body = {"name": "large", "format": "generic", "data": {"large": value, "small": "fake"}}
        self.ask("POST", self.path(label, "secrets"), body)
        app = {"name": "large", "image_reference": contents.IMAGE}
        large = {"run_env_variables": [contents.literal("LARGE", value)]}
        self.ask("POST", self.path(label, "apps"), app | large)
        small = {"run_env_variables": [contents.literal("SMALL", "fake")]}
        head = {"If-Match": "*", **MERGE}
        self.ask("PATCH", self.path(label, "apps/large"), small, **head)

    def note(self, *labels: str) -> None:
        """Keep what the API tells of projects, and of all they hold."""
        for label in labels:
            held = {}
            for collection in ("secrets", *contents.kinds("")):
                page = self.ask("GET", self.path(label, f"{collection}?limit=200"))
                assert "next" not in page
                held[collection] = page[collection]
            revisions = {
                app["name"]: self.ask("GET", self.path(label, f"apps/{app['name']}/revisions"))
                for app in held["apps"]
            }
            self.projects[label]["holds"] = held
            self.projects[label]["revisions"] = {n: r["revisions"] for n, r in revisions.items()}

    def delete(self, label: str) -> None:
        """Soft delete a project."""
        self.ask("DELETE", self.path(label))

    def act(self, label: str, word: str) -> None:
        """Restore or reclaim a project."""
        self.ask("POST", f"/v1/reclamations/{self.projects[label]['id']}/actions/{word}", {})

    def gone(self, label: str) -> None:
        """Wait until a project is destroyed."""
        while self.send("GET", self.path(label)).status_code != 404:
            time.sleep(0.1)

    def told(self) -> dict[str, Any]:
        """Give all that is kept of the account."""
        for label, project in self.projects.items():
            answer = self.send("GET", self.path(label))
            project["told"] = answer.json() if answer.ok else None
            project["state"] = answer.json()["status"] if answer.ok else "gone"
            project["instance"] = self.ask("GET", f"/v2/resource_instances/{project['id']}")
        listed = {entry["name"]: entry for entry in self.ask("GET", "/v1/apikeys")["apikeys"]}
        keys = {}
        for label, text in self.keys.items():
            shown = listed["first" if label == "owner" else f"fake {label}"]
            keys[label] = {"apikey": text, "told": shown, "answered": self.answered(label)}
        listing = self.ask("GET", "/v1/reclamations")["resources"]
        return {"id": self.id, "keys": keys, "projects": self.projects, "reclamations": listing}

    def answered(self, key: str) -> dict[str, int] | None:
        """Give the status that each probe is answered with; None for a key without a token."""
        ids = {label: project["id"] for label, project in self.projects.items()}
        found = {
            name: self.send(method, path.format(**ids), {} if method == "POST" else None, key)
            for name, (method, path) in PROBES.items()
        }
        if None in found.values():
            return None
        return {name: answer.status_code for name, answer in found.items()}


def first(host: Host) -> Account:
    """Give the account that the host made by itself."""
    made = json.loads((host.state / "credentials.json").read_text())
    return Account(host, made["account_id"], made["apikey"])


def another(host: Host) -> Account:
    """Make an account."""
    said = host.ce("account", "create")
    found = re.search(r"account (\w+);.*CODE_ENGINE_APIKEY=(\w\S+)", said, re.DOTALL)
    assert found
    return Account(host, *found.groups())
