"""Projects: create, list, get, delete, and every move of their lifecycle.

A project's slot and name are claimed in the commit that makes it; every move is a compare-and-set
on the project document.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from shared import evidence, lifecycle
from shared.access import own_key, owned, require_own
from shared.app import App
from shared.calls import Answer, Call, Page
from shared.errors import missing
from shared.lifecycle import ACTIVE, Asked, Project
from shared.projects import names, slots
from shared.projects.account import of_account, one
from shared.projects.tombstones import explained, of_project
from shared.resources import data_key_path, first_rule, new_marks
from shared.store import Document, Read, Write

Check = Callable[[Project], None]
DEFAULT_GROUP = "default" + 25 * "0"  # the resource group of those who name none (32 characters)


def create(app: App, call: Call) -> Answer:
    """Create a project: claim a slot and the name, make its key, store it, in one commit.

    Raises Error `invalid_field`, `name_taken`, or `quota_exceeded` with what holds the slots.
    """
    fresh, rule, key = _fresh(app, call), new_marks(app), dict[str, Any]()
    project_id = fresh["id"]
    region = slots.region_path(fresh["account_id"], fresh["region"])
    once = evidence.Once(app, call)
    paths = [region, own_key(call.principal), *once.paths]

    def decide(read: Read) -> tuple[list[Write], Answer]:
        require_own(app, call.principal, read)
        now = app.now(read)
        if told := once.told(read, now):
            return [], _shown(json.loads(told["body"]), now)
        project = Project(**fresh, status=ACTIVE, created_at=now, updated_at=now)
        claim = slots.claim(app, read[region], project, call)
        if not key:  # made once, after the first read that leaves room for it; if the create is
            # refused after all, the schedule destroys it: who may make a key may destroy none
            key.update(app.keyring.create(project_id, now))
            fresh["key_commitment"] = key.pop("commitment")
        project = replace(project, key_commitment=fresh["key_commitment"])
        body = present(app, project)
        commit = [
            claim,
            evidence.born(app, project),
            Write.create(data_key_path(project_id), key),  # the schedule may have fenced it off
            *first_rule(project_id, rule, now),
            evidence.by(app, call.origin, "project.create", project, now, **_committed(project)),
            *once.left(read, now, {"body": json.dumps(body, ensure_ascii=False)}),
        ]
        return commit, _shown(body, now)

    # One at a time in an account: who is overtaken has made a key half for nothing.
    answer = app.store.transact(evidence.operation(call.origin), paths, decide, alone=[region])
    if answer.body["id"] == project_id:
        app.keyring.confirm(project_id)
    return answer


def _fresh(app: App, call: Call) -> dict[str, Any]:
    """Give what a new project is made of, made or given before the first try."""
    return {
        "id": app.new_id(),
        "name": names.checked(call.body["name"]),
        "account_id": call.principal.account,
        "region": app.settings.region,
        "resource_group_id": call.body.get("resource_group_id") or DEFAULT_GROUP,
        "tags": call.body.get("tags", []),
        "subdomain": app.new_subdomain(),
        "name_salt": app.new_salt(),
        "test": bool(app.offset()),
    }


def _committed(project: Project) -> dict[str, Any]:
    """Give what is said of a new project that shows of its certificate whose it is."""
    return {"key_commitment": project.key_commitment, "name_digest": evidence.name_digest(project)}


def _shown(body: dict[str, Any], now: datetime) -> Answer:
    return Answer(body, now=now, location=body["href"])


def get(app: App, call: Call) -> Answer:
    """Give a project in whatever state it is."""
    project_id = call.parameters["id"]
    with explained(partial(of_project, app, call, project_id)):
        now, project = one(app, call, project_id)
    return Answer(present(app, project), now=now)


def listing(app: App, call: Call) -> Answer:
    """Give a page of the account's projects by name, soft-deleted ones included."""
    limit = call.parameters["limit"]
    time, found = of_account(app, call, limit + 1, call.parameters.get("start"))
    entries = [present(app, project) for project in found[:limit]]
    next_key = entries[-1]["name"] if len(found) > limit else None
    told = {"Region": app.settings.region}
    if call.principal.project is None:  # a key for one project does not see what holds the others
        told["Project-Slots"] = str(app.settings.projects_per_region)
    return Answer(page=Page("projects", entries, next_key), now=app.now(time), told=told)


