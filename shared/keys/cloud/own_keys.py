"""The deployment's own keys in Secret Manager: signing, state and log key, and public halves."""

from contextlib import suppress

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_pem_public_key,
)

from shared import quotas
from shared.failures import tell
from shared.keys.cloud.rest import Answer, Api, allowing
from shared.keys.cloud.secret_manager import ENABLED, last_of, payload_of, version_of
from shared.keys.envelope import KEY_BYTES


def signing_key(api: Api, name: str, which: str = "the token signing key") -> Ed25519PrivateKey:
    """Read a key that signs, PEM, from the newest version of a secret; raises OSError."""
    pem = api.call("GET", f"{name}/versions/latest:access", payload_of)
    with suppress(TypeError, ValueError, UnsupportedAlgorithm):
        key = load_pem_private_key(pem, None)
        if isinstance(key, Ed25519PrivateKey):
            return key
    raise _no_key(which)


def state_key(api: Api, name: str) -> bytes:
    """Read the state key, 32 bytes, from the newest version of a secret; raises OSError."""
    key = api.call("GET", f"{name}/versions/latest:access", payload_of)
    if len(key) == KEY_BYTES:
        return key
    raise OSError("it is not 32 bytes")


def verifying_keys(api: Api, name: str) -> tuple[bytes, ...]:
    """Read the public keys, PEM, of the versions of a secret that are not destroyed or disabled.

    The newest comes first; it is read by itself, for a list may be behind. Raises OSError.
    """
    newest, pem = api.call("GET", f"{name}/versions/latest:access", _numbered)
    found = {int(newest): pem}
    listed = api.pages(f"{name}/versions", "versions", version_of, quotas.DUE_PAGES)
    for number in [n for n, state, *_ in listed if state == ENABLED and n != newest]:
        with allowing("NOT_FOUND", "FAILED_PRECONDITION"):  # destroyed since
            found[int(number)] = api.call("GET", f"{name}/versions/{number}:access", payload_of)
    return tuple(_public(found[number]) for number in sorted(found, reverse=True))


def _public(pem: bytes) -> bytes:
    with suppress(ValueError, UnsupportedAlgorithm):
        key = load_pem_public_key(pem)
        if isinstance(key, Ed25519PublicKey):
            return key.public_bytes_raw()
    raise _no_key("a public key of it")


def _no_key(which: str) -> OSError:
    tell("CRITICAL", f"{which} is no Ed25519 key in PEM")
    return OSError(f"{which} is no Ed25519 key in PEM")


def _numbered(answer: Answer) -> tuple[str, bytes]:
    return last_of(answer), payload_of(answer)
