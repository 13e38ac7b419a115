"""Verify a certificate of destruction: that a log holds it, and that it agrees with itself.

  python verify.py CERTIFICATE PROOF --key VKEY [--witness VKEY]... [--witnesses K] [--allow-test]
                   [--name NAME --salt HEX]
Offline, by `cryptography` alone. VKEY: text or file. Exits 0: all holds; 1: not all; 2: no file.
"""

import argparse
import base64
import json
import re
import sys
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LOG, WITNESS, SIZES, LATE = 1, 4, {1: 68, 4: 76}, 300  # key types; bytes signed; clocks, seconds
NUMBER, NAME = "(0|[1-9][0-9]{0,18})", r"[^\s+\x00-\x1f\x7f-\x9f]+"
VKEY = rf"({NAME})\+([0-9a-f]{{8}})\+(\S{{44}})"
PROOF = rf"c2sp\.org/tlog-proof@v1\nextra (\S+)\nindex {NUMBER}((?:\n\S+){{0,63}})\n\n"
NOTE = rf"(({NAME})\n{NUMBER}\n(\S+)\n)\n((?:— {NAME} \S{{8,}}\n){{1,32}})"
TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z"
NUMBERS = {"parse_float": int, "parse_constant": int, "parse_int": lambda one: int(float(one))}
HOOKS: Any = NUMBERS | {"object_pairs_hook": lambda items: {a: b for a, b in items if a.isascii()}}
KIND = {"_type": "https://in-toto.io/Statement/v1", "predicateType": "urn:reprieve:destruction:v1"}
WHY = "it was made beside an emulator", "this host's clock was moved while the project existed"
LEFT = "Not shown: copies that readers made before, exports, whether the key store told the truth."


def need(holds: Any, why: str) -> Any:
    """Give what holds; refuse anything else, saying why."""
    if not holds:
        raise ValueError(why)
    return holds


def decoded(written: str, size: int | None = None) -> Any:
    """Give the bytes of a base64 in its one form."""
    data = base64.b64decode(written)
    fits = base64.b64encode(data).decode() == written and size in (None, len(data))
    return need(fits and data, "a base64 is of another size, or not in its one form")


def parsed_key(vkey: str, kind: int) -> tuple[Any, ...]:
    """Give the key of a vkey, as text or in a file; it has to be of a type."""
    text = vkey if re.fullmatch(VKEY, vkey) else Path(vkey).read_text("utf-8").removesuffix("\n")
    name, id_, written = need(re.fullmatch(VKEY, text), "a vkey is not in its form").groups()
    data = decoded(written, 33)
    need(sha256(f"{name}\n".encode() + data).hexdigest()[:8] == id_, "a vkey has another key's id")
    return name, bytes.fromhex(id_), need(data[0] == kind and kind, "a wrong type"), data[1:]


def proved(record: bytes, proof: str, log: Any, *witnesses: Any) -> tuple[str, list[int]]:
    """Give where the log holds a record, and when each witness saw that it does."""
    match = need(re.fullmatch(PROOF + NOTE, proof), "the proof is not in its form")
    extra, index, lines, text, origin, size, root, signatures = match.groups()
    seen = {}  # by type and key: when it signed; a log says 0
    for _, name, written in (line.split(" ") for line in signatures.splitlines()):
        data = decoded(written)
        for *_, kind, public in [key for key in (log, *witnesses) if key[:2] == (name, data[:4])]:
            need(len(data) == SIZES[kind], "a signature is of another size")
            time = int.from_bytes(data[4:-64], "big")
            head = f"cosignature/v1\ntime {time}\n" if kind == WITNESS else ""
            Ed25519PublicKey.from_public_bytes(public).verify(data[-64:], (head + text).encode())
            seen[kind, public] = time
    need(origin == log[0] and seen.pop(log[2:], None) == 0, "the log has not signed it")
    at, count, rights, path = int(index), int(size), [], [decoded(one, 32) for one in lines.split()]
    need(at < count < 2**63, "the log has no such entry")
    while count > 1:  # from the root down: is it in the right half? (RFC 9162, section 2.1.1)
        rights.append(at >= (half := 1 << (count - 1).bit_length() - 1))
        at, count = (at - half, count - half) if at >= half else (at, half)
    need(len(path) == len(rights), "the path is too long, or too short")
    entry = sha256(b"reprieve/audit-leaf/v1\n" + decoded(extra, 56) + record).digest()
    here = sha256(b"\x00" + entry).digest()
    for right, other in zip(reversed(rights), path, strict=True):
        here = sha256(b"\x01" + (other + here if right else here + other)).digest()
    need(here == decoded(root, 32), "the log holds something else there")
    return f"{origin}, entry {index} of {size}", [*seen.values()]


