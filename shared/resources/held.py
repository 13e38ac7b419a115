"""What a project holds, for who asks of the project itself: how many of each kind, and which.

Nothing is opened, whatever state the project is in.
"""

from collections.abc import Mapping
from typing import Any

from shared import quotas
from shared.app import App
from shared.kinds import KINDS
from shared.resources import metadata
from shared.resources.place import Place
from shared.resources.usage import Usage
from shared.store import Read


def usage_paths(project_id: str) -> list[str]:
    """Give the paths of the documents that count what a project holds, one a kind."""
    return [Place(kind, project_id).usage for kind in KINDS]


def counts(read: Read, project_id: str) -> dict[str, int]:
    """Give how many there are by collection, of a reading that has the usage paths."""
    return {
        kind.collection: Usage(kind, read[Place(kind, project_id).usage]).count for kind in KINDS
    }


def each(app: App, project_id: str, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Give what is told of each, by kind and key: one query a kind of which there are any."""
    return [
        metadata.told(document.contents, "ContentsEntry", kind=kind.collection)
        for kind in KINDS
        if (count := counts[kind.collection])
        for document in app.store.query(
            Place(kind, project_id).collection,
            order=kind.key,
            limit=max(count, quotas.RESOURCES_PER_PROJECT[kind.collection]),
            fields=(*metadata.TOLD, "size"),
        )[1]
    ]
