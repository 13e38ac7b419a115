"""The revisions of an app as the API has them, its instances, and the function runtimes.

Reprieve runs nothing: an app has no instances, and its revisions say that no runtime is attached.
"""

from typing import Any

from shared import audit, revisions, schema, workloads, writes
from shared.app import Answer, App, Call, Page, timestamp
from shared.errors import missing
from shared.kinds import APPS
from shared.places import Fields, Place
from shared.writes import Read


def listing(app: App, call: Call) -> Answer:
    """Give a page of an app's revisions by name. Raises Error `resource_not_found`."""
    place = _place(call)
    found = place.page(app, call, f"{place.path}/revisions", order="revision_name")
    entries = [_shown(app, place, found.project, revision) for revision in found.resources]
    return Answer(page=Page("revisions", entries, found.next), now=found.now)


def get(app: App, call: Call) -> Answer:
    """Give a revision of an app. Raises Error `resource_not_found`."""
    place = _place(call)
    path = f"{place.path}/revisions/{call.parameters['name']}"
    project, now, revision = place.one(app, call, path)
    return Answer(_shown(app, place, project, revision), now=now)


def delete(app: App, call: Call) -> Answer:
    """Delete a revision of an app for good; the app stays as it is."""
    place = _place(call)
    path = f"{place.path}/revisions/{call.parameters['name']}"

    def decide(read: Read) -> tuple[list[writes.Write], Answer]:
        project, now = place.project(read, app, call)
        stored, revision = place.resource(read), read[path].fields
        if revision is None:
            raise missing()
        commit = [
            *revisions.forget(read[place.path], stored, revision["revision"]),
            writes.verify(read[place.home]),
            audit.by(call, "revision.delete", project, now, call.parameters["name"]),
        ]
        return commit, Answer(now=now)

    return app.store.transact(audit.operation(call), [place.home, place.path, path], decide)


def instances(app: App, call: Call) -> Answer:
    """Give the instances of an app: none, for nothing runs. Raises Error `resource_not_found`."""
    place = _place(call)
    read = app.store.read(place.home, place.path)
    _, now = place.project(read, app, call)
    place.resource(read)
    return Answer(page=Page("instances", [], None), now=now)


def runtimes(_app: App, _call: Call) -> Answer:
    """Give the runtimes that a function can name (contract section 4.5)."""
    return Answer({"function_runtimes": [dict(row) for row in workloads.RUNTIMES]})


def _place(call: Call) -> Place:
    return Place(APPS, call.parameters["project_id"], call.parameters["app_name"])


def _shown(app: App, place: Place, project: Fields, revision: Fields) -> dict[str, Any]:
    name = revision["revision_name"]
    members = {
        **revision,
        "name": name,
        "app_name": place.key,
        "project_id": project["id"],
        "region": project["region"],
        "href": f"{place.href(app, place.key)}/revisions/{name}",
        "created_at": timestamp(revision["created_at"]),
    }
    return schema.shown("AppRevision", members | workloads.present_revision(members, project))
