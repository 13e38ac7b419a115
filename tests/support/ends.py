"""A project's end as its certificate tells it, and as who looked before can tell it too."""

import json
from hashlib import sha256

from shared import projects, resources
from shared.kinds import CONFIG_MAPS, SECRETS
from shared.resources import data_key_path
from shared.upkeep import advance
from tests.support import call

ACCOUNT = "a" * 32
NAME, VALUE = "shop-of-a-canary", "canary-5up3r-s3cr3t-value"
TIMES = ("deleted", "deadline", "claimed", "shredded", "swept", "erased")
ZEROS = bytes(32)


def made(app, name=NAME):
    """Make a project with a secret and a config map: six documents; give its id."""
    project = projects.create(app, call(body={"name": name})).body["id"]
    body = {"name": "s", "format": "generic", "data": {"k": VALUE}}
    resources.create(SECRETS, app, call(body=body, project_id=project))
    resources.create(CONFIG_MAPS, app, call(body={"name": "m"}, project_id=project))
    return project


def ended(app, project):
    """Purge a project to its end; give the steps that it took."""
    steps = []
    while (step := advance(app, project)) != "nothing":
        steps.append(step)
        assert len(steps) < 20, steps
    return steps


def certificates(app):
    """Give the certificates there are: the index beside them, by the projects' ids."""
    _, found = app.store.query("certificates", order="__name__", limit=999)
    return {document.id: document.contents for document in found}


def record_of(app, project):
    """Give the bytes of a project's one certificate; the index beside it says the same."""
    found = certificates(app)[project]
    entry = app.store.read(f"audit/{found['entry']}")[f"audit/{found['entry']}"].contents
    record = entry["record"]
    assert (found["entry"], entry["pending"]) == (f"{project}.erase", True)
    assert found["sha256"] == sha256(record).hexdigest()
    said = json.loads(record)["predicate"]
    assert (found["account_id"], found["region"]) == (said["project"]["account"], "us-south")
    assert (found["name_digest"], found["test"]) == (said["project"]["name_digest"], said["test"])
    assert f"{found['erased_at']:%Y-%m-%dT%H:%M:%S.%fZ}" == said["timeline"]["erased"]
    assert entry["at"] == found["erased_at"]
    return record


def said_of(app, project):
    """Give what a project's certificate says."""
    return json.loads(record_of(app, project))["predicate"]


def below(app, project):
    """Give what lies below a project in the order of the sweep, without the key, which goes first.

    By path: the SHA-256 that each notes; zeros where it notes none.
    """
    found = app.store.below(f"projects/{project}", 999, "sha256")
    noted = {document.path: document.contents.get("sha256", ZEROS) for document in found}
    noted.pop(data_key_path(project), None)
    return dict(sorted(noted.items(), key=lambda one: one[0].split("/")))


def digest_of(noted):
    """Give the digest over documents in the order of the sweep, in hex."""
    running = ZEROS
    for path, digest in noted.items():
        said = b"reprieve/swept/v1\n" + running + path.encode() + b"\0" + digest
        running = sha256(said).digest()
    return running.hex()


def essence(said):
    """Give what a certificate says but for what differs of each project: ids, digests, times."""
    kept = json.loads(json.dumps(said))
    for name in TIMES:
        kept["timeline"].pop(name)
    kept["destroyed"].pop("digest")
    for name in ("project", "because", "performed_by"):
        kept.pop(name)
    kept["key"].pop("commitment")
    for one in kept["key"]["evidence"]:
        one.pop("at")
        one.pop("store")
    return kept
