"""Firestore event, a project was written: one step of its permanent deletion.

The event says only where to look; `upkeep.advance` decides by what the store holds.
"""

import flask
import functions_framework
from cloudevents.http import CloudEvent

from shared import upkeep
from shared.lifecycle import HARD_DELETING
from shared.store import change_of
from shared.wire import platform


@functions_framework.cloud_event
def onProjectWritten(event: CloudEvent) -> None:
    """Take the next step of a project that is being destroyed; ignore all other changes.

    Raises Failed when the step fails: the platform then delivers the event again. Who it comes
    from is in the request's headers, which the framework does not hand on.
    """
    with platform("event", flask.request) as app:
        change = change_of(event)
        after = change.after or {}
        if after != change.before and after.get("status") == HARD_DELETING:
            upkeep.advance(app, change.path.rpartition("/")[2])
