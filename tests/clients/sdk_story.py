"""The life of a project as IBM's Python SDK would lead it: one row a call, all its operations.

Rows send what real clients were seen to send (contract section 11): references to what does not
exist yet, `*` as entity tag, stray members. What a row sends must come back, unless `told` says
otherwise; `told` also has what must come back beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ibm_code_engine_sdk import code_engine_v2 as sdk

GONE = object()  # stands for a member that must not come back
STATUSES = {"list": 200, "get": 200, "create": 201, "update": 200, "replace": 200, "delete": 202}


@dataclass(frozen=True)
class Of:
    """A member of the last answer to an operation."""

    operation: str
    member: str


@dataclass(frozen=True)
class Row:
    """One call: an operation, its arguments, what must be told, and a status of its own."""

    operation: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    told: Mapping[str, Any] = field(default_factory=dict)
    status: int = 0

    @property
    def expected(self) -> int:
        """The status to expect: the row's own, else what its verb gives."""
        return self.status or STATUSES[self.operation.partition("_")[0]]


def listed(operation: str, *names: str, **arguments: Any) -> Row:
    """List, and expect entries of these names in their order."""
    key = operation.removeprefix("list_").removeprefix("app_")
    return Row(operation, arguments, {key: [{"name": name} for name in names]})


def made(kind: str, name: str, data: Any, *, member: str = "data") -> Row:
    """Create a secret, and expect the resource type of its format."""
    sort = {"ssh_auth": "auth_ssh", "service_operator": "operator"}.get(kind, kind)
    told = {"resource_type": f"secret_{sort}_v2", "generated_by": "user"}
    return Row("create_secret", {"format": kind, "name": name, member: data}, told)


def changed(noun: str, name: str, told: Mapping[str, Any] | None = None, **more: Any) -> list[Row]:
    """Update whatever is there, then at the entity tag it has, then at one it had."""
    update = f"replace_{noun}" if {"data", "format"} & more.keys() else f"update_{noun}"
    return [
        Row(f"get_{noun}", {"name": name}),
        Row(update, {"name": name, "if_match": "*", **more}, told or {}),
        Row(update, {"name": name, "if_match": Of(update, "entity_tag"), **more}, told or {}),
        Row(update, {"name": name, "if_match": Of(f"get_{noun}", "entity_tag"), **more}, {}, 412),
    ]


def gone(noun: str, **where: Any) -> list[Row]:
    """Delete, and expect it not to be found any more."""
    found = {name: value for name, value in where.items() if name != "keep_service_access"}
    return [
        Row(f"delete_{noun}", where),
        Row(f"get_{noun}", found, status=404),
        Row(f"delete_{noun}", where, status=404),
    ]


NOWHERE = "no-such-thing"  # what is referred to need not exist
UNRUN = {"status_details": {"reason": "no_runtime_attached"}}
IMAGE, SOURCE = "icr.io/codeengine/helloworld", "https://github.com/IBM/CodeEngine"
CODE = "data:text/javascript;base64,YXN5bmMgZnVuY3Rpb24gbWFpbigpIHt9"
SIZES = {"scale_cpu_limit": "0.5", "scale_memory_limit": "2G"}
INSTANCE = {"service_instance": {"id": "4e49b3e0-27a8-48d2-a784-c7ee48bb863b"}}
GATEWAY = "crn:v1:bluemix:public:is:eu-de:a/4329073d::private-path-service-gateway:r010-1"
PROBE = sdk.ProbePrototype(
    type="http", path="/health", port=8080, interval=15, timeout=2, failure_threshold=3
)
# Clients send every member of a variable whatever its type, and the name that mounts once had.
LITERAL = {"type": "literal", "name": "LEVEL", "value": "info", "key": "k", "prefix": "P_"}
FULL = {"type": "config_map_full_reference", "reference": NOWHERE, "prefix": ""}
VARIABLES = [
    LITERAL,
    FULL,
    sdk.EnvVarPrototype(type="secret_key_reference", name="PW", reference=NOWHERE, key="password"),
]
SEEN = [
    {"type": "literal", "name": "LEVEL", "value": "info"},
    {"reference": NOWHERE},
    {"name": "PW"},
]
MOUNT = {"type": "secret", "mount_path": "/etc/tls", "reference": NOWHERE}
OLD_MOUNT = MOUNT | {"name": "tls"}
LIMITS = {"run_volume_mounts": [OLD_MOUNT], "run_env_variables": VARIABLES, **SIZES}
ECHO = {"run_volume_mounts": [MOUNT | {"name": GONE}], "run_env_variables": SEEN}
RUN = {
    "image_reference": IMAGE,
    "run_arguments": ["--once"],
    "run_as_user": 1001,
    "run_commands": ["/run"],
    "run_mode": "task",
    "scale_array_spec": "1-5,7",
    "scale_max_execution_time": 300,
    "scale_retry_limit": 1,
    **LIMITS,
}
BUILD = {
    "output_image": "icr.io/mine/image:2",
    "output_secret": NOWHERE,
    "run_build_params": [sdk.BuildParamPrototype(type="literal", name="VERSION", value="2")],
    "source_context_dir": "hello",
    "source_revision": "main",
    "source_secret": NOWHERE,
    "source_type": "git",
    "source_url": SOURCE,
    "strategy_size": "small",
    "strategy_spec_file": "Containerfile",
    "strategy_type": "dockerfile",
    "timeout": 900,
}
APP, FUNCTION = ({"name": name, "resource_type": f"{name}_v2"} for name in ("app", "function"))

