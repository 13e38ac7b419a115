"""The keys of a deployment in Google Cloud: Cloud KMS wraps, Secret Manager keeps.

Speaks their REST interfaces and nothing else of Google's. Imported only where the settings name
it: never on a local start.
"""

import random
from functools import cache, partial
from urllib.parse import urlsplit

import google.auth
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.oauth2.credentials import Credentials

from shared.keys import Keyring
from shared.keys.cloud.kms import KmsWrapper
from shared.keys.cloud.own_keys import signing_key, state_key, verifying_keys
from shared.keys.cloud.rest import Api, Caller
from shared.keys.cloud.secret_manager import SecretStore
from shared.keys.signing import LogKey, Signing
from shared.keys.state import State
from shared.settings import PUBLIC

GOOGLE = "https://{}.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def open_keyring(names: tuple[str, str, str, str], store: str, stand_in: str = "") -> Keyring:
    """Open the keyring of a KMS key, a prefix of secrets, and the secrets of two further keys.

    Those are the signing key and the state key.

    `store` names the Firestore database that the projects of new key halves are in.
    `stand_in` is the address of a stand-in for Google's APIs, in a test. Its user part is all
    that such a server is told of who calls: no credentials are looked for.
    """
    kms_key, secrets, signing, state = names
    kms, manager = _apis(stand_in)
    halves = SecretStore(manager, secrets, store)
    private, public = partial(signing_key, manager, signing), partial(verifying_keys, manager)
    keys = Signing(private, partial(public, signing + PUBLIC))
    made = State(partial(state_key, manager, state))
    return Keyring(KmsWrapper(kms, kms_key), halves, keys, made)


def open_log_key(name: str, stand_in: str = "") -> LogKey:
    """Give what reads the log key from its secret, once: an instance is started anew for another.

    `stand_in` is as for the keyring.
    """
    read = cache(partial(signing_key, _apis(stand_in)[1], name, "the log key"))

    def log_key(*, first: bool) -> Ed25519PrivateKey:  # noqa: ARG001 - nobody makes it here
        return read()

    return log_key


def _apis(stand_in: str) -> tuple[Api, Api]:
    """Give Cloud KMS and Secret Manager, called as who this process runs as."""
    address, credentials = GOOGLE, None
    if stand_in:
        parts = urlsplit(stand_in)
        address = f"http://{parts.hostname}:{parts.port}"
        credentials = Credentials(parts.username or "local")  # type: ignore[no-untyped-call]
    caller = Caller(credentials or google.auth.default(scopes=[SCOPE])[0])
    return (
        Api("Cloud KMS", address.format("cloudkms"), caller, random.random),
        Api("Secret Manager", address.format("secretmanager"), caller, random.random),
    )
