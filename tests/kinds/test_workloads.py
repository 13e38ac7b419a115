"""Apps, jobs, job runs and functions: every rule across fields, and what is computed."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import quotas
from shared.api.document import COMPILED
from shared.errors import Error
from shared.kinds import apps, functions, jobs
from tests.support import project_of

PROJECT = project_of()
COMMON = {
    "name": "hello",
    "run_env_variables": [],
    "run_volume_mounts": [],
    "scale_cpu_limit": "1",
    "scale_memory_limit": "4G",
    "scale_ephemeral_storage_limit": "400M",
}
APP = COMMON | {
    "image_reference": "icr.io/codeengine/helloworld",
    "managed_domain_mappings": "local_public",
    "scale_concurrency": 100,
    "scale_max_instances": 10,
    "scale_min_instances": 0,
}
JOB = COMMON | {
    "image_reference": "icr.io/codeengine/helloworld",
    "run_mode": "task",
    "scale_array_spec": "0",
    "scale_max_execution_time": 7200,
    "scale_retry_limit": 3,
}
RUN = JOB | {"name": "hello-jobrun-1", "job_name": "hello"}
FUNCTION = {
    "name": "hello",
    "code_reference": "data:text/plain;base64,YQ==",
    "managed_domain_mappings": "local_public",
    "run_env_variables": [],
    "runtime": "nodejs-22",
    "scale_concurrency": 1,
    "scale_cpu_limit": "1",
    "scale_memory_limit": "4G",
}
CHECKS = {
    "app": (apps.check_app, APP),
    "job": (jobs.check_job, JOB),
    "run": (jobs.check_job_run, RUN),
    "function": (functions.check_function, FUNCTION),
}
SECRET = "hunter2"
STORE = {"type": "persistent_data_store", "reference": "s"}


def env(*values):
    """Give literal environment variables."""
    return {"run_env_variables": [{"type": "literal", "name": "N", "value": v} for v in values]}


def mounts(*given):
    """Give volume mounts: each a path, and what differs from a secret's."""
    base = {"type": "secret", "reference": "s", "read_only": True}
    return {"run_volume_mounts": [base | {"mount_path": path} | more for path, more in given]}


def faults(check, new, old=None, given=()):
    """Give code and field of all that a hook refuses; nothing that was sent is repeated."""
    try:
        return list(check(new, old=old, others={}, given=dict(given)) or ())
    except Error as error:
        entries = error.entries()
    assert SECRET not in json.dumps(entries)
    return [(entry["code"], entry.get("target", {}).get("name")) for entry in entries]


def invalid(*fields):
    """Give the faults of fields."""
    return [("invalid_field", field) for field in fields]


