"""The outbound rule that every project begins with: all addresses are allowed (contract 1.6).

It is an allowed outbound destination like any other, written in the same commit as its project.
"""

from datetime import datetime

from shared.kinds import ALLOWED_OUTBOUND_DESTINATIONS, Fields, destinations
from shared.resources.place import Place
from shared.resources.usage import Usage
from shared.store import Document, Write

EVERYTHING = {"type": destinations.RANGE, destinations.CIDR: str(destinations.EVERYTHING)}


def first_rule(project_id: str, marks: Fields, now: datetime) -> list[Write]:
    """Give the writes of the rule of a project that does not exist yet."""
    place = Place(ALLOWED_OUTBOUND_DESTINATIONS, project_id, destinations.DEFAULT)
    stored = {**marks, "name": place.key, "created_at": now, "body": EVERYTHING}
    usage = Usage(place.kind, Document(place.usage, None))
    return [Write.create(place.path, stored), *usage.write({place.key: EVERYTHING})]
