"""The log key of one machine: a 0600 file beside the keyring, PEM, as its secret in the cloud is.

It is read at each use, for it goes with the data: where a log begins anew, so does its key. One
that is lost is not made again for the same log, which is its key's for good.
"""

import os
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from shared.keys.local import files


def log_key(file: Path, *, first: bool) -> Ed25519PrivateKey:
    """Read the key; where it is the `first` time for a log, make it if it is not there.

    Raises OSError where there is none, or what is there is none.
    """
    if first and not os.path.lexists(file):
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with suppress(FileExistsError):  # another process came first
            files.put(file, pem, os.link)
    if file.exists() and not file.is_file():
        raise OSError("the log key is no file")  # nobody waits for a pipe to be written
    with suppress(TypeError, ValueError, UnsupportedAlgorithm):
        found = load_pem_private_key(file.read_bytes(), None)
        if isinstance(found, Ed25519PrivateKey):
            return found
    raise OSError("the log key is no Ed25519 key in PEM")
