"""Who was answered sealed values: an entry of the audit trail first, and then the answer (ADR 29).

By then all is decided and opened, so an entry names what goes out, and a refusal leaves none.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shared import evidence
from shared.app import App
from shared.calls import Call
from shared.kinds import SECRETS
from shared.lifecycle import Project
from shared.resources.place import Place
from shared.settings import ALL


def noted(
    app: App,
    call: Call,
    place: Place,
    project: Project,
    now: datetime,
    names: Sequence[str],
    noun: str = "",
    **more: str | None,
) -> None:
    """Commit the entry of a reading, and nothing else: without it there is to be no answer.

    Of secrets, and where the settings say so of all that is sealed. Of no names there is none. The
    project is not verified, for reads would fight for it: they are told at the time of their
    decision. `noun` is the entry's, where it is not the kind's own; `more` says which they were, as
    an `entity_tag` does. Raises Error `unavailable` where the entry is not known to be there.
    """
    kind = place.kind
    wanted = kind is SECRETS or (kind.sealed and app.settings.audit_reads == ALL)
    if names and wanted:
        told = call.origin, f"{noun or kind.audited}.read", project, now
        known: dict[str, Any] = {name: value for name, value in more.items() if value}
        evidence.leave(app, evidence.by(app, *told, names=[*names], **known))