PROJECTS = [
    Row("create_project", {"name": "empty"}, status=202),
    Row("create_project", {"name": "story", "tags": ["a:b"]}, {"tags": GONE}, 202),
    Row("get_project", {"id": Of("create_project", "id")}, {"name": "story", "status": "active"}),
    listed("list_projects", "empty", "story"),
    Row("get_project_egress_ips", told={"private": [], "public": []}),
    Row("get_project_status_details", told={"project": "enabled", "vpe_not_enabled": True}),
]


def destination(name: str, **members: str) -> Row:
    """Allow an outbound destination."""
    return Row(
        "create_allowed_outbound_destination",
        {"allowed_outbound_destination": {"name": name, **members}},
        {"status": "failed", **UNRUN},
    )


DATA = [
    destination("range", type="cidr_block", cidr_block="192.68.3.0/24"),
    destination(
        "path", type="private_path_service_gateway", private_path_service_gateway_crn=GATEWAY
    ),
    Row("get_allowed_outbound_destination", {"name": "range"}, {"cidr_block": "192.68.3.0/24"}),
    listed("list_allowed_outbound_destinations", "allow-all", "path", "range"),
    *changed(
        "allowed_outbound_destination",
        "range",
        allowed_outbound_destination={"type": "cidr_block", "cidr_block": "192.68.2.0/24"},
    ),
    *changed(
        "allowed_outbound_destination",
        "path",
        allowed_outbound_destination={"isolation_policy": "dedicated"},
    ),
    Row("create_config_map", {"name": "map", "data": {"key1": "value1", "key2": "value2"}}),
    Row("create_config_map", {"name": "map.2"}),
    Row("get_config_map", {"name": "map"}, {"data": {"key1": "value1", "key2": "value2"}}),
    listed("list_config_maps", "map", "map.2"),
    *changed("config_map", "map", data={"key3": "value3"}),
    made("generic", "generic", sdk.SecretDataGenericSecretData(any="value")),
    made("basic_auth", "basic", sdk.SecretDataBasicAuthSecretData("a password", "me")),
    made("ssh_auth", "ssh", sdk.SecretDataSSHSecretData("a key", known_hosts="a host")),
    made("tls", "tls", sdk.SecretDataTLSSecretData("a certificate", "its key")),
    made("registry", "hub", sdk.SecretDataRegistrySecretData("a password", "docker.io", "me")),
    made("hmac_auth", "hmac", sdk.SecretDataHMACAuthSecretData("an id", "a key")),
    made("service_access", "access", INSTANCE, member="service_access"),
    made(
        "service_access",
        "access-2",
        sdk.ServiceAccessSecretPrototypeProps(
            service_instance=sdk.ServiceInstanceRefPrototype(**INSTANCE["service_instance"]),
            role=sdk.RoleRefPrototype(crn="crn:v1:bluemix:public:iam::::serviceRole:Reader"),
        ),
        member="service_access",
    ),
    made(
        "service_operator",
        "operator",
        sdk.OperatorSecretPrototypeProps(resource_group_ids=["5c49eabcf5e85881a37e2d100a33b3df"]),
        member="service_operator",
    ),
    Row("get_secret", {"name": "basic"}, {"data": {"username": "me", "password": "a password"}}),
    listed("list_secrets", "access", "access-2", format="service_access"),
    *changed("secret", "ssh", format="ssh_auth", data={"ssh_key": "another"}),
    *[
        Row(
            "create_persistent_data_store",
            {
                "name": name,
                "storage_type": "object_storage",
                "data": sdk.StorageDataObjectStorageData("eu", "bucket", NOWHERE),
            },
        )
        for name in ("store", "store-2")
    ],
    Row("get_persistent_data_store", {"name": "store"}, {"storage_type": "object_storage"}),
    listed("list_persistent_data_stores", "store", "store-2"),
]

