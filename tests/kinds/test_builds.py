"""Builds, bindings and domain mappings: every rule across fields, and what is computed."""

import json

import pytest

from shared import quotas
from shared.errors import Error
from shared.kinds import BUILD_RUNS, BUILDS, builds, components
from tests.support import project_of

PROJECT = project_of()
REASON = {"reason": "no_runtime_attached"}
SECRET = "hunter2"
OUTPUT = {"output_image": "icr.io/ns/i", "output_secret": "s", "strategy_type": "dockerfile"}
BARE = {"name": "b", "source_type": "git", "run_build_params": []}
GIT = {"source_url": "https://github.com/IBM/CodeEngine"}
BUILD = BARE | OUTPUT | GIT
LOCAL = BARE | OUTPUT | {"source_type": "local"}


def faults(check, new, others=None):
    """Give code and field of all that a hook refuses; nothing that was sent is repeated."""
    try:
        return list(check(new, old=None, others=others or {}) or ())
    except Error as error:
        entries = error.entries()
    assert SECRET not in json.dumps(entries)
    return [(entry["code"], entry["target"]["name"]) for entry in entries]


def params(*values):
    """Give build parameters, and one that has no value of its own."""
    return {"run_build_params": [{"name": "n", "value": v} for v in values] + [{"name": "r"}]}


def of(code, *fields):
    """Give the faults of fields."""
    return [(code, field) for field in fields]


LARGE = of("payload_too_large", "run_build_params")
# a build or ad hoc run, the faults
ROWS = [
    (BUILD, []),
    (BARE | OUTPUT, of("missing_field", "source_url")),
    (BUILD | {"source_revision": "main", "source_secret": "s"}, []),
    (LOCAL, []),
    (LOCAL | {"source_revision": ""}, []),
    (LOCAL | {"source_url": SECRET}, of("invalid_field", "source_url")),
    (
        LOCAL | {"source_revision": SECRET, "source_secret": SECRET},
        of("invalid_field", "source_revision", "source_secret"),
    ),
    (BUILD | params("x" * quotas.MIB), []),
    (BUILD | params(SECRET, "x" * quotas.MIB), LARGE),
    (LOCAL | GIT | params("é" * quotas.MIB), of("invalid_field", "source_url") + LARGE),
]


@pytest.mark.parametrize("kind", [BUILDS, BUILD_RUNS])
@pytest.mark.parametrize(("build", "expected"), ROWS)
def test_check(kind, build, expected):
    """Git needs a URL, a local source takes none; a run without a build is held to the same."""
    assert faults(kind.check, build) == expected


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (BARE | {"build_name": "b"}, []),
        (BUILD | {"build_name": "b"}, []),
        (LOCAL | GIT | {"build_name": "b"}, of("invalid_field", "source_url")),
        (BARE, of("missing_field", *OUTPUT, *GIT)),
        (BARE | {"source_type": "local"}, of("missing_field", *OUTPUT)),
    ],
)
def test_check_build_run(run, expected):
    """A run of a build needs nothing more; one without needs what a build has."""
    assert faults(BUILD_RUNS.check, run) == expected


def test_present_builds():
    """A build is registered; a run waits, and names its build or none."""
    registered = {"status": "ready", "status_details": {"reason": "registered"}}
    assert builds.present_build(BUILD, PROJECT) == registered
    waiting = {"status": "pending", "status_details": REASON}
    assert builds.present_build_run(BUILD, PROJECT) == {"build_name": "", **waiting}
    run = BUILD | {"build_name": "b"}
    assert builds.present_build_run(run, PROJECT) == {"build_name": "b", **waiting}


def binding(secret="s", name="a", resource_type="app_v2", **more):
    """Give a binding, or what others remember of one."""
    component = {"name": name, "resource_type": resource_type}
    return {"component": component, "secret_name": secret, **more}


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], []),
        ([binding()], of("conflict", "secret_name")),
        ([binding("t"), binding()], of("conflict", "secret_name")),
        ([binding("t"), binding(name="b"), binding(resource_type="job_v2")], []),
    ],
)
def test_check_binding(others, expected):
    """A secret is bound once to a component; several components may share it."""
    others = {str(number): other for number, other in enumerate(others)}
    assert faults(components.check_binding, binding(prefix="P"), others) == expected


def test_present_components():
    """A binding waits; a domain mapping tells its target, and that nothing serves it."""
    assert components.present_binding(binding(), PROJECT) == {"status": "pending"}
    assert components.present_domain_mapping({"name": "www.example.com"}, PROJECT) == {
        "cname_target": "custom.vg67hzldruk.eu-de.codeengine.appdomain.cloud",
        "status": "failed",
        "status_details": REASON,
        "user_managed": True,
        "visibility": "custom",
    }
