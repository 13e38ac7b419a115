"""An export that a former version made, and what that version told of it (tests/vectors).

`Vector` reads both and starts a host on the export. `Tenant` is one of its accounts: it asks the
host with the key of that time, and knows what the answer was. Whoever changes what is stored goes
on from here: import, change (as `migrate` will), then ask the same questions again.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.support import ROOT, Account, Host, until
from tests.support.regions import Abroad, abroad


class Vector:
    """One export, and the values that a test must find in it."""

    def __init__(self, name: str) -> None:
        folder = ROOT / "tests" / "vectors" / name
        self.export = folder / "export"
        self.values: dict[str, Any] = whole(json.loads((folder / "values.json").read_text()))
        self.before = self.files()  # nothing changes them

    @property
    def now(self) -> datetime:
        """The lifecycle's time at the export."""
        return datetime.fromisoformat(self.values["now"])

    def files(self) -> dict[str, tuple[int, int]]:
        """Give the size and the time of every file of the export."""
        found = {path: path.stat() for path in self.export.rglob("*") if path.is_file()}
        return {str(path): (stat.st_size, stat.st_mtime_ns) for path, stat in found.items()}

    def imported(self, home: Path) -> Host:
        """Start a host that begins with the export, right from where it lies.

        Its links begin as they did then. The clock's offset is the export's, and the schedule
        rests: a test says what time it is (`be_at`) before it lets anything be enforced.
        """
        ports = ("--firestore-port", "0", "--hub-port", "0")
        host = Host(home, "--import", str(self.export), *ports)
        return host.start(CE_ENDPOINT=self.values["endpoint"])

    def tenant(self, host: Host, name: str) -> "Tenant":
        """Give an account, by its name in the recorded values."""
        return Tenant(host, self.values["accounts"][name], self.values["probes"])


