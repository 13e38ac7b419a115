"""The slots and names of a region: one document, whose map is both.

The count is the size of the map, so it cannot drift; a slot is taken and given back in the same
commit as its project is written.
"""

from shared.app import App
from shared.calls import Call, timestamp
from shared.errors import Error
from shared.lifecycle import ACTIVE, SOFT_DELETED, Project
from shared.projects.account import of_account
from shared.store import Document, Write


def region_path(account: str, region: str) -> str:
    """Give the path of the document that holds the slots and names of a region."""
    return f"regions/{account}.{region}"


def claim(app: App, region: Document, project: Project, call: Call) -> Write:
    """Give the write that takes a slot and a name, if the region is as it was read.

    Raises Error `name_taken`, or `quota_exceeded` with what holds the slots.
    """
    slots = (region.fields or {}).get("slots", {})
    name = project.name
    if name in slots.values():
        taken = "A project of this name exists already, perhaps soft deleted."
        raise Error("name_taken", taken, "name")
    if len(slots) >= app.settings.projects_per_region:
        raise _full(app, call)
    return Write(
        region.path,
        {"key": region.id, "slots": {project.id: name}},
        mask=["key", _slot(project.id)],
        exists=region.fields is not None,
        update_time=region.update_time,
    )


def release(project: Project) -> Write:
    """Give the write that frees a project's slot and name; freeing them twice is no harm."""
    region = region_path(project.account_id, project.region)
    return Write(region, {}, mask=[_slot(project.id)])


def _slot(project_id: str) -> str:
    """Give the field path of a project's slot in its region."""
    return f"slots.`{project_id}`"


def _full(app: App, call: Call) -> Error:
    """Say which projects hold the slots, and when each frees its own."""
    most = app.settings.projects_per_region
    _, holders = of_account(app, call, most, None)
    by_end = sorted(holders, key=lambda project: str(project.purge_at or "z"))  # the next one first
    said = "; ".join(f"`{project.name}` ({_held_until(project)})" for project in by_end)
    held = f"All {most} project slots of {app.settings.region} are held: {said}."
    return Error("quota_exceeded", f"{held} Deleting one permanently frees its slot at once.")


def _held_until(project: Project) -> str:
    if project.status == ACTIVE:
        return "active, until you delete it"
    if project.status == SOFT_DELETED and project.purge_at:
        return f"soft deleted, until {timestamp(project.purge_at)}"
    return "being destroyed"
