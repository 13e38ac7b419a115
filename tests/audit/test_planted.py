"""What others put into the database is not sealed, and nothing goes on from it."""

import json
from datetime import timedelta

import pytest

from shared import audit, quotas
from shared.calls import ANYBODY, Call
from shared.errors import Error
from shared.log import EMPTY, Key, dump
from shared.store import Write
from tests.support.sealed import ACCOUNTS, START, certificate, lines, whole, write


def planted(app):
    """Give entries that this code did not write, each by what is wrong with it."""
    (good,), (other,) = write(app, 1), write(app, 1, ACCOUNTS[1])
    read = app.store.read(f"audit/{good}", f"audit/{other}")
    one, two = (read[f"audit/{id_}"].contents for id_ in (good, other))
    told = json.loads(one["record"]) | {"outcome": "denied"}
    return {
        "a changed record": one | {"record": dump(told)},
        "another's MAC": one | {"mac": two["mac"]},
        "no MAC": {name: value for name, value in one.items() if name != "mac"},
        "another salt": one | {"salt": bytes(16)},
        "salt and record cut elsewhere": one
        | {"salt": one["salt"] + one["record"][:1], "record": one["record"][1:]},
        "a salt cut short": one
        | {"salt": one["salt"][:15], "record": one["salt"][15:] + one["record"]},
        "another account": one | {"account_id": ACCOUNTS[1]},
        "no account": {name: value for name, value in one.items() if name != "account_id"},
        "another time": one | {"at": one["at"] + timedelta(seconds=1)},
        "no time": one | {"at": None},
        "no record": {"pending": True, "at": START, "account_id": ACCOUNTS[0]},
        "nothing else": {"pending": True},
        "another id": one,
    }


@pytest.mark.claim("F39", "an entry that was planted or changed before it is sealed is not sealed")
def test_what_this_code_did_not_write(app, caplog, subtests):
    """It is told once, waits no more, and holds nothing up; its place is nobody's."""
    found = planted(app)
    paths = {why: f"audit/planted{number}" for number, why in enumerate(found)}
    app.store.commit([Write.create(paths[why], fields) for why, fields in found.items()])
    done = audit.seal(app)
    assert (done["sealed"], done["refused"], done["published"]) == (2, len(found), 1)
    told = lines(caplog, "CRITICAL")
    assert sorted(one["path"] for one in told) == sorted(paths.values())
    assert not any(audit.seal(app).values())
    assert lines(caplog, "CRITICAL") == told
    for why, path in paths.items():
        with subtests.test(why):
            stored = app.store.read(path)[path].contents
            assert stored == found[why] | {"pending": "refused"}
            with pytest.raises(Error, match="not in the log"):
                audit.proof_of(app, stored)
    app.store.commit([Write.discard(path) for path in paths.values()])
    assert len(whole(app).entries) == 2


def test_a_certificate_is_a_record_too(app, caplog):
    """What a purge leaves is sealed like any entry, for the account and project that it names."""
    id_, _ = certificate(app)
    stored = app.store.read(f"audit/{id_}")[f"audit/{id_}"].contents
    for wrong in ({"account_id": ACCOUNTS[1]}, {}):
        app.store.commit([Write.create(f"audit/w{len(wrong)}", stored | wrong)])
    assert audit.seal(app)["sealed"] == 1
    assert len(lines(caplog, "CRITICAL")) == 2
    app.store.commit([Write.discard("audit/w0"), Write.discard("audit/w1")])
    (sealed,) = whole(app).entries
    assert sealed["account_id"] == ACCOUNTS[0]


def edits(app):
    """Give changes of what is stored of a log of 301 entries, each by what it is."""
    paths = ["log/state", "log/checkpoint", "log_tiles/1.0.1", "log_tiles/1.1.0"]
    read = app.store.read(*paths)
    state, tile = read["log/state"].contents, read["log_tiles/1.0.1"].contents["bytes"]
    flipped = bytes([tile[0] ^ 1]) + tile[1:]
    return {
        "another root": {"log/state": state | {"root": EMPTY}},
        "another frontier": {"log/state": state | {"frontier": bytes(len(state["frontier"]))}},
        "no frontier": {"log/state": {"epoch": 1, "size": state["size"], "root": state["root"]}},
        "another size": {"log/state": state | {"size": 300}},
        "no state": {"log/state": None},
        "an edge tile": {"log_tiles/1.0.1": {"bytes": flipped}},
        "an edge tile cut": {"log_tiles/1.0.1": {"bytes": tile[:-32]}},
        "no edge tile": {"log_tiles/1.0.1": None},
        "the tile above": {"log_tiles/1.1.0": {"bytes": bytes(32)}},
    }


@pytest.mark.claim("F39", "a log whose state or tiles were changed, cut or swapped is not signed")
@pytest.mark.slow
def test_edited_logs(app, caplog, subtests):
    """Whatever is changed of it, nothing goes on from there under the log's signature."""
    write(app, 301)
    audit.seal(app)
    signed = app.store.read("log/checkpoint")["log/checkpoint"].contents
    for why, changes in edits(app).items():
        with subtests.test(why):
            read = app.store.read(*changes)
            (id_,) = write(app, 1)
            app.store.commit(
                [
                    Write(path, fields) if fields else Write.discard(path)
                    for path, fields in changes.items()
                ]
            )
            caplog.clear()
            assert audit.seal(app)["published"] == 0
            assert lines(caplog, "CRITICAL")
            assert app.store.read("log/checkpoint")["log/checkpoint"].contents == signed
            # As it was, and the entry gone, it goes on.
            app.store.commit([Write.discard(f"audit/{id_}")])
            restored(app, read)
    write(app, 1)
    assert audit.seal(app)["published"] == 1


