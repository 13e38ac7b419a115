"""What the verbs of `certificate` do: find one, fetch it, and have the auditor's file verify it.

To verify takes no login and opens no socket: it is `ce/verify.py`, run as an auditor runs it, and
nothing here decides what holds. A project's name is in no certificate, only a digest of it; whoever
has the digest's salt can show that a name is the one.
"""

import hashlib
import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import click

from ce.call import Call
from ce.server import USAGE, Doc, Failure
from ce.text import emit, safe
from ce.verbs.dialog import say

CERTIFICATES = "/v1/certificates"
NAME = b"reprieve/name/v1\n"  # what the digest of a name begins with
SALT = re.compile("[0-9a-f]{32}")
VKEY = re.compile(r"[^\s+]+\+[0-9a-f]{8}\+\S{44}")
MOST = 32  # signatures under a checkpoint
OTHER = (
    "FAILED: the project of this certificate had another name, or the salt is another's.\n"
    "(the certificate itself holds)\n"
)


def listing(call: Call) -> Doc:
    """List certificates, page after page."""
    say(call)
    return {"certificates": [*_all(call)]}


def of_name(call: Call, name: str) -> list[Doc]:
    """Find the certificates of projects of a name, of which the server is not told."""
    return [
        one
        for one in _all(call)
        if one["name_salt"] and _digest(name, one["name_salt"]) == one["name_digest"]
    ]


def verify(call: Call) -> None:
    """Verify a certificate by its proof; exit with what the auditor's file finds."""
    from ce import verify as auditor  # noqa: PLC0415 - slow to import, and for this alone

    words = _words(call)
    name = _named(call)
    code = auditor.main(words)
    if code == 0 and name is not None:
        said: Any = json.loads(Path(call["certificate"]).read_bytes())
        if _digest(*name) == said["predicate"]["project"]["name_digest"]:
            emit(f"Name       '{safe(name[0])}' is the name that this project had.\n")
        else:
            emit(OTHER)
            code = 1
    click.get_current_context().exit(code)


def _all(call: Call) -> Any:
    return call.client.pages(CERTIFICATES, "certificates", limit="200")


def _digest(name: str, salt: str) -> str:
    written = unicodedata.normalize("NFC", name).encode("utf-8", "surrogateescape")
    return hashlib.sha256(NAME + bytes.fromhex(salt) + written).hexdigest()


def _words(call: Call) -> list[str]:
    """Give the words for the auditor's file, of files that can be read."""
    files = [call["certificate"], call["proof"]]
    if None in files:
        raise click.UsageError("Give CERTIFICATE and PROOF, two files.")
    if call["key"] is None:
        raise click.UsageError("Give --key: the log's vkey, or the file of it.")
    for option, file in zip(("CERTIFICATE", "PROOF"), files, strict=True):
        _readable(option, file)
    keys = keys_of(call)
    more = [] if call["witnesses"] is None else [f"--witnesses={call['witnesses']}"]
    allowed = ["--allow-test"] if call["allow_test"] else []
    # Behind `--` a file may be called anything.
    return [*(f"{option}={key}" for option, key in keys), *more, *allowed, "--", *files]


def keys_of(call: Call) -> list[tuple[str, str]]:
    """Give the keys to trust, with the options they are given by; files of them can be read."""
    own = [("--key", call["key"])] if call["key"] is not None else []
    keys = [*own, *(("--witness", one) for one in call["witness"])]
    for option, key in keys:
        if not VKEY.fullmatch(key):
            _readable(option, key)
    if call["witnesses"] is not None and call["witnesses"] > MOST:
        raise click.UsageError(f"--witnesses: at most {MOST}.")
    return keys


def _readable(option: str, file: str) -> None:
    """Refuse a file that cannot be read, before anything is said of a certificate."""
    try:
        with Path(file).open("rb") as opened:
            opened.read(1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no name of a file"
        raise Failure(f"{option}: cannot read '{file}' ({why}).", exit_code=USAGE) from None


def _named(call: Call) -> tuple[str, str] | None:
    """Give the name to show, and its salt; both or none."""
    name, salt = call["name"], call["salt"]
    if (name is None) != (salt is None):
        raise click.UsageError("Give both of --name and --salt, or none.")
    if salt is None:
        return None
    if not SALT.fullmatch(salt.lower()):
        raise click.UsageError("--salt: 32 hexadecimal digits.")
    return name, salt.lower()
