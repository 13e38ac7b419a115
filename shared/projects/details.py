"""What is told of a project beside the project: of a network there is nothing, for nothing runs.

Answers in whatever state the project is, and fakes nothing (contract sections 1.2 and 1.5).
"""

from datetime import datetime

from shared.access import owned
from shared.app import App
from shared.calls import Answer, Call
from shared.lifecycle import Project, Status


def egress_ips(app: App, call: Call) -> Answer:
    """Give the addresses from which a project's workloads call others: there are none."""
    _, now = _project(app, call)
    return Answer({"private": [], "public": []}, now=now)


def status_details(app: App, call: Call) -> Answer:
    """Give what a project's status does not say."""
    project, now = _project(app, call)
    unknown = {"inbound_public": "unknown", "inbound_private": "unknown"}
    body = {
        "project": "enabled" if project.status == Status.ACTIVE else "disabled",
        "domain": "unknown",
        "vpe": "unknown",
        "vpe_not_enabled": True,
        "cbr": {"data_plane": {"enforcement": "none", **unknown}},
    }
    return Answer(body, now=now)


def _project(app: App, call: Call) -> tuple[Project, datetime]:
    """Give the caller's project, in whatever state it is, and the time of the read."""
    path = f"projects/{call.parameters['project_id']}"
    read = app.store.read(path)
    return owned(read[path], call.principal), app.now(read)
