"""What the local host reads and serves: functions.yaml, firebase.json, the three ports."""

import re

import pytest
from werkzeug.test import Client

from emulator import Refused, hosting, manifest, server, wire
from emulator.log import Log
from tests.support.emulator import EVENT, HTTP, PRIVATE, SCHEDULE, firebase, repository, serving


def test_manifest_reads_every_trigger(tmp_path):
    """The three triggers are read; private ones and those nobody calls over HTTP are not public."""
    root = repository(tmp_path, a=HTTP, b=PRIVATE, c=EVENT, d=SCHEDULE)
    found = {endpoint.name: endpoint for endpoint in manifest.read(root)}
    assert [name for name in found if found[name].public] == ["a"]
    assert found["c"].trigger.match == "PATH_PATTERN"
    assert found["c"].trigger.retry
    assert found["d"].trigger == manifest.Schedule("*/5 * * * *", "Etc/UTC", 1)


@pytest.mark.parametrize(
    ("trigger", "named"),
    [
        ("callableTrigger: {}", "callableTrigger"),
        ("httpsTrigger: {invoker: [someone@example.com]}", "someone@example.com"),
        ("httpsTrigger: {cors: true}", "httpsTrigger.cors"),
        ("eventTrigger: {eventType: google.pubsub.topic.v1.published}", "google.pubsub"),
        (EVENT.replace("projects/{id}'", "p', x: y"), "eventFilterPathPatterns.x"),
        (EVENT.replace("{document: 'projects/{id}'}", "{}"), "one document"),
        ("scheduleTrigger: {schedule: every 5 minutes}", "every 5 minutes"),
        ("scheduleTrigger: {schedule: '* * * * *', timeZone: Mars/Base}", "Mars/Base"),
        (
            "scheduleTrigger: {schedule: '* * * * *', retryConfig: {maxDoublings: 1}}",
            "maxDoublings",
        ),
        ("platform: gcfv1, httpsTrigger: {}", "gcfv1"),
        ("availableMemoryMb: 256", "(none)"),
    ],
)
def test_manifest_refuses_by_name(tmp_path, trigger, named):
    """What the host does not support is refused, and the refusal names it."""
    with pytest.raises(Refused, match=r".*") as refused:
        manifest.read(repository(tmp_path, f=trigger))
    assert named in str(refused.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "--root"),
        ("endpoints: {", "is no YAML"),
        ("specVersion: v2", "specVersion v1alpha1"),
        ("specVersion: v1alpha1\nendpoints: {1st: {}}", "'1st' is no name"),
    ],
)
def test_a_manifest_that_is_none_is_one_sentence(tmp_path, content, said):
    """A wrong --root is told from a broken file, and that from a name no function may have."""
    root = repository(tmp_path)
    file = root / "functions" / "functions.yaml"
    file.write_text(content) if content else file.unlink()
    with pytest.raises(Refused) as refused:
        manifest.read(root)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("source", "path", "matches"),
    [
        ("/v2/**", "/v2/projects/a/secrets", True),
        ("/v2/**", "/v20", False),
        ("/v2/**", "/v2", False),
        ("**", "/any/thing", True),
        ("/a/*", "/a/b", True),
        ("/a/*", "/a/b/c", False),
        ("**/*.@(js|css)", "/x/y.css", True),
        ("**/*.@(js|css)", "/y.html", False),
        ("**/.*", "/.git", True),
        ("/a.b", "/axb", False),
    ],
)
def test_globs(source, path, matches):
    """Firebase's globs mean here what they mean there."""
    assert bool(hosting.glob(source).fullmatch(path)) is matches


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The hosting port of a site with files, headers and a rewrite to a function."""
    root = tmp_path_factory.mktemp("site")
    public = root / "public"
    public.mkdir()
    (public / "index.html").write_text("front")
    (public / ".hidden").write_text("hidden")
    (root / "outside.txt").write_text("outside")
    rewrites = [
        {"source": "/v2/**", "function": "api"},
        {"source": "/v1/**", "function": {"functionId": "api", "region": "us-central1"}},
        {"source": "/app/**", "destination": "/index.html"},
        {"source": "/lost", "destination": "/nowhere.html"},
    ]
    config = {
        "public": "public",
        "ignore": ["**/.*"],
        "headers": [{"source": "**", "headers": [{"key": "X-A", "value": "1"}]}],
        "rewrites": rewrites,
    }
    with serving(root, api=HTTP) as served:
        read = hosting.read(firebase(root, config), served.host.public)
        yield Client(hosting.app(read, served.host.app))


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/", 200, "front"),
        ("GET", "/index.html", 200, "front"),
        ("POST", "/index.html", 404, None),
        ("GET", "/app/deep", 200, "front"),
        ("POST", "/v2/projects", 200, "/v2/projects"),
        ("GET", "/v1/reclamations", 200, "/v1/reclamations"),
        ("GET", "/lost", 404, None),
        ("GET", "/.hidden", 404, None),
        ("GET", "/../outside.txt", 404, None),
        ("GET", "/%2e%2e/outside.txt", 404, None),
        ("GET", "/nope", 404, None),
    ],
)
def test_hosting_routes(site, method, path, status, body):
    """Files first, then rewrites; nothing outside the public folder, all with the headers."""
    answer = site.open(path, method=method, buffered=True)
    assert (answer.status_code, answer.headers["X-A"]) == (status, "1")
    assert body is None or answer.text == body
    if status == 404:
        assert answer.json["trace"] == answer.headers["X-Global-Transaction-ID"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("header", "value", "status", "code"),
    [
        ("Range", "bytes=2-3", 200, None),
        ("Range", "bytes=9-", 200, None),
        ("Range", "x", 200, None),
        ("If-Match", '"other"', 412, "precondition_failed"),
    ],
)
def test_conditions_of_a_file(site, header, value, status, code):
    """A file is served whole, whatever part is asked for; a refusal is in the envelope."""
    with site.get("/index.html", headers={header: value}) as answer:
        assert answer.status_code == status
        assert answer.json["errors"][0]["code"] == code if code else answer.text == "front"


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"redirects": []}, "redirects"),
        ({"rewrites": [{"source": "/a", "run": {}}]}, "run"),
        ({"rewrites": [{"source": "/a", "function": "secret"}]}, "secret"),
        ({"rewrites": [{"source": "/a", "function": {"minInstances": 1}}]}, "minInstances"),
        ({"rewrites": [{"source": "/a"}]}, "one function or destination"),
        ({"rewrites": [{"source": "/[ab]", "destination": "/x"}]}, "'['"),
        ([{}, {}], "only one"),
    ],
)
def test_hosting_refuses_by_name(tmp_path, config, named):
    """Settings the host does not support are refused, never ignored."""
    with pytest.raises(Refused) as refused:
        hosting.read(firebase(tmp_path, config), {"api"}.__contains__)
    assert named in str(refused.value)


def test_a_damaged_firebase_json_is_refused_and_none_is_no_site(tmp_path):
    """Without the file nothing is hosted; what cannot be read is not guessed at."""
    assert hosting.read(tmp_path, {"api"}.__contains__).rewrites == ()
    (tmp_path / "firebase.json").write_text("{")
    with pytest.raises(Refused, match="no JSON"):
        hosting.read(tmp_path, {"api"}.__contains__)


def test_ports_are_read_from_firebase_json(tmp_path):
    """Those of every emulator that has one; what is no number is refused."""
    assert hosting.ports(tmp_path) == {}
    file = tmp_path / "firebase.json"
    file.write_text('{"emulators": {"singleProjectMode": true, "hub": {"port": 1}, "ui": {}}}')
    assert hosting.ports(tmp_path) == {"hub": 1}
    file.write_text('{"emulators": {"hub": {"port": "1"}}}')
    with pytest.raises(Refused, match=r"emulators\.hub\.port must be a number"):
        hosting.ports(tmp_path)


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1:5000", True),
        ("localhost", True),
        ("LOCALHOST:1", True),
        ("[::1]:80", True),
        ("[::1]", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example:5000", False),
        ("localhost:evil", False),
        ("", False),
    ],
)
def test_host_guard(host, allowed):
    """A page that rebinds its name to this machine is refused."""
    assert wire.foreign({"HTTP_HOST": host}) is not allowed
    absolute = {"HTTP_HOST": "localhost", "RAW_URI": f"http://{host}/x"}
    assert wire.foreign(absolute) is not allowed


@pytest.fixture(scope="module")
def functions(tmp_path_factory):
    """The functions port of a public, a private and an event function."""
    with serving(tmp_path_factory.mktemp("port"), f=HTTP, private=PRIVATE, event=EVENT) as served:
        yield Client(server.functions(served.host, "demo-x"))


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/f", "/"),
        ("/f/a/b", "/a/b"),
        ("/demo-x/us-central1/f", "/"),
        ("/demo-x/us-central1/f/a", "/a"),
        ("/demo-y/us-central1/f", None),
        ("/demo-x/europe-west1/f", None),
        ("/private", None),
        ("/demo-x/us-central1/private", None),
        ("/event", None),
        ("/", None),
        ("/nope", None),
    ],
)
def test_functions_port(functions, path, seen):
    """Functions answer by name, as on Firebase's port; what is not public is not there."""
    answer = functions.post(path)
    assert (answer.status_code, answer.text) == (200, seen) if seen else answer.status_code == 404


