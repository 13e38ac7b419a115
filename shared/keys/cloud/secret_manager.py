"""Second halves in Secret Manager: one secret a project, one version, destroyed at once.

A secret is named by a prefix and the project's id. Its label says whether the project is known to
be stored, its annotations when the half was made, by which `put`, and for which database. Reads
are by version number, which Secret Manager serves consistently
(cloud.google.com/secret-manager/docs/overview).
"""

import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from shared import quotas
from shared.errors import Error
from shared.keys.backends import (
    ABSENT,
    EVER,
    GIVEN,
    NOT_AT_HAND,
    REFUSED,
    Evidence,
    attested,
    noted,
    unfit,
)
from shared.keys.cloud.rest import Answer, Api, Query, Refused, allowing, packed, unpacked
from shared.keys.envelope import KEY_BYTES

LABEL, NEW, CONFIRMED = "reprieve_half", "new", "confirmed"
MADE, MARK, STORE = "created-at", "put", "store"  # annotations
DESTROYED, ENABLED = "DESTROYED", "ENABLED"  # states of a version: the last, the first


class Secret(NamedTuple):
    """What Google tells of a secret without its value."""

    id: str
    made: datetime
    mark: str
    store: str
    delayed: bool  # destruction keeps a version for a while


class Version(NamedTuple):
    """What Google tells of a version of a secret without its value."""

    number: str
    state: str
    later: bool  # it will be destroyed at some time
    destroyed: str  # when it was, in Google's words


class SecretStore:
    """keyring.KeyStore over the secrets whose names begin with `projects/P/secrets/PREFIX`.

    `store` names the database that the halves' projects are in: those of another are no orphans,
    and are not destroyed. There is no other identity: the prefix is noted in the database.
    """

    def __init__(self, api: Api, prefix: str, store: str) -> None:
        self._api, self.name, self._store = api, prefix, store
        self._home, _, self._begin = prefix.rpartition("/")

    def verify(self) -> None:
        if any(secret.delayed for secret in self._listed(f"labels.{LABEL}:*", 1)):
            raise _keeps()

    def belong(self, identity: str, *, first: bool) -> None:
        """Accept: each half says whose it is."""

    def ours(self) -> bool:
        return True

    def put(self, project_id: str, half: bytes, created_at: datetime) -> None:
        """Make the secret, then its version; each may be sent again when no answer came.

        A secret that is there is ours if it has our mark, and a second version the same half.
        """
        name, mark = f"{self.name}{project_id}", secrets.token_hex(16)
        body = {
            "replication": {"automatic": {}},
            "labels": {LABEL: NEW},
            "annotations": {MADE: created_at.isoformat(), MARK: mark, STORE: self._store},
        }
        query = {"secretId": f"{self._begin}{project_id}"}
        made = None
        with allowing("ALREADY_EXISTS"):
            made = self._api.call("POST", self._home, _secret, body, query)
        made = made or self._api.call("GET", name, _secret)
        if made.mark != mark:
            raise OSError(f"there is a key half of {project_id} already")
        if made.delayed:
            raise _keeps()
        self._api.call("POST", f"{name}:addVersion", _stored, {"payload": packed("data", half)})

    def get(self, project_id: str) -> bytes:
        """Read the half; raises KeyError when it is gone, OSError when it is only disabled."""
        version = f"{self.name}{project_id}/versions/1"
        half = b""
        try:
            with allowing("NOT_FOUND"):
                half = self._api.call("GET", f"{version}:access", payload_of)
        except Refused as refused:
            if refused.status != "FAILED_PRECONDITION":
                raise
            if self._api.call("GET", version, dict).get("state") != DESTROYED:
                raise
        if len(half) != KEY_BYTES:
            raise KeyError(project_id)
        return half

    def holds(self, project_id: str) -> bool:
        name = f"{self.name}{project_id}"
        # A list may be behind.
        return bool(_kept(self._versions(name))) or self._read(name, "1") == GIVEN

    def destroy(self, project_id: str) -> list[Evidence]:
        """Destroy all versions, read back that they are, and that none is served.

        The secret stays, and with it what Google says of them. A list may be behind: that nothing
        else is there is told by the reading of the version that would come next, and where none is
        listed by the deletion of the secret, which are consistent.
        """
        name = f"{self.name}{project_id}"
        self._require_own(name)
        if kept := _kept(listed := self._versions(name)):
            for version in kept:
                with suppress(Refused, PermissionError):  # what is left shows
                    path = f"{name}/versions/{version.number}:destroy"
                    self._api.call("POST", path, dict, {})
            kept = _kept(listed := self._versions(name))
        if any(version.later for version in kept):
            raise _keeps()
        listed.sort(key=lambda version: int(version.number))
        shown = listed[: quotas.EVIDENCE]
        read = [self._read(name, version.number) for version in shown]
        following = int(listed[-1].number) + 1 if listed else 1
        if kept or GIVEN in read or self._read(name, str(following)) != ABSENT:
            raise OSError(f"the key half of {project_id} is still there")
        if not listed:
            self._delete(name)
            return [attested(name, "", ABSENT, "", ABSENT)]
        pairs = zip(shown, read, strict=True)
        return [attested(name, one.number, one.state, one.destroyed, back) for one, back in pairs]

    def drop(self, project_id: str) -> None:
        name = f"{self.name}{project_id}"
        self._require_own(name)
        self._delete(name)

    def _require_own(self, name: str) -> None:
        """Refuse a half of another database: the projects of a copy have the ids of the copied."""
        with allowing("NOT_FOUND"):
            if (of := self._api.call("GET", name, _secret).store) not in ("", self._store):
                raise unfit(f"a key half is of the database {of}: it is not destroyed", NOT_AT_HAND)

    def _delete(self, name: str) -> None:
        with allowing("NOT_FOUND"):
            self._api.call("DELETE", name, dict)

    def confirm(self, project_id: str) -> None:
        body = {"labels": {LABEL: CONFIRMED}}
        self._api.call("PATCH", f"{self.name}{project_id}", dict, body, {"updateMask": "labels"})

    def unconfirmed(self, before: datetime, limit: int, after: datetime = EVER) -> list[str]:
        new = self._listed(f"labels.{LABEL}={NEW}", quotas.SECRET_PAGES, quotas.SECRETS_LISTED)
        ours = [one for one in new if one.store == self._store]
        due = [one.id for one in ours if not before <= one.made <= after]
        return [name.removeprefix(self._begin) for name in due[:limit]]

    def confirmed(self, start: str) -> tuple[list[str], str]:
        """Give a page of Google's list; an empty one where it does not know `start` any more."""
        wanted, size = f"labels.{LABEL}={CONFIRMED}", quotas.DUE_BATCH
        query: Query = {"filter": wanted, "pageSize": size, "pageToken": start or None}

        def page(answer: Answer) -> tuple[list[str], str]:
            found = filter(self._is_ours, map(_secret, answer.get("secrets", ())))
            ours = [one.id for one in found if one.store == self._store]
            return [id_.removeprefix(self._begin) for id_ in ours], answer.get("nextPageToken", "")

        with allowing("INVALID_ARGUMENT"):
            return self._api.call("GET", self._home, page, query=query)
        return [], ""

    def _is_ours(self, secret: Secret) -> bool:
        return secret.id.startswith(self._begin)

    def _listed(self, query: str, pages: int, size: int = quotas.DUE_BATCH) -> Iterator[Secret]:
        """Give the secrets of a filter that are this key store's."""
        wanted: Query = {"filter": query, "pageSize": size}
        listed = self._api.pages(self._home, "secrets", _secret, pages, wanted)
        return filter(self._is_ours, listed)

    def _versions(self, name: str) -> list[Version]:
        """Give the versions of a secret as the list shows them."""
        with allowing("NOT_FOUND"):
            pages = self._api.pages(f"{name}/versions", "versions", version_of, quotas.DUE_PAGES)
            return list(pages)
        return []

    def _read(self, name: str, number: str) -> str:
        """Try to read a version; give what came of it, and nothing of it."""
        with allowing("FAILED_PRECONDITION"):  # it is not enabled
            with allowing("NOT_FOUND"):
                self._api.call("GET", f"{name}/versions/{number}:access", dict)
                return GIVEN
            return ABSENT
        return REFUSED


