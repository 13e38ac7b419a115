"""IBM's Python SDK for Code Engine, as it is on PyPI, drives the running host."""

import inspect
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from itertools import chain
from typing import Any

import jwt
import pytest
import requests
from ibm_cloud_sdk_core import ApiException
from ibm_cloud_sdk_core.authenticators import BearerTokenAuthenticator
from ibm_code_engine_sdk import code_engine_v2 as sdk

from tests.clients.sdk_story import CLEAR, FILL, GATEWAY, GONE, Of, Row
from tests.support import ROOT

OPERATIONS = {
    name: method
    for name, method in vars(sdk.CodeEngineV2).items()
    if inspect.isfunction(method) and not name.startswith("_")
}
MODELS = {
    name: found[1]
    for name, method in OPERATIONS.items()
    if (found := re.search(r"representing a `(\w+)` object", method.__doc__))
}
PAGERS = [(name, {}) for name in vars(sdk) if name.endswith("Pager")] + [
    ("SecretsPager", {"format": "service_access"}),
    ("JobRunsPager", {"job_name": "job"}),
    ("BuildRunsPager", {"build_name": "build"}),
]
# Any string is a position in a list.
ANYWHERE = [
    Row(
        name, {"start": "testString", "limit": 1} | ({"app_name": "app"} if "_app_" in name else {})
    )
    for name, method in OPERATIONS.items()
    if "start" in inspect.signature(method).parameters
]
ROWS = FILL + ANYWHERE + CLEAR


@dataclass(frozen=True)
class Said:
    """What came of a call: its arguments, its status, its headers, its result."""

    arguments: dict[str, Any]
    status: int
    headers: Any
    result: Any


class Teller:
    """Makes the calls of rows, and remembers what each operation answered last."""

    def __init__(self, service):
        self.service = service
        self.last = {}

    def call(self, row):
        """Make a call, in the project made last."""
        arguments = {name: self.found(value) for name, value in row.arguments.items()}
        if "project_id" in inspect.signature(OPERATIONS[row.operation]).parameters:
            arguments["project_id"] = self.project
        try:
            answer = getattr(self.service, row.operation)(**arguments)
        except ApiException as error:
            response = error.http_response
            return Said(arguments, error.status_code, response.headers, response.json())
        self.last[row.operation] = answer.get_result()
        status, headers = answer.get_status_code(), answer.get_headers()
        return Said(arguments, status, headers, answer.get_result())

    def found(self, value):
        """Give the member that a value refers to, or the value itself."""
        return self.last[value.operation][value.member] if isinstance(value, Of) else value

    @property
    def project(self):
        """The id of the project made last."""
        return self.last["create_project"]["id"]

    def pages(self, name, more):
        """Give all pages of one entry, as a pager of the SDK finds them."""
        pager = getattr(sdk, name)
        known = {"project_id": self.project, "app_name": "app", **more}
        known = {key: known[key] for key in inspect.signature(pager).parameters if key in known}
        left = pager(client=self.service, limit=1, **known)
        pages = []
        while left.has_next():
            pages.append(left.get_next())
            assert len(pages) < 20
        return pages, pager(client=self.service, **known).get_all()


@dataclass(frozen=True)
class Story:
    """What the rows' calls came to, and the pages of each pager before all was deleted."""

    said: list[Said]
    pages: list[Any]


