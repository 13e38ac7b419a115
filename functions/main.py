"""The deploy seam: one name a deployed function (FUNCTION_TARGET), as functions.yaml lists them."""

import functions_framework
from werkzeug.exceptions import HTTPException

from functions.cron_enforce_retention import enforceRetention
from functions.http_api import api
from functions.http_identity import (
    createAccount,
    createApiKey,
    deleteApiKey,
    getApiKey,
    issueToken,
    listApiKeys,
)
from functions.http_keys import rotateKeys
from functions.http_projects import (
    createProject,
    deleteProject,
    deleteResourceInstance,
    getProject,
    getProjectEgressIps,
    getProjectStatusDetails,
    getResourceInstance,
    listProjects,
    listReclamations,
    listResourceInstances,
    reclaimProject,
    restoreProject,
)
from functions.http_resources import FUNCTIONS
from functions.http_secrets import deleteSecret, getSecret, listSecrets, putSecret
from functions.on_project_written import onProjectWritten
from shared.failures import keep_texts
from shared.rest import page

__all__ = [
    "api",
    "createAccount",
    "createApiKey",
    "createProject",
    "deleteApiKey",
    "deleteProject",
    "deleteResourceInstance",
    "deleteSecret",
    "enforceRetention",
    "getApiKey",
    "getProject",
    "getProjectEgressIps",
    "getProjectStatusDetails",
    "getResourceInstance",
    "getSecret",
    "issueToken",
    "listApiKeys",
    "listProjects",
    "listReclamations",
    "listResourceInstances",
    "listSecrets",
    "onProjectWritten",
    "putSecret",
    "reclaimProject",
    "restoreProject",
    "rotateKeys",
]

keep_texts()
functions_framework.errorhandler(HTTPException)(page)  # of this app: what no function answers
globals().update(FUNCTIONS)  # those of the other kinds: putJob, getJob, ...
__all__ += FUNCTIONS  # noqa: PLE0605 - their names
