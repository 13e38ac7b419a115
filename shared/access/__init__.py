"""Who calls, and what they may.

Verifies tokens and the platform's own callers, and keeps API keys. Decides nothing about what is
asked for but whether this caller may; and never tells apart what does not exist and what is
another's. Who reads a project reads the caller's own key beside it (`callers`).
"""

from shared.access import api_keys, signin
from shared.access.callers import own_key, owned, require_own
from shared.access.platform import Caller, admit
from shared.access.roles import OWNER, ROLES, Denied, require
from shared.access.signin import issue_token
from shared.access.tokens import CODE_GRANT, authenticate, key_id
