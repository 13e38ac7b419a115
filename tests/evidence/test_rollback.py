"""What the trail says of a secret's newest version: by it one that was put back is told."""

import pytest

from shared import projects, resources
from shared.kinds import SECRETS
from shared.resources import keyed
from shared.store import Write
from tests.support import call
from tests.support.entries import entries

BODY = {"format": "generic", "data": {"k": "v", "l": "w"}}
WRITES = {"codeengine.secret.create", "codeengine.secret.update"}


def newest(app, project, name):
    """Give the entity tag that the newest entry of a write of a secret has."""
    about = [entry for entry in entries(app.store, "project_id", project) if "names" in entry]
    tags = [e["entity_tag"] for e in about if e["names"] == [name] and e["action"] in WRITES]
    return tags[-1]


@pytest.mark.claim("T2", "the newest entry of a secret has the entity tag of what is stored")
def test_the_newest_tag(app):
    """After each write, whole or of one key; a former version that is put back has another."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    on, path = {"project_id": project, "name": "s"}, f"projects/{project}/secrets/s"

    def stored():
        return app.store.read(path)[path].contents

    resources.create(SECRETS, app, call(body={"name": "s", **BODY}, project_id=project))
    assert newest(app, project, "s") == stored()["entity_tag"]
    first = stored()
    resources.update(SECRETS, app, call(body=BODY, if_match="*", **on))
    assert newest(app, project, "s") == stored()["entity_tag"] != first["entity_tag"]
    keyed.patch(SECRETS, app, call(body={"data": {"k": "x"}}, if_match="*", **on))
    assert newest(app, project, "s") == stored()["entity_tag"]
    app.store.commit([Write(path, first)])
    assert resources.get(SECRETS, app, call(**on)).body["data"] == BODY["data"]  # it opens
    assert newest(app, project, "s") != stored()["entity_tag"]
