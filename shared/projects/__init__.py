"""A project until it is destroyed, and the views IBM has of it.

Every move is `lifecycle.move`, committed only if nothing moved the project meanwhile. Nothing
here opens a key or destroys anything: that is `upkeep`.
"""

from shared.projects import account, instances, reclamations
from shared.projects.projects import create, crn, delete, get, listing, move
from shared.projects.slots import release
