"""Projects, their reclamations and instances over HTTP: one function an operation."""

import functions_framework
from flask import Request, Response

from shared import project_details, projects, reclamations, resource_instances
from shared.rest import serve

OPERATIONS = {
    "create_project": projects.create,
    "get_project": projects.get,
    "list_projects": projects.listing,
    "delete_project": projects.delete,
    "get_project_egress_ips": project_details.egress_ips,
    "get_project_status_details": project_details.status_details,
    "restore_project": reclamations.restore,
    "reclaim_project": reclamations.reclaim,
    "list_reclamations": reclamations.listing,
    "list_resource_instances": resource_instances.listing,
    "get_resource_instance": resource_instances.get,
    "delete_resource_instance": resource_instances.delete,
}


@functions_framework.http
def createProject(request: Request) -> Response:
    """Create a project: POST /v2/projects."""
    return serve(request, OPERATIONS, "create_project")


@functions_framework.http
def getProject(request: Request) -> Response:
    """Get a project: GET /v2/projects/{id}."""
    return serve(request, OPERATIONS, "get_project")


@functions_framework.http
def listProjects(request: Request) -> Response:
    """List projects: GET /v2/projects."""
    return serve(request, OPERATIONS, "list_projects")


@functions_framework.http
def deleteProject(request: Request) -> Response:
    """Soft delete a project: DELETE /v2/projects/{id}."""
    return serve(request, OPERATIONS, "delete_project")


@functions_framework.http
def restoreProject(request: Request) -> Response:
    """Restore a project: POST /v1/reclamations/{id}/actions/restore."""
    return serve(request, OPERATIONS, "restore_project")


@functions_framework.http
def reclaimProject(request: Request) -> Response:
    """Delete a project for good: POST /v1/reclamations/{id}/actions/reclaim."""
    return serve(request, OPERATIONS, "reclaim_project")


@functions_framework.http
def listReclamations(request: Request) -> Response:
    """List deleted projects: GET /v1/reclamations."""
    return serve(request, OPERATIONS, "list_reclamations")


@functions_framework.http
def getProjectEgressIps(request: Request) -> Response:
    """Get a project's addresses: GET /v2/projects/{project_id}/egress_ips."""
    return serve(request, OPERATIONS, "get_project_egress_ips")


@functions_framework.http
def getProjectStatusDetails(request: Request) -> Response:
    """Get a project's details: GET /v2/projects/{project_id}/status_details."""
    return serve(request, OPERATIONS, "get_project_status_details")


@functions_framework.http
def listResourceInstances(request: Request) -> Response:
    """List projects as instances: GET /v2/resource_instances."""
    return serve(request, OPERATIONS, "list_resource_instances")


@functions_framework.http
def getResourceInstance(request: Request) -> Response:
    """Get a project as an instance: GET /v2/resource_instances/{id}."""
    return serve(request, OPERATIONS, "get_resource_instance")


@functions_framework.http
def deleteResourceInstance(request: Request) -> Response:
    """Soft delete a project: DELETE /v2/resource_instances/{id}."""
    return serve(request, OPERATIONS, "delete_resource_instance")
