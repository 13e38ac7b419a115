"""What makes a body that fits its schema fit the rules across fields too.

One mending a rule of shared/ that no schema says. Each takes the operation's id and a body that
is its own to change. So a valid body must be accepted, and every refusal of one is a finding.
"""

from copy import deepcopy
from ipaddress import IPv4Network

from shared import api, quotas
from shared.api import document
from shared.errors import Error
from shared.kinds import destinations, jobs, secrets
from shared.projects import names

CONTAINERS = (("0.125", "250M"), ("1", "4G"), ("2000m", "16GB"), ("12", "48000M"))
FUNCTIONS = (("0.25", "1G"), ("500m", "2G"), ("1", "4000MB"))
SIZES = ("scale_cpu_limit", "scale_memory_limit", "scale_ephemeral_storage_limit")
INSTANCES = ("scale_min_instances", "scale_max_instances")
SOURCE = ("source_url", "source_revision", "source_secret")
AD_HOC = {"output_image": "icr.io/a/b", "output_secret": "s", "strategy_type": "dockerfile"}


def sizes(operation, body):
    """CPU and memory go together, and what is patched alone would not."""
    if any(size in body for size in SIZES):
        pairs = FUNCTIONS if "function" in operation else CONTAINERS
        body.update(zip(SIZES[:2], pairs[len(body) % len(pairs)], strict=True))
        if body.get(SIZES[2]):
            body[SIZES[2]] = "250M"


def runtime(operation, body):
    """A runtime is one of those there are; only Node.js serves several requests at once."""
    if "function" in operation and ("runtime" in body or "scale_concurrency" in body):
        body["runtime"] = ("nodejs-20", "nodejs-22", "nodejs-24")[len(body) % 3]


def instances(_, body):
    """The fewest instances are no more than the most."""
    if any(member in body for member in INSTANCES):
        counts = sorted(body.get(member) or 0 for member in INSTANCES)
        body.update(zip(INSTANCES, counts, strict=True))


def mounts(_, body):
    """A path is mounted once; only data stores are writable, and there are two at most."""
    kept, stores = {}, 0
    for mount in body.get("run_volume_mounts") or ():
        if mount.get("type") == "persistent_data_store":
            stores += 1
            if stores > quotas.DATA_STORE_MOUNTS:
                mount["type"] = "secret"
        if mount.get("type") != "persistent_data_store":
            mount.pop("read_only", None)
        kept[mount["mount_path"].rstrip("/")] = mount
    if kept:
        body["run_volume_mounts"] = list(kept.values())


def indices(_, body):
    """Ranges of indices go upwards, and there are a thousand at most."""
    if spec := body.get("scale_array_spec"):
        backwards = any(last < first for first, last in jobs.index_ranges(spec))
        if backwards or jobs.index_count(spec) > quotas.JOB_INDICES:
            body["scale_array_spec"] = "0,2-4"


def task(operation, body):
    """A daemon has no time limit and no retries, also those it takes from elsewhere."""
    members = {"run_mode", *jobs.TASK_DEFAULTS} & body.keys()
    if members and "run_mode" in body and operation == "create_job":
        for member in jobs.TASK_DEFAULTS if body["run_mode"] == "daemon" else ():
            body.pop(member, None)
    elif members and "job" in operation:
        body["run_mode"] = "task"


def job_run(operation, body):
    """A run of a job has the job's image; another needs one of its own."""
    if operation == "create_job_run":
        if "job_name" in body:
            for member in ("image_reference", "image_secret", "run_service_account"):
                body.pop(member, None)
        else:
            body.setdefault("image_reference", "icr.io/a/b")


def source(operation, body):
    """What git needs is there, and not where the source is local."""
    if operation == "create_build_run" and "build_name" in body:
        for member in (*SOURCE, "source_type"):
            body.pop(member, None)
    elif operation == "update_build" and {"source_type", *SOURCE} & body.keys():
        body |= {"source_type": "git", "source_url": "https://example.com/a"}
    elif operation in {"create_build", "create_build_run"}:
        if body.get("source_type") == "local":
            for member in SOURCE:
                body.pop(member, None)
        else:
            body.setdefault("source_url", "https://example.com/a")
        if operation == "create_build_run":
            body.update({member: AD_HOC[member] for member in AD_HOC if member not in body})


def destination(operation, body):
    """A destination has what its type needs, and no reserved addresses."""
    if "allowed_outbound_destination" not in operation:
        return
    if operation.startswith("update_"):
        for member in ("type", "private_path_service_gateway_crn"):
            body.pop(member, None)
        if not body.get("cidr_block"):
            body.pop("cidr_block", None)
    elif body.get("type") == "private_path_service_gateway":
        crn = "crn:v1:bluemix:public:is:us-south:a/1::private-path-service-gateway:1"
        body.setdefault("private_path_service_gateway_crn", crn)
    else:
        body.setdefault("cidr_block", "10.1.2.0/24")
    if block := body.get("cidr_block"):
        network = IPv4Network(block, strict=False)
        if network != destinations.EVERYTHING and any(map(network.overlaps, destinations.RESERVED)):
            body["cidr_block"] = "10.1.2.0/24"


def secret(operation, body):
    """A replacement has the keys that its format requires, as a new secret has by its schema.

    No key is a folder, no private key is empty, and a registry's server is one line.
    """
    if operation == "replace_secret":
        required = secrets.FORMATS[body["format"]].required
        body["data"] = dict.fromkeys(required, "x") | body.get("data", {})
    if "secret" in operation or "config_map" in operation:
        for key in secrets.FOLDERS & body.get("data", {}).keys():
            del body["data"][key]
        for key in secrets.NOT_EMPTY & body.get("data", {}).keys():
            body["data"][key] = body["data"][key] or "x"
        if body.get("format") == "registry" and "data" in body:
            body["data"]["server"] = "docker.io"


def account(operation, body, plan):
    """A project's name holds only what can be seen; a key is one there is, and not expired."""
    if operation == "create_project":
        try:
            names.checked(body["name"])
        except Error:
            body["name"] = body["name"].encode("ascii", "ignore").decode().strip() or "p"
    elif operation == "issue_token":
        body["apikey"] = plan["apikey"]
    elif operation == "create_api_key":
        body |= {"expires_at": "2099-12-31T23:59:59Z"} if "expires_at" in body else {}
        body |= {"project_id": plan["homes"][0]} if "project_id" in body else {}


MENDINGS = (sizes, runtime, instances, mounts, indices, task, job_run, source, destination, secret)


def shortened(operation, body):
    """Give a body with lists so short that a run has room for its own and its template's."""
    if "job" not in operation and "build" not in operation:
        return body
    members = ("run_env_variables", "run_build_params")
    lists = {name: body[name] for name in members if isinstance(body.get(name), list)}
    return body | {name: values[:50] for name, values in lists.items()}


def mended(operation, body, plan):
    """Give a valid body that no rule across fields refuses; members beyond its schema stay."""
    declared = document.resolved(api.operations()[operation].body_schema)
    declared = declared.get("properties", {})
    known = deepcopy({name: body[name] for name in body if name in declared})
    account(operation, known, plan)
    for mend in MENDINGS:
        mend(operation, known)
    if operation == "issue_token":  # a form would repeat a name for each item of a list
        return known
    return {**{name: body[name] for name in body if name not in declared}, **known}
