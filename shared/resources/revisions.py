"""The revisions of an app as the API has them, its instances, and the function runtimes.

Reprieve runs nothing: an app has no instances, and its revisions say that no runtime is attached.
"""

from functools import partial
from typing import Any

from shared import api
from shared.access import own_key
from shared.app import App
from shared.calls import Answer, Call, Page, timestamp
from shared.errors import missing
from shared.kinds import APPS, RUNTIMES, Fields, present_revision
from shared.lifecycle import Project
from shared.resources import history, readers, reading
from shared.resources.change import Change, commit
from shared.resources.place import Place

NOUN = "revision"  # in the audit trail


def listing(app: App, call: Call) -> Answer:
    """Give a page of an app's revisions by name. Raises Error `resource_not_found`.

    Of revisions, and of one, there is an entry of who read it where there is one of an app.
    """
    place = _place(call)
    collection, show = f"{place.path}/revisions", partial(_shown, app, place)
    return reading.page(app, call, place, collection, show, order="revision_name", noun=NOUN)


def get(app: App, call: Call) -> Answer:
    """Give a revision of an app. Raises Error `resource_not_found`."""
    place = _place(call)
    name = call.parameters["name"]
    project, now, revision = reading.one(app, call, place, f"{place.path}/revisions/{name}")
    readers.noted(app, call, place, project, now, [name], NOUN)
    return Answer(_shown(app, place, project, revision), now=now)


def delete(app: App, call: Call) -> Answer:
    """Delete a revision of an app for good; the app stays as it is."""
    place, name = _place(call), call.parameters["name"]
    path = f"{place.path}/revisions/{name}"

    def decide(change: Change) -> Answer:
        change.resource()
        number = change.resource(path)["revision"]
        change.writes.extend(history.forget(change.read[place.path], number))
        return Answer(now=change.now)

    paths = [place.home, place.path, path]
    return commit(app, call, place, f"{NOUN}.delete", paths, decide, name)


def instances(app: App, call: Call) -> Answer:
    """Give the instances of an app: none, for nothing runs. Raises Error `resource_not_found`."""
    place = _place(call)
    read = app.store.read(own_key(call.principal), place.home, place.path)
    _, now = reading.home_of(app, call.principal, place, read)
    if read[place.path].fields is None:
        raise missing()
    return Answer(page=Page("instances", [], None), now=now)


def runtimes(_app: App, _call: Call) -> Answer:
    """Give the runtimes that a function can name (contract section 4.5)."""
    return Answer({"function_runtimes": [dict(row) for row in RUNTIMES]})


def _place(call: Call) -> Place:
    return Place(APPS, call.parameters["project_id"], call.parameters["app_name"])


def _shown(app: App, place: Place, project: Project, revision: Fields) -> dict[str, Any]:
    name = revision["revision_name"]
    members = {
        **revision,
        "name": name,
        "app_name": place.key,
        "project_id": project.id,
        "region": project.region,
        "href": f"{place.href(app, place.key)}/revisions/{name}",
        "created_at": timestamp(revision["created_at"]),
    }
    return api.shown("AppRevision", members | present_revision(members, project))