LARGE = [("payload_too_large", "run_env_variables")]
# kind, what differs from a good one, the faults
ROWS = [
    *[(kind, {}, []) for kind in CHECKS],
    *[(kind, {"scale_memory_limit": "3G"}, invalid("scale_memory_limit")) for kind in CHECKS],
    ("app", {"scale_max_instances": 0, "scale_min_instances": 250}, []),
    ("app", {"scale_max_instances": 4, "scale_min_instances": 4}, []),
    ("app", {"scale_max_instances": 4, "scale_min_instances": 5}, invalid("scale_min_instances")),
    ("app", {"probe_liveness": {"type": "http", "path": "/"}}, []),
    ("app", {"probe_liveness": {"type": "tcp", "path": ""}}, []),
    ("app", {"probe_readiness": {"type": "tcp", "path": "/"}}, []),  # clients send it
    ("app", mounts(("/a", {}), ("/b", STORE), ("/c", STORE)), []),
    ("app", mounts(*[(f"/{n}", STORE) for n in range(3)]), invalid("run_volume_mounts")),
    ("app", mounts(("/a", {}), ("/a/", {})), invalid("run_volume_mounts.1.mount_path")),
    ("app", mounts(("/a", {}), ("/a/b", {}), ("/A", {})), []),
    ("job", mounts(("/a", STORE | {"read_only": False})), []),
    ("job", mounts(("/a", {"read_only": False})), invalid("run_volume_mounts.0.read_only")),
    ("app", env("x" * quotas.MIB), []),
    ("app", env(*["é" * (quotas.MIB // 4)] * 2), []),
    ("app", env(SECRET * 1024, "é" * (quotas.MIB // 2)), LARGE),
    ("app", {"run_arguments": [SECRET * quotas.CLEAR_BYTES]}, [("payload_too_large", None)]),
    ("function", env("x" * quotas.MIB), LARGE),
    ("job", {"scale_array_spec": "0-999"}, []),
    ("job", {"scale_array_spec": "0-1000"}, invalid("scale_array_spec")),
    ("job", {"scale_array_spec": "0-9999999,0-9999999"}, invalid("scale_array_spec")),
    ("job", {"scale_array_spec": "5-2"}, invalid("scale_array_spec")),
    ("job", {"scale_array_spec": "2-2,1"}, []),
    ("job", {"run_mode": "daemon"}, []),
    ("job", {"run_mode": "daemon", "scale_retry_limit": 3}, invalid("scale_retry_limit")),
    (
        "run",
        {"run_mode": "daemon", "scale_max_execution_time": 7200},
        invalid("scale_max_execution_time"),
    ),
    ("job", {"scale_retry_limit": 5, "scale_max_execution_time": 1}, []),
    (
        "job",
        {"run_mode": "daemon", "scale_retry_limit": 0, "scale_max_execution_time": 60},
        invalid("scale_max_execution_time", "scale_retry_limit"),
    ),
    ("job", env("x" * 9000), []),
    ("job", env(SECRET * 2000), [("payload_too_large", None)]),
    ("run", env(SECRET * 2000), [("payload_too_large", None)]),
    ("run", {"job_name": "", "name": "ad-hoc"}, []),
    ("run", {"job_name": "", "image_reference": ""}, [("missing_field", "image_reference")]),
    ("run", {"run_mode": "daemon", "scale_retry_limit": 0}, invalid("scale_retry_limit")),
    ("function", {"runtime": "nodejs-20", "scale_concurrency": 100}, []),
    ("function", {"runtime": "python-3.11"}, []),
    (
        "function",
        {"runtime": "python-3.13", "scale_concurrency": 2},
        invalid("scale_concurrency"),
    ),
    ("function", {"runtime": f"{SECRET}-18"}, invalid("runtime")),
    ("function", {"scale_memory_limit": "8G"}, invalid("scale_memory_limit")),
    ("function", {"code_reference": "data:," + "x" * (quotas.INLINE_CODE_BYTES - 6)}, []),
    (
        "function",
        {"code_reference": f"data:;base64,{SECRET}" + "x" * quotas.INLINE_CODE_BYTES},
        [("payload_too_large", "code_reference")],
    ),
]


@pytest.mark.parametrize(("kind", "change", "expected"), ROWS)
def test_check(kind, change, expected):
    """Each rule refuses what breaks it, names the field to change, and nothing else."""
    check, good = CHECKS[kind]
    assert faults(check, good | change, given=change) == expected
    assert faults(check, good | change, good, change) == expected


def test_task_defaults_are_those_of_the_schema():
    """What counts as not given is what the schema fills in."""
    fields = json.loads(COMPILED.read_text())["components"]["schemas"]["JobPrototype"]["properties"]
    defaults = {name: fields[name]["default"] for name in jobs.TASK_DEFAULTS}
    assert defaults == jobs.TASK_DEFAULTS


def test_what_a_daemon_inherits_is_not_given():
    """A default that was filled in, and null in a change, say nothing of a daemon."""
    daemon = JOB | {"run_mode": "daemon"} | jobs.TASK_DEFAULTS
    assert faults(jobs.check_job, daemon) == []
    assert faults(jobs.check_job, daemon, daemon, {"scale_retry_limit": None}) == []
    assert faults(jobs.check_job_run, daemon | {"job_name": "j"}, given={"job_name": "j"}) == []
    assert faults(jobs.check_job, daemon, daemon, daemon) == []  # what was read, written back


def test_check_tells_all_at_once():
    """Faults of several rules come in one answer."""
    app = APP | {"scale_min_instances": 11, "scale_memory_limit": "1.2.3"}
    app |= mounts(("/a", {}), ("/a", {"read_only": False}))
    expected = ["scale_min_instances", "scale_memory_limit"]
    expected += ["run_volume_mounts.1.mount_path", "run_volume_mounts.1.read_only"]
    assert faults(apps.check_app, app) == invalid(*expected)


def test_job_size_is_of_its_body():
    """What the service adds to a job is not counted, and its last byte is allowed."""
    minted = {"id": "i" * 36, "entity_tag": "t", "value_id": "v", "created_at": datetime.now(UTC)}
    bare = JOB | env("")
    spare = quotas.JOB_BYTES - len(json.dumps(bare, separators=(",", ":")))
    assert faults(jobs.check_job, minted | bare | env("x" * spare)) == []
    over = minted | bare | env("x" * spare + "x")
    assert faults(jobs.check_job, over) == [("payload_too_large", None)]


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), min_size=1, max_size=9))
def test_index_count(ranges):
    """As many indices are counted as there are different ones."""
    spec = ",".join(f"{first}-{first + more}" if more else f"{first}" for first, more in ranges)
    indices = {first + n for first, more in ranges for n in range(more + 1)}
    assert jobs.index_count(spec) == len(indices)


ENVIRONMENT = {
    "CE_API_BASE_URL": "https://api.private.eu-de.codeengine.cloud.ibm.com",
    "CE_DOMAIN": "eu-de.codeengine.appdomain.cloud",
    "CE_PROJECT_ID": PROJECT.id,
    "CE_REGION": "eu-de",
    "CE_SUBDOMAIN": "vg67hzldruk",
}
PUBLIC = "https://hello.vg67hzldruk.eu-de.codeengine.appdomain.cloud"
PRIVATE = "https://hello.vg67hzldruk.private.eu-de.codeengine.appdomain.cloud"
INTERNAL = {"endpoint_internal": "http://hello.vg67hzldruk.svc.cluster.local"}
REASON = {"reason": "no_runtime_attached"}


def computed(**own):
    """Give the computed variables of what runs in the project: sorted, all literal."""
    values = ENVIRONMENT | own
    return [{"type": "literal", "name": name, "value": values[name]} for name in sorted(values)]


@pytest.mark.parametrize(
    ("visibility", "endpoint"),
    [
        ("local_public", {"endpoint": PUBLIC}),
        ("local_private", {"endpoint": PRIVATE}),
        ("local", {}),
    ],
)
def test_endpoints(visibility, endpoint):
    """The endpoint outside follows from what is asked for; inside there is always one."""
    change = {"managed_domain_mappings": visibility}
    app = apps.present_app(APP | change | {"revision": 1}, PROJECT)
    function = functions.present_function(FUNCTION | change, PROJECT)
    for shown in (app, function):
        found = {name: value for name, value in shown.items() if name.startswith("endpoint")}
        assert found == endpoint | INTERNAL


def test_present_app():
    """An app tells where it would run, its newest revision, and that no runtime is attached."""
    assert apps.present_app(APP | {"revision": 12}, PROJECT) == {
        "computed_env_variables": computed(CE_APP="hello"),
        "scale_concurrency_target": 100,
        "status": "warning",
        "status_details": {"latest_created_revision": "hello-00012", **REASON},
        "endpoint": PUBLIC,
        **INTERNAL,
    }


@pytest.mark.parametrize("active", [True, False])
def test_present_revision(active):
    """A revision has the variables of its app and no instance, active or not."""
    revision = APP | {"name": "hello-00001", "app_name": "hello", "active": active}
    assert apps.present_revision(revision, PROJECT) == {
        "resource_type": "app_revision_v2",
        "computed_env_variables": computed(CE_APP="hello"),
        "scale_concurrency_target": 100,
        "status": "warning",
        "status_details": {"actual_instances": 0, **REASON},
    }


def test_concurrency_target_that_is_given():
    """A target that was asked for stays."""
    change = {"scale_concurrency_target": 7, "revision": 1, "app_name": "hello"}
    for present in (apps.present_app, apps.present_revision):
        assert present(APP | change, PROJECT)["scale_concurrency_target"] == 7


def test_present_job():
    """A job has three variables and no status."""
    names = ("CE_API_BASE_URL", "CE_PROJECT_ID", "CE_REGION")
    expected = [{"type": "literal", "name": name, "value": ENVIRONMENT[name]} for name in names]
    assert jobs.present_job(JOB, PROJECT) == {"computed_env_variables": expected}


@pytest.mark.parametrize(
    ("spec", "job", "count"), [("0", {"job_name": "hello"}, 1), ("1-3,2,7", {}, 4)]
)
def test_present_job_run(spec, job, count):
    """All indices of a run are pending, and none was ever anything else."""
    run = JOB | {"name": "r", "scale_array_spec": spec, **job}
    assert jobs.present_job_run(run, PROJECT) == {
        "computed_env_variables": computed(CE_JOB=job.get("job_name", ""), CE_JOBRUN="r"),
        "status": "pending",
        "status_details": {
            "requested": count,
            "pending": count,
            "running": 0,
            "succeeded": 0,
            "failed": 0,
            "unknown": 0,
            "pending_indices": spec,
            **REASON,
        },
    }


INLINE = "data:text/plain;base64,YQ=="


@pytest.mark.parametrize(
    ("code", "sent", "binary"),
    [
        (INLINE, {}, False),
        (INLINE, {"code_binary": False}, False),
        (INLINE, {"code_binary": True}, True),
        ("icr.io/ns/code", {}, True),
        ("data:latest", {"code_binary": False}, True),
    ],
)
def test_present_function(code, sent, binary):
    """A function is offline; code in an image is always binary, code inline as it was sent."""
    function = FUNCTION | {"code_reference": code} | sent
    assert functions.present_function(function, PROJECT) == {
        "computed_env_variables": computed(CE_FUNCTION="hello"),
        "code_binary": binary,
        "status": "offline",
        "status_details": REASON,
        "endpoint": PUBLIC,
        **INTERNAL,
    }


def test_runtimes():
    """The five runtimes: one default a family, and nodejs-20 deprecated."""
    told = [(row["id"], row["name"]) for row in functions.RUNTIMES]
    assert told == [
        ("nodejs-20", "Node.js 20"),
        ("nodejs-22", "Node.js 22"),
        ("nodejs-24", "Node.js 24"),
        ("python-3.11", "Python 3.11"),
        ("python-3.13", "Python 3.13"),
    ]
    flagged = {
        flag: [row["id"] for row in functions.RUNTIMES if row[flag]]
        for flag in ("default", "deprecated", "optimized")
    }
    expected = {"default": ["nodejs-22", "python-3.11"], "deprecated": ["nodejs-20"]}
    assert flagged == expected | {"optimized": []}
    assert [row["family"] for row in functions.RUNTIMES] == ["nodejs"] * 3 + ["python"] * 2
