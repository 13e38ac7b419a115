"""An example of every kind: a kind brings its tests with it, a row here, and nothing else.

In a row `{n}` stands for a number of its own, `{name}` for the resource's name.
"""

import base64
from dataclasses import dataclass, field
from typing import Any

from shared.kinds import Kind, table

CANARY = "pl4nted-5ealed-value"  # in every sealed member of every example
NO_RUNTIME = {"reason": "no_runtime_attached"}
IMAGE = "icr.io/codeengine/helloworld"
LITERAL = {"type": "literal", "name": "TOKEN", "value": CANARY}
SCRIPTED = {"type": "literal", "name": "MORE", "value": f"{CANARY}-too"}
REFERENCE = {"type": "secret_key_reference", "name": "P", "reference": "none-yet", "key": "k"}
MOUNT = {"type": "config_map", "mount_path": "/etc/my", "reference": "none-yet", "sub_path": "s"}
COMPONENT = {"name": "app-{n}", "resource_type": "app_v2"}


def code_of(text: str) -> str:
    """Give inline code, as a reference holds it."""
    return "data:text/javascript;base64," + base64.b64encode(text.encode()).decode()


CODE = code_of(CANARY)


@dataclass(frozen=True)
class Example:
    """How one kind is tried out."""

    kind: Kind
    least: dict[str, Any]  # a body with what is required, but for the name
    full: dict[str, Any]  # a body with every member, none at its default
    defaults: dict[str, Any] = field(default_factory=dict)  # what the least one is answered with
    computed: dict[str, Any] = field(default_factory=dict)  # what every one is answered with
    told: dict[str, Any] = field(default_factory=dict)  # what the full one's says beside that
    change: dict[str, Any] = field(default_factory=dict)  # the body of an update of the full one
    changed: dict[str, Any] = field(default_factory=dict)  # what its answer says beside `change`
    apart: tuple[str, ...] = ()  # members of other forms of it, which have tests of their own
    name: str = "r-{n}"

    def body(self, number: int, body: dict[str, Any]) -> dict[str, Any]:
        """Give the body of a create."""
        named = {"name": self.name, **body} if self.kind.key == "name" else body
        return filled(named, number, filled(self.name, number, ""))

    def says(self, form: str, number: int) -> dict[str, Any]:
        """Give what the answer to `least`, `full` or `change` says, beside what is its own."""
        typed = {"resource_type": self.kind.resource_type} if self.kind.resource_type else {}
        whole = {**self.defaults, **typed, **self.computed, **self.least}
        if form != "least":
            whole |= self.full | self.told
        if form == "change":
            whole |= self.change | self.changed
        return filled(whole, number, filled(self.name, number, ""))


def filled(value: Any, number: int, name: str) -> Any:
    """Give a value with what stands for a number and a name filled in."""
    match value:
        case str():
            return value.replace("{n}", str(number)).replace("{name}", name)
        case dict():
            return {key: filled(item, number, name) for key, item in value.items()}
        case list():
            return [filled(item, number, name) for item in value]
    return value


