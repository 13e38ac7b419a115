"""Where a resource lies, what is read beside it, and how it is shown. Decides nothing."""

from datetime import datetime
from typing import Any

from shared import api
from shared.app import App
from shared.calls import Answer, timestamp
from shared.kinds import APPS, Fields, Kind
from shared.lifecycle import Project


def data_key_path(project_id: str) -> str:
    """Give the path of the document that holds the first half of a project's data key."""
    return f"projects/{project_id}/keys/current"


class Place:
    """The place of a resource in a project, and of what a use case reads along with it."""

    def __init__(self, kind: Kind, project_id: str, key: str = "") -> None:
        self.kind = kind
        self.project_id = project_id
        self.key = key
        self.home = f"projects/{project_id}"
        self.collection = f"{self.home}/{kind.collection}"
        self.path = f"{self.collection}/{key}"
        self.usage = f"{self.home}/usage/{kind.collection}"
        self.data_key = data_key_path(project_id)
        self.context = (self.home, self.data_key) if kind.sealed else (self.home,)

    def beside(self, kind: Kind, key: str = "") -> "Place":
        """Give the place of another resource of the same project."""
        return Place(kind, self.project_id, key)

    def template(self, body: Fields) -> list[str]:
        """Give the path of the template that a body names."""
        named = body.get(self.kind.template_name) if self.kind.template else None
        return [f"{self.home}/{self.kind.template}/{named}"] if named else []

    def bound(self, body: Fields) -> list[str]:
        """Give the path of the app that a new binding names: a binding makes a revision of it."""
        component = body.get("component", {})
        if not self.kind.binds or component.get("resource_type") != APPS.resource_type:
            return []
        return [f"{self.home}/{APPS.collection}/{component['name']}"]

    def href(self, app: App, key: str) -> str:
        """Give the address of a resource of the place's kind."""
        return f"{app.settings.endpoint}/v2/{self.collection}/{key}"

    def answer(self, app: App, project: Project, resource: Fields, now: datetime) -> Answer:
        """Give the answer that shows one resource."""
        body = self.shown(app, project, resource)
        tag, location = body.get("entity_tag"), self.href(app, resource[self.kind.key])
        return Answer(body, entity_tag=tag, now=now, location=location)

    def shown(self, app: App, project: Project, resource: Fields) -> dict[str, Any]:
        """Give the answer's form of a resource: what all have, its body, what is computed."""
        members = {
            **resource,
            "project_id": project.id,
            "region": project.region,
            "href": self.href(app, resource[self.kind.key]),
            "resource_type": self.kind.resource_type,
            "created_at": timestamp(resource["created_at"]),
            **self.kind.present(resource, project),
        }
        return api.shown(self.kind.schema, members)
