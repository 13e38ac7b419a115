"""First halves wrapped by a symmetric key of Cloud KMS, which never leaves it.

A key-encryption key is a version of that key, named by its full resource name. KMS binds what it
wraps to the project's id (additional authenticated data), so a half moved to another project does
not open; and both sides check CRC-32C checksums of everything that is sent
(cloud.google.com/kms/docs/data-integrity-guidelines).
"""

import time
from datetime import UTC, datetime

from shared import quotas
from shared.keys import Undecryptable
from shared.keys.cloud.rest import Answer, Api, allowing, packed, unpacked

VERSIONS = "cryptoKeyVersions"
UNKNOWN = datetime.max.replace(tzinfo=UTC)
ENABLED = {"filter": "state=ENABLED"}
GONE = frozenset({"DESTROY_SCHEDULED", "DESTROYED"})


class KmsWrapper:
    """keyring.Wrapper over one key, `projects/P/locations/L/keyRings/R/cryptoKeys/K`."""

    def __init__(self, kms: Api, key: str) -> None:
        self._kms, self._key, self._versions = kms, key, f"{key}/{VERSIONS}"
        self._seen = (0.0, "")  # until when it is taken as known, and the primary version

    def now(self) -> "KmsWrapper":
        """Give itself: what KMS has changes behind it."""
        return self

    def wrap(self, half: bytes, project_id: str) -> tuple[str, bytes]:
        """Wrap under the primary version, or the one that `keks` has just found to be it.

        KMS itself may go on using the former primary for a while.
        """
        until, version = self._seen
        name = version if time.monotonic() < until else self._key

        def read(answer: Answer) -> tuple[str, bytes]:
            for member in ("verifiedPlaintextCrc32c", "verifiedAdditionalAuthenticatedDataCrc32c"):
                if answer.get(member) is not True:
                    raise ValueError
            return self._named(answer), unpacked(answer, "ciphertext")

        body = packed("plaintext", half) | _bound(project_id)
        return self._kms.call("POST", f"{name}:encrypt", read, body)

    def unwrap(self, kek: str, wrapped: bytes, project_id: str) -> bytes:
        """Unwrap; raises Undecryptable, and PermissionError where the identity may only wrap.

        What another key wrapped is told by its name, so also to who may only wrap.
        """
        if kek.rpartition("/")[0] != self._versions:
            raise Undecryptable
        path, body = f"{self._key}:decrypt", packed("ciphertext", wrapped) | _bound(project_id)
        with allowing("INVALID_ARGUMENT"):
            return self._kms.call("POST", path, lambda answer: unpacked(answer, "plaintext"), body)
        raise Undecryptable

    def keks(self) -> dict[str, datetime | None]:
        """Give the enabled versions, the primary last.

        KMS does not say when a primary was replaced, but `add` took a successor made at most
        quotas.KMS_SPARE before, and the old one may be used for quotas.KMS_PRIMARY more. A
        version newer than the primary was never used, or until nobody knows when: it never
        counts as rested.
        """
        since, primary = self._primary()
        rested = since + quotas.KMS_SPARE + quotas.KMS_PRIMARY
        old = {
            name: rested if made < since else UNKNOWN
            for made, name in self._enabled()
            if name != primary
        }
        self._seen = (time.monotonic() + quotas.KEY_CACHE_LIFETIME, primary)
        return {**old, primary: None}

    def add(self, instead_of: str, now: datetime) -> None:
        """Make a version and make it the primary.

        One that another call made and left is taken: it was cut short, or is at it just now. Two
        at the very same time may make two; the one that is not used goes with the next pruning.
        """
        since, primary = self._primary()
        if primary != instead_of:
            return
        fresh = max(since, now - quotas.KMS_SPARE)
        spare = [name for made, name in self._enabled() if made > fresh]
        if not spare:
            spare = [self._kms.call("POST", self._versions, self._version, {}, tries=1)[1]]
        body = {"cryptoKeyVersionId": spare[-1].rpartition("/")[2]}
        self._kms.call("POST", f"{self._key}:updatePrimaryVersion", dict, body)
        self._seen = (0.0, "")

    def remove(self, kek: str) -> None:
        """Schedule an old version's destruction: KMS can take it back for a day or more."""
        if self.keks().get(kek) is None:
            raise KeyError(kek)
        answer = self._kms.call("POST", f"{kek}:destroy", dict, {})
        if answer.get("state") not in GONE:
            raise OSError("Cloud KMS keeps the key-encryption key")

    def _primary(self) -> tuple[datetime, str]:
        return self._kms.call("GET", self._key, lambda answer: self._version(answer["primary"]))

    def _enabled(self) -> list[tuple[datetime, str]]:
        """Give the versions that unwrap, the oldest first."""
        most = quotas.KMS_PAGES
        return sorted(self._kms.pages(self._versions, VERSIONS, self._version, most, ENABLED))

    def _version(self, answer: Answer) -> tuple[datetime, str]:
        """Give when a version was made, and its name."""
        return datetime.fromisoformat(answer["createTime"]), self._named(answer)

    def _named(self, answer: Answer) -> str:
        """Give a version's name as the key is named in the settings.

        Google may write the project's number for its id. Raises ValueError for another key's.
        """
        versions, _, number = answer["name"].rpartition("/")
        if versions.split("/")[2:] != self._versions.split("/")[2:]:
            raise ValueError
        return f"{self._versions}/{number}"


def _bound(project_id: str) -> dict[str, str]:
    return packed("additionalAuthenticatedData", b"reprieve/v1/first-half/" + project_id.encode())
