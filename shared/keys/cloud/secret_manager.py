"""Second halves in Secret Manager: one secret a project, one version, destroyed at once.

A secret is named by a prefix and the project's id. Its label says whether the project is known to
be stored, its annotations when the half was made, by which `put`, and for which database. Reads
are by version number, which Secret Manager serves consistently
(cloud.google.com/secret-manager/docs/overview).
"""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from shared import quotas
from shared.errors import Error
from shared.keys.cloud.rest import Answer, Api, Refused, packed, unpacked, whole
from shared.keys.envelope import KEY_BYTES
from shared.log import tell

LABEL, NEW, CONFIRMED = "reprieve_half", "new", "confirmed"
MADE, MARK, STORE = "created-at", "put", "store"  # annotations
DESTROYED, SCHEDULED = "DESTROYED", "SCHEDULED"  # states of a version; the second is ours
NONE = ("NOT_FOUND", "FAILED_PRECONDITION")  # no such version, or it is not enabled


class SecretStore:
    """keyring.KeyStore over the secrets whose names begin with `projects/P/secrets/PREFIX`.

    `store` names the database that the halves' projects are in: those of another are no orphans.
    """

    def __init__(self, api: Api, prefix: str, store: str) -> None:
        self._api, self._prefix, self.name = api, prefix, prefix
        self._home, _, self._begin = prefix.rpartition("/")
        self._store = store

    def __repr__(self) -> str:
        return "SecretStore(***)"

    def verify(self) -> None:
        """Refuse a key store that would keep what is destroyed; raises Error `unavailable`."""
        if any(secret.delayed for secret in self._listed(f"labels.{LABEL}:*", 1)):
            raise _keeps()

    def put(self, project_id: str, half: bytes, created_at: datetime) -> None:
        """Make the secret, then its version; each may be sent again when no answer came.

        A secret that is there is ours if it has our mark, and a second version the same half.
        """
        name, mark = f"{self._prefix}{project_id}", secrets.token_hex(16)
        body = {
            "replication": {"automatic": {}},
            "labels": {LABEL: NEW},
            "annotations": {MADE: created_at.isoformat(), MARK: mark, STORE: self._store},
        }
        query = {"secretId": f"{self._begin}{project_id}"}
        try:
            made = self._api.call("POST", self._home, _secret, body, query)
        except Refused as refused:
            if refused.status != "ALREADY_EXISTS":
                raise
            made = self._api.call("GET", name, _secret)
        if made.mark != mark:
            raise OSError(f"there is a key half of {project_id} already")
        if made.delayed:
            raise _keeps()
        payload = {"payload": packed("data", half)}
        self._api.call("POST", f"{name}:addVersion", _stored, payload)

    def get(self, project_id: str) -> bytes:
        """Read the half; raises KeyError when it is gone, OSError when it is only disabled."""
        version = f"{self._prefix}{project_id}/versions/1"
        try:
            half = self._api.call("GET", f"{version}:access", _payload)
        except Refused as refused:
            if refused.status == "FAILED_PRECONDITION":
                if self._api.call("GET", version, _state) != DESTROYED:
                    raise
            elif refused.status != "NOT_FOUND":
                raise
            half = b""
        if len(half) != KEY_BYTES:
            raise KeyError(project_id)
        return half

    def destroy(self, project_id: str) -> None:
        """Destroy all versions, read back that they are, and that none is served; then the rest.

        A list may be behind, and show none: that nothing is there is told by the reading of a
        version and by the deletion of the secret, which are consistent.
        """
        name = f"{self._prefix}{project_id}"
        states = self._versions(name)
        if kept := self._kept(states):
            for version in kept:
                with suppress(Refused):  # what is left shows
                    self._api.call("POST", f"{name}/versions/{version}:destroy", whole, {})
            states = self._versions(name)
        if SCHEDULED in states.values():
            raise _keeps()
        if self._kept(states) or self._served(name):
            raise OSError(f"the key half of {project_id} is still there")
        try:
            self._api.call("DELETE", name, whole)
        except Refused as refused:
            if refused.status != "NOT_FOUND":
                raise

    def confirm(self, project_id: str) -> None:
        """Change the label; a repeated call finds it done."""
        body = {"labels": {LABEL: CONFIRMED}}
        name, query = f"{self._prefix}{project_id}", {"updateMask": "labels"}
        self._api.call("PATCH", name, whole, body, query)

    def unconfirmed(self, before: datetime, limit: int) -> list[str]:
        """Give projects whose secret is still labelled new and was made before a moment."""
        found: list[str] = []
        for secret in self._listed(f"labels.{LABEL}={NEW}", quotas.DUE_PAGES):
            ours = secret.store == self._store
            if ours and secret.made < before and len(found) < limit:
                found.append(secret.id.removeprefix(self._begin))
        return found

    def _listed(self, query: str, pages: int) -> Iterator["Secret"]:
        """Give the secrets of a filter that are this key store's."""
        wanted: dict[str, str | int] = {"filter": query, "pageSize": quotas.DUE_BATCH}
        listed = self._api.pages(self._home, "secrets", _secret, pages, wanted)
        return (secret for secret in listed if secret.id.startswith(self._begin))

    def _versions(self, name: str) -> dict[str, str]:
        """Give the states of a secret's versions by number, as the list shows them."""
        path, most = f"{name}/versions", quotas.DUE_PAGES
        try:
            return dict(self._api.pages(path, "versions", _numbered, most, {}))
        except Refused as refused:
            if refused.status != "NOT_FOUND":
                raise
            return {}

    @staticmethod
    def _kept(states: Mapping[str, str]) -> list[str]:
        return [number for number, state in states.items() if state != DESTROYED]

    def _served(self, name: str) -> bool:
        """Tell whether the half can be read."""
        try:
            self._api.call("GET", f"{name}/versions/1:access", whole)
        except Refused as refused:
            if refused.status not in NONE:
                raise
            return False
        return True


