"""The whole story, played for real: create, seal, delete, restore, destroy, prove it.

Starts a host of its own through `ce emulator start`, and asks it through the CLI and over HTTP.
What it says about the store it reads with Google's own client, and about the key store from its
folder. Exits with 0 only if every step was checked.
"""

import base64
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests

from tests.support import halves_in, stand_alone, told

PASSWORD, VALUE = "dckr_pat_5up3r-s3cr3t", "line one\nline two: \u00fc\u0000\U0001f511"
CE = str(Path(sys.executable).with_name("ce"))


class Story:
    """A host of the story's own, and the steps that were checked."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.keys = home / "emulator" / "keys"
        self.checked = 0
        self.project: dict = {}
        self.secrets: list = []
        stand_alone()
        self.env = {**os.environ, "CE_HOME": str(home), "NO_COLOR": "1"}

    @property
    def path(self) -> str:
        """The project's path in the API."""
        return f"/v2/projects/{self.project['id']}"

    def start(self) -> subprocess.Popen[bytes]:
        """Start the host and wait for it."""
        ports = [
            word
            for name in ("hosting", "functions", "firestore", "hub")
            for word in (f"--{name}-port", "0")
        ]
        log = (self.home / "host.log").open("wb")
        process = subprocess.Popen(
            [CE, "emulator", "start", *ports], env=self.env, stdout=log, stderr=log
        )
        while not (self.home / "emulator" / "hub.json").exists():
            if process.poll() is not None:
                sys.exit((self.home / "host.log").read_text())
            time.sleep(0.1)
        self.info = json.loads((self.home / "emulator" / "hub.json").read_text())
        return process

    def say(self, text: str) -> None:
        """Head a chapter."""
        print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)

    def ce(self, line: str, given: str = "", code: int = 0) -> str:
        """Type a command of the CLI, and show what it says; it has to end with a code."""
        print(f"  $ ce {line}")
        done = subprocess.run(
            [CE, *line.split()],
            env=self.env,
            cwd=self.home,
            input=given,
            text=True,
            capture_output=True,
            check=False,
        )
        print("".join(f"    {row}\n" for row in (done.stdout + done.stderr).splitlines()), end="")
        if done.returncode != code:
            raise SystemExit(f"`ce {line}` ended with {done.returncode}")
        return done.stdout

    def check(self, claim: str, holds: bool) -> None:
        """State a claim; end the story if it does not hold."""
        print(f"  {'✔' if holds else '✘'} {claim}", flush=True)
        if not holds:
            raise SystemExit(f"Not so: {claim}")
        self.checked += 1

    def api(self, method: str, path: str) -> requests.Response:
        """Make a REST call with a token for the emulator's first key."""
        made = json.loads((self.home / "emulator" / "credentials.json").read_text())
        grant = "urn:ibm:params:oauth:grant-type:apikey"
        url = self.info["hosting"]
        form = {"grant_type": grant, "apikey": made["apikey"]}
        token = told.body(requests.post(f"{url}/identity/token", data=form, timeout=30), 200)
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        return requests.request(method, url + path, headers=headers, timeout=30)

    def kept(self) -> list:
        """Give the project's secrets, as the API tells them."""
        return told.body(self.api("GET", f"{self.path}/secrets"), 200)["secrets"]

    def documents(self) -> dict[str, dict]:
        """Read every document of the store, with Google's client and none of our code."""
        from google.cloud import firestore

        os.environ["FIRESTORE_EMULATOR_HOST"] = self.info["firestore"]
        client = firestore.Client(project=self.info["project"])
        found = {}

        def walk(collections) -> None:
            for collection in collections:
                for reference in collection.list_documents():
                    found[reference.path] = reference.get().to_dict() or {}
                    walk(reference.collections())

        walk(client.collections())
        return found

    def functions_log(self, *names: str) -> list[str]:
        """Give the host's lines about some functions."""
        lines = (self.home / "host.log").read_text().splitlines()
        return [line for line in lines if any(f"  {name}  " in line for name in names)]


def forms(value: str) -> list[bytes]:
    """Give the forms in which a value could lie around."""
    raw = value.encode()
    return [raw, raw.hex().encode(), base64.b64encode(raw)[:-4], json.dumps(value)[1:-1].encode()]


def flat(value: object) -> bytes:
    """Give all bytes of a document."""
    if isinstance(value, dict):
        return b"\n".join(flat(key) + b"=" + flat(item) for key, item in value.items())
    return value if isinstance(value, bytes) else str(value).encode()


def create(story: Story) -> None:
    """Make a project and two secrets."""
    story.say("1. A project, and two secrets in it")
    story.ce("project create --name myproject")
    story.project = json.loads(story.ce("project get --name myproject -o json"))
    story.ce(
        "secret create --name hub --format registry --server docker.io --username me "
        "--password-from-file -",
        given=PASSWORD + "\n",
    )
    story.ce("secret create --name note --from-file NOTE=-", given=VALUE)
    story.secrets = story.kept()
    hub, note = (secret["data"] for secret in story.secrets)
    told = (hub["password"], note["NOTE"])
    story.check("the API gives both back, byte for byte", told == (PASSWORD, VALUE))


