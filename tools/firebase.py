"""The functions and the rewrites under Firebase's own emulator suite (needs Node and npm).

Runs `firebase emulators:start --only functions,hosting` on this checkout, over a public Firestore
emulator of its own, and asks the functions by name and through Hosting. The suite loads the event
and the schedule function but calls neither: it feeds only from a Firestore it started itself.
"""

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests

from emulator import ports, wire
from emulator.log import Log
from tests.support import own_firestore, stand_alone

ROOT = Path(__file__).parents[1]
TOOL = shlex.split(os.environ.get("FIREBASE", "npx --yes firebase-tools@15"))
PROJECT = "demo-reprieve"
NAMED = f"http://127.0.0.1:5001/{PROJECT}/us-central1"
HOSTED = "http://127.0.0.1:5000"
GRANT = "urn:ibm:params:oauth:grant-type:apikey"


def expect(status: int, answer: requests.Response) -> requests.Response:
    """Show an answer, and end unless it has this status."""
    print(f"  {answer.status_code}  {answer.request.method} {answer.url}", flush=True)
    if answer.status_code != status:
        sys.exit(f"expected {status}: {answer.text[:500]}")
    return answer


def check() -> None:
    """Make a key by name, a token and a project through Hosting, and a secret both ways."""
    made = expect(201, requests.post(f"{NAMED}/createAccount", json={}, timeout=60)).json()
    form = {"grant_type": GRANT, "apikey": made["apikey"]}
    token = expect(200, requests.post(f"{HOSTED}/identity/token", data=form, timeout=60)).json()
    web = requests.Session()
    web.headers["Authorization"] = f"Bearer {token['access_token']}"
    project = expect(202, web.post(f"{HOSTED}/v2/projects", json={"name": "p"})).json()
    secret = {"name": "s", "format": "generic", "data": {"k": "v"}}
    on = {"project_id": project["id"]}
    expect(201, web.post(f"{NAMED}/putSecret", json={**on, **secret}))
    found = expect(200, web.get(f"{HOSTED}/v2/projects/{project['id']}/secrets/s")).json()
    if found["data"] != secret["data"]:
        sys.exit("the secret came back changed")
    expect(200, web.post(f"{NAMED}/getSecret", json={**on, "name": "s"}))
    expect(202, web.delete(f"{HOSTED}/v2/projects/{project['id']}"))
    expect(200, web.post(f"{NAMED}/restoreProject", json=on))
    expect(202, web.post(f"{NAMED}/deleteProject", json={"id": project["id"]}))
    (found,) = expect(200, web.get(f"{HOSTED}/v1/reclamations")).json()["resources"]
    expect(200, web.post(f"{HOSTED}/v1/reclamations/{found['id']}/actions/reclaim", json={}))
    expect(401, requests.post(f"{NAMED}/listProjects", timeout=60))
    expect(404, requests.get(f"{NAMED}/enforceRetention", timeout=60))
    headers()


def headers() -> None:
    """See that all answers have the headers of firebase.json, each once; and the API's their own.

    Hosting puts its policy in place of a function's; the local host leaves a function its own.
    """
    rules = json.loads((ROOT / "firebase.json").read_text())["hosting"]["headers"]
    (every,) = [row["headers"] for row in rules if row["source"] == "**"]
    wanted = {pair["key"]: pair["value"] for pair in every} | {"Cache-Control": "no-cache"}
    for path in ("/", "/index.html", "/app/app.js", "/docs", "/docs/docs.js"):
        same(expect(200, requests.get(HOSTED + path, timeout=60)), wanted)
    lost = expect(404, requests.get(f"{HOSTED}/no/such/place", timeout=60))
    same(lost, {pair["key"]: pair["value"] for pair in every})
    if "Nothing is at this address" not in lost.text:
        sys.exit("404.html is not served")
    for path, status in (("/openapi.json", 200), ("/v2/projects", 401)):
        own = {**wire.ALWAYS, **wanted, "Cache-Control": wire.ALWAYS["Cache-Control"]}
        same(expect(status, requests.get(HOSTED + path, timeout=60)), own)


def same(answer: requests.Response, wanted: dict[str, str]) -> None:
    """End unless an answer has these headers."""
    found = {key: answer.headers.get(key) for key in wanted}
    if found != wanted:
        sys.exit(f"expected {wanted}, found {found}")


def main() -> None:
    """Start Firestore and the suite, check, and stop both."""
    stand_alone()
    venv = ROOT / "functions" / "venv"  # where the suite looks for the functions' packages
    if not venv.exists():
        venv.symlink_to(Path(sys.prefix).resolve(), target_is_directory=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        store = own_firestore.start(ports.free(), "127.0.0.1:5001", home / "firestore.log", Log())
        env = {
            **os.environ,
            "FIRESTORE_EMULATOR_HOST": store.address,
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "CE_KEYRING": str(home / "keyring.json"),
            "CE_KEY_STORE": str(home / "keys"),
            "CE_ENDPOINT": HOSTED,
        }
        command = [*TOOL, "emulators:start", "--only", "functions,hosting", "--project", PROJECT]
        suite = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True)
        try:
            end = time.monotonic() + 240
            while not _ready():
                if suite.poll() is not None or time.monotonic() > end:
                    sys.exit("the suite did not start")
                time.sleep(1)
            check()
        finally:
            os.killpg(suite.pid, signal.SIGINT)
            suite.wait(60)
            store.stop()
    print("The functions and the rewrites work under Firebase's own emulator suite.")


def _ready() -> bool:
    try:
        return requests.get("http://127.0.0.1:4400/emulators", timeout=5).ok and all(
            name in requests.get("http://127.0.0.1:4400/emulators", timeout=5).json()
            for name in ("functions", "hosting")
        )
    except requests.RequestException:
        return False


if __name__ == "__main__":
    main()