# Contract sections 4.2, 4.3 and 4.5: what is so where nothing is said.
CONTAINER = {
    "run_arguments": [],
    "run_as_user": 0,
    "run_commands": [],
    "run_compute_resource_token_enabled": False,
    "run_env_variables": [],
    "run_service_account": "default",
    "run_volume_mounts": [],
    "scale_cpu_limit": "1",
    "scale_ephemeral_storage_limit": "400M",
    "scale_memory_limit": "4G",
}
FULL_CONTAINER = {
    "image_reference": f"{IMAGE}:2",
    "image_secret": "none-yet",
    "run_arguments": ["a", "b"],
    "run_as_user": 1000,
    "run_commands": ["c"],
    "run_compute_resource_token_enabled": True,
    "run_env_variables": [LITERAL, REFERENCE],
    "run_service_account": "manager",
    "run_volume_mounts": [MOUNT],
    "scale_cpu_limit": "0.5",
    "scale_ephemeral_storage_limit": "500M",
    "scale_memory_limit": "1G",
}
TASK = {
    "run_mode": "task",
    "scale_array_spec": "0",
    "scale_max_execution_time": 7200,
    "scale_retry_limit": 3,
}
FULL_JOB = FULL_CONTAINER | {
    "run_mode": "task",  # as a daemon it could not have the two last
    "scale_array_spec": "1-3,7",
    "scale_max_execution_time": 60,
    "scale_retry_limit": 1,
}
SOURCE = "https://github.com/IBM/CodeEngine"
BUILD = {
    "run_build_params": [],
    "source_type": "git",
    "strategy_size": "medium",
    "strategy_spec_file": "Dockerfile",
    "timeout": 600,
}
LEAST_BUILD = {
    "output_image": f"{IMAGE}:out",
    "output_secret": "none-yet",
    "source_url": SOURCE,
    "strategy_type": "dockerfile",
}
FULL_BUILD = {
    "output_image": f"{IMAGE}:out",
    "output_secret": "none-yet",
    "run_build_params": [LITERAL, REFERENCE],
    "source_context_dir": "hello",
    "source_revision": "main",
    "source_secret": "none-yet",
    "source_type": "git",  # only so it has a URL
    "source_url": SOURCE,
    "strategy_size": "small",
    "strategy_spec_file": "Otherfile",
    "strategy_type": "buildpacks",
    "timeout": 60,
}
BINDING = {"component": COMPONENT, "prefix": "MY_COS", "secret_name": "access-{n}"}
MAPPING = {"component": COMPONENT, "tls_secret": "none-yet"}
STORE = {"bucket_location": "eu-de", "bucket_name": "my-bucket", "secret_name": "none-yet"}
PROBE = {
    "type": "http",
    "failure_threshold": 2,
    "initial_delay": 3,
    "interval": 20,
    "path": "/live",
    "port": 8081,
    "timeout": 5,
}


def counted(number: int, indices: str) -> dict[str, Any]:
    """Give the status of a job run whose indices all wait."""
    none = dict.fromkeys(("running", "succeeded", "failed", "unknown"), 0)
    waiting = {"requested": number, "pending": number, "pending_indices": indices}
    return {"status_details": {**waiting, **none, **NO_RUNTIME}}