def look_inside(story: Story) -> None:
    """Search the store and the key store for the values."""
    story.say("2. What the store holds")
    stored = story.documents()
    for name in sorted(stored):
        if story.project["id"] in name:
            print(f"    {name}: {', '.join(sorted(stored[name]))}")
    files = list(story.keys.iterdir())
    held = b"\n".join(map(flat, stored.values())) + b"".join(file.read_bytes() for file in files)
    seen = [form for value in (PASSWORD, VALUE) for form in forms(value) if form in held]
    claim = f"{len(stored)} documents and the key store hold no plaintext, in no encoding"
    story.check(claim, not seen)
    halves = halves_in(story.keys)
    story.check(
        "the key store holds one half of the project's key", halves == {story.project["id"]}
    )


def delete_and_restore(story: Story) -> None:
    """Delete the project and take it back."""
    story.say("3. Soft delete, and time to think again")
    deleted = story.ce("project delete --name myproject --force")
    story.check("exactly the two lines", deleted == "Deleting project `myproject`\nOK\n")
    listed = story.ce("reclamation list")
    story.check("6d23h are left", "soft deleted" in listed and "6d23h" in listed)
    refused = story.api("GET", f"{story.path}/secrets").status_code
    story.check("its secrets are out of reach", refused == 409)
    story.ce("project restore --name myproject")
    story.check("restored, with the secrets byte-identical", story.kept() == story.secrets)


def wait_a_week(story: Story) -> None:
    """Delete again, and watch what nobody does."""
    story.say("4. Delete again, and let seven days pass")
    story.ce("project delete --name myproject --force")
    names = ("enforceRetention", "onProjectWritten")
    before = len(story.functions_log(*names))
    story.ce("emulator clock advance 7d")
    story.check("the project is gone", story.api("GET", story.path).status_code == 404)
    worked = story.functions_log(*names)[before:]
    print("".join(f"    {line}\n" for line in worked), end="")
    did = {line.split()[1] for line in worked}
    story.check("the scheduled function and the event function destroyed it", did == set(names))


def look_for_remains(story: Story) -> None:
    """Search everything for what is left of the project."""
    story.say("5. What is left of it")
    stored = story.documents()
    left = [name for name in stored if name.startswith(f"projects/{story.project['id']}")]
    story.check("in Firestore: nothing under the project", left == [])
    story.check("in the key store: nothing", not halves_in(story.keys))
    tombstone = stored.get(f"tombstones/{story.project['id']}", {})
    shredded, swept = tombstone.get("shredded_at"), tombstone.get("swept", 0)
    story.check(f"a tombstone: shredded {shredded}, {swept} documents swept", swept >= 3)
    slots = [doc.get("slots") for name, doc in stored.items() if name.startswith("regions/")]
    story.check("its slot is free", slots == [{}])
    story.check("nothing left to restore", "myproject" not in story.ce("reclamation list"))
    story.ce("project create --name myproject")
    again = json.loads(story.ce("project get --name myproject -o json"))
    story.check("its name is free, for another project", again["id"] != story.project["id"])


def prove(story: Story) -> None:
    """Verify the certificate of what was destroyed, and be refused with another."""
    story.say("6. The proof, for who was not there and is offline")
    story.ce("emulator schedule run sealAudit")
    story.ce("certificate get --name myproject")
    file = story.home / "myproject.certificate.json"
    verify = f"certificate verify {file.name} myproject.tlog-proof --key log.vkey"
    story.check("it is of the project", story.project["id"] in file.read_text())
    held = story.ce(f"{verify} --allow-test")
    story.check("the log holds it", "OK: the certificate is what the log holds." in held)
    story.check("beside an emulator it is no evidence", "TEST" in story.ce(verify, code=1))
    content = file.read_text()
    file.write_text(content.replace('"swept"', '"swepT"', 1))
    refused = story.ce(f"{verify} --allow-test", code=1)
    story.check("with one byte changed it is refused", refused.startswith("FAILED"))


CHAPTERS = (create, look_inside, delete_and_restore, wait_a_week, look_for_remains, prove)


def main() -> None:
    """Start the host, play, and stop it whatever happens."""
    with tempfile.TemporaryDirectory() as folder:
        story = Story(Path(folder))
        print("Starting the public Firestore emulator and the function host ...", flush=True)
        host = story.start()
        began = time.monotonic()
        try:
            for chapter in CHAPTERS:
                chapter(story)
        finally:
            host.terminate()
            host.wait(30)
    spent = time.monotonic() - began
    print(f"\n{story.checked} claims checked in {spent:.0f} s. Nothing is left behind.")


if __name__ == "__main__":
    main()
