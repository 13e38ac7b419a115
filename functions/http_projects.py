"""Projects and their reclamations over HTTP: one function an operation."""

import functions_framework
from flask import Request, Response

from shared import projects, reclamations
from shared.rest import serve

OPERATIONS = {
    "create_project": projects.create,
    "get_project": projects.get,
    "list_projects": projects.listing,
    "delete_project": projects.delete,
    "restore_project": reclamations.restore,
    "reclaim_project": reclamations.reclaim,
    "list_reclamations": reclamations.listing,
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
