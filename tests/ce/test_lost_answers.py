"""`ce` whose answers are lost on the way: each change is made once, and nobody notices."""

import json
import re

import pytest

from ce.server import client, target
from tests.support.relay import CUT, losing

RUN = ("jobrun", "submit", "--job", "j", "-o", "jsonpath={.name}")


@pytest.fixture
def lossy(mine, host, monkeypatch):
    """Run `ce` in a project with a job, by way of what loses the answers that are named."""
    mine("job", "create", "--name", "j", "--image", "hello")
    monkeypatch.setattr(client, "PAUSES", (0, 0))

    def run(lost, *args, **how):
        with losing(host.url, *lost) as (url, changes):
            monkeypatch.setenv("CODE_ENGINE_URL", f"{url}/v2")
            monkeypatch.setenv("CODE_ENGINE_AUTH_URL", url)
            try:
                return mine(*args, **how), changes
            finally:
                monkeypatch.setenv("CODE_ENGINE_URL", f"{host.url}/v2")
                monkeypatch.setenv("CODE_ENGINE_AUTH_URL", host.url)

    return run


@pytest.mark.claim("F60", "`ce` whose answer is lost sends the change again: one job run, one key")
@pytest.mark.parametrize("lost", [[CUT], [504], [CUT, 502], [503, CUT]])
def test_a_run_is_made_once(mine, lossy, lost):
    """Cut off or told nothing, once or twice: one job run, under one key, and no word of it."""
    name, changes = lossy(lost, *RUN)
    assert mine("jobrun", "list", "-o", "jsonpath={.job_runs[*].name}") == name
    assert {(method, status) for method, _, _, status in changes} == {("POST", 202)}
    (key,) = {key for _, _, key, _ in changes}
    assert len(changes) == 1 + len(lost)
    assert re.fullmatch("[0-9a-f]{32}", key)


CHANGES = {
    "project create": ("project", "create", "-n", "another"),
    "configmap create": ("configmap", "create", "-n", "c", "--from-literal", "A=b"),
    "job update": ("job", "update", "-n", "j", "--cpu", "2", "--memory", "4G"),
    "job delete": ("job", "delete", "-n", "j", "-f"),
    "project delete": ("project", "delete", "-n", "myproject", "-f"),
    "project delete --hard": ("project", "delete", "-n", "myproject", "-f", "--hard"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_own_success_is_no_refusal(lossy, change):
    """What was done before its answer was lost does not come back as 409, 412 or 404."""
    said, changes = lossy([CUT, CUT], *CHANGES[change])
    assert "\nOK\n" in said
    assert {status for *_, status in changes} <= {200, 201, 202}
    assert len({key for *_, key, _ in changes}) == 1 + change.endswith("--hard")


def test_a_key_whose_text_is_lost(mine, lossy, account):
    """It is deleted, and another is made: the user has one key, and its text."""
    said, changes = lossy([CUT], "apikey", "create", "--name", "k", "-o", "json")
    told = json.loads(said)
    found = account.got("/v1/apikeys")["apikeys"]
    assert [key["id"] for key in found if key["name"] == "k"] == [told["id"]]
    assert told["apikey"].split("_")[1] == told["id"]
    assert [(method, status) for method, _, _, status in changes] == [
        ("POST", 201), ("POST", 409), ("DELETE", 204), ("POST", 201),
    ]  # fmt: skip
    assert len({key for *_, key, _ in changes}) == 3
    assert mine("apikey", "list")


def test_a_key_that_cannot_be_deleted(lossy, account, monkeypatch):
    """It is named, with what to do."""
    monkeypatch.setattr(
        client.Client, "delete", lambda *_: (_ for _ in ()).throw(client.Failure("No."))
    )
    said, _ = lossy([CUT], "apikey", "create", "--name", "k", code=1)
    (key,) = [key for key in account.got("/v1/apikeys")["apikeys"] if key["name"] == "k"]
    assert (
        f"A key was made whose text is lost, and is still there: its ID is '{key['id']}'." in said
    )


@pytest.mark.parametrize(("lost", "said"), [([CUT] * 3, "ConnectionError"), ([504] * 3, "504")])
def test_answers_that_stay_lost(mine, lossy, lost, said):
    """Three tries, and then it is told that nobody knows; looking shows one."""
    told, changes = lossy(lost, *RUN, code=1)
    assert said in told
    assert "Whether it was done is not known" in told
    assert len(changes) == 3
    assert len(mine("jobrun", "list", "-o", "jsonpath={.job_runs[*].name}").split()) == 1


def test_what_is_said_is_not_asked_again(lossy):
    """A refusal stands, whatever its status; who only reads is answered by what comes."""
    lossy([], "job", "create", "--name", "other", "--image", "hello")
    _, changes = lossy([], "job", "create", "--name", "other", "--image", "hello", code=1)
    assert [status for *_, status in changes] == [409]


def test_all_tries_end_in_time(other, monkeypatch):
    """All of them together take no longer than one answer may: a slow one leaves no time."""
    to_come, got = other
    monkeypatch.setattr(client, "PAUSES", (0, 100))
    to_come += [(200, '{"access_token": "t"}'), (504, ""), (504, "")]
    there = client.Client(target.current())
    with pytest.raises(client.Failure) as failed:
        there.post("/projects", {"name": "x"})
    assert (failed.value.code, to_come, len(got)) == ("504", [], 3)
