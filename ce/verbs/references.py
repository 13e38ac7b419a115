"""Whether what a body refers to is there: the command line checks it, the API does not.

What is not there yet may be referred to all the same: --force skips the check.
"""

from collections.abc import Iterator

from ce.call import Call
from ce.server import Doc, Failure, path

SECRETS = ("image_secret", "output_secret", "source_secret", "code_secret")
LISTS = ("run_env_variables", "run_volume_mounts", "run_build_params")
COLLECTIONS = {
    "config_map": ("config_maps", "Configmap"),
    "secret": ("secrets", "Secret"),
    "persistent_data_store": ("persistent_data_stores", "Persistent data store"),
}


def check(call: Call, body: Doc, current: Doc) -> None:
    """Fail if something newly referred to is not there; only where --force can be given."""
    if call["force"] is not False:
        return
    kept = set(_named(current))
    for source, name in dict.fromkeys(found for found in _named(body) if found not in kept):
        collection, label = COLLECTIONS[source]
        if not call.client.exists(path("projects", call.client.project["id"], collection, name)):
            raise Failure(
                f"{label} '{name}' was not found; with --force it is referred to all the same."
            )


def _named(body: Doc) -> Iterator[tuple[str, str]]:
    for member in SECRETS:
        if body.get(member):
            yield "secret", body[member]
    for entry in (entry for member in LISTS for entry in body.get(member) or ()):
        source = next((kind for kind in COLLECTIONS if entry["type"].startswith(kind)), "")
        if source and entry.get("reference"):
            yield source, entry["reference"]
