"""Firestore event, a project was written: one step of its permanent deletion.

The event says only where to look; `purge.advance` decides by what the store holds.
"""

import functions_framework
from cloudevents.http import CloudEvent

from shared import purge
from shared.app import get_app
from shared.events import change_of
from shared.lifecycle import HARD_DELETING


@functions_framework.cloud_event
def onProjectWritten(event: CloudEvent) -> None:
    """Take the next step of a project that is being destroyed; ignore all other changes.

    Raises what the step raises: the platform then delivers the event again.
    """
    change = change_of(event)
    if change.after and change.after != change.before and change.after["status"] == HARD_DELETING:
        purge.advance(get_app(), change.path.rpartition("/")[2])
