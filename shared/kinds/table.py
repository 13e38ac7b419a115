"""The kinds of resources a project holds: one row each. Pure.

A row says all that is particular to a kind. It may carry two hooks, never three: `check` for
rules across fields, `present` for computed members; the files beside this one hold them. What a
hook cannot say is a column here or a use case of its own.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from shared import quotas
from shared.kinds import apps, builds, components, destinations, functions, jobs, secrets
from shared.kinds.rules import Fields
from shared.lifecycle import Project


class Check(Protocol):
    """Rules across fields; a check names what it needs of the keywords."""

    def __call__(
        self, new: Fields, /, *, old: Fields | None, others: Mapping[str, Fields], given: Fields
    ) -> Iterable[str] | None:
        """Raise Error, or give the keys of what `new` replaces beside `old`, its former state.

        `others` are the project's others of the kind, by key, with the members in `claims`; `given`
        is what the request itself says, without what is inherited or a default.
        """


Present = Callable[[Fields, Project], dict[str, Any]]

# What every answer has but for a few kinds (contract section 0).
COMMON = ("id", "name", "project_id", "region", "href", "resource_type", "created_at", "entity_tag")
RUN = tuple(member for member in COMMON if member != "entity_tag")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of resource. Its schemas in openapi.yaml are named after it: `JobRunPrototype`."""

    collection: str  # in paths, in lists and in the store
    noun: str  # in operation ids
    resource_type: str = ""  # none where `present` gives it
    members: tuple[str, ...] = COMMON  # of its answers, beside the body's and the computed ones
    sealed: tuple[str, ...] = ()  # body members that may carry secrets: stored only sealed
    update: str = "PATCH"  # the method: PATCH merges (RFC 7396), PUT replaces, "" is neither
    created: int = 201  # the status of a create (contract section 0)
    key: str = "name"  # the member that addresses it
    body_bytes: int = quotas.PLAIN_BODY_BYTES
    lasting: tuple[str, ...] = ()  # body members that no update changes
    filters: tuple[str, ...] = ()  # body members that a list can be filtered by
    claims: tuple[str, ...] = ()  # body members remembered beside the count, for all at once
    template: str = ""  # the collection of what one can be made from, by its name
    fixed: tuple[str, ...] = ()  # body members that must be as the template has them
    named: str = ""  # the form of a name that is left out
    dependents: tuple[str, ...] = ()  # collections made from one or tied to it: deleted with it
    binds: bool = False  # names a component; a new one makes a revision of an app
    revised: bool = False  # keeps its state after each write as a revision
    check: Check = lambda _new, **_: None  # refuses what breaks a rule across fields
    present: Present = lambda _resource, _project: {}  # gives the computed members of answers

    @property
    def label(self) -> str:
        """The noun as people write it: `job run`."""
        return self.noun.replace("_", " ")

    @property
    def schema(self) -> str:
        """The noun as schemas and functions have it: `JobRun`."""
        return self.noun.title().replace("_", "")

    @property
    def keyed(self) -> bool:
        """Whether it holds values by key, sealed: then how many is told beside them."""
        return "data" in self.sealed

    @property
    def audited(self) -> str:
        """The noun as audit actions have it (contract section 9): `jobrun`."""
        return {"app": "application"}.get(self.noun, self.noun.replace("_", ""))

    @property
    def template_name(self) -> str:
        """The body member that names the template: `job_name`; none where there is no template."""
        return f"{self.noun.removesuffix('_run')}_name" if self.template else ""


# fmt: off
SECRETS = Kind(
    "secrets", "secret", sealed=("data",), update="PUT", body_bytes=quotas.BODY_BYTES,
    filters=("format",), check=secrets.check, present=secrets.present,
)
CONFIG_MAPS = Kind(
    "config_maps", "config_map", "config_map_v2", sealed=("data",), update="PUT",
    body_bytes=quotas.BODY_BYTES, check=secrets.check_data,
)
JOBS = Kind(
    "jobs", "job", "job_v2", sealed=("run_env_variables",),
    dependents=("job_runs", "bindings"), check=jobs.check_job, present=jobs.present_job,
)
JOB_RUNS = Kind(
    "job_runs", "job_run", "job_run_v2", members=RUN, sealed=("run_env_variables",), update="",
    created=202, filters=("job_name",), claims=("job_name",),
    template="jobs", fixed=("image_reference", "image_secret", "run_service_account"),
    named="{template}-jobrun-{chance}", check=jobs.check_job_run, present=jobs.present_job_run,
)
APPS = Kind(
    "apps", "app", "app_v2", sealed=("run_env_variables",), body_bytes=quotas.TEMPLATE_BODY_BYTES,
    dependents=("bindings",), revised=True, check=apps.check_app, present=apps.present_app,
)
FUNCTIONS = Kind(
    "functions", "function", "function_v2", sealed=("code_reference", "run_env_variables"),
    body_bytes=quotas.TEMPLATE_BODY_BYTES, dependents=("bindings",),
    check=functions.check_function, present=functions.present_function,
)
BUILDS = Kind(
    "builds", "build", "build_v2", sealed=("run_build_params",),
    body_bytes=quotas.TEMPLATE_BODY_BYTES, check=builds.check_build, present=builds.present_build,
)
BUILD_RUNS = Kind(
    "build_runs", "build_run", "build_run_v2", members=RUN, sealed=("run_build_params",), update="",
    created=202, body_bytes=quotas.TEMPLATE_BODY_BYTES, filters=("build_name",), template="builds",
    named="{template}-run-{time}", check=builds.check_build, present=builds.present_build_run,
)
BINDINGS = Kind(
    "bindings", "binding", "binding_v2", members=("id", "project_id", "href", "resource_type"),
    update="", key="id", claims=("component", "secret_name"), binds=True,
    check=components.check_binding, present=components.present_binding,
)
DOMAIN_MAPPINGS = Kind(
    "domain_mappings", "domain_mapping", "domain_mapping_v2",
    present=components.present_domain_mapping,
)
ALLOWED_OUTBOUND_DESTINATIONS = Kind(
    "allowed_outbound_destinations", "allowed_outbound_destination",
    members=("name", "project_id", "entity_tag"),
    lasting=("type", "private_path_service_gateway_crn"),
    claims=("type", "cidr_block", "private_path_service_gateway_crn"),
    check=destinations.check_destination, present=destinations.present_destination,
)
PERSISTENT_DATA_STORES = Kind(
    "persistent_data_stores", "persistent_data_store", "persistent_data_store_v2", update="",
)

KINDS = (
    SECRETS, CONFIG_MAPS, JOBS, JOB_RUNS, APPS, FUNCTIONS, BUILDS, BUILD_RUNS, BINDINGS,
    DOMAIN_MAPPINGS, ALLOWED_OUTBOUND_DESTINATIONS, PERSISTENT_DATA_STORES,
)
# fmt: on
BY_COLLECTION = {kind.collection: kind for kind in KINDS}