def delete(app: App, call: Call) -> Answer:
    """Soft delete a project. Raises Error `project_not_active` if it is not active."""
    project_id = call.parameters["id"]
    with explained(partial(of_project, app, call, project_id)):
        project = move(app, project_id, "delete", call=call)
    return Answer(now=project.updated_at)


def move(
    app: App,
    project_id: str,
    *verbs: str,
    call: Call | None,
    check: Check = lambda _: None,
    first: Read | None = None,
) -> Project:
    """Move a project in one compare-and-set, by the verb that fits its status.

    Without a call its time has come, and nobody asked for it; with one, the caller's own key must
    still be as it was read, and sent again it is answered as at first. `check` may raise where the
    project is not the one meant; it is asked of every reading, `first` included: one that was made
    already. Gives the project as it is then. Raises Error `unauthorized` where the key is gone,
    `idempotency_key_reused`, `unavailable` where the project is not what this code made it, and
    what lifecycle.move raises for the first verb if none fits.
    """
    path, entry_id = f"projects/{project_id}", call.trace if call else app.new_id()
    keys = [own_key(call.principal)] if call else []
    once = evidence.Once(app, call)
    asked = Asked(entry_id, call.principal.subject, call.principal.name) if call else None
    reclamation_id = app.new_id()  # of a deletion: once a call, whatever becomes of its tries
    salt = app.new_salt()  # of a project of form 1, which has none

    def decide(read: Read) -> tuple[list[Write], Project]:
        if call and (told := repeated(app, call, once, read)):
            return [], told
        before = owned(app, call.principal, read, path) if call else _found(read[path])
        check(before)
        evidence.require_ours(app, read[path])
        now, verb = app.now(read), lifecycle.applicable(before, verbs)
        after = lifecycle.move(before, verb, now, reclamation_id, asked)
        salted = replace(after, name_salt=after.name_salt or salt)
        project = lifecycle.marked(salted, app.offset())
        entry = _entry(app, call, entry_id, f"project.{verb}", project, now)
        held = [Write.verify(read[key]) for key in keys]
        left = once.left(read, now, project.whole())
        moved = evidence.moved(app, read[path], project.changes(before))
        return [*held, moved, entry, *left], project

    return app.store.transact(f"audit/{entry_id}", [path, *keys, *once.paths], decide, first)


def _entry(
    app: App, call: Call | None, entry_id: str, action: str, project: Project, now: datetime
) -> Write:
    """Give the entry of a move, by who asked for it or by nobody, with the deadline it leaves."""
    ends = {"deadline": evidence.moment(project.purge_at)} if project.purge_at else {}
    if call is None:
        return evidence.by_system(app, entry_id, action, project, now, **ends)
    return evidence.by(app, call.origin, action, project, now, **ends)


def repeated(app: App, call: Call, once: evidence.Once, read: Read) -> Project | None:
    """Give the project as the same request, sent before, left it; None where it is the first.

    It may be gone since. Raises Error `unauthorized` where the caller's own key is.
    """
    require_own(app, call.principal, read)
    told = once.told(read, app.now(read)) if once.paths else None
    return Project.of(told) if told else None


def _found(document: Document) -> Project:
    if document.fields is None:
        raise missing()
    return Project.of(document.fields)


def crn(project: Project) -> str:
    """Give a project's Cloud Resource Name (contract section 1.1)."""
    home = f"{project.region}:a/{project.account_id}"
    return f"crn:v1:bluemix:public:codeengine:{home}:{project.id}::"


def present(app: App, project: Project) -> dict[str, Any]:
    """Give the answer's form of a project (contract section 1.1)."""
    return {
        "id": project.id,
        "name": project.name,
        "resource_group_id": project.resource_group_id,
        "account_id": project.account_id,
        "crn": crn(project),
        "href": f"{app.settings.endpoint}/v2/projects/{project.id}",
        "region": project.region,
        "resource_type": "project_v2",
        "created_at": project.created_at.strftime("%Y-%m-%dT%H:%M:%S.%f000Z"),
        "status": str(project.status),
    }