WORKLOADS = [
    Row(
        "create_app",
        {
            "name": "app",
            "image_reference": IMAGE,
            "image_port": 9090,
            "image_secret": NOWHERE,
            "managed_domain_mappings": "local_private",
            "probe_liveness": PROBE,
            "probe_readiness": PROBE,
            "run_compute_resource_token_enabled": True,
            "run_service_account": "reader",
            "scale_initial_instances": 2,
            "scale_max_instances": 5,
            **LIMITS,
        },
        {
            **ECHO,
            "status": "warning",
            "status_details": {"latest_created_revision": "app-00001"} | UNRUN["status_details"],
        },
    ),
    Row("create_app", {"name": "app-2", "image_reference": IMAGE}, {"scale_max_instances": 10}),
    Row("get_app", {"name": "app"}, {"probe_liveness": PROBE}),
    listed("list_apps", "app", "app-2"),
    listed("list_app_revisions", "app-00001", app_name="app"),
    *changed(
        "app",
        "app",
        {"image_secret": GONE, "image_port": 9090},
        app={"run_arguments": ["-v"], "image_secret": None},
    ),
    *[
        Row(
            "create_binding",
            {"component": sdk.ComponentRef(**to), "prefix": "COS", "secret_name": "access"},
            {"status": "pending"},
        )
        for to in (APP, FUNCTION)
    ],
    Row("get_binding", {"id": Of("create_binding", "id")}, {"component": FUNCTION}),
    Row("list_bindings", told={"bindings": [{"prefix": "COS"}, {"prefix": "COS"}]}),
    listed("list_app_revisions", "app-00003", "app-00004", app_name="app"),
    Row("get_app_revision", {"app_name": "app", "name": "app-00004"}, {"run_arguments": ["-v"]}),
    Row("list_app_instances", {"app_name": "app"}, {"instances": []}),
    Row("create_job", {"name": "job", **RUN}, ECHO),
    Row("create_job", {"name": "job-2", "image_reference": IMAGE}, {"scale_array_spec": "0"}),
    Row("get_job", {"name": "job"}, {"image_reference": IMAGE}),
    listed("list_jobs", "job", "job-2"),
    *changed("job", "job", job=sdk.JobPatch(run_commands=["/go"])),
    Row(
        "create_job_run",
        {"job_name": "job", "name": "run", "image_reference": IMAGE},
        {
            "run_commands": ["/go"],
            "run_env_variables": SEEN,
            "status": "pending",
            "status_details": {"requested": 6, "pending": 6, "running": 0},
        },
        202,
    ),
    Row("create_job_run", {"job_name": "job", "name": "run-2"}, status=202),
    Row(
        "create_job_run",
        {"name": "run-3", "scale_array_size_variable_override": 9, **RUN},
        {**ECHO, "job_name": GONE},
        202,
    ),
    Row("get_job_run", {"name": "run"}, {"job_name": "job"}),
    listed("list_job_runs", "run", "run-2", job_name="job"),
    Row("create_build", {"name": "build", **BUILD}, {"status": "ready"}),
    Row(
        "create_build",
        {
            "name": "build-2",
            "output_image": "icr.io/mine/image",
            "output_secret": NOWHERE,
            "strategy_type": "buildpacks",
            "source_type": "local",
        },
        {"source_url": GONE, "strategy_size": "medium"},
    ),
    Row("get_build", {"name": "build"}, {"source_url": SOURCE}),
    listed("list_builds", "build", "build-2"),
    *changed("build", "build", build={"timeout": 1200, "source_secret": None}),
    Row(
        "create_build_run",
        {"build_name": "build", "name": "run", "service_account": "none", **BUILD},
        {"status": "pending", **UNRUN},
        202,
    ),
    Row("create_build_run", {"name": "run-2", "build_name": "build"}, {"timeout": 1200}, 202),
    Row("create_build_run", {"name": "ad-hoc", **BUILD}, {"build_name": ""}, 202),
    Row("get_build_run", {"name": "run"}, {"build_name": "build"}),
    listed("list_build_runs", "run", "run-2", build_name="build"),
    # Runs without a name get one.
    Row("create_job_run", {"job_name": "job-2"}, status=202),
    Row("get_job_run", {"name": Of("create_job_run", "name")}, {"job_name": "job-2"}),
    Row("create_build_run", {"build_name": "build-2"}, {"source_type": "local"}, 202),
    Row("get_build_run", {"name": Of("create_build_run", "name")}, {"build_name": "build-2"}),
    Row(
        "create_function",
        {
            "name": "function",
            "code_reference": CODE,
            "runtime": "nodejs-20",
            "run_env_variables": VARIABLES,
            "scale_concurrency": 2,
            **SIZES,
        },
        {"code_binary": False, "run_env_variables": SEEN, "status": "offline", **UNRUN},
    ),
    Row(
        "create_function",
        {"name": "function-2", "code_reference": IMAGE, "runtime": "python-3.11"},
        {"code_binary": True, "code_main": "main"},
    ),
    Row("get_function", {"name": "function"}, {"code_reference": CODE}),
    listed("list_functions", "function", "function-2"),
    *changed(
        "function",
        "function",
        {"ScaleMaxExecutionTime": GONE},
        function={"scale_max_execution_time": 30, "ScaleMaxExecutionTime": "90"},
    ),
    Row("list_function_runtimes"),
    *[
        Row(
            "create_domain_mapping",
            {"name": name, "component": APP, "tls_secret": NOWHERE},
            {"status": "failed", "visibility": "custom", **UNRUN},
        )
        for name in ("www.example.com", "www.example.org")
    ],
    Row("get_domain_mapping", {"name": "www.example.com"}, {"tls_secret": NOWHERE}),
    listed("list_domain_mappings", "www.example.com", "www.example.org"),
    *changed(
        "domain_mapping",
        "www.example.com",
        {"name": "www.example.com"},
        domain_mapping={"component": FUNCTION, "tls_secret": "tls", "name": {"any": "thing"}},
    ),
]

FILL = PROJECTS + DATA + WORKLOADS
CLEAR = [
    *gone("allowed_outbound_destination", name="range"),
    *gone("config_map", name="map"),
    *gone("domain_mapping", name="www.example.com"),
    *gone("binding", id=Of("create_binding", "id")),
    *gone("app_revision", app_name="app", name="app-00003"),
    *gone("app", name="app", keep_service_access=True),
    Row("list_app_revisions", {"app_name": "app"}, status=404),
    Row("get_secret", {"name": "access"}, {"service_access": INSTANCE}),
    *gone("function", name="function", keep_service_access=False),
    *gone("job_run", name="run"),
    *gone("job", name="job"),
    listed("list_job_runs", job_name="job"),
    Row("get_job_run", {"name": "run-3"}, {"image_reference": IMAGE}),
    *gone("build_run", name="run"),
    *gone("build", name="build"),
    *gone("persistent_data_store", name="store"),
    *gone("secret", name="tls"),
    Row("delete_project", {"id": Of("create_project", "id")}),
    Row("get_project", {"id": Of("create_project", "id")}, {"status": "soft_deleted"}),
    Row("delete_project", {"id": Of("create_project", "id")}, status=409),
    Row("list_secrets", status=409),
]