class Tenant:
    """An account of an export, and what it was told of all that it has."""

    def __init__(self, host: Host | Abroad, told: dict[str, Any], probes: dict[str, Any]) -> None:
        self.host, self.id, self.told, self._probes = host, told["id"], told, probes
        self.projects: dict[str, dict[str, Any]] = told["projects"]

    @cached_property
    def owner(self) -> Account:
        """The account as its first key is used."""
        return self.as_key("owner")

    def as_key(self, name: str) -> Account:
        """Give the account as one of its keys is used."""
        return Account(self.host, self.id, self.told["keys"][name]["apikey"])

    def labels(self, state: str) -> list[str]:
        """Give the labels of the projects that were in a state."""
        return [label for label, project in self.projects.items() if project["state"] == state]

    def path(self, label: str) -> str:
        """Give the path of a project."""
        return f"/v2/projects/{self.projects[label]['id']}"

    def ask(self, path: str) -> Any:
        """Ask as the owner; it must be answered."""
        answer = self.owner.call("GET", path)
        assert answer.status_code == 200, f"{path}: {answer.text[:500]}"
        return answer.json()

    def holds(self, label: str) -> dict[str, list[Any]]:
        """Give what each list of a project's shows now; each of them is got by itself, too."""
        found: dict[str, list[Any]] = {}
        for collection in self.projects[label]["holds"]:
            home = f"{self.path(label)}/{collection}"
            found[collection] = self.ask(f"{home}?limit=200")[collection]
            for one in found[collection]:
                key = one["id" if collection == "bindings" else "name"]
                assert self.ask(f"{home}/{key}") == one
            self._require_metadata(home, collection, found[collection])
        return found

    def _require_metadata(self, home: str, collection: str, held: list[Any]) -> None:
        """Require that what a former version wrote is told without what that did not note."""
        path = home.replace("/v2/", "/v1/", 1)
        told = self.ask(f"{path}?limit=200")[collection]
        assert len(told) == len(held)
        for one, whole in zip(told, held, strict=True):
            assert {name: whole[name] for name in one if name in whole}.items() <= one.items()
            assert {"id", "entity_tag", "created_at"} <= one.keys()
            assert not {"updated_at", "key_count"} & one.keys()
        assert self.ask(f"{path.rpartition('/')[0]}/contents")[collection] == len(held)

    def revisions(self, label: str) -> dict[str, list[Any]]:
        """Give the revisions of each app of a project."""
        found = {}
        for app in self.projects[label]["revisions"]:
            home = f"{self.path(label)}/apps/{app}/revisions"
            found[app] = self.ask(home)["revisions"]
            for one in found[app]:
                assert self.ask(f"{home}/{one['name']}") == one
        return found

    def require_whole(self, label: str) -> None:
        """Require that a project and all it holds are told of as they were: no member differs."""
        with self._at_home(label) as there:
            there._require_whole(label)

    @contextmanager
    def _at_home(self, label: str) -> Iterator["Tenant"]:
        """Give the account as it asks the deployment of a project's region; no other knows it."""
        region = self.projects[label]["told"]["region"]
        if region == self.host.inside.settings.region:
            yield self
            return
        assert self.owner.call("GET", self.path(label)).status_code == 404
        endpoint = self.projects[label]["told"]["href"].partition("/v2/")[0]
        with abroad(self.host, region, CE_ENDPOINT=endpoint) as there:
            yield Tenant(there, self.told, self._probes)

    def _require_whole(self, label: str) -> None:
        project = self.projects[label]
        assert self.ask(self.path(label)) == {**project["told"], "status": "active"}
        if project["state"] == "active":  # else it has been restored since
            assert self.instance(label) == project["instance"]
        assert self.holds(label) == project["holds"]
        assert self.revisions(label) == project["revisions"]

    def instance(self, label: str) -> dict[str, Any]:
        """Give a project as the resource controller has it, even when it is destroyed."""
        return self.ask(f"/v2/resource_instances/{self.projects[label]['id']}")

    def reclamation(self, label: str) -> dict[str, Any]:
        """Give the reclamation that a deleted project is restored by."""
        found = self.ask("/v1/reclamations")["resources"]
        (one,) = (e for e in found if e["resource_instance_id"] == self.projects[label]["id"])
        return one

    def restore(self, label: str) -> Any:
        """Ask for a project to be restored."""
        path = f"/v1/reclamations/{self.reclamation(label)['id']}/actions/restore"
        return self.owner.call("POST", path, {})

    def restored(self, label: str) -> None:
        """Restore a project, and require that it is whole."""
        assert self.restore(label).status_code == 200
        self.require_whole(label)

    def require_gone(self, label: str) -> None:
        """Require that a project is destroyed: no answer, document, key half or slot is left."""
        inside, project = self.host.inside, self.projects[label]["id"]
        until(lambda: self.owner.call("GET", self.path(label)).status_code == 404)
        assert self.owner.call("GET", f"{self.path(label)}/secrets").status_code == 404
        assert inside.document(f"projects/{project}") is None
        assert inside.below(f"projects/{project}") == {}
        assert project not in inside.key_halves()
        assert project not in inside.slots(self.id)
        assert inside.document(f"tombstones/{project}")["status"] == "hard_deleted"
        assert self.instance(label)["state"] == "removed"  # told out of the tombstone

    def answered(self, key: str) -> dict[str, int]:
        """Give the status that a key's request for each thing it may or may not do is answered."""
        account, ids = self.as_key(key), {n: p["id"] for n, p in self.projects.items()}
        return {
            name: account.call(
                method, path.format(**ids), {} if method == "POST" else None
            ).status_code
            for name, (method, path) in self._probes.items()
        }


def be_at(host: Host, moment: datetime) -> None:
    """Set the clock of a host so that it is a moment, whatever day it is outside."""
    host.set_clock((moment - datetime.now(UTC)).total_seconds())


def whole(value: Any) -> Any:
    """Give recorded values with the large ones written out: they are kept as what they repeat."""
    match value:
        case {"repeat": str(text), "times": int(times), **rest} if not rest:
            return text * times
        case dict():
            return {name: whole(item) for name, item in value.items()}
        case list():
            return [whole(item) for item in value]
    return value


def plain(value: Any) -> Any:
    """Give stored fields as they were recorded: times as text."""
    match value:
        case dict():
            return {name: plain(item) for name, item in value.items()}
        case datetime():
            return value.isoformat()
    return value
