"""Proofs from a stored log: of every entry, accepted by both verifiers, and by nothing else."""

import json

import pytest

from ce import verify
from shared import audit, projects
from shared.errors import Error
from shared.keys.signing import no_log_key
from shared.log import Key, Place, Proof, Refused, entry, verified
from shared.upkeep import purge
from tests.support import call, reclaim
from tests.support.sealed import certificate, whole, write


def vkey(app):
    """Give the key of a log."""
    return app.store.read("log/checkpoint")["log/checkpoint"].contents["keys"][-1]


def shown(app, fields, key):
    """Verify the proof of an entry as whoever has the record and the key; give its index."""
    proof = Proof.parse(audit.proof_of(app, fields))
    verified(proof, entry(Place.unpack(proof.extra), fields["record"]), key)
    return proof.index


@pytest.mark.claim("I18", "each sealed entry is proved to be in the log")
def test_of_every_entry(app):
    """Of every entry of a log of more than a tile, and again when the log has grown."""
    for count in (1, 2, 257, 40):
        write(app, count)
        audit.seal(app)
        log, key = whole(app), Key.parse(vkey(app))
        step = 1 if len(log.entries) < 5 else 7
        for index in [*range(0, len(log.entries), step), len(log.entries) - 1]:
            assert shown(app, log.entries[index], key) == index


def test_of_another_record(app):
    """A record that was changed by a byte, or stands elsewhere, is not proved."""
    write(app, 9)
    audit.seal(app)
    log, key = whole(app), Key.parse(vkey(app))
    one, two = log.entries[3:5]
    for wrong in (
        one | {"record": one["record"][:-1] + b" "},
        one | {"salt": two["salt"]},
        one | {"seq": one["seq"] + 1},
        one | {"prev": bytes(32)},
        one | {"n": two["n"]},
    ):
        with pytest.raises(Refused):
            shown(app, wrong, key)


@pytest.mark.claim("R2", "a certificate that a log holds is verified offline by the auditor's file")
def test_the_auditor_s_file(app, tmp_path, capsys):
    """`ce/verify.py` takes a certificate, its proof and the log's key, and no other certificate."""
    write(app, 5)
    id_, record = certificate(app)
    write(app, 5)
    audit.seal(app)
    fields = app.store.read(f"audit/{id_}")[f"audit/{id_}"].contents
    files = tmp_path / "certificate.json", tmp_path / "proof", tmp_path / "key"
    for file, content in zip(
        files, (record, audit.proof_of(app, fields), f"{vkey(app)}\n".encode()), strict=True
    ):
        file.write_bytes(content)
    arguments = [str(files[0]), str(files[1]), "--key", str(files[2])]
    assert verify.main([*arguments, "--allow-test"]) == 0
    assert f"entry {fields['n']} of 11" in capsys.readouterr().out
    assert verify.main(arguments) == 1  # its log is of a test host
    assert "TEST, not evidence" in capsys.readouterr().out
    changed = json.loads(record)
    changed["predicate"]["timeline"]["erased"] = "2026-12-07T02:30:09Z"
    files[0].write_text(json.dumps(changed, sort_keys=True, separators=(",", ":")))
    assert verify.main([*arguments, "--allow-test"]) == 1


def test_what_is_not_sealed_yet(app):
    """One that waits: 409, and when to come again."""
    (id_,) = write(app, 1)
    with pytest.raises(Error) as waiting:
        audit.proof_of(app, app.store.read(f"audit/{id_}")[f"audit/{id_}"].contents)
    assert (waiting.value.code, waiting.value.status) == ("not_sealed", 409)
    assert waiting.value.headers == {"Retry-After": "60"}


@pytest.mark.claim("L4", "what is sealed and not signed yet is told as waiting")
def test_what_is_not_signed_yet(app):
    """It has its numbers, and no proof until there is a checkpoint that covers it."""
    key = app.keyring.log_key

    write(app, 2)
    audit.seal(app)
    app.keyring.log_key = no_log_key
    write(app, 1)
    audit.seal(app)
    one, _, three = whole(app).entries
    audit.proof_of(app, one)
    with pytest.raises(Error) as refused:
        audit.proof_of(app, three)
    assert refused.value.code == "not_sealed"
    app.keyring.log_key = key
    audit.seal(app)
    audit.proof_of(app, three)


def test_round_trips(counted):
    """The checkpoint, then the tiles: two; of a log of one entry there are no tiles to read."""
    app, api = counted
    write(app, 1)
    audit.seal(app)
    (only,) = whole(app).entries
    api.calls.clear()
    audit.proof_of(app, only)
    assert api.calls == ["batch_get_documents"]
    write(app, 300)
    audit.seal(app)
    entries = whole(app).entries
    api.calls.clear()
    audit.proof_of(app, entries[200])
    assert api.calls == ["batch_get_documents"] * 2
    api.calls.clear()
    with pytest.raises(Error):
        audit.proof_of(app, {"pending": True})
    assert api.calls == []


@pytest.mark.claim("R2", "the certificate of a destroyed project is proved to be in the log")
def test_of_a_real_certificate(app, tmp_path, capsys):
    """From the purge to the auditor: sealed beside what else was done, and verified offline."""
    made = projects.create(app, call(body={"name": "p"})).body["id"]
    reclaim(app, made)
    while purge.advance(app, made) != "tombstone":
        pass
    assert audit.seal(app)["refused"] == 0
    found = app.store.read(f"certificates/{made}", f"audit/{made}.erase")
    fields = found[f"audit/{made}.erase"].contents
    assert found[f"certificates/{made}"].contents["entry"] == f"{made}.erase"
    files = tmp_path / "certificate.json", tmp_path / "proof"
    for file, content in zip(files, (fields["record"], audit.proof_of(app, fields)), strict=True):
        file.write_bytes(content)
    assert verify.main([*map(str, files), "--key", vkey(app), "--allow-test"]) == 0
    said = capsys.readouterr().out
    assert f"Project    {made}" in said
    assert f"entry {fields['n']} of {len(whole(app).entries)}" in said
