"""Whether what a body refers to is there: the command line checks it, the API does not.

What is not there yet may be referred to all the same: --force skips the check.
"""

from collections.abc import Iterator, Mapping

from ce.body import option_of
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
    flags = call.noun.kind.flags
    kept = {(source, name) for source, name, _ in _named(current, flags)}
    new = {(source, name): option for source, name, option in _named(body, flags)}
    for (source, name), option in new.items():
        if (source, name) in kept:
            continue
        collection, label = COLLECTIONS[source]
        where = path("projects", call.client.project["id"], collection, name)
        try:
            there = call.client.exists(where)
        except Failure as failure:
            # The name that it refuses is not the one of what is made.
            told = [message.replace("`name`", option) for message in failure.messages]
            raise failure.saying(*told) from None
        if not there:
            raise Failure(
                f"{label} '{name}' was not found; with --force it is referred to all the same."
            )


def _named(body: Doc, flags: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Give what is referred to: its kind, its name, and the option that names it."""
    for member in SECRETS:
        if body.get(member):
            yield "secret", body[member], flags.get(member, member)
    for entry in (entry for member in LISTS for entry in body.get(member) or ()):
        source = next((kind for kind in COLLECTIONS if entry["type"].startswith(kind)), "")
        if source and entry.get("reference"):
            yield source, entry["reference"], option_of(entry)
