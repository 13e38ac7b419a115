"""What apps, jobs and functions have in common: mounts, sizes, endpoints. Pure.

Nothing runs, and every status says so. No error repeats a value: environment and code are sealed.
"""

import json
from collections.abc import Iterator

from shared import quotas
from shared.errors import Error, invalid
from shared.kinds import sizes
from shared.kinds.rules import Fields, oversize
from shared.lifecycle import Project

# Contract section 1.6, by `managed_domain_mappings`; one that is `local` has no endpoint outside.
ENDPOINTS = {
    "local_public": "https://{name}.{project.subdomain}.{project.region}.codeengine.appdomain.cloud",
    "local_private": "https://{name}.{project.subdomain}.private.{project.region}.codeengine.appdomain.cloud",
}
INTERNAL_ENDPOINT = "http://{name}.{project.subdomain}.svc.cluster.local"
MINTED = ("id", "created_at", "entity_tag", "value_id")  # members that no body has


def _mount_faults(workload: Fields) -> Iterator[Error]:
    """Give what is wrong with volume mounts (contract sections 0 and 4.2)."""
    mounts = workload["run_volume_mounts"]
    paths = [mount["mount_path"].rstrip("/") for mount in mounts]
    for number, mount in enumerate(mounts):
        where = f"run_volume_mounts.{number}"
        if paths[number] in paths[:number]:
            yield invalid(f"{where}.mount_path", "is that of another mount")
        # Its default is true for every type: only false was surely given.
        if mount["type"] != "persistent_data_store" and mount.get("read_only") is False:
            yield invalid(f"{where}.read_only", "can be false only for a `persistent_data_store`")
    stores = sum(mount["type"] == "persistent_data_store" for mount in mounts)
    if stores > quotas.DATA_STORE_MOUNTS:
        most = f"has more than {quotas.DATA_STORE_MOUNTS} of type `persistent_data_store`"
        yield invalid("run_volume_mounts", most)


def container_faults(workload: Fields) -> Iterator[Error]:
    """Give what is wrong with an app's or job's sizes, mounts and environment."""
    yield from sizes.faults(workload, sizes.CONTAINERS)
    yield from _mount_faults(workload)
    yield from oversize(workload, "run_env_variables")


def json_bytes(workload: Fields, *without: str) -> int:
    """Give how many bytes of JSON the members make, but for some."""
    body = {name: value for name, value in workload.items() if name not in without}
    return len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())


def endpoints(workload: Fields, project: Project) -> dict[str, str]:
    """Give the URLs an app or function would have (contract section 1.6)."""
    place = {"project": project, "name": workload["name"]}
    found = {"endpoint_internal": INTERNAL_ENDPOINT.format(**place)}
    if form := ENDPOINTS.get(workload["managed_domain_mappings"]):
        found["endpoint"] = form.format(**place)
    return found