def restored(app, read):
    """Put documents back as they were read."""
    app.store.commit(
        [
            Write(one.path, one.fields) if one.fields else Write.discard(one.path)
            for one in read.documents.values()
        ]
    )


def changed(app, path, **fields):
    """Change fields of a stored document; give what it was."""
    read = app.store.read(path)
    app.store.commit([Write.update(read[path], fields)])
    return read


def beside(app, caplog, path, planted):
    """Change a document of a log; require that nothing is sealed or signed beside it, and it told.

    Gives the id of the entry that waits, and what the document was.
    """
    write(app, 1)
    audit.seal(app)
    before = changed(app, path, **planted)
    (id_,) = write(app, 1)
    assert not any(audit.seal(app).values())
    assert lines(caplog, "CRITICAL")
    return id_, before


KEYS = {
    "the keys are none": ["evil"],
    "no key": [],
    "a key is no text": [5],
    "another log's key": ["test.invalid/x+0acd9c9c+AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"],
}


@pytest.mark.parametrize(
    "planted",
    [
        *({"size": "x"}, {"size": {"a": 1}}, {"size": 1.0}, {"size": True}, {"size": None}),
        *({"text": 5}, {"text": None}, {"epoch": "1"}, {"keys": "x"}),
        *({"keys": keys} for keys in KEYS.values()),
    ],
    ids=str,
)
def test_a_checkpoint_of_odd_types(app, caplog, planted):
    """Nothing is sealed or signed beside it, which is told; who reads it is asked to try again."""
    id_, before = beside(app, caplog, "log/checkpoint", planted)
    stored = app.store.read("log/checkpoint")["log/checkpoint"].contents
    assert stored == before["log/checkpoint"].contents | planted
    for read in (audit.checkpoint, audit.keys, audit.tile):
        with pytest.raises(Error) as refused:
            read(app, Call(ANYBODY, {"epoch": "1", "tile": "0/000.p/1"}, {}, "trace"))
        assert refused.value.code == "unavailable"
    restored(app, before)
    assert audit.seal(app)["published"] == 1
    assert app.store.read(f"audit/{id_}")[f"audit/{id_}"].contents["n"] == 1


def test_a_key_of_another_hand(app, caplog):
    """Keys in whose midst the sealer's own is not are given out no further, whatever their form."""
    write(app, 1)
    audit.seal(app)
    text = app.store.read("log/checkpoint")["log/checkpoint"].contents["text"]
    other = str(Key(text.partition("\n")[0], 1, bytes(range(32))))
    before = changed(app, "log/checkpoint", keys=[other])
    write(app, 1)
    assert audit.seal(app)["published"] == 0
    assert lines(caplog, "CRITICAL")
    assert app.store.read("log/checkpoint")["log/checkpoint"].contents["keys"] == [other]
    restored(app, before)
    assert audit.seal(app)["published"] == 1


@pytest.mark.parametrize(
    "planted",
    [
        *({"size": "x"}, {"size": 1.0}, {"size": True}, {"epoch": "1"}, {"epoch": {"a": 1}}),
        *({"frontier": "x" * 32, "root": "x" * 32}, {"frontier": 5}, {"root": None}),
    ],
    ids=str,
)
def test_a_state_of_odd_types(app, caplog, planted):
    """Nothing is sealed or signed beside it, which is told."""
    _, before = beside(app, caplog, "log/state", planted)
    restored(app, before)
    assert audit.seal(app)["published"] == 1


@pytest.mark.parametrize(
    "planted",
    [
        *({"x": 1}, {}, {"seq": "x", "chain": bytes(32)}, {"seq": True, "chain": bytes(32)}),
        *({"seq": 1, "chain": "x" * 32}, {"seq": 1, "chain": b"x"}, {"seq": -1, "chain": EMPTY}),
    ],
    ids=str,
)
def test_a_broken_chain(app, caplog, monkeypatch, planted):
    """That account's entries wait, which is told; the others', behind them too, are sealed."""
    monkeypatch.setattr(quotas, "SEAL_BATCH", 2)
    path = f"log_accounts/{ACCOUNTS[0]}"
    app.store.commit([Write.create(path, planted)])
    write(app, 5, ACCOUNTS[0])
    write(app, 5, ACCOUNTS[1])
    done = audit.seal(app)
    assert (done["sealed"], done["refused"], done["published"]) == (5, 0, 1)
    assert [one["path"] for one in lines(caplog, "CRITICAL")] == [path]
    assert app.store.read(path)[path].contents == planted
    app.store.commit([Write.discard(path)])
    assert audit.seal(app)["sealed"] == 5
    assert len(whole(app).entries) == 10


def test_a_tile_that_is_cut(app, caplog):
    """Who reads it is asked to try again, and it is told: no half of it is given out."""
    write(app, 2)
    audit.seal(app)
    changed(app, "log_tiles/1.0.0", bytes=b"x")
    with pytest.raises(Error) as refused:
        audit.tile(app, Call(ANYBODY, {"epoch": "1", "tile": "0/000.p/2"}, {}, "trace"))
    assert refused.value.code == "unavailable"
    assert lines(caplog, "CRITICAL")
