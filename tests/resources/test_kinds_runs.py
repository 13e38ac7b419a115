"""Runs and what they are made from: what is inherited, what is named, and what a delete takes."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared import quotas
from shared.kinds import BUILD_RUNS, BUILDS, JOB_RUNS, JOBS
from tests.support.kinds import BY_KIND, OWN, refused, without_own
from tests.support.kinds_examples import CANARY

pairs = pytest.mark.parametrize(("kind", "of"), [(JOB_RUNS, JOBS), (BUILD_RUNS, BUILDS)])
LISTED = {JOB_RUNS: "run_env_variables", BUILD_RUNS: "run_build_params"}


def run(home, kind, name="", **members):
    """Create a run of a job or build, or an ad hoc one."""
    named = {kind.template_name: name} if name else {}
    return home.ask("POST", home.at(kind), {**named, **members})


def without(body, *names):
    """Give a body without some members."""
    return {name: value for name, value in body.items() if name not in names}


@pairs
def test_a_run_is_what_it_is_made_from(home, kind, of):
    """A run has all that its job or build has; a later change of that changes no run."""
    made = home.made(of)
    answer = run(home, kind, made["name"])
    assert answer.status_code == 202
    body = answer.json()
    inherited = without(made, *OWN, "resource_type", "status", "status_details")
    assert inherited.items() <= body.items()
    assert body[kind.template_name] == made["name"]
    key = body["name"]
    assert home.get(kind, key).json() == body
    home.update(of, made["name"], BY_KIND[of].change)
    assert home.get(kind, key).json() == body
    home.left.append((kind, key))


@pairs
def test_a_run_with_every_override(home, kind, of):
    """What is sent comes before what is inherited; what must not differ is sent as it is."""
    made = home.made(of, "least")
    full = BY_KIND[kind].full | {name: made[name] for name in kind.fixed if name in made}
    full = without(full, *(name for name in kind.fixed if name not in made))
    body = home.made(kind, "least", **full, **{kind.template_name: made["name"]})
    expected = full | BY_KIND[kind].told
    assert expected.items() <= body.items()
    assert body[kind.template_name] == made["name"]


@pairs
def test_variables_are_merged_by_name(home, kind, of):
    """A run's own variables take the place of those of the same name; all others stay."""
    member = LISTED[kind]

    def literal(name, value):
        return {"type": "literal", "name": name, "value": value}

    theirs = [literal("A", "job"), literal("B", "job"), literal("C", "job")]
    home.made(of, "least", name="of", **{member: theirs})
    own = [{"name": "B", "value": "run"}, literal("D", "run")]
    body = run(home, kind, "of", **{member: own}).json()
    found = {item["name"]: item["value"] for item in body[member]}
    assert found == {"A": "job", "B": "run", "C": "job", "D": "run"}
    assert len(body[member]) == 4
    assert {item["type"] for item in body[member]} == {"literal"}
    assert home.get(of, "of").json()[member] == theirs
    whole = {"type": "secret_full_reference", "reference": "s"}
    if kind is JOB_RUNS:  # what has no name takes no other's place
        merged = run(home, kind, "of", **{member: [whole]}).json()[member]
        assert merged == [*theirs, whole]
    home.delete(of, "of")
    for key in home.keys(kind, f"{kind.template_name}=of"):
        home.delete(kind, key)


@pairs
def test_too_many_variables_together(home, kind, of):
    """What is inherited and what is given may hold no more together than one body may."""
    member = LISTED[kind]
    theirs = [{"name": f"A{number}", "value": ""} for number in range(60)]
    made = home.made(of, "least", **{member: theirs})["name"]
    own = [{"name": f"B{number}", "value": ""} for number in range(41)]
    refused(run(home, kind, made, **{member: own}), 400, "invalid_field", member)
    assert run(home, kind, made, **{member: own[1:]}).status_code == 202
    for key in home.keys(kind, f"{kind.template_name}={made}"):
        home.delete(kind, key)


