"""The outbound rule that every project begins with: all addresses are allowed (contract 1.6).

It is an allowed outbound destination like any other, written in the same commit as its project.
"""

from datetime import datetime
from typing import Any

from shared import networking, writes
from shared.app import App
from shared.kinds import ALLOWED_OUTBOUND_DESTINATIONS
from shared.places import Place
from shared.usage import Usage
from shared.writes import Document, Read

EVERYTHING = {"type": networking.RANGE, networking.CIDR: str(networking.EVERYTHING)}


def minted(app: App) -> dict[str, Any]:
    """Mint what is new of a rule; before the first try, so that all tries come to the same."""
    tags = {"entity_tag": app.new_tag(), "value_id": app.new_id()}
    return {"id": app.new_id(), "name": networking.DEFAULT, **tags}


def rule(
    app: App, read: Read, project_id: str, fresh: dict[str, Any], now: datetime
) -> list[writes.Write]:
    """Give the writes of the rule of a project that does not exist yet."""
    place = Place(ALLOWED_OUTBOUND_DESTINATIONS, project_id, networking.DEFAULT)
    stored, _ = place.stored(app, read, {**fresh, "created_at": now}, EVERYTHING)
    usage = Usage(place.kind, Document(place.usage_path, None))
    return [writes.create(place.path, stored), *usage.write({place.key: EVERYTHING})]
