"""Documents in Firestore: read, query, commit, one round trip each.

Knows no project and no secret: it keeps what it is given, and holds the preconditions. The only
room that imports Google's client; nothing in it decides, and nothing of it retries past the
request's deadline.
"""

from shared.store.events import Change, change_of
from shared.store.firestore import EVERYWHERE, NAME, Conflict, Store, Unanswered
from shared.store.tries import one_request
from shared.store.values import Filter
from shared.store.writes import Document, Read, Write