class Secret(NamedTuple):
    """What Google tells of a secret without its value."""

    id: str
    made: datetime
    mark: str
    store: str
    delayed: bool


def signing_key(api: Api, name: str) -> Ed25519PrivateKey:
    """Read the key that signs tokens, PEM, from the newest version of a secret; raises OSError."""
    pem = api.call("GET", f"{name}/versions/latest:access", _payload)
    with suppress(TypeError, ValueError, UnsupportedAlgorithm):
        key = load_pem_private_key(pem, None)
        if isinstance(key, Ed25519PrivateKey):
            return key
    tell("CRITICAL", "the token signing key is no Ed25519 key in PEM")
    raise OSError("the token signing key is no Ed25519 key in PEM")


def _payload(answer: Answer) -> bytes:
    return unpacked(answer["payload"], "data")


def _stored(answer: Answer) -> None:
    """Require that the version was stored as it was sent: Google compared the checksum."""
    if answer["state"] != "ENABLED" or not answer.get("clientSpecifiedPayloadChecksum"):
        raise ValueError


def _state(answer: Answer) -> str:
    state = str(answer["state"])
    return SCHEDULED if state != DESTROYED and answer.get("scheduledDestroyTime") else state


def _numbered(answer: Answer) -> tuple[str, str]:
    return _last(answer), _state(answer)


def _last(named: Mapping[str, Any]) -> str:
    """Give the last part of a name: Google may write the project's number for its id before it."""
    return str(named["name"]).rpartition("/")[2]


def _secret(answer: Answer) -> Secret:
    notes = answer.get("annotations", {})
    made = datetime.fromisoformat(answer["createTime"])
    with suppress(ValueError):  # a damaged note: then as Google says
        noted = datetime.fromisoformat(notes.get(MADE, ""))
        made = noted if noted.tzinfo else made
    delayed = bool(answer.get("versionDestroyTtl"))
    return Secret(_last(answer), made, notes.get(MARK, ""), notes.get(STORE, ""), delayed)


def _keeps() -> Error:
    """Say in the log that destroyed halves would be kept; give the error."""
    kept = "delayed destruction is on for key halves (versionDestroyTtl): no key is made or used"
    tell("CRITICAL", kept)
    message = "The key store would keep what is destroyed."
    return Error("unavailable", message, headers={"Retry-After": "5"})
