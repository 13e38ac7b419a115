"""What a run inherits from its template: a job run from its job, a build run from its build.

The template is verified in the same commit, so no run is left of what is deleted.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared import schema
from shared.app import App
from shared.errors import Error, Target, raise_all
from shared.kinds import KINDS, Kind
from shared.places import Fields, Place
from shared.writes import Read

LONGEST = 53  # characters of a generated name: a job run's limit (contract section 0)


def name(kind: Kind, app: App, body: Mapping[str, Any], chance: str = "") -> str:
    """Give the name of what was sent without one (contract 4.3 and 4.4), ending in `chance`."""
    time = datetime.fromtimestamp(app.wall() + app.offset().total_seconds(), UTC)
    parts = {"time": time.strftime("%y%m%d-%H%M%S"), "chance": app.new_tag()[:5]}
    suffix = kind.named.format(template="", **parts) + (f"-{chance}" if chance else "")
    template = str(body.get(kind.template_name, ""))[: LONGEST - len(suffix)].rstrip("-")
    return f"{template}{suffix}" if template else suffix.lstrip("-")


def source(kind: Kind, place: Place, body: Mapping[str, Any]) -> list[str]:
    """Give the path of the template that a body names."""
    named = body.get(kind.template_name) if kind.template else None
    return [f"{place.home}/{kind.template}/{named}"] if named else []


def body(
    app: App, place: Place, read: Read, sources: list[str], given: Mapping[str, Any]
) -> Fields:
    """Give the whole body of a new resource: template, what was given, defaults.

    A template need not exist if what was given would make one (contract 11). Raises Error
    `resource_not_found` if it would not, and `invalid_field` for what must be as the template has
    it and is not, or is too much together.
    """
    kind = place.kind
    prototype = f"{kind.schema}Prototype"
    if not sources:
        return schema.filled(prototype, given)
    document = read[sources[0]]
    template = next(row for row in KINDS if row.collection == kind.template)
    if document.fields is None:
        if schema.suffices(f"{template.schema}Prototype", given, document.id):
            return schema.filled(prototype, given)
        target = Target("field", kind.template_name)
        raise Error("resource_not_found", f"There is no {template.label} of this name.", target)
    home = Place(template, place.home.partition("/")[2], document.id)
    inherited = home.opened(app, read, document)
    raise_all(
        [
            Error(
                "invalid_field",
                f"`{member}` must be as the {template.label} has it, or be left out.",
                Target("field", member),
            )
            for member in kind.fixed
            if member in given and given[member] != inherited.get(member)
        ]
    )
    return schema.whole(prototype, overlaid(inherited, given), place.key)


def overlaid(inherited: Mapping[str, Any], given: Mapping[str, Any]) -> Fields:
    """Put what is given over what is inherited; variables of a list each by its name."""
    whole = {**inherited, **given}
    for member in ("run_env_variables", "run_build_params"):
        if member in inherited and member in given:
            own = {entry.get("name") for entry in given[member]} - {None}
            kept = [entry for entry in inherited[member] if entry.get("name") not in own]
            whole[member] = [*kept, *given[member]]
    return whole
