"""Envelopes: seal and open bytes under a project's data key. No I/O, no key store.

    envelope = 0x02 | salt (32 bytes) | AES-256-GCM ciphertext and tag

Version 1 (0x01) is opened and made no more; what the two are bound to is their caller's to say.

Key and nonce of each envelope come from HKDF-SHA-256 (RFC 5869) over the data key and a fresh
random salt, so no counter and no restored backup can repeat a nonce (NIST SP 800-38D section 8).
The associated data binds an envelope to its place; it is required, never empty.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FORMER, VERSION = b"\x01", b"\x02"
PURPOSE = {FORMER: b"reprieve/v1/envelope", VERSION: b"reprieve/v2/envelope"}
SALT_BYTES = 32
KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16


class Undecryptable(Exception):
    """Wrong key, wrong place, cut or flipped bytes: one answer, nothing to learn from."""


def derive(secret: bytes, salt: bytes | None, info: bytes, length: int = KEY_BYTES) -> bytes:
    """Derive `length` bytes with HKDF-SHA-256 (RFC 5869)."""
    return HKDF(SHA256(), length, salt, info).derive(secret)


def binding(*parts: str) -> bytes:
    """Encode strings unambiguously as associated data: each with its length before it."""
    encoded = (part.encode() for part in parts)
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def seal(data_key: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """Give the envelope of `plaintext`, bound to `aad`."""
    return _seal_with(os.urandom(SALT_BYTES), data_key, plaintext, aad)


def _seal_with(
    salt: bytes, data_key: bytes, plaintext: bytes, aad: bytes, version: bytes = VERSION
) -> bytes:
    """Seal with a given salt and version: for the committed test vectors only."""
    cipher, nonce = _cipher(version, data_key, salt)
    return version + salt + cipher.encrypt(nonce, plaintext, aad)


def is_former(envelope: bytes) -> bool:
    """Tell whether an envelope says that it is of version 1; raises Undecryptable if of none."""
    if envelope[:1] not in PURPOSE:
        raise Undecryptable
    return envelope[:1] == FORMER


def open_sealed(data_key: bytes, envelope: bytes, aad: bytes) -> bytes:
    """Give the plaintext of an envelope; raises Undecryptable if anything at all is wrong."""
    version, salt, sealed = envelope[:1], envelope[1 : 1 + SALT_BYTES], envelope[1 + SALT_BYTES :]
    if version not in PURPOSE or len(sealed) < TAG_BYTES:
        raise Undecryptable
    cipher, nonce = _cipher(version, data_key, salt)
    try:
        return cipher.decrypt(nonce, sealed, aad)
    except InvalidTag:
        raise Undecryptable from None


def _cipher(version: bytes, data_key: bytes, salt: bytes) -> tuple[AESGCM, bytes]:
    material = derive(data_key, salt, PURPOSE[version], KEY_BYTES + NONCE_BYTES)
    return AESGCM(material[:KEY_BYTES]), material[KEY_BYTES:]
