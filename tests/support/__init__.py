"""What tests stand on: a real host process, accounts in it, and the domain wired directly.

Nothing here replaces a part of Reprieve. `Host` starts `python -m emulator`, `Account` speaks
HTTP, `Inside` reads the store and the key store the way somebody who stole them would.
"""

import base64
import json
import os
import random
import signal
import struct
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import requests

from shared import access, evidence, projects
from shared.access import api_keys, key_id, records
from shared.app import App
from shared.calls import Answer, Call, Principal
from shared.keys.local import MARKER, open_keyring
from shared.lifecycle import ACTIVE, Project
from shared.projects import reclamations
from shared.settings import Settings
from shared.store import Store, Write
from tests.support import told

ROOT = Path(__file__).parents[2]
GRANT = "urn:ibm:params:oauth:grant-type:apikey"
WEEK = 7 * 24 * 3600
ASKED_AGAIN = 5  # times at most, where an answer says when
LEADING = ("CE_", "CODE_ENGINE_", "RESOURCE_CONTROLLER_", "IBMCLOUD_")  # names begin with
LEADS = {"FIRESTORE_EMULATOR_HOST", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT"}
OURS = {"CE_BROWSER", "CE_NEED_BROWSER"}  # these the tests themselves read: see browser.py


def stand_alone() -> None:
    """Take out of this process's environment what leads to another host, or sets one up.

    As `eval "$(ce emulator env)"` leaves it in a shell: with it the tests would use, and reset,
    the user's own host.
    """
    for name in os.environ.keys() - OURS:
        if name in LEADS or name.startswith(LEADING):
            del os.environ[name]


def until(check: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Give the first true answer of `check`; fail after some seconds without one."""
    end = time.monotonic() + seconds
    while not (answer := check()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
    return answer


def paths_below(store: Store, path: str, limit: int) -> list[str]:
    """Give the paths of up to `limit` documents below a document, in whatever collection."""
    return [document.path for document in store.below(path, limit, "__name__")]


def seed() -> int:
    """Give the seed of what a test samples, and tells: REPRIEVE_SEED, else another each run."""
    return int(os.environ.get("REPRIEVE_SEED") or random.randrange(10**6))


def project_of(**more: Any) -> Project:
    """Give a project as the pure rules are handed it."""
    moment = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    fixed = {"account_id": "a" * 32, "region": "eu-de", "subdomain": "vg67hzldruk"}
    named = {"id": "15314cc3-85b4-4338-903f-c28cdee6d005", "status": ACTIVE, "name": "shop"}
    return Project(**{**fixed, **named, "created_at": moment, "updated_at": moment, **more})


class Host:
    """A function host with its own state, as a process of its own."""

    def __init__(self, home: Path, *options: str, runner: tuple[str, ...] = ("-m", "emulator")):
        self.home = home
        self.state = home / "emulator"
        self.options = options
        self.runner = runner
        self.process: subprocess.Popen[bytes] | None = None
        self._info: dict[str, Any] = {}

    def start(self, **env: str) -> "Host":
        """Start the process and wait until it serves."""
        ports = ("--hosting-port", "0", "--functions-port", "0", "--no-schedule")
        command = [sys.executable, *self.runner, "start", "--state", str(self.state), *ports]
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "host.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *self.options],
                cwd=ROOT,
                env={**os.environ, **env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until(lambda: self.serves() or self.process.poll() is not None, 60)
        assert self.process.poll() is None, self.log()
        return self

    def serves(self) -> bool:
        """Tell whether the process has written where it serves."""
        return self.info.get("pid") == self.process.pid

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Stop the process; with SIGKILL as a crash would."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(30)

    @property
    def info(self) -> dict[str, Any]:
        """What hub.json says, or said last: threads of a test go on while the host stops."""
        with suppress(FileNotFoundError):
            self._info = json.loads((self.state / "hub.json").read_text())
        return self._info

    @property
    def url(self) -> str:
        """The tenant-facing address."""
        return self.info["hosting"]

    @property
    def functions(self) -> str:
        """The address where functions are called by name."""
        return self.info["functions"]

    def log(self) -> str:
        """Everything the process has printed."""
        return (self.home / "host.log").read_text()

    def hub(self, method: str, path: str, body: Any = None) -> Any:
        """Call the hub as its operator."""
        info = self.info
        headers = {"Authorization": f"Bearer {info['token']}"}
        answer = requests.request(
            method, info["hub"] + path, json=body, headers=headers, timeout=60
        )
        return told.body(answer, 200, 201, 204)

    def set_clock(self, seconds: float) -> None:
        """Set how far lifecycle time runs ahead of real time."""
        self.hub("PUT", "/clock", {"offset": seconds})

    def advance(self, seconds: float) -> None:
        """Move lifecycle time on."""
        self.hub("POST", "/clock/advance", {"seconds": seconds})

    def enforce(self) -> dict[str, int]:
        """Run the schedule once and give what it counted."""
        answer = self.hub("POST", "/schedules/enforceRetention/run")
        assert answer["status"] == 200, f"the schedule's function is answered {answer['status']}"
        body = answer["body"]
        return body if isinstance(body, dict) else json.loads(body)

    def hold(self) -> None:
        """Record events without delivering them."""
        self.hub("PUT", "/triggers", {"held": True})

    def release(self) -> None:
        """Deliver what is held, and what comes."""
        self.hub("PUT", "/triggers", {"held": False})

    def drop(self) -> None:
        """Lose the events that are held."""
        self.hub("POST", "/triggers/drop")

    def quiet(self) -> None:
        """Wait until no event is on its way: none pending, and none new for a moment."""
        last, since = None, 0.0

        def still() -> bool:
            nonlocal last, since
            counts = self.hub("GET", "/triggers")
            if counts["pending"] or counts != last:
                last, since = counts, time.monotonic()
            return time.monotonic() - since > 0.25

        until(still, 60)

    def account(self, *roles: str, account_id: str | None = None) -> "Account":
        """Make an API key, of a new account unless one is named."""
        body = {"roles": list(roles)} if roles else {}
        if account_id:
            body["account_id"] = account_id
        made = self.hub("POST", "/functions/createAccount", body)
        return Account(self, made["account_id"], made["apikey"])

    @cached_property
    def inside(self) -> "Inside":
        """The store and the key store behind the host."""
        return Inside(self)


@dataclass
class Account:
    """A caller: an API key and the account it belongs to."""

    host: Host
    id: str
    apikey: str = field(repr=False)  # a test that fails shows its arguments
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def key_id(self) -> str:
        """The id of the key."""
        return self.apikey.split("_")[1]

    def another_key(self, *roles: str, **members: Any) -> "Account":
        """Make a further key of the account, as its administrator does."""
        body = {"name": "another", "roles": list(roles) or ["administrator", "manager"]} | members
        answer = self.call("POST", "/v1/apikeys", body)
        return Account(self.host, self.id, told.body(answer, 201)["apikey"])

    @cached_property
    def token(self) -> str:
        """A token for the key."""
        form = {"grant_type": GRANT, "apikey": self.apikey, "response_type": "cloud_iam"}
        answer = requests.post(f"{self.host.url}/identity/token", data=form, timeout=30)
        return told.body(answer, 200)["access_token"]

    def call(self, method: str, path: str, body: Any = None, **kwargs: Any) -> requests.Response:
        """Make a REST call."""
        headers = {"Authorization": f"Bearer {self.token}", **kwargs.pop("headers", {})}
        url = self.host.url + path
        return self.session.request(method, url, json=body, headers=headers, timeout=60, **kwargs)

    def got(self, path: str, **kwargs: Any) -> Any:
        """Give what is read at a path, where it must be."""
        return told.body(self.call("GET", path, **kwargs), 200)

    def function(self, name: str, /, **members: Any) -> requests.Response:
        """Call a function by its name."""
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"{self.host.functions}/{name}"
        return self.session.post(url, json=members, headers=headers, timeout=60)

    def project(self, name: str | None = None) -> dict[str, Any]:
        """Create a project."""
        answer = self.call("POST", "/v2/projects", {"name": name or f"p-{uuid.uuid4().hex[:8]}"})
        return told.body(answer, 202)

    def secret(self, project: dict[str, Any], name: str, data: dict[str, str], **more: str) -> Any:
        """Create a secret."""
        body = {"name": name, "format": more.get("format", "generic"), "data": data}
        answer = self.call("POST", f"/v2/projects/{project['id']}/secrets", body)
        return told.body(answer, 201)

    def delete(self, project: dict[str, Any]) -> None:
        """Soft delete a project."""
        told.body(self.call("DELETE", f"/v2/projects/{project['id']}"), 202)

    def reclamation(self, project: dict[str, Any]) -> str:
        """Give the id of the reclamation of a project's deletion; one of nothing if there is none.

        Who is told to try again does, as in `status`.
        """
        query = f"/v1/reclamations?resource_instance_id={project['id']}"
        for _ in range(ASKED_AGAIN):
            answer = self.call("GET", query)
            if not told.busy(answer.status_code, answer.text, answer.headers):
                break
            time.sleep(int(answer.headers[told.RETRY]))
        listed = told.body(answer, 200)["resources"]
        return listed[0]["id"] if listed else str(uuid.uuid4())

    def act(self, reclamation: str, word: str) -> requests.Response:
        """Restore or reclaim, by the id of a reclamation."""
        return self.call("POST", f"/v1/reclamations/{reclamation}/actions/{word}", {})

    def action(self, project: dict[str, Any], word: str) -> requests.Response:
        """Restore or reclaim a project, by the reclamation of its deletion."""
        return self.act(self.reclamation(project), word)

    def destroy(self, project: dict[str, Any]) -> None:
        """Delete a project, and begin its permanent deletion."""
        self.delete(project)
        told.body(self.action(project, "reclaim"), 200)

    def status(self, project: dict[str, Any]) -> str:
        """Give the status of a project, `gone` when it does not exist.

        Who is told to try again does, as a client has to (docs/api.md), a few times.
        """
        for _ in range(ASKED_AGAIN):
            answer = self.call("GET", f"/v2/projects/{project['id']}")
            if not told.busy(answer.status_code, answer.text, answer.headers):
                break
            time.sleep(int(answer.headers[told.RETRY]))
        found = told.body(answer, 200, 404)
        return found["status"] if answer.status_code == 200 else "gone"

    def gone(self, project: dict[str, Any]) -> None:
        """Wait until a project is permanently deleted."""
        until(lambda: self.status(project) == "gone")


class Inside:
    """What lies behind the host: its store read directly, and its key files."""

    def __init__(self, host: Host) -> None:
        env = host.info["env"]
        self.settings = Settings.from_env(env)
        self.store = Store.connect(
            self.settings.project, self.settings.emulator, random.random, self.settings.database
        )
        self.keys = self.settings.key_store

    @property
    def app(self) -> App:
        """The domain wired to the host's own store and keys: as only the service can write."""
        ring = open_keyring(self.settings.keyring, self.settings.key_store)
        return App(self.settings, self.store, ring)

    def document(self, path: str) -> dict[str, Any] | None:
        """Give a document's fields."""
        return self.store.read(path)[path].fields

    def clear(self) -> None:
        """Delete every document."""
        home = f"projects/{self.settings.project}/databases/{self.settings.database}/documents"
        url = f"http://{self.settings.emulator}/emulator/v1/{home}"
        requests.delete(url, timeout=60).raise_for_status()

    def change_key(self, key_id: str, **fields: Any) -> None:
        """Change the record of an API key as only who holds the signing key can."""
        document = self.store.read(records.path_of(key_id))[records.path_of(key_id)]
        changed = records.signed(self.app, document.contents | fields)
        self.store.commit([Write.replace(document, changed)])

    def below(self, path: str) -> dict[str, dict[str, Any] | None]:
        """Give every document below a path, of whatever collection."""
        paths = paths_below(self.store, path, 10_000)
        read = self.store.read(*paths).documents if paths else {}
        return {path: document.fields for path, document in read.items()}

    def everything(self) -> dict[str, dict[str, Any] | None]:
        """Give every document of the store."""
        return self.below("")

    def slots(self, account: str) -> dict[str, str]:
        """Give the slots of an account's region."""
        region = self.document(f"regions/{account}.{self.settings.region}") or {}
        return region.get("slots", {})

    def projects(self, account: str) -> dict[str, dict[str, Any]]:
        """Give an account's projects by id."""
        filters = (("account_id", "==", account),)
        _, found = self.store.query("projects", *filters, order="name", limit=1000)
        return {document.id: document.fields for document in found}

    def key_halves(self) -> set[str]:
        """Give the projects that have a file in the key store."""
        return halves_in(self.keys)


def halves_in(folder: Path) -> set[str]:
    """Give the projects that have a file in a folder; its marker is of none."""
    names = {file.name.removesuffix(".new") for file in folder.glob("*")}
    return names - {MARKER}


def traces_of(value: str | bytes) -> list[bytes]:
    """Give the forms in which a value could show; see `forms_of`."""
    return list(dict.fromkeys(forms_of(value).values()))


def forms_of(value: str | bytes) -> dict[str, bytes]:
    """Give the forms in which a value could show, by their names.

    Raw, hex, base64 in both alphabets at each offset in what is encoded with it; of a text also
    its forms in URLs, JSON, Python and UTF-16.
    """
    raw = value.encode() if isinstance(value, str) else value
    forms = {"raw": raw, "hex": raw.hex().encode(), "HEX": raw.hex().upper().encode()}
    forms["every byte in a URL"] = "".join(f"%{byte:02X}" for byte in raw).encode()
    forms["bytes in Python"] = repr(raw)[2:-1].encode()
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw)
        whole = encoded[4 * (offset > 0) : len(encoded) // 4 * 4 - 4]
        forms[f"base64 at {offset}"] = whole
        forms[f"base64url at {offset}"] = whole.translate(bytes.maketrans(b"+/", b"-_"))
    if isinstance(value, str):
        forms |= {
            "a URL's path": quote(value, safe="").encode(),
            "a form": quote_plus(value).encode(),
            "JSON": json.dumps(value)[1:-1].encode(),
            "JSON in UTF-8": json.dumps(value, ensure_ascii=False)[1:-1].encode(),
            "JSON in JSON": json.dumps(json.dumps(value))[3:-3].encode(),
            "escapes": "".join(f"\\u{unit:04x}" for unit in units_of(value)).encode(),
            "a repr": repr(value)[1:-1].encode(),
            "UTF-16 LE": value.encode("utf-16-le"),
            "UTF-16 BE": value.encode("utf-16-be"),
        }
    return {name: form for name, form in forms.items() if form}


def units_of(text: str) -> list[int]:
    """Give the UTF-16 units of a text, as JSON's escapes name them."""
    return [unit for (unit,) in struct.iter_unpack(">H", text.encode("utf-16-be"))]


def dump(value: Any) -> Iterator[bytes]:
    """Give every string and byte string within a value."""
    match value:
        case dict():
            for key, item in value.items():
                yield str(key).encode()
                yield from dump(item)
        case list() | tuple():
            for item in value:
                yield from dump(item)
        case bytes():
            yield value
        case _:
            yield str(value).encode()


def wired(emulator: str, folder: Path, project: str | None = None, **changes: Any) -> App:
    """Give the domain wired in this process, to a database of its own in the emulator."""
    env = {
        "FIRESTORE_EMULATOR_HOST": emulator,
        "GOOGLE_CLOUD_PROJECT": project or f"demo-{uuid.uuid4().hex[:12]}",
        "CE_KEYRING": str(folder / "keyring.json"),
        "CE_KEY_STORE": str(folder / "keys"),
        "CE_CLOCK_FILE": str(folder / "clock"),
        **changes,
    }
    return App.from_settings(Settings.from_env(env))


def with_key(app: App) -> App:
    """Store the key that `call` calls with, and nothing else; give the domain."""
    asked = call(body={"account_id": "a" * 32, "apikey": "ce_key_x"})
    api_keys.create_account(app, asked)
    app.store.commit([Write.discard(evidence.operation(asked.origin))])
    return app


def call(
    account: str = "a" * 32,
    body: Any = None,
    *,
    key: str = "ce_key_x",
    operation: str = "",
    **parameters: Any,
) -> Call:
    """Give a call by an account's owner, with the token of a key that is stored: see `with_key`."""
    principal = Principal(key_id(key), account, frozenset({"administrator", "manager"}))
    trace = f"codeengine-api-{uuid.uuid4().hex}"
    return Call(principal, {"limit": 100, **parameters}, body or {}, trace, operation)


def reclaim(app: App, project: str) -> Answer:
    """Begin the permanent deletion of a project, which is deleted first if it is not yet."""
    path = f"projects/{project}"
    if app.store.read(path)[path].contents["status"] == ACTIVE:
        projects.delete(app, call(id=project))
    reclamation = app.store.read(path)[path].contents["reclamation_id"]
    return reclamations.reclaim(app, call(id=reclamation))


def principal_of(app: App, apikey: str) -> Principal:
    """Give who calls with a token that a key is exchanged for."""
    token = access.issue_token(app, call(body={"apikey": apikey})).body["access_token"]
    return access.authenticate(app, token)
