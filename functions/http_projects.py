"""Projects, their reclamations and instances over HTTP: one function an operation."""

from functions.binding import http
from shared import projects
from shared.projects import account, instances, reclamations

createProject = http("create_project", projects.create)
getProject = http("get_project", projects.get)
listProjects = http("list_projects", projects.listing)
deleteProject = http("delete_project", projects.delete)
getProjectEgressIps = http("get_project_egress_ips", account.egress_ips)
getProjectStatusDetails = http("get_project_status_details", account.status_details)
getProjectContents = http("get_project_contents", account.contents)
restoreProject = http("restore_project", reclamations.restore)
reclaimProject = http("reclaim_project", reclamations.reclaim)
listReclamations = http("list_reclamations", reclamations.listing)
listResourceInstances = http("list_resource_instances", instances.listing)
getResourceInstance = http("get_resource_instance", instances.get)
deleteResourceInstance = http("delete_resource_instance", instances.delete)
