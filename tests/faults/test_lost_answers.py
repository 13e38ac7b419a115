"""The answer to a change is lost on its way to the caller, who sends the change again.

Between the commit and the answer a process is killed, or the store falls silent; under its
`Idempotency-Key` the change is made once, and its own success does not come back as a refusal.
"""

import os
import signal
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import requests

from shared import projects, resources
from shared.access import api_keys, signin
from shared.errors import Error
from shared.kinds import JOB_RUNS, JOBS, SECRETS
from shared.projects import reclamations
from tests.faults.faulty import COMMIT, READ, Rule, troubled
from tests.faults.hosts import troubled_host, worker
from tests.support import call, paths_below, told, until

SECRET = {"name": "s", "format": "generic", "data": {"k": "v"}}
RECLAMATION = "5a1e7a0c-0c5d-4f0e-9a53-6f1d0b7f2f11"


def world(app, name):
    """Make a project with a secret and a job, deleted where the act wants it so; give its id."""
    project = projects.create(app, call(body={"name": "first"})).body["id"]
    on = {"project_id": project}
    resources.create(SECRETS, app, call(body=SECRET, **on))
    resources.create(JOBS, app, call(body={"name": "j", "image_reference": "hello"}, **on))
    if name in {"restore", "reclaim"}:
        projects.delete(replace(app, new_id=lambda: RECLAMATION), call(id=project))
    return project


def asked(act, *kind, body=None, **parameters):
    """Give an act on a project, under a key."""
    once = {"idempotency_key": "k", "operation": act.__name__}

    def ask(app, project):
        at = {"project_id" if kind else "id": project, **parameters, **once}
        return act(*kind, app, call(body=body, **at))

    return ask


ACTS = {
    "create": asked(projects.create, body={"name": "second"}),
    "delete": asked(projects.delete),
    "restore": lambda app, _: asked(reclamations.restore)(app, RECLAMATION),
    "reclaim": lambda app, _: asked(reclamations.reclaim)(app, RECLAMATION),
    "put": asked(resources.create, SECRETS, body={**SECRET, "name": "t"}),
    "replace": asked(resources.update, SECRETS, body=SECRET, name="s", if_match="*"),
    "remove": asked(resources.delete, SECRETS, name="s"),
    "run": asked(resources.create, JOB_RUNS, body={"job_name": "j"}),
    "key": asked(api_keys.create, body={"name": "k"}),
    "code": asked(signin.create),
}


def everything(app):
    """Give every document by its path."""
    return app.store.read(*paths_below(app.store, "", 10_000)).documents


@pytest.mark.claim("F60", "applied, and the store silent until the caller is told 503: made once")
@pytest.mark.parametrize("name", ACTS)
def test_sent_again(app, name):
    """The caller is told 503 and sends it again: nothing is written, and it hears of success."""
    project = world(app, name)
    silent = Rule(READ, "before", first=2), Rule(COMMIT, "before")
    there, _ = troubled(app, Rule(COMMIT, "after", last=1), *silent)
    with pytest.raises(Error) as refused:
        ACTS[name](there, project)
    assert refused.value.code == "unavailable"
    after = everything(app)
    if name in {"key", "code"}:
        with pytest.raises(Error) as refused:
            ACTS[name](app, project)
        assert refused.value.code == "already_made"
    else:
        answer = ACTS[name](app, project)
        assert answer.body == ACTS[name](app, project).body
    assert everything(app) == after
    assert len([path for path in after if "operations/" in path]) == 1


@pytest.mark.claim("F61", "the first one's commit comes late, beside the one that is sent again")
@pytest.mark.parametrize("name", ACTS)
def test_overtaken(app, name):
    """While the first is about to commit, the second does: the first answers as the second did."""
    project, second = world(app, name), []

    def meanwhile():
        if not second:
            second.append(None)
            second[0] = ACTS[name](app, project)

    there, _ = troubled(app, Rule(COMMIT, "meanwhile", last=1, other=meanwhile))
    if name in {"key", "code"}:
        with pytest.raises(Error) as refused:
            ACTS[name](there, project)
        assert refused.value.code == "already_made"
    else:
        assert ACTS[name](there, project).body == second[0].body
    assert len([path for path in everything(app) if "operations/" in path]) == 1


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    """A host with a script under it."""
    with troubled_host(tmp_path_factory.mktemp("lost")) as host:
        yield host


def killed(bad, done):
    """Kill the process of the functions when something is done and not yet answered."""
    until(done)
    os.kill(worker(bad), signal.SIGKILL)
    bad.script()


def runs(bad, project):
    """Give the job runs of a project."""
    below = bad.inside.below(f"projects/{project['id']}")
    return [path for path in below if path.split("/")[2] == "job_runs"]


@pytest.mark.slow
@pytest.mark.claim("F60", "kill -9 between commit and answer: `ce` goes on, one run, one answer")
def test_killed_before_it_answers(bad, tmp_path):
    """The worker dies holding the answer; another serves what `ce` sends again by itself."""
    bad.script()
    account = bad.account()
    project = account.project("myproject")
    job = {"name": "j", "image_reference": "hello"}
    told.body(account.call("POST", f"/v2/projects/{project['id']}/jobs", job), 201)
    env = os.environ | {
        "CE_HOME": str(tmp_path),
        "CODE_ENGINE_URL": f"{bad.url}/v2",
        "CODE_ENGINE_AUTH_URL": bad.url,
        "CODE_ENGINE_APIKEY": account.apikey,
    }
    ce = (sys.executable, "-m", "ce")
    subprocess.run([*ce, "project", "select", "-n", "myproject"], env=env, check=True)
    bad.script({"on": COMMIT, "do": "held", "about": "job_runs", "seconds": 60})
    command = [*ce, "jobrun", "submit", "--job", "j", "-o", "jsonpath={.name}"]
    with subprocess.Popen(command, env=env, stdout=-1, stderr=-1, text=True) as submitted:
        killed(bad, lambda: runs(bad, project))
        out, error = submitted.communicate(timeout=60)
    assert (submitted.returncode, error) == (0, "Acting in project 'myproject'.\n")
    assert [path.split("/")[3] for path in runs(bad, project)] == [out.strip()]


@pytest.mark.slow
@pytest.mark.claim(
    "F60", "kill -9 between commit and answer: sent again it is answered as at first"
)
def test_killed_and_sent_again(bad):
    """Whoever sends the same again later finds its own success."""
    bad.script()
    account = bad.account()
    named = {"Idempotency-Key": uuid.uuid4().hex}
    assert account.token
    bad.script({"on": COMMIT, "do": "held", "about": "regions", "seconds": 60})
    with ThreadPoolExecutor() as pool:
        body = {"name": "p"}
        first = pool.submit(account.call, "POST", "/v2/projects", body, headers=named)
        killed(bad, lambda: bad.inside.slots(account.id))
        assert isinstance(first.exception(60), requests.ConnectionError)
    until(lambda: worker(bad))
    answer = account.call("POST", "/v2/projects", body, headers=named)
    assert [*bad.inside.slots(account.id)] == [told.body(answer, 202)["id"]]