def payload_of(answer: Answer) -> bytes:
    """Give what a version keeps; its checksum holds."""
    return unpacked(answer["payload"], "data")


def _stored(answer: Answer) -> None:
    """Require that the version was stored as it was sent: Google compared the checksum."""
    if answer["state"] != ENABLED or not answer.get("clientSpecifiedPayloadChecksum"):
        raise ValueError


def version_of(answer: Answer) -> Version:
    """Read a version; raises ValueError where its number is none."""
    later = bool(answer.get("scheduledDestroyTime"))
    number = str(int(last_of(answer)))
    return Version(number, str(answer["state"]), later, str(answer.get("destroyTime", "")))


def _kept(listed: list[Version]) -> list[Version]:
    return [version for version in listed if version.state != DESTROYED]


def last_of(named: Answer) -> str:
    """Give the last part of a name: Google may write the project's number for its id before it."""
    return str(named["name"]).rpartition("/")[2]


def _secret(answer: Answer) -> Secret:
    notes = answer.get("annotations", {})
    made = noted(notes.get(MADE, ""), datetime.fromisoformat(answer["createTime"]))
    delayed = bool(answer.get("versionDestroyTtl"))
    return Secret(last_of(answer), made, notes.get(MARK, ""), notes.get(STORE, ""), delayed)


def _keeps() -> Error:
    kept = "delayed destruction is on for key halves (versionDestroyTtl): no key is made or used"
    return unfit(kept, "The key store would keep what is destroyed.")