@pytest.fixture(scope="module")
def environment(host):
    """What `eval "$(ce emulator env)"` sets, but for the key: that of a fresh account."""
    command = [sys.executable, "-m", "emulator", "env", "--state", str(host.state)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    exports = (line.removeprefix("export ").partition("=") for line in done.stdout.splitlines())
    host.set_clock(0)
    with pytest.MonkeyPatch.context() as patch:
        for name, _, value in exports:
            patch.setenv(name, *shlex.split(value))
        patch.setenv("CODE_ENGINE_APIKEY", host.account().apikey)
        yield patch


@pytest.fixture(scope="module")
def service(environment):  # noqa: ARG001 - the SDK reads it
    """The SDK's client, configured by the environment alone."""
    return sdk.CodeEngineV2.new_instance()


@pytest.fixture(scope="module")
def story(host, environment):
    """The whole story, told once, by an account that has nothing else."""
    with environment.context() as patch:
        patch.setenv("CODE_ENGINE_APIKEY", host.account().apikey)
        teller = Teller(sdk.CodeEngineV2.new_instance())
    said = [teller.call(row) for row in FILL + ANYWHERE]
    pages = [teller.pages(*pager) for pager in PAGERS]
    return Story(said + [teller.call(row) for row in CLEAR], pages)


def plain(value):
    """Give the JSON that a value of the SDK's stands for; what is null is not there."""
    match value:
        case dict():
            return {name: plain(item) for name, item in value.items() if item is not None}
        case list():
            return [plain(item) for item in value]
    return plain(value.to_dict()) if hasattr(value, "to_dict") else value


def check(told, result, at="result"):
    """Check that a result has what was told, at least; its lists, no more."""
    match told:
        case dict():
            for name, item in told.items():
                assert (name in result) is (item is not GONE), f"{at}.{name}"
                if item is not GONE:
                    check(item, result[name], f"{at}.{name}")
        case list():
            assert len(told) == len(result), at
            for number, pair in enumerate(zip(told, result, strict=True)):
                check(*pair, f"{at}.{number}")
        case _:
            assert told == result, at


def sent(row, arguments):
    """Give the body that a call sent."""
    verb, _, noun = row.operation.partition("_")
    if verb in {"list", "get", "delete"}:
        return {}
    body = {
        name: item for name, item in arguments.items() if name not in {"project_id", "if_match"}
    }
    return plain(body | plain(body.pop(noun, {})))


def known(name, result):
    """Give what IBM's models know of a result: all but the reason why a job run waits."""
    if name == "JobRun":
        details = dict(result["status_details"])
        assert details.pop("reason") == "no_runtime_attached"
        return result | {"status_details": details}
    if name == "JobRunList":
        return result | {"job_runs": [known("JobRun", run) for run in result["job_runs"]]}
    return result


def model(name, result):
    """Give the model of a result; for what is abstract, the class of its sort."""
    if name == "AllowedOutboundDestination":
        name += {"cidr_block": "CidrBlockData"}.get(result["type"], "PrivatePathServiceGatewayData")
    return getattr(sdk, name)


def test_operations():
    """The story calls every operation of the SDK, and there are as many as the contract says."""
    assert {row.operation for row in ROWS} == OPERATIONS.keys()
    assert len(OPERATIONS) == 67


def test_rows(story, subtests):
    """A call answers its status, all that its model requires and no more, and what is told."""
    for number, (row, said) in enumerate(zip(ROWS, story.said, strict=True)):
        with subtests.test(row.operation, number=number):
            as_told(row, said)


def as_told(row, said):
    """Hold what came of a call against its row."""
    assert said.status == row.expected, said.result
    assert re.fullmatch("codeengine-api-[0-9a-f]{32}", said.headers["X-Global-Transaction-ID"])
    if said.status >= 400:
        assert said.result["status_code"] == said.status
        return
    if row.operation not in MODELS:
        assert (row.operation.partition("_")[0], said.result) == ("delete", None)
        return
    name = MODELS[row.operation]
    result = known(name, said.result)
    assert model(name, result).from_dict(result).to_dict() == result
    assert said.headers.get("ETag") == said.result.get("entity_tag")
    assert ("Location" in said.headers) is (said.status in {201, 202})
    check(sent(row, said.arguments) | plain(dict(row.told)), said.result)


def test_pagers(story, subtests):
    """Pages of one entry make up the list, filters kept."""
    for (name, more), (pages, whole) in zip(PAGERS, story.pages, strict=True):
        with subtests.test(name, **more):
            if name == "AppInstancesPager":
                assert (pages, whole) == ([[]], [])
                continue
            assert list(chain(*pages)) == whole
            assert {len(page) for page in pages} == {1}
            assert len(whole) > 1


@pytest.fixture(scope="module")
def shelf(service):
    """A project with one config map."""
    made = service.create_project("shelf").get_result()
    service.create_config_map(made["id"], "taken")
    return made["id"]


REFUSALS = [
    ("get_app", {"name": "none"}, 404, "resource_not_found"),
    ("get_app", {"name": "a/b"}, 400, "invalid_field"),
    ("create_job_run", {"job_name": "none"}, 404, "resource_not_found"),
    ("create_config_map", {"name": "taken"}, 409, "name_taken"),
    ("replace_config_map", {"name": "taken", "if_match": "stale"}, 412, "precondition_failed"),
    ("replace_config_map", {"name": "taken", "if_match": '"quoted"'}, 400, "invalid_field"),
    ("create_config_map", {"name": "Upper"}, 400, "invalid_field"),
    ("create_secret", {"name": "s", "format": "tls", "data": {}}, 400, "missing_field"),
    ("create_app", {"name": "a", "image_reference": "i@x"}, 400, "invalid_field"),
    ("list_secrets", {"format": "other"}, 400, "invalid_field"),
    ("list_apps", {"limit": 0}, 400, "invalid_field"),
    ("list_apps", {"limit": 201}, 400, "invalid_field"),
]


@pytest.fixture(scope="module")
def persistent(environment):
    """A client that tries again what may be tried again."""
    with environment.context() as patch:
        patch.setenv("CODE_ENGINE_ENABLE_RETRIES", "true")
        client = sdk.CodeEngineV2.new_instance()
    assert client.retry_config is not None
    return client


@pytest.mark.parametrize("client", ["service", "persistent"])
@pytest.mark.parametrize(("operation", "arguments", "status", "code"), REFUSALS)
def test_refusal(request, shelf, client, operation, arguments, status, code):
    """A refusal is the SDK's exception, which finds our message and trace, retries or not."""
    with pytest.raises(ApiException) as caught:
        getattr(request.getfixturevalue(client), operation)(shelf, **arguments)
    error, body = caught.value, caught.value.http_response.json()
    assert (error.status_code, body["errors"][0]["code"]) == (status, code)
    assert error.message == body["errors"][0]["message"]
    assert str(error) == (
        f"Error: {error.message}, Status code: {status} , X-global-transaction-id: {body['trace']}"
    )


def test_quota(persistent):
    """Nor is a quota that is reached tried again: it does not become another error."""
    project = persistent.create_project("quota").get_result()["id"]
    for number in range(4):
        path = {
            "name": f"path-{number}",
            "type": "private_path_service_gateway",
            "private_path_service_gateway_crn": f"{GATEWAY}{number}",
        }
        if number < 3:
            persistent.create_allowed_outbound_destination(project, path)
    with pytest.raises(ApiException) as caught:
        persistent.create_allowed_outbound_destination(project, path)
    assert caught.value.status_code == 403


def test_compressed(environment, shelf):
    """Bodies that the SDK compresses arrive as they were."""
    with environment.context() as patch:
        patch.setenv("CODE_ENGINE_ENABLE_GZIP", "true")
        client = sdk.CodeEngineV2.new_instance()
    encodings = []
    note = lambda answer, **_: encodings.append(answer.request.headers.get("content-encoding"))  # noqa: E731
    client.get_http_client().hooks["response"].append(note)
    data = {"large": "value " * 20_000}
    made = client.create_config_map(shelf, "compressed", data=data).get_result()
    assert (made["data"], encodings) == (data, ["gzip"])
    job = client.create_job(shelf, "icr.io/codeengine/helloworld", "job").get_result()
    patched = client.update_job(shelf, "job", job["entity_tag"], {"run_as_user": 7}).get_result()
    assert (patched["run_as_user"], encodings[1:]) == (7, ["gzip", "gzip"])


def test_version(environment):  # noqa: ARG001 - the SDK reads it
    """A version of the API may be asked for; a later one than there is stands for the newest."""
    for version in ("2026-09-04", "2026-09-05", "2031-01-01"):
        newest = sdk.CodeEngineV2.new_instance(version=version)
        assert newest.list_projects().get_status_code() == 200
    with pytest.raises(ApiException) as caught:
        sdk.CodeEngineV2.new_instance(version="2021-03-30").list_projects()
    assert caught.value.status_code == 400


def test_token(host, service):
    """The token has times that the SDK reads, and holds without `Bearer`, as the docs send it."""
    token = service.authenticator.token_manager.get_token()
    claims = jwt.decode(token, options={"verify_signature": False})
    assert isinstance(claims["iat"], int)
    assert claims["exp"] - claims["iat"] == 3600
    headers = {"Authorization": token}
    assert requests.get(f"{host.url}/v2/projects", headers=headers, timeout=60).status_code == 200


def test_strangers(host, environment):
    """A wrong key and a wrong token are told in words that the SDK finds."""
    with environment.context() as patch:
        patch.setenv("CODE_ENGINE_APIKEY", "no-such-key")
        client = sdk.CodeEngineV2.new_instance()
    with pytest.raises(ApiException) as caught:
        client.list_projects()
    error = caught.value
    assert (error.status_code, error.message) == (400, "Provided API key could not be found.")
    client = sdk.CodeEngineV2(BearerTokenAuthenticator("a.b.c"))
    client.set_service_url(f"{host.url}/v2")
    with pytest.raises(ApiException) as caught:
        client.list_projects()
    error = caught.value
    assert (error.status_code, error.http_response.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert error.message == error.http_response.json()["errors"][0]["message"]
