"""The deploy seam: one name a deployed function (FUNCTION_TARGET), as functions.yaml lists them."""

import functions_framework
from werkzeug.exceptions import HTTPException

from functions.binding import FUNCTIONS
from functions.cron_enforce_retention import enforceRetention
from functions.cron_seal_audit import sealAudit
from functions.http_api import api, identity
from functions.on_project_written import onProjectWritten
from shared.failures import keep_texts
from shared.wire import page

__all__ = ["api", "enforceRetention", "identity", "onProjectWritten", "sealAudit"]

keep_texts()
functions_framework.errorhandler(HTTPException)(page)  # of this app: what no function answers
globals().update(FUNCTIONS)  # createProject, putSecret, ...
__all__ += FUNCTIONS  # noqa: PLE0605 - their names
