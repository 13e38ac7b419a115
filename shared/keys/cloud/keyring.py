"""The keyring of a deployment in Google Cloud: Cloud KMS wraps, Secret Manager keeps.

Imported only where the settings name it: it is no part of a local start.
"""

import random
from urllib.parse import urlsplit

import google.auth
from google.auth.credentials import Credentials
from google.oauth2.credentials import Credentials as Token

from shared.keys import Keyring
from shared.keys.cloud import secret_manager
from shared.keys.cloud.kms import KmsWrapper
from shared.keys.cloud.rest import Api, Caller
from shared.keys.cloud.secret_manager import SecretStore

SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def open_keyring(
    kms_key: str, secrets: str, signing_key: str, store: str, stand_in: str = ""
) -> Keyring:
    """Open the keyring of a KMS key, a prefix of secrets, and a secret for the signing key.

    `store` names the Firestore database that the projects of new key halves are in.
    `stand_in` is the address of a stand-in for Google's APIs, in a test. Its user part is all
    that such a server is told of who calls: no credentials are looked for.
    """
    if stand_in:
        parts = urlsplit(stand_in)
        address = f"http://{parts.hostname}:{parts.port}"
        token = Token(parts.username or "local")  # type: ignore[no-untyped-call]
        return over(kms_key, secrets, signing_key, store, token, address)
    credentials, _ = google.auth.default(scopes=[SCOPE])
    return over(kms_key, secrets, signing_key, store, credentials)


def over(
    kms_key: str,
    secrets: str,
    signing_key: str,
    store: str,
    credentials: Credentials,
    address: str = "",
) -> Keyring:
    """Open the same keyring with given credentials; `address` stands for Google's in a test."""
    caller = Caller(credentials)
    kms, manager = (
        Api(name, address or f"https://{host}.googleapis.com", caller, random.random)
        for name, host in (("Cloud KMS", "cloudkms"), ("Secret Manager", "secretmanager"))
    )
    return Keyring(
        KmsWrapper(kms, kms_key),
        SecretStore(manager, secrets, store),
        lambda: secret_manager.signing_key(manager, signing_key),
    )
