"""The keyring's two back ends as tests see them: opened, looked behind, and changed."""

import base64
import json
from datetime import UTC, datetime

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from shared.keys.cloud import open_keyring as open_cloud
from shared.keys.local import open_keyring as open_local
from tests.support.google_keys import KEY, PREFIX, SIGNING, STATE

STORE = "demo/(default)"
# What the docs say each identity is granted; `@signing` is on the signing key's secret alone,
# `@public` on that of its public half, `@state` on the state key's.
VERIFIES = {"versions.access@public", "versions.list@public"}
VOUCHES = "versions.access@state"
MAKES = {"secrets.create", "secrets.list", "secrets.get", "secrets.update", "versions.add"}
IDENTITIES = {
    "reveal": {"cryptoKeyVersions.useToEncrypt", "cryptoKeyVersions.useToDecrypt"}
    | MAKES
    | VERIFIES
    | {"versions.access", "versions.get", VOUCHES},
    "manage": {"cryptoKeyVersions.useToEncrypt", "versions.access@signing", VOUCHES}
    | MAKES
    | VERIFIES,
    "retain": {"secrets.list", "secrets.get", "secrets.update", "secrets.delete"}
    | {"versions.list", "versions.access", "versions.destroy", VOUCHES},
    "rotate": {"cryptoKeyVersions.useToEncrypt", "cryptoKeyVersions.useToDecrypt", "secrets.list"}
    | {f"cryptoKeyVersions.{verb}" for verb in ("create", "list", "destroy")}
    | {"cryptoKeys.get", "cryptoKeys.update", VOUCHES},
}


class Local:
    """A keyring file and a folder."""

    def __init__(self, home):
        self.file, self.folder = home / "home" / "keyring.json", home / "store" / "keys"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ring = self.again()

    def again(self):
        """Open the same keyring as another process would."""
        return open_local(self.file, self.folder)

    def halves(self):
        """Give the projects that have a second half."""
        return {file.name.removesuffix(".new") for file in self.folder.glob("*")}

    def half(self, project_id):
        """Give a second half as it lies there."""
        return self._place(project_id).read_bytes().partition(b"\n")[2]

    def damage(self, project_id, change):
        """Change a second half where it lies."""
        place = self._place(project_id)
        stamp, _, half = place.read_bytes().partition(b"\n")
        place.write_bytes(stamp + b"\n" + change(half))

    def other_material(self):
        """Replace the key-encryption key by another of its name."""
        stored = json.loads(self.file.read_text())
        stored["keks"][stored["current"]] = base64.b64encode(b"k" * 32).decode()
        self.file.write_text(json.dumps(stored))

    def _place(self, project_id):
        return next(self.folder.glob(f"{project_id}*"))


class Cloud:
    """A key of Cloud KMS and secrets of Secret Manager."""

    def __init__(self, google):
        self.google = google
        google.allowed = {name: set(granted) for name, granted in IDENTITIES.items()}
        self.ring = self.again()

    def again(self, caller="any", store=STORE):
        """Open the same keyring as another process would, of an identity."""
        return open_cloud((KEY, PREFIX, SIGNING, STATE), store, self.google.as_(caller))

    def halves(self):
        """Give the projects that have a second half."""
        return self.google.halves()

    def half(self, project_id):
        """Give a second half as it lies there."""
        return self._version(project_id)["data"]

    def damage(self, project_id, change):
        """Change a second half where it lies."""
        version = self._version(project_id)
        version["data"] = change(version["data"])

    def other_material(self):
        """Replace the key-encryption key by another of its name, which KMS never would."""
        self.google.keys[KEY]["versions"][0]["material"] = b"k" * 32

    def _version(self, project_id):
        return self.google.secrets[f"half-{project_id}"]["versions"][0]


def rotated(ring):
    """Make a new key-encryption key; give its name."""
    ring.add_kek([*ring.keks()][-1], datetime.now(UTC))
    return [*ring.keks()][-1]


def pem(key):
    """Give a private key as openssl writes it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key):
    """Give the public half of one, likewise."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
