"""What the local host reads and serves: functions.yaml, firebase.json, the three ports."""

import json

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from emulator import Refused, hosting, manifest, server, wire
from emulator.log import Log

HTTP = "httpsTrigger: {}"
EVENT = (
    "eventTrigger: {eventType: google.cloud.firestore.document.v1.written, "
    "eventFilterPathPatterns: {document: 'projects/{id}'}, retry: true}"
)
SCHEDULE = "scheduleTrigger: {schedule: '*/5 * * * *', retryConfig: {retryCount: 1}}"


def repository(root, **functions):
    """Write a repository with one endpoint a keyword, its trigger the value."""
    (root / "functions").mkdir(parents=True, exist_ok=True)
    rows = "".join(f"  {n}: {{entryPoint: {n}, {trigger}}}\n" for n, trigger in functions.items())
    (root / "functions" / "functions.yaml").write_text(
        f"specVersion: v1alpha1\nendpoints:\n{rows or '    {}'}"
    )
    return root


class FakeHost:
    """Functions that answer from a list of statuses, and remember what they got."""

    def __init__(self, endpoints, *statuses):
        self.endpoints = {endpoint.name: endpoint for endpoint in endpoints}
        self.statuses, self.got = list(statuses), []

    def public(self, name):
        """As the real one."""
        return name in self.endpoints and self.endpoints[name].public

    def app(self, name):
        """Give an app that answers its path."""

        def answer(environ, start_response):
            self.got.append((name, dict(environ), environ["wsgi.input"].read()))
            status = self.statuses.pop(0) if self.statuses else 200
            return Response(environ["PATH_INFO"], status)(environ, start_response)

        return answer


def test_manifest_reads_every_trigger(tmp_path):
    """The three triggers are read; private ones and those nobody calls over HTTP are not public."""
    private = "httpsTrigger: {invoker: [private]}"
    root = repository(tmp_path, a=HTTP, b=private, c=EVENT, d=SCHEDULE)
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


def test_no_manifest_is_one_sentence(tmp_path):
    """A wrong --root is told from a broken file."""
    with pytest.raises(Refused, match="--root"):
        manifest.read(tmp_path)


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


@pytest.fixture
def site(tmp_path):
    """A site with files, rewrites and headers."""
    public = tmp_path / "public"
    public.mkdir()
    (public / "index.html").write_text("front")
    (public / ".hidden").write_text("hidden")
    (tmp_path / "outside.txt").write_text("outside")
    config = {
        "public": "public",
        "ignore": ["**/.*"],
        "headers": [{"source": "**", "headers": [{"key": "X-A", "value": "1"}]}],
        "rewrites": [
            {"source": "/v2/**", "function": "api"},
            {"source": "/app/**", "destination": "/index.html"},
        ],
    }
    (tmp_path / "firebase.json").write_text(json.dumps({"hosting": config}))
    return hosting.read(tmp_path, {"api"}.__contains__)


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/", 200, "front"),
        ("GET", "/index.html", 200, "front"),
        ("POST", "/index.html", 404, None),
        ("GET", "/app/deep", 200, "front"),
        ("POST", "/v2/projects", 200, "/v2/projects"),
        ("GET", "/.hidden", 404, None),
        ("GET", "/../outside.txt", 404, None),
        ("GET", "/%2e%2e/outside.txt", 404, None),
        ("GET", "/nope", 404, None),
    ],
)
def test_hosting_routes(site, method, path, status, body):
    """Files first, then rewrites; nothing outside the public folder, all with the headers."""
    app = hosting.app(site, FakeHost([]).app)
    answer = Client(app).open(path, method=method, buffered=True)
    assert (answer.status_code, answer.headers["X-A"]) == (status, "1")
    assert body is None or answer.text == body
    if status == 404:
        assert answer.json["trace"] == answer.headers["X-Global-Transaction-ID"]


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"redirects": []}, "redirects"),
        ({"rewrites": [{"source": "/a", "run": {}}]}, "run"),
        ({"rewrites": [{"source": "/a", "function": "secret"}]}, "secret"),
        ({"rewrites": [{"source": "/a"}]}, "one function or destination"),
        ({"rewrites": [{"source": "/[ab]", "destination": "/x"}]}, "'['"),
        ([{}, {}], "only one"),
    ],
)
def test_hosting_refuses_by_name(tmp_path, config, named):
    """Settings the host does not support are refused, never ignored."""
    (tmp_path / "firebase.json").write_text(json.dumps({"hosting": config}))
    with pytest.raises(Refused) as refused:
        hosting.read(tmp_path, {"api"}.__contains__)
    assert named in str(refused.value)


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
def test_functions_port(tmp_path, path, seen):
    """Functions answer by name, as on Firebase's port; what is not public is not there."""
    root = repository(tmp_path, f=HTTP, private="httpsTrigger: {invoker: [private]}", event=EVENT)
    app = server.functions(FakeHost(manifest.read(root)), "demo-x")
    answer = Client(app).post(path)
    assert (answer.status_code, answer.text) == (200, seen) if seen else answer.status_code == 404


def test_requests_are_logged_without_query_or_escape_codes(capsys):
    """The terminal sees method, path and status; never a query string, never a control code."""
    app = server.app({80: ("hosting", wire.not_found())}, Log())
    Client(app).get("/a%1b%5b2J?apikey=hunter2")
    shown = capsys.readouterr().out
    assert "hosting  GET /a%1B" in shown
    assert "  404  " in shown
    assert "hunter2" not in shown
    assert "\x1b" not in shown
