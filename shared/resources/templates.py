"""What a run inherits from its template: a job run from its job, a build run from its build.

The template is verified in the same commit, so no run is left of what is deleted.
"""

from datetime import UTC, datetime
from typing import Any

from shared import api
from shared.app import App
from shared.errors import Error, invalid, raise_all
from shared.kinds import BY_COLLECTION, Fields, Kind
from shared.resources.change import Change
from shared.store import Write

LONGEST = 53  # characters of a generated name: a job run's limit (contract section 0)


def name(kind: Kind, app: App, body: Fields, chance: str = "") -> str:
    """Give the name of what was sent without one (contract 4.3 and 4.4), ending in `chance`."""
    time = datetime.fromtimestamp(app.wall() + app.offset().total_seconds(), UTC)
    parts = {"time": time.strftime("%y%m%d-%H%M%S"), "chance": app.new_tag()[:5]}
    suffix = kind.named.format(template="", **parts) + (f"-{chance}" if chance else "")
    template = str(body.get(kind.template_name, ""))[: LONGEST - len(suffix)].rstrip("-")
    return f"{template}{suffix}" if template else suffix.lstrip("-")


def body(change: Change, source: list[str], given: Fields) -> dict[str, Any]:
    """Give the whole body of a new resource: template, what was given, defaults.

    `source` is the path of the template, if one is named. It need not exist if what was given
    would make one (contract 11). Raises Error `resource_not_found` if it would not, and
    `invalid_field` for what must be as the template has it and is not, or is too much together.
    """
    schema, inherited = change.place.kind.schema, _inherited(change, source, given)
    if inherited is None:
        return api.filled(schema, given)
    return api.whole(schema, overlaid(inherited, given), change.place.key)


def _inherited(change: Change, source: list[str], given: Fields) -> Fields | None:
    """Give the body of the template that is named, which the change then verifies."""
    if not source:
        return None
    kind, document = change.place.kind, change.read[source[0]]
    template = BY_COLLECTION[kind.template]
    if document.fields is None:
        if api.suffices(template.schema, given, document.id):
            return None
        none = f"There is no {template.label} of this name."
        raise Error("resource_not_found", none, kind.template_name)
    inherited = change.opened(change.place.beside(template, document.id), document)
    says = f"must be as the {template.label} has it, or be left out"
    given_too = (member for member in kind.fixed if member in given)
    changed = (member for member in given_too if given[member] != inherited.get(member))
    raise_all(invalid(member, says) for member in changed)
    change.writes.append(Write.verify(document))
    return inherited


def overlaid(inherited: Fields, given: Fields) -> dict[str, Any]:
    """Put what is given over what is inherited; variables of a list each by its name."""
    whole = {**inherited, **given}
    for member in ("run_env_variables", "run_build_params"):
        if member in inherited and member in given:
            own = {entry.get("name") for entry in given[member]} - {None}
            kept = [entry for entry in inherited[member] if entry.get("name") not in own]
            whole[member] = [*kept, *given[member]]
    return whole
