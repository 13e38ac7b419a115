"""What goes with a resource that is deleted: its runs, its revisions, its bindings.

Found in the usage documents that name them, so a delete stays one read and one commit; only the
service access secrets of its bindings are read first, for no other secret may go.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared import audit, revisions, sealing, writes
from shared.app import App, Call
from shared.kinds import BINDINGS, KINDS, SECRETS, Kind
from shared.places import Place
from shared.usage import Usage, usage_path
from shared.writes import Read

BY_COLLECTION = {kind.collection: kind for kind in KINDS}


def _dependents(kind: Kind) -> list[Kind]:
    bindings = [BINDINGS] if kind.bindable else []
    return [*(BY_COLLECTION[name] for name in kind.dependents), *bindings]


def context(place: Place, project_id: str) -> list[str]:
    """Give the usage documents that name what depends on a resource."""
    return [usage_path(project_id, kind.collection) for kind in _dependents(place.kind)]


def delete(app: App, call: Call, place: Place, read: Read, now: datetime) -> list[writes.Write]:
    """Give the writes that delete a resource's envelope and all that goes with it."""
    stored, project = place.resource(read), read[place.home].fields or {}
    own = sealing.part_paths(place.path, stored)
    if place.kind.revised:
        own = list(dict.fromkeys([*own, *revisions.all_of(place.path, stored)]))
    commit = [*map(writes.discard, own)]
    for kind in _dependents(place.kind):
        usage = Usage(kind, read[usage_path(call.parameters["project_id"], kind.collection)])
        gone = [key for key, claim in usage.claims.items() if _depends(place, claim)]
        commit += [writes.discard(f"{place.home}/{kind.collection}/{key}") for key in gone]
        commit += usage.write({}, gone) or [usage.witness()]
        commit += audit.along(call, f"{kind.audited}.delete", project, now, gone)
        if kind is BINDINGS and gone and not call.parameters.get("keep_service_access"):
            secrets, forget = _service_access(app, call, usage, gone)
            commit += [*forget, *audit.along(call, "secret.delete", project, now, secrets)]
    return commit


def _depends(place: Place, claim: Mapping[str, Any]) -> bool:
    kind = place.kind
    if "component" in claim:
        component = {"name": place.key, "resource_type": kind.resource_type}
        return bool(claim["component"] == component)
    return claim.get(f"{kind.noun}_name") == place.key


def _service_access(
    app: App, call: Call, usage: Usage, unbound: list[str]
) -> tuple[list[str], list[writes.Write]]:
    """Give the service access secrets that no other binding names, and the writes that delete."""
    kept = {claim["secret_name"] for key, claim in usage.claims.items() if key not in unbound}
    names = sorted({usage.claims[key]["secret_name"] for key in unbound} - kept)
    place = Place(SECRETS, call.parameters["project_id"])
    paths = [f"{place.collection}/{name}" for name in names]
    read = app.store.read(place.usage_path, *paths)
    found = [
        read[path]
        for path in paths
        if ((read[path].fields or {}).get("body") or {}).get("format") == "service_access"
    ]
    gone = [document.id for document in found]
    forget = [write for document in found for write in _all_of(document)]
    return gone, [*forget, *place.usage(read).write({}, gone)]


def _all_of(document: writes.Document) -> list[writes.Write]:
    parts = sealing.part_paths(document.path, document.fields)
    return [writes.delete(document), *map(writes.discard, parts)]