def agreed(record: bytes, place: str, seen: int, named: Any = None) -> tuple[Any, list[str]]:
    """Give why a certificate is no evidence, if so, and what it says; refuse contradictions."""
    statement = json.loads(record.decode(), **HOOKS)  # what is doubled is lost here
    again = json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    need(again.encode() == record, "it is not in its one form")
    said = statement["predicate"]
    project, line, gone, asked = map(said.get, ("project", "timeline", "destroyed", "requested_by"))
    subject = {"name": f"project:{project['id']}", "digest": {"sha256": gone["digest"]}}
    need(statement == statement | KIND | {"subject": [subject]}, "it is no such certificate")
    steps = [line[name] for name in ("deleted", "claimed", "shredded", "swept", "erased")]
    order = [project["created_at"], *line["restores"], *steps, line["deadline"]]
    need(all(re.fullmatch(TIME, one) for one in order), "a time is not in its form")
    *times, deadline = map(datetime.fromisoformat, order)
    moved = said["environment"]["clock"] != "store"  # to and fro: then no order is to be expected
    need(moved or (times == sorted(times) and times[-5] <= deadline), "its times are out of order")
    need({"reclaim": True, "deadline": moved or times[-4] >= deadline}[line["cause"]], "too early")
    backs = {one["read_back"] for one in said["key"]["evidence"]}
    need(backs and backs <= {"refused", "absent"}, "its key was not read back as gone")
    need(said["test"] is True or times[-1].timestamp() <= seen, "it is dated after it was seen")
    need(named in (None, project["name_digest"]), "its project had another name, or another salt")
    documents = ", ".join(f"{count:d} {kind}" for kind, count in gone["documents"].items())
    real = said["test"] is False and said["environment"] == {"clock": "store", "store": "firestore"}
    test = not real and WHY[moved]
    return test or (place.startswith("test.invalid/") and "its log is of a test host"), [
        f"Project    {project['id']}",
        f"Asked for  {steps[0]} by {asked['name']!r} ({asked['id']}); restorable until {order[-1]}",
        f"Key        destroyed {steps[2]}; read back: {', '.join(sorted(backs))}",
        f"Documents  {documents} ({gone['undigested']:d} undigested); destroyed by {steps[3]}",
    ]


def main(arguments: list[str] | None = None) -> int:
    """Verify what the arguments name, and tell; give the exit code."""
    parser = argparse.ArgumentParser(usage=" ".join(" ".join(__doc__.splitlines()[2:4]).split()))
    parser.add_argument("files", type=Path, nargs=2)
    for name in ("--key", "--name", "--salt"):
        parser.add_argument(name, required=name == "--key")
    parser.add_argument("--witness", action="append", default=[])
    parser.add_argument("--witnesses", type=int, choices=range(33))
    parser.add_argument("--allow-test", action="store_true")
    given, held = parser.parse_args(arguments), False
    why = "not in the log: it, its proof or its key was changed"
    try:
        record, proof = (file.read_bytes() for file in given.files)
        keys = [parsed_key(given.key, LOG), *(parsed_key(one, WITNESS) for one in given.witness)]
        place, seen = proved(record, proof.decode(), *keys)
        why = "in the log, but that is not enough"
        demanded = len(keys) - 1 if given.witnesses is None else given.witnesses
        need(len(seen) >= demanded, f"{len(seen)} of {demanded} witnesses demanded have signed it")
        salted = b"reprieve/name/v1\n" + bytes.fromhex(given.salt or "")
        named = given.name and sha256(salted + given.name.encode()).hexdigest()
        test, lines = agreed(record, place, min([*seen, 2**63]) + LATE, named)
        lines.append(f"Log        {place}, {len(seen)} of {len(keys) - 1} witnesses")
        held = given.allow_test or not test
        lines += [f"TEST, not evidence: {test}."] if test else []
        lines += ["OK: the certificate is what the log holds.", LEFT] if held else []
    except OSError as error:
        parser.error(f"{error}")
    except Exception as error:  # noqa: BLE001 - whatever goes wrong, it does not hold
        lines = [f"FAILED: this certificate is {why}.", f"({type(error).__name__}: {error})"]
    for line in lines:
        sys.stdout.write(re.sub(r"[^ -~]", lambda odd: ascii(odd[0])[1:-1], line) + "\n")
    return int(not held)


if __name__ == "__main__":
    sys.exit(main())