EXAMPLES = (
    Example(
        table.SECRETS,
        least={"format": "generic"},
        full={"format": "generic", "data": {"token": CANARY, "other": "{n}"}},
        computed={"generated_by": "user", "resource_type": "secret_generic_v2"},
        change={"format": "generic", "data": {"token.2": f"{CANARY}-too"}},
        apart=("service_access", "service_operator"),  # tests/resources/test_secrets.py
    ),
    Example(
        table.CONFIG_MAPS,
        least={},
        full={"data": {"log-level": CANARY, "other": "{n}"}},
        change={"data": {"log.level": f"{CANARY}-too"}},
    ),
    Example(
        table.JOBS,
        least={"image_reference": IMAGE},
        full=FULL_JOB,
        defaults=CONTAINER | TASK,
        change={"run_arguments": ["z"], "run_env_variables": [SCRIPTED], "scale_retry_limit": 2},
    ),
    Example(
        table.JOB_RUNS,
        least={"image_reference": IMAGE},
        full=FULL_JOB | {"scale_array_size_variable_override": 9},
        defaults=CONTAINER | TASK | counted(1, "0"),
        told=counted(4, "1-3,7"),
        computed={"status": "pending"},
        apart=("job_name",),  # tests/resources/test_kinds_runs.py
    ),
    Example(
        table.APPS,
        least={"image_reference": IMAGE},
        full=FULL_CONTAINER
        | {
            "image_port": 8081,
            "managed_domain_mappings": "local_private",
            "probe_liveness": PROBE,
            "probe_readiness": {**PROBE, "path": "/ready"},
            "scale_concurrency": 10,
            "scale_concurrency_target": 5,
            "scale_down_delay": 7,
            "scale_initial_instances": 2,
            "scale_max_instances": 5,
            "scale_min_instances": 3,
            "scale_request_timeout": 30,
        },
        defaults=CONTAINER
        | {
            "image_port": 8080,
            "managed_domain_mappings": "local_public",
            "scale_concurrency": 100,
            "scale_concurrency_target": 100,
            "scale_down_delay": 0,
            "scale_initial_instances": 1,
            "scale_max_instances": 10,
            "scale_min_instances": 0,
            "scale_request_timeout": 300,
        },
        computed={
            "status": "warning",
            "status_details": {"latest_created_revision": "{name}-00001", **NO_RUNTIME},
        },
        change={"run_commands": [], "run_env_variables": [SCRIPTED], "scale_down_delay": 8},
        changed={"status_details": {"latest_created_revision": "{name}-00002", **NO_RUNTIME}},
    ),
    Example(
        table.FUNCTIONS,
        least={"code_reference": CODE, "runtime": "nodejs-22"},
        full={
            "code_binary": True,
            "code_main": "run",
            "code_reference": CODE,
            "code_secret": "none-yet",
            "managed_domain_mappings": "local",
            "run_compute_resource_token_enabled": True,
            "run_env_variables": [LITERAL, REFERENCE],
            "runtime": "nodejs-24",
            "scale_concurrency": 5,
            "scale_cpu_limit": "0.25",
            "scale_down_delay": 3,
            "scale_max_execution_time": 30,
            "scale_memory_limit": "1G",
        },
        defaults={
            "code_binary": False,
            "code_main": "main",
            "managed_domain_mappings": "local_public",
            "run_compute_resource_token_enabled": False,
            "run_env_variables": [],
            "scale_concurrency": 1,
            "scale_cpu_limit": "1",
            "scale_down_delay": 1,
            "scale_max_execution_time": 60,
            "scale_memory_limit": "4G",
        },
        computed={"status": "offline", "status_details": NO_RUNTIME},
        change={"code_reference": CODE + "AAAA", "run_env_variables": [], "scale_concurrency": 7},
    ),
    Example(
        table.BUILDS,
        least=LEAST_BUILD,
        full=FULL_BUILD,
        defaults=BUILD,
        computed={"status": "ready", "status_details": {"reason": "registered"}},
        change={"run_build_params": [SCRIPTED], "source_revision": "next", "timeout": 61},
    ),
    Example(
        table.BUILD_RUNS,
        least=LEAST_BUILD,
        full=FULL_BUILD | {"service_account": "writer"},
        defaults=BUILD | {"service_account": "default"},
        computed={"build_name": "", "status": "pending", "status_details": NO_RUNTIME},
        apart=("build_name",),  # tests/resources/test_kinds_runs.py
    ),
    Example(table.BINDINGS, least=BINDING, full=BINDING, computed={"status": "pending"}),
    Example(
        table.DOMAIN_MAPPINGS,
        least=MAPPING,
        full=MAPPING,
        computed={
            "status": "failed",
            "status_details": NO_RUNTIME,
            "user_managed": True,
            "visibility": "custom",
        },
        change={"tls_secret": "another"},
        name="r-{n}.example.com",
    ),
    Example(
        table.ALLOWED_OUTBOUND_DESTINATIONS,
        least={"cidr_block": "10.{n}.0.0/16"},
        full={"type": "cidr_block", "cidr_block": "10.{n}.0.0/16"},
        defaults={"type": "cidr_block"},
        computed={"status": "failed", "status_details": NO_RUNTIME},
        change={"cidr_block": "11.{n}.0.0/16"},
        apart=("private_path_service_gateway_crn", "isolation_policy"),  # test_rules_networking.py
    ),
    Example(
        table.PERSISTENT_DATA_STORES,
        least={"storage_type": "object_storage", "data": STORE},
        full={"storage_type": "object_storage", "data": STORE},
    ),
)