def test_what_a_job_run_must_not_change(home):
    """Image, its secret and the service account are the job's: the same is taken, no other."""
    job = home.made(JOBS)
    same = {name: job[name] for name in JOB_RUNS.fixed}
    assert run(home, JOB_RUNS, job["name"], **same).status_code == 202
    other = {
        "image_reference": "docker.io/other",
        "image_secret": "other",
        "run_service_account": "none",
    }
    assert set(other) == set(JOB_RUNS.fixed)
    for name, value in other.items():
        answer = run(home, JOB_RUNS, job["name"], **{name: value})
        refused(answer, 400, "invalid_field", name)
    refused(run(home, JOB_RUNS, job["name"], **other), 400, "invalid_field", *other)
    plain = home.made(JOBS, "least")
    answer = run(home, JOB_RUNS, plain["name"], image_secret="none-yet")
    refused(answer, 400, "invalid_field", "image_secret")


@pairs
def test_of_what_does_not_exist(home, kind, of):
    """A run of what does not exist is refused, if it lacks what that must have; else it is made."""
    stored, needed = home.stored(), BY_KIND[of].least
    required = [name for name in needed if name != "source_url"]  # that is a matter of the source
    for given in ({}, *(without(needed, name) for name in required)):
        answer = run(home, kind, "none", **given)
        refused(answer, 404, "resource_not_found", kind.template_name)
        assert of.label in answer.json()["errors"][0]["message"]
    assert home.stored() == stored
    whole = home.made(kind, "least", **{kind.template_name: "none"})
    assert whole[kind.template_name] == "none"
    assert whole["name"] in home.keys(kind, f"{kind.template_name}=none")


@pairs
def test_an_ad_hoc_run_needs_what_the_other_has(home, kind, of):
    """Without a job or build a run brings what these would require, but for a name."""
    assert of.collection == kind.template
    needed = BY_KIND[kind].least
    for name in needed:
        refused(run(home, kind, **without(needed, name)), 400, "missing_field", name)
    refused(run(home, kind), 400, "missing_field", *needed)
    assert run(home, kind, **needed).status_code == 202


# After the name of the job or build, cut to fit, and a dash.
NAMES = {
    JOB_RUNS: "jobrun-[0-9a-f]{5}",
    BUILD_RUNS: "run-[0-9]{6}-[0-9]{6}(-[0-9a-f]{5})?",
}


@pairs
def test_names_that_are_made_up(home, kind, of):
    """A run without a name gets one of its job's or build's, never twice, never too long."""
    for name in ("short", "a" * 63, "b" * 30 + "-" * 20 + "c"):
        home.made(of, "least", name=name)
        made = [run(home, kind, name) for _ in range(4)]
        assert [answer.status_code for answer in made] == [202] * 4
        names = [answer.json()["name"] for answer in made]
        assert len(set(names)) == 4
        assert max(map(len, names)) <= 53
        stems = [re.fullmatch(f"(.*[^-])-{NAMES[kind]}", found)[1] for found in names]
        assert all(name.startswith(stem) for stem in stems)
        assert name != "short" or set(stems) == {"short"}
        assert set(names) <= set(home.keys(kind, f"{kind.template_name}={name}"))
    names = [run(home, kind, **BY_KIND[kind].least).json()["name"] for _ in range(4)]
    assert len(set(names)) == 4
    assert all(re.fullmatch(NAMES[kind], name) for name in names)
    for name in home.keys(kind):
        home.delete(kind, name)


def test_names_at_once(home):
    """Eight runs without a name at once all get one of their own."""
    build = home.made(BUILDS, "least")
    with ThreadPoolExecutor(8) as pool:
        work = [pool.submit(run, home, BUILD_RUNS, build["name"]) for _ in range(8)]
        found = [future.result() for future in work]
    assert [answer.status_code for answer in found] == [202] * 8
    names = {answer.json()["name"] for answer in found}
    assert len(names) == 8
    for name in names:
        home.delete(BUILD_RUNS, name)


def test_indices_wait(home):
    """A job run's status counts its indices: all wait, for nothing runs."""
    body = home.made(JOB_RUNS, "least", scale_array_spec="0-9,5,100-199")
    details = body["status_details"]
    assert body["status"] == "pending"
    assert (details["requested"], details["pending"]) == (110, 110)
    assert details["pending_indices"] == "0-9,5,100-199"
    assert {details[n] for n in ("running", "succeeded", "failed", "unknown")} == {0}
    assert details["reason"] == "no_runtime_attached"
    assert len(body["computed_env_variables"]) == 7


