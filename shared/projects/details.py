"""What is told of a project beside the project: of a network there is nothing, for nothing runs.

Answers in whatever state the project is, and fakes nothing (contract sections 1.2 and 1.5).
"""

from shared.app import App
from shared.calls import Answer, Call
from shared.lifecycle import Status
from shared.projects.account import one


def egress_ips(app: App, call: Call) -> Answer:
    """Give the addresses from which a project's workloads call others: there are none."""
    now, _ = one(app, call, call.parameters["project_id"])
    return Answer({"private": [], "public": []}, now=now)


def status_details(app: App, call: Call) -> Answer:
    """Give what a project's status does not say."""
    now, project = one(app, call, call.parameters["project_id"])
    unknown = {"inbound_public": "unknown", "inbound_private": "unknown"}
    body = {
        "project": "enabled" if project.status == Status.ACTIVE else "disabled",
        "domain": "unknown",
        "vpe": "unknown",
        "vpe_not_enabled": True,
        "cbr": {"data_plane": {"enforcement": "none", **unknown}},
    }
    return Answer(body, now=now)
