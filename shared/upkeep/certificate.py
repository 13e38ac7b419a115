"""The certificate of a project's end: what the purge did, as evidence for who was not there.

An in-toto Statement, as `ce/verify.py` reads it; its subject is the project, by the digest of all
that was swept. It is the record of the audit entry of the end, in the tombstone's own commit, so
there is exactly one. No name is in it, no value, no key: digests, times, counts, and the key
store's own answers. Nothing here reads or writes; `purge` hands it what there is to tell.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared import evidence
from shared.app import App
from shared.keys import Evidence
from shared.kinds import BY_COLLECTION
from shared.lifecycle import DEADLINE, RECLAIM, Project
from shared.projects import crn
from shared.settings import Settings
from shared.store import Document, Write

PREDICATE = "urn:reprieve:destruction:v1"
VERSION = "0.1.0"  # of Reprieve, as pyproject.toml has it
OTHERS = "others"  # what is of no kind: usage, parts, revisions, answers kept, what was planted
NOTHING = bytes(32)  # in place of the digest of a document that has none
METHOD = {
    "standard": "none claimed",
    "purge": "each document below the project deleted; its end, name and slot in one commit",
    "cryptographic_erase": "of the two halves of its data key, the one kept outside of the"
    " database was destroyed before any document was deleted",
    "verification": "the key store was asked again before the end; each version read back",
}
RESIDUAL = (
    "copies of documents in backups, which need the destroyed half to be read; what was read or"
    " exported before; the audit trail, the tombstone and this certificate"
)


def swept(project: Project, found: Sequence[Document]) -> dict[str, Any]:
    """Give what changes of a project with more of its documents swept, in the order of paths.

    The digest goes over the path of each and the SHA-256 that it notes; zeros where it notes none.
    """
    running, kinds = bytes.fromhex(project.sweep_digest), dict(project.swept_kinds)
    digested = project.digested
    for document in found:
        noted = _noted(document)
        digested += noted is not None
        said = document.path.encode() + b"\0" + (noted or NOTHING)
        running = hashlib.sha256(b"reprieve/swept/v1\n" + running + said).digest()
        _, _, collection, *below = document.path.split("/")
        if len(below) == 1 and collection in BY_COLLECTION:
            kinds[collection] = kinds.get(collection, 0) + 1
    return {
        "swept": project.swept + len(found),
        "swept_kinds": kinds,
        "sweep_digest": running.hex(),
        "digested": digested,
    }


def _noted(document: Document) -> bytes | None:
    noted = document.contents.get("sha256")
    return noted if isinstance(noted, bytes) and len(noted) == len(NOTHING) else None


def writes(app: App, project: Project, shown: Sequence[Evidence], now: datetime) -> list[Write]:
    """Give the writes of a project's certificate: its entry, and what its account finds it by.

    `project` is as it ends, with its salt; `shown` is what the key store says of its half now.
    """
    entry = evidence.of_end(app, project, now, statement(app.settings, project, shown, now))
    record: bytes = (entry.fields or {})["record"]
    found = {
        "account_id": project.account_id,
        "region": project.region,
        "name_digest": evidence.name_digest(project),
        "name_salt": project.name_salt,
        "erased_at": now,
        "sha256": hashlib.sha256(record).hexdigest(),
        "test": _is_test(app.settings, project),
        "entry": entry.path.partition("/")[2],
    }
    return [entry, Write.create(f"certificates/{project.id}", found)]


def statement(
    settings: Settings, project: Project, shown: Sequence[Evidence], now: datetime
) -> dict[str, Any]:
    """Give what a certificate says; times are the store's, and of `now` is the end."""
    digest = project.sweep_digest
    return {
        "_type": evidence.STATEMENT,
        "subject": [{"name": f"project:{project.id}", "digest": {"sha256": digest}}],
        "predicateType": PREDICATE,
        "predicate": {
            "project": _project(project),
            "requested_by": {"id": project.requested_by, "name": project.requested_name},
            "because": project.because,
            "performed_by": _performer(settings),
            "timeline": _timeline(project, now),
            "destroyed": {
                "documents": _counts(project.swept_kinds, project.swept),
                "digest": digest,
                "undigested": project.swept - project.digested,
            },
            "key": {
                "algorithm": "AES-256-GCM",
                "commitment": project.key_commitment,
                "evidence": [dict(one) for one in shown],
                "attempts": max(project.attempts, 1),
            },
            "method": METHOD,
            "residual": RESIDUAL,
            "environment": {
                "clock": "moved" if project.test else "store",
                "store": "emulator" if settings.emulator else "firestore",
            },
            "test": _is_test(settings, project),
        },
    }


def _is_test(settings: Settings, project: Project) -> bool:
    """Tell whether a certificate is no evidence: what it tells of was arranged, or can be."""
    return project.test or settings.emulator is not None


def _project(project: Project) -> dict[str, Any]:
    return {
        "id": project.id,
        "account": project.account_id,
        "region": project.region,
        "crn": crn(project),
        "name_digest": evidence.name_digest(project),
        "created_at": evidence.moment(project.created_at),
    }


def _performer(settings: Settings) -> dict[str, str]:
    """Give who did it: what the purge is, in which database, of which release."""
    where = f"{settings.project}/{settings.database}"
    return {"identity": f"{evidence.SYSTEM}@{where}", "version": VERSION}


def _timeline(project: Project, now: datetime) -> dict[str, Any]:
    """Give when what happened. Version 0.1.0 noted neither the mark nor, at first, its cause."""
    shredded = project.shredded_at or now
    claimed = project.claimed_at or shredded
    deadline = project.purge_at or claimed
    return {
        "restores": [evidence.moment(each) for each in project.restores],
        "deleted": evidence.moment(project.deleted_at or claimed),
        "deadline": evidence.moment(deadline),
        "claimed": evidence.moment(claimed),
        "shredded": evidence.moment(shredded),
        "swept": evidence.moment(project.swept_at or shredded),
        "erased": evidence.moment(now),
        "cause": project.cause or (RECLAIM if claimed < deadline else DEADLINE),
    }


def _counts(kinds: Mapping[str, int], all_of_them: int) -> dict[str, int]:
    others = all_of_them - sum(kinds.values())
    return {**kinds, **({OTHERS: others} if others else {})}