def counted(home, kind):
    """Require that count, list and store agree, and give the names."""
    names = home.keys(kind)
    assert home.usage(kind)["count"] == len(names)
    assert set(home.usage(kind).get("claims", names)) == set(names)
    return set(names)


def test_a_job_takes_its_runs_with_it(home):
    """A job that is deleted takes its runs, and no other's."""
    home.made(JOBS, "least", name="mine")
    home.made(JOBS, "least", name="other")
    mine = [run(home, JOB_RUNS, "mine").json()["name"] for _ in range(5)]
    other = run(home, JOB_RUNS, "other").json()["name"]
    alone = home.made(JOB_RUNS)["name"]
    assert home.delete(JOBS, "mine").status_code == 202
    assert counted(home, JOB_RUNS) == {other, alone}
    for name in mine:
        refused(home.get(JOB_RUNS, name), 404, "resource_not_found")
    assert home.keys(JOB_RUNS, "job_name=mine") == []
    assert not [path for path in home.stored() if path.rpartition("/")[2] in mine]


def test_a_build_leaves_its_runs(home):
    """A build that is deleted leaves its runs: what they built is still there."""
    home.made(BUILDS, "least", name="mine")
    name = run(home, BUILD_RUNS, "mine").json()["name"]
    assert home.delete(BUILDS, "mine").status_code == 202
    assert home.get(BUILD_RUNS, name).json()["build_name"] == "mine"
    assert name in counted(home, BUILD_RUNS)
    refused(run(home, BUILD_RUNS, "mine"), 404, "resource_not_found", "build_name")
    home.delete(BUILD_RUNS, name)


@pytest.mark.parametrize("number", range(6))
def test_no_run_outlives_its_job(home, number):
    """A job is deleted while eight others make runs of it: afterwards there is none."""
    name = f"job-{number}"
    home.made(JOBS, "least", name=name)

    def act(turn):
        if turn == 4:
            return home.delete(JOBS, name)
        return run(home, JOB_RUNS, name)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(act, range(16)))
    assert found[4].status_code == 202
    runs = found[:4] + found[5:]
    assert set(Counter(answer.status_code for answer in runs)) <= {202, 404}
    assert home.keys(JOB_RUNS, f"job_name={name}") == []
    counted(home, JOB_RUNS)
    left = [p for p, fields in home.stored().items() if fields.get("body", {}).get("job_name")]
    assert left == []


@pytest.mark.slow
def test_a_job_of_all_the_runs_there_can_be(home):
    """A job with as many runs as a project holds is deleted at one stroke."""
    home.made(JOBS, "least", name="busy")
    room = quotas.RESOURCES_PER_PROJECT["job_runs"] - len(home.keys(JOB_RUNS))
    with ThreadPoolExecutor(4) as pool:
        work = [pool.submit(run, home, JOB_RUNS, "busy") for _ in range(room)]
        assert {future.result().status_code for future in work} == {202}
    refused(run(home, JOB_RUNS, "busy"), 403, "quota_exceeded")
    assert home.delete(JOBS, "busy").status_code == 202
    assert counted(home, JOB_RUNS) == set()


def test_what_is_inherited_is_sealed_again(home):
    """A run's variables are sealed for the run: not in clear, and not the job's envelope."""
    job = home.made(JOBS)
    name = run(home, JOB_RUNS, job["name"]).json()["name"]
    home.left.append((JOB_RUNS, name))
    stored = home.stored()
    own, theirs = (
        stored[f"projects/{home.project['id']}/{kind.collection}/{key}"]
        for kind, key in ((JOB_RUNS, name), (JOBS, job["name"]))
    )
    assert own["sealed"] != theirs["sealed"]
    assert own["value_id"] != theirs["value_id"]
    assert CANARY not in str(own)
    assert without_own(home.get(JOB_RUNS, name).json())["run_env_variables"][0]["value"] == CANARY
