"""The outbound rule that every project begins with: all addresses are allowed (contract 1.6).

It is an allowed outbound destination like any other, written in the same commit as its project.
"""

from dataclasses import asdict
from datetime import datetime

from shared.kinds import ALLOWED_OUTBOUND_DESTINATIONS, destinations
from shared.resources.change import Minted
from shared.resources.place import Place
from shared.resources.usage import Usage
from shared.store import Document, Write

EVERYTHING = {
    "type": destinations.RANGE,
    destinations.CIDR: str(destinations.EVERYTHING),
}


def first_rule(project_id: str, minted: Minted, now: datetime) -> list[Write]:
    """Give the writes of the rule of a project that does not exist yet."""
    place = Place(ALLOWED_OUTBOUND_DESTINATIONS, project_id, destinations.DEFAULT)
    own = {**asdict(minted), "name": place.key, "created_at": now}
    usage = Usage(place.kind, Document(place.usage, None))
    stored = {**own, "body": EVERYTHING}
    return [Write.create(place.path, stored), *usage.write({place.key: EVERYTHING})]
