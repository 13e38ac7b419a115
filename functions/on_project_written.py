"""Firestore event, a project was written: one step of its permanent deletion.

The event says only where to look; `purge.advance` decides by what the store holds.
"""

import functions_framework
from cloudevents.http import CloudEvent

from shared import purge
from shared.app import get_app
from shared.events import change_of
from shared.failures import contained
from shared.lifecycle import HARD_DELETING


@functions_framework.cloud_event
def onProjectWritten(event: CloudEvent) -> None:
    """Take the next step of a project that is being destroyed; ignore all other changes.

    Raises Failed when the step fails: the platform then delivers the event again.
    """
    with contained():
        change = change_of(event)
        after = change.after or {}
        if after != change.before and after.get("status") == HARD_DELETING:
            purge.advance(get_app(), change.path.rpartition("/")[2])
