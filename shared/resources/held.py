"""How many resources of each kind a project holds, for who asks of the project itself."""

from shared.kinds import KINDS
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
