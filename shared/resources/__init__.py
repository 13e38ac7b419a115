"""The five verbs for any kind, and what a write takes along.

A write in a project, in the order of its checks:

1. Everything it decides on is read in one round trip; only the parts of a large value, and the
   secrets of a service's bindings, take another.
2. The project is the caller's, or does not exist; and it is active.
3. The resource is there, or is not, as the verb needs it; `If-Match` holds.
4. The body is whole: of a template or a former body, what was sent, and defaults.
5. The kind's own rules hold; the name is free and the kind's quota has room.
6. Values are sealed under the project's key, bound to their place.
7. One commit holds all: the resource, its parts, its history, the usage, what goes along, the
   project as it was read, the audit entry. So nothing appears after a purge has begun.

Nothing here moves a project, and no value leaves but in the answer to its owner; a reading of
secrets has its audit entry first (`readers`).
"""

from shared.resources import keyed, metadata, revisions
from shared.resources.change import first_rule, new_marks
from shared.resources.held import counts, each, usage_paths
from shared.resources.place import data_key_path
from shared.resources.verbs import create, delete, get, listing, update
from shared.resources.weight import fitting
