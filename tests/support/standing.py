"""Projects as they lie in the database: written as by this code, or by whoever else can write."""

from typing import Any

from shared import evidence
from shared.app import App
from shared.keys import LIFECYCLE
from shared.store import Document, Write


def stored(app: App, project: str) -> dict[str, Any]:
    """Give the fields of a project."""
    path = f"projects/{project}"
    return dict(app.store.read(path)[path].contents)


def with_mac(app: App, project: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Give these fields with the MAC that they have where this code wrote them."""
    meaning = evidence.meaning(Document(f"projects/{project}", fields))
    return {**fields, evidence.MAC: app.keyring.state.mac(LIFECYCLE, meaning)}


def put(app: App, project: str, fields: dict[str, Any]) -> None:
    """Write a whole project as it is, and let it stand so, right or wrong."""
    app.store.commit([Write(f"projects/{project}", fields)])


def rewritten(app: App, project: str, *gone: str, **fields: Any) -> None:
    """Change some fields of a project, or take them away, as only who has the state key can."""
    kept = {name: value for name, value in stored(app, project).items() if name not in gone}
    put(app, project, with_mac(app, project, kept | fields))


def planted(app: App, project: str, *gone: str, **fields: Any) -> None:
    """Do the same as whoever writes the database alone can: the MAC stays what it was."""
    kept = {name: value for name, value in stored(app, project).items() if name not in gone}
    put(app, project, kept | fields)