@pytest.mark.claim("R3", "a request writes no escape codes and no line of its own into the log")
def test_requests_are_logged_without_query_or_escape_codes(capsys):
    """The terminal sees method, path and status; never a query string, never a control code."""
    app = server.app({80: ("hosting", wire.not_found())}, Log())
    Client(app).get("/b/a%1b%5b2J?apikey=hunter2")
    shown = capsys.readouterr().out
    assert re.search(r"  hosting +GET /b/… +404  ", shown)
    assert "hunter2" not in shown
    assert "\x1b" not in shown


def test_a_foreign_name_is_refused_on_every_port(capsys):
    """The guard stands before the port's app, and the refusal is in the terminal."""
    app = server.app({80: ("hosting", wire.respond({}))}, Log())
    assert Client(app).get("/", base_url="http://evil.example/").status_code == 403
    assert "  403  " in capsys.readouterr().out


def test_rules_that_are_not_there(tmp_path):
    """A file of rules that firebase.json names must exist; none named is none."""
    (tmp_path / "firebase.json").write_text("{}")
    assert hosting.rules(tmp_path) is None
    (tmp_path / "firebase.json").write_text('{"firestore": {"rules": "r"}}')
    with pytest.raises(Refused, match="no file of rules 'r'"):
        hosting.rules(tmp_path)
    (tmp_path / "r").touch()
    assert hosting.rules(tmp_path) == tmp_path / "r"
