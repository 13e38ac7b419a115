"""What the verbs of `certificate` do: find one, fetch it, and have the auditor's file verify it.

To verify takes no login and opens no socket: it is `ce/verify.py`, run as an auditor runs it, and
nothing here decides what holds. A project's name is in no certificate, only a digest of it; whoever
has the digest's salt can show that a name is the one.
"""

import hashlib
import os
import re
import stat
import sys
import unicodedata
from base64 import b64decode
from pathlib import Path
from typing import Any

import click

from ce.call import Call
from ce.server import USAGE, Doc, Failure, path, place
from ce.text import emit, safe
from ce.verbs.dialog import say

CERTIFICATES = "/v1/certificates"
NAME = b"reprieve/name/v1\n"  # what the digest of a name begins with
SALT = re.compile("[0-9a-f]{32}")
VKEY = re.compile(r"[^\s+]+\+[0-9a-f]{8}\+\S{44}")
MOST = 32  # signatures under a checkpoint
LONGEST = 200  # bytes of a name that files are called by; no file's may have over 255
PROOF = b"c2sp.org/tlog-proof@v1\n"  # what a proof begins with


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


def get(call: Call) -> Doc:
    """Write a certificate, its proof and the log's key into a folder."""
    one = _found(call)
    name = call["name"] if call["name"] not in (None, one["project_id"]) else one["project_id"]
    say(call, name=name)
    home = path("v1", "certificates", one["project_id"])
    record, proof = call.client.raw(home), call.client.raw(f"{home}/proof")
    key = _key(call, proof, one["epoch"])
    stem = name.replace("/", "_")
    if len(os.fsencode(stem)) > LONGEST:
        stem = one["project_id"]
    contents = {f"{stem}.certificate.json": record, f"{stem}.tlog-proof": proof, "log.vkey": key}
    folder = Path(call["out"] or ".")
    _write(folder, contents)
    return {"project_id": one["project_id"], "files": ", ".join(contents), "folder": str(folder)}


def _found(call: Call) -> Doc:
    """Find the certificate of a project by its ID, or by the name that it had."""
    name, identity = call["name"], call["id"]
    if (name is None) == (identity is None):
        raise click.UsageError("Give exactly one of NAME, --name and --id.")
    if identity is None and not place.ID.fullmatch(name):
        found, what = of_name(call, name), "a project of this name"
    else:
        wanted = name if identity is None else identity
        found, what = [one for one in _all(call) if one["project_id"] == wanted], "this project"
    if len(found) > 1:
        ids = ", ".join(f"'{one['project_id']}'" for one in found)
        raise Failure(f"{len(found)} destroyed projects had this name: give --id, one of {ids}.")
    if not found:
        raise Failure(
            f"There is no certificate of {what}: it was not destroyed, or its name is forgotten. "
            "'ce certificate list' shows them all.",
            status=404,
        )
    return dict(found[0])


def _key(call: Call, proof: bytes, epoch: int) -> bytes:
    """Give the one of the log's keys that signed a proof's checkpoint: a vkey, and a line end."""
    lines = call.client.raw(f"/v1/log/{epoch}/keys").decode().splitlines()
    signed = proof.decode().splitlines()
    for line in lines:
        name, _, rest = line.partition("+")
        ids = [one.split(" ")[2] for one in signed if one.startswith(f"— {name} ")]
        if any(b64decode(one)[:4].hex() == rest[:8] for one in ids):
            return f"{line}\n".encode()
    raise Failure("The log's keys and the proof do not fit: run the command again.")


def _write(folder: Path, contents: dict[str, bytes]) -> None:
    """Write files, all or none; only a proof, which another may renew, replaces what is there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            if not _may_write(folder / name, content):
                said = f"'{folder / name}' is there, and another: nothing was written. Give --out."
                raise Failure(said)
        for name, content in contents.items():
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
            with os.fdopen(os.open(folder / name, flags, 0o666), "wb") as opened:
                opened.write(content)
    except OSError as error:
        raise Failure(f"Cannot write '{error.filename}' ({error.strerror}).") from None


def _may_write(file: Path, content: bytes) -> bool:
    """Tell whether a file is new, the same, or a proof in the place of a proof; it is no link."""
    try:
        if not stat.S_ISREG(file.lstat().st_mode):
            return False
    except FileNotFoundError:
        return True
    with file.open("rb") as opened:
        found = opened.read(len(content) + 1)
    return found == content or (content.startswith(PROOF) and found.startswith(PROOF))


def verify(call: Call) -> None:
    """Verify a certificate by its proof; exit with what the auditor's file finds."""
    from ce import verify as auditor  # noqa: PLC0415 - slow to import, and for this alone

    words, named = _words(call), _named(call)
    code = auditor.main([*named, *words])
    sys.stdout.flush()  # so that what is lost is told
    if code == 0 and named:
        emit(f"Name       '{safe(call['name'])}' is the name that this project had.\n")
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


def _named(call: Call) -> list[str]:
    """Give the words that show the name that the project had; both of name and salt, or none."""
    name, salt = call["name"], call["salt"]
    if (name is None) != (salt is None):
        raise click.UsageError("Give both of --name and --salt, or none.")
    if salt is None:
        return []
    if not SALT.fullmatch(salt.lower()):
        raise click.UsageError("--salt: 32 hexadecimal digits.")
    return [f"--name={unicodedata.normalize('NFC', name)}", f"--salt={salt.lower()}"]
