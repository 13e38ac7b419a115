"""The log as anybody reads it: paths, widths, types, caching, and who may."""

from dataclasses import replace

import pytest
import requests

from shared import audit
from shared.access import api_keys
from shared.calls import ANYBODY, Call
from shared.errors import Error
from shared.keys.signing import no_log_key
from shared.log import Key, Tile, leaf, opened, tiles
from tests.functions.test_functions import running
from tests.support import call, principal_of, wired, with_key
from tests.support.sealed import whole, write

HUGE = "9" * 30


def asked(name, app, /, **parameters):
    """Read something of a log, as anybody; give the answer."""
    operation = {"checkpoint": audit.checkpoint, "keys": audit.keys, "tile": audit.tile}[name]
    return operation(app, Call(ANYBODY, {"epoch": "1", **parameters}, {}, "trace")).raw


def missing(name, app, /, **parameters):
    """Tell whether there is no such thing."""
    try:
        asked(name, app, **parameters)
    except Error as error:
        return error.code == "resource_not_found"
    return False


@pytest.fixture(scope="module")
def grown(host, tmp_path_factory):
    """A log of 600 entries, of which a checkpoint covers 300 and then 513."""
    app = with_key(wired(host.info["firestore"], tmp_path_factory.mktemp("log")))
    key = app.keyring.log_key

    for count, signed in ((300, True), (213, True), (87, False)):
        app.keyring.log_key = key if signed else no_log_key
        write(app, count)
        audit.seal(app)
    log = whole(app)
    assert (len(log.entries), log.checkpoint.size) == (600, 513)
    return app, log


def test_checkpoint_and_keys(grown):
    """The checkpoint is signed by the key that is told, under the name that it has."""
    app, log = grown
    text, keys = asked("checkpoint", app), asked("keys", app)
    assert text.type == keys.type == "text/plain; charset=utf-8"
    assert text.kept == keys.kept == "max-age=5"
    (line,) = keys.data.decode().splitlines()
    assert opened(text.data, Key.parse(line)).checkpoint == log.checkpoint
    for epoch in ("0", "2", "01", "", "-1", "x", HUGE, "1.0"):
        assert missing("checkpoint", app, epoch=epoch)
        assert missing("keys", app, epoch=epoch)
        assert missing("tile", app, epoch=epoch, tile="0/000")


@pytest.mark.claim("I18", "a tile that was read stays readable as it was, however the log grows")
def test_widths(grown):
    """Each tile at each width that a checkpoint had, as the beginning of what it is; no wider."""
    app, log = grown
    leaves = [leaf(one["entry"]) for one in log.entries]
    entries = [one["entry"] for one in log.entries]
    held = tiles.grown(0, leaves[:513], {}.__getitem__)
    assert asked("tile", app, tile="1/000.p/2").data == held[Tile(1, 0, 2)]
    for number, most in ((0, 256), (1, 256), (2, 1)):
        for width in (1, 43, 44, 255, 256):
            part = f".p/{width}" if width < 256 else ""
            names = f"0/00{number}{part}", f"entries/00{number}{part}"
            if width > most:
                assert all(missing("tile", app, tile=name) for name in names)
                continue
            start = number * 256
            found = [asked("tile", app, tile=name) for name in names]
            assert found[0].data == b"".join(leaves[start : start + width])
            assert tiles.unbundled(found[1].data, width) == entries[start : start + width]
            assert {one.type for one in found} == {"application/octet-stream"}
            assert {one.kept for one in found} == {"public, max-age=31536000, immutable"}
    # What is sealed and not signed yet is not there, nor is what will be.
    for name in ("0/002.p/2", "0/002.p/88", "0/002", "0/003", "1/000", "1/000.p/3", "2/000.p/1"):
        assert missing("tile", app, tile=name)


@pytest.mark.parametrize(
    "name",
    [
        *("0/0", "0/00", "0/0000", "0/x000/000", "0/000/000", "00/000", "0/000.p/0", "0/000.p/256"),
        *("0/000.p/01", "0/000.p/", "0/000.p", "0/000/", "/000", "0", "", "entries", "e/000"),
        *(
            "-1/000",
            "64/000",
            "0/000.P/1",
            "0/000\n",
            "0/\u0660\u0660\u0660",
            f"0/{'x999/' * 7}999",
            HUGE,
        ),
    ],
)
def test_paths_have_one_form(grown, name):
    """What is written in any other way is not there."""
    assert missing("tile", grown[0], tile=name)


def test_one_read(counted):
    """Each is one round trip; a path that names nothing is none."""
    app, api = counted
    write(app, 2)
    audit.seal(app)
    for name, more in (("checkpoint", {}), ("keys", {}), ("tile", {"tile": "0/000.p/2"})):
        api.calls.clear()
        asked(name, app, **more)
        assert api.calls == ["batch_get_documents"]
    api.calls.clear()
    assert missing("tile", app, tile="0/0")
    assert missing("checkpoint", app, epoch="01")
    assert api.calls == []


