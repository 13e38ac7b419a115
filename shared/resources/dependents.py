"""What goes with a resource that is deleted: its runs, its revisions, its bindings.

They are found in the usage documents, so a delete stays one read and one commit; only a binding's
secret is read first, for none may go but a service access secret.
"""

from shared.kinds import BINDINGS, BY_COLLECTION, SECRETS, Fields
from shared.resources.change import Change
from shared.resources.history import all_of
from shared.resources.place import Place
from shared.resources.usage import Usage
from shared.store import Write


def context(place: Place) -> list[str]:
    """Give the usage documents that name what depends on a resource."""
    return [place.beside(BY_COLLECTION[name]).usage for name in place.kind.dependents]


def remove(change: Change, *, keep_service_access: bool) -> None:
    """Delete a resource's envelope, and all that goes with it."""
    place = change.place
    change.writes.extend(map(Write.discard, all_of(place.path, change.resource())))
    for kind in map(BY_COLLECTION.__getitem__, place.kind.dependents):
        usage = change.usage(kind)
        gone = [key for key, claim in usage.claims.items() if _depends(place, claim)]
        change.gone(kind, gone)
        change.writes.extend(usage.write({}, gone) or [usage.witness()])
        if kind is BINDINGS and gone and not keep_service_access:
            _remove_service_access(change, usage, gone)


def _depends(place: Place, claim: Fields) -> bool:
    kind = place.kind
    if "component" in claim:
        component = {"name": place.key, "resource_type": kind.resource_type}
        return bool(claim["component"] == component)
    return claim.get(f"{kind.noun}_name") == place.key


def _remove_service_access(change: Change, usage: Usage, unbound: list[str]) -> None:
    """Delete the service access secrets that no other binding names."""
    kept = {claim["secret_name"] for key, claim in usage.claims.items() if key not in unbound}
    names = sorted({usage.claims[key]["secret_name"] for key in unbound} - kept)
    place, gone = change.place.beside(SECRETS), []
    paths = [f"{place.collection}/{name}" for name in names]
    read = change.app.store.read(place.usage, *paths)
    for document in map(read.documents.__getitem__, paths):
        stored = document.fields or {}
        if (stored.get("body") or {}).get("format") == "service_access":
            below = map(Write.discard, all_of(document.path, stored))
            change.writes.extend([Write.delete(document), *below])
            gone.append(document.id)
    change.writes.extend(Usage(SECRETS, read[place.usage]).write({}, gone))
    change.told("secret.delete", gone)
