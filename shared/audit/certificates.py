"""Certificates of destruction: listed, handed out to the byte, and made nameless.

A certificate is the record of the entry `{project}.erase`; beside it `certificates/{project}` has
what it must not hold: the salt of the name's digest. Without the salt the certificate still
verifies, and nobody can show any more whose name it is of. Whose a certificate is, its tombstone
says, as for all else that is asked of a project that is gone.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared import evidence
from shared.access import own_key, owned, require_own
from shared.app import App
from shared.audit import listing as trail
from shared.calls import Answer, Call, Page, Principal, Raw
from shared.errors import Error, Target, invalid, missing
from shared.failures import tell
from shared.store import NAME, Document, Read, Write

JSON = "application/json"
PROJECT = re.compile("[0-9a-z]{8}(?:-[0-9a-z]{4}){3}-[0-9a-z]{12}")  # an id, as its paths have it
PLANTED = "a certificate that this service did not write"
DIGEST = re.compile("[0-9a-f]{64}")
ABOUT = ("erased_at", "test", "sha256", "name_digest", "name_salt")


def path_of(project_id: str) -> str:
    """Give the path of what is kept beside a project's certificate."""
    return f"certificates/{project_id}"


def entry_of(project_id: str) -> str:
    """Give the path of the audit entry whose record is a project's certificate."""
    return f"audit/{project_id}.erase"


def listing(app: App, call: Call) -> Answer:
    """Give a page of the account's certificates in this region, by the ids of their projects.

    Raises Error `unauthorized` where the caller's own key is gone, `invalid_field` for a start that
    is no project's id.
    """
    principal, limit = call.principal, call.parameters["limit"]
    after, one = call.parameters.get("start"), principal.project
    if after and not PROJECT.fullmatch(after):
        raise invalid(Target("parameter", "start"), "must be what the page before gave")
    read, found = app.store.read_beside(
        [own_key(principal)],
        "certificates",
        ("account_id", "==", principal.account),
        ("region", "==", app.settings.region),
        *([("entry", "==", f"{one}.erase")] if one is not None else []),
        order=NAME,
        after=after or None,
        limit=limit + 1,
    )
    require_own(app, principal, read)
    shown = [certificate for certificate in found[:limit] if _placed(certificate)]
    paths = [entry_of(certificate.id) for certificate in shown]
    entries = app.store.read(*paths).documents if paths else {}
    pairs = zip(shown, paths, strict=True)
    told = [_told(app, principal, certificate, entries[path]) for certificate, path in pairs]
    following = [*found[:limit], *shown][-1].id if len(found) > limit else None
    return Answer(page=Page("certificates", told, following), now=app.now(read))


def get(app: App, call: Call) -> Answer:
    """Give the certificate of a project: the bytes that the log holds.

    Raises Error `resource_not_found`, and `internal` for one that this service did not write so.
    """
    entry = entry_of(call.parameters["id"])
    read = _read(app, call, entry)
    if _status(app, call.principal, read[entry]) not in (trail.SEALED, trail.WAITING):
        raise Error("internal", "The stored certificate is damaged.")
    record: bytes = read[entry].contents["record"]
    digest = hashlib.sha256(record).hexdigest()
    return Answer(raw=Raw(record, JSON, trail.UNKEPT), entity_tag=digest, now=app.now(read))


def proof(app: App, call: Call) -> Answer:
    """Give the proof that the log holds a project's certificate.

    Raises Error `resource_not_found`, and `not_sealed` while it waits.
    """
    entry = entry_of(call.parameters["id"])
    read = _read(app, call, entry)
    if _status(app, call.principal, read[entry]) not in (trail.SEALED, trail.WAITING):
        raise missing()
    return trail.proved(app, read, entry)


def forget_name(app: App, call: Call) -> Answer:
    """Erase the salt of the name's digest, for good: the certificate verifies, and names nothing.

    Raises Error `resource_not_found` also where it is forgotten already, `unauthorized` where the
    caller's own key is gone.
    """
    own, path = own_key(call.principal), path_of(call.parameters["id"])
    tombstone, once = _tombstone(call.parameters["id"]), evidence.Once(app, call)

    def decide(read: Read) -> tuple[list[Write], Answer]:
        require_own(app, call.principal, read)
        now = app.now(read)
        if once.told(read, now):
            return [], Answer(now=now)
        project = owned(app, call.principal, read, tombstone)
        if (read[path].fields or {}).get("name_salt") is None:
            raise missing()
        entry = evidence.by(app, call.origin, "certificate.forget_name", project, now)
        forgotten = Write.update(read[path], {"name_salt": None})
        left = once.left(read, now, {"id": project.id})
        return [Write.verify(read[own]), forgotten, entry, *left], Answer(now=now)

    paths = [own, tombstone, path, *once.paths]
    return app.store.transact(evidence.operation(call.origin), paths, decide)


def _tombstone(project_id: str) -> str:
    return f"tombstones/{project_id}"


def _read(app: App, call: Call, entry: str) -> Read:
    """Read a certificate's entry, and what is kept beside it, for who may know of its project."""
    path, tombstone = path_of(call.parameters["id"]), _tombstone(call.parameters["id"])
    read = app.store.read(own_key(call.principal), tombstone, path, entry)
    owned(app, call.principal, read, tombstone)
    if read[path].fields is None or read[entry].fields is None:
        raise missing()
    return read


def _status(app: App, principal: Principal, entry: Document) -> str:
    """Tell how far a certificate's entry is; `refused` where it is another's, or is not there."""
    if entry.fields is None or entry.fields.get("account_id") != principal.account:
        return trail.REFUSED
    return trail.status_of(app, entry)


def _told(app: App, principal: Principal, certificate: Document, entry: Document) -> dict[str, Any]:
    """Give what a list tells of a certificate: what it is found by, and how far the log is.

    Of one whose fields are not of their types nothing but the project's id, as `refused`.
    """
    held, status = entry.fields or {}, _status(app, principal, entry)
    about = _about(certificate.contents)
    if about is None:
        tell("CRITICAL", PLANTED, path=certificate.path)
        status = trail.REFUSED
    placed = status in (trail.SEALED, trail.ERASED)
    return {
        "project_id": certificate.id,
        **(about or dict.fromkeys(ABOUT)),
        "entry": entry.id,
        "status": status,
        "epoch": held["epoch"] if placed else None,
        "index": held["n"] if placed else None,
    }


def _placed(certificate: Document) -> bool:
    """Tell whether a page can go on from a certificate; one of no project is told as CRITICAL."""
    if PROJECT.fullmatch(certificate.id):
        return True
    tell("CRITICAL", PLANTED, path=certificate.path)
    return False


def _about(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give what is told of a certificate's fields; None where one is not of its type."""
    erased_at, test, *digests, salt = (fields.get(name) for name in ABOUT)
    if not isinstance(erased_at, datetime) or not isinstance(test, bool):
        return None
    if not isinstance(salt, bytes | None) or not all(map(_is_hex, digests)):
        return None
    told = evidence.moment(erased_at), test, *digests, salt.hex() if salt else None
    return dict(zip(ABOUT, told, strict=True))


def _is_hex(value: object) -> bool:
    return value is None or (isinstance(value, str) and DIGEST.fullmatch(value) is not None)