def test_no_log_yet(app):
    """Before the first checkpoint there is nothing."""
    write(app, 1)
    assert missing("checkpoint", app)
    assert missing("keys", app)
    assert missing("tile", app, tile="0/000.p/1")


def test_a_closed_log(app):
    """With CE_LOG_PUBLIC=0 no shared cache keeps it, and a key that is gone reads nothing more."""
    write(app, 1)
    audit.seal(app)
    app = replace(app, settings=replace(app.settings, log_public=False))
    made = api_keys.create(app, call(body={"name": "k", "roles": ["reader"]})).body
    who = principal_of(app, made["apikey"])
    mine = Call(who, {"epoch": "1", "tile": "0/000.p/1"}, {}, "trace")
    assert audit.checkpoint(app, mine).raw.kept == "private, max-age=5"
    assert audit.tile(app, mine).raw.kept == "private, max-age=31536000, immutable"
    api_keys.delete(app, call(id=made["id"]))
    for read in (audit.checkpoint, audit.tile, audit.keys):
        with pytest.raises(Error) as refused:
            read(app, mine)
        assert refused.value.code == "unauthorized"


@pytest.fixture(scope="module")
def served(host, owner):
    """A host whose schedule has sealed what its accounts did; the log's address."""
    owner.project()
    host.hub("POST", "/schedules/sealAudit/run")
    return f"{host.url}/v1/log/1"


def test_over_http(host, served):
    """Nobody has to show anything; HEAD is GET without the body; other methods are none."""
    answer = requests.get(f"{served}/checkpoint", timeout=30)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "max-age=5")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    key = requests.get(f"{served}/keys", timeout=30).text.removesuffix("\n")
    checkpoint = opened(answer.content, Key.parse(key)).checkpoint
    number, before = divmod(checkpoint.size - 1, 256)
    width, name = before + 1, f"{number:03}" + (f".p/{before + 1}" if before < 255 else "")
    tile = requests.get(f"{served}/tile/0/{name}", timeout=30)
    assert (tile.status_code, len(tile.content)) == (200, 32 * width)
    assert tile.headers["Content-Type"] == "application/octet-stream"
    assert tile.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    head = requests.head(f"{served}/tile/entries/{name}", timeout=30)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["Content-Length"]) == 34 * width
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = requests.request(method, f"{served}/checkpoint", timeout=30)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    by_name = requests.post(
        f"{host.functions}/getLogTile",
        json={"epoch": "1", "tile": f"0/{name}"},
        timeout=30,
    )
    assert by_name.content == tile.content


@pytest.mark.parametrize(
    "path",
    [
        *("/tile/0%2F000.p/1", "/tile/0/%30%30%30.p/1", "/tile//000", "/tile", "/tile/", "/tiles"),
        *("/tile/0/000.p/1/", "/checkpoint/", "/tile/7/000", "/0"),
    ],
)
def test_other_paths_over_http(served, path):
    """Escapes, dots and slashes make no second path to what is there; a refusal is not kept."""
    request = requests.Request("GET", served).prepare()
    request.url = served + path
    with requests.Session() as session:
        answer = session.send(request, timeout=30)
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["errors"][0]["code"] == "resource_not_found"


def test_accept(served):
    """Who takes only another type than the answer's is told so."""
    for kind, path, status in (
        ("text/plain", "/checkpoint", 200),
        ("application/json", "/checkpoint", 406),
        ("application/octet-stream", "/tile/0/000.p/1", 200),
        ("text/plain", "/tile/0/000.p/1", 406),
        ("*/*", "/keys", 200),
    ):
        answer = requests.get(served + path, headers={"Accept": kind}, timeout=30)
        assert (kind, answer.status_code) == (kind, status)


@pytest.mark.slow
def test_a_closed_log_over_http(host, served, owner):
    """With CE_LOG_PUBLIC=0 a stranger is 401, and any key of any account reads."""
    requests.get(served, timeout=30)
    with running(host, "getLogKeys", CE_LOG_PUBLIC="0") as url:
        token = {"Authorization": f"Bearer {owner.another_key('purge').token}"}
        refused = requests.get(f"{url}/v1/log/1/keys", timeout=30)
        assert (refused.status_code, refused.headers["Cache-Control"]) == (401, "no-store")
        assert requests.post(url, json={"epoch": "1"}, timeout=30).status_code == 401
        found = requests.get(f"{url}/v1/log/1/keys", headers=token, timeout=30)
        assert (found.status_code, found.headers["Cache-Control"]) == (200, "private, max-age=5")
        assert found.text.startswith("test.invalid/")
