"""What else is done by who writes the database: an end planted, a MAC gone, a former document."""

import json

import pytest

from shared import evidence, forms, projects, resources
from shared.kinds import SECRETS
from shared.projects import reclamations
from shared.store import Write
from shared.upkeep import purge, schedule
from tests.faults.planted import LONG_AGO, made, require_refused, require_right
from tests.support import call, halves_in
from tests.support.former import everything, in_form
from tests.support.standing import planted, put, rewritten, stored


@pytest.mark.claim("T3", "a tombstone planted in a project's place destroys no key half")
@pytest.mark.parametrize("entry", ["none", "another's", "made up"])
def test_a_planted_tombstone(app, entry, caplog):
    """The project is taken away, and said to be destroyed: put back it is whole."""
    project, gone = made(app), made(app, "hard_deleting", "q")
    while purge.advance(app, gone) != "nothing":
        pass
    kept = {p: f for p, f in everything(app).items() if p.startswith(f"projects/{project}")}
    end, true = f"audit/{project}.erase", app.store.read(f"audit/{gone}.erase")
    tomb = everything(app)[f"tombstones/{gone}"] | {"id": project}
    app.store.commit([Write(f"tombstones/{project}", tomb), *map(Write.discard, kept)])
    if entry != "none":
        fields = true[f"audit/{gone}.erase"].contents
        changed = fields["record"].replace(gone.encode(), project.encode())
        more = {"record": changed} if entry == "made up" else {}
        app.store.commit([Write(end, fields | {"project_id": project} | more)])
    done = schedule.enforce(app)
    assert (done["returned"], done["failed"]) == (0, 1)
    assert project in halves_in(app.settings.key_store)
    assert "its key half is left alone" in caplog.text
    back = [Write(path, fields) for path, fields in kept.items()]
    app.store.commit([Write.discard(f"tombstones/{project}"), *back])
    require_right(app, project, "active")


def test_in_the_former_form(app, caplog):
    """Without a MAC it counts there, and is counted; its next move gives it one. A wrong one no."""
    forms._MET.clear()
    project, former = made(app), in_form(app, 1)
    planted(app, project, "mac", "moves")
    require_refused(app, project)
    caplog.clear()
    assert resources.get(SECRETS, former, call(project_id=project, name="s")).body["data"]
    (line,) = map(json.loads, caplog.messages)
    assert line["message"] == "of the former store form: project without a MAC"
    assert (line["severity"], line["count"]) == ("WARNING", "1")
    assert "mac" not in stored(app, project)
    projects.delete(former, call(id=project))
    assert stored(app, project)["moves"] == 1
    reclamations.restore(app, call(project_id=project))
    planted(app, project, status="soft_deleted", purge_at=LONG_AGO)
    require_refused(former, project)


def test_a_former_document(app):
    """One put back whole holds: it was true once. Nothing here tells it; its count does."""
    project = made(app, "soft_deleted")
    before = stored(app, project)
    reclamations.restore(app, call(project_id=project))
    after = stored(app, project)
    put(app, project, before)
    assert evidence.ours(app, app.store.read(f"projects/{project}")[f"projects/{project}"])
    assert before["moves"] < after["moves"]
    rewritten(app, project, purge_at=LONG_AGO)  # as only who has the key can
    assert schedule.enforce(app)["expired"] == 1
