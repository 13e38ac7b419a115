"""What no tenant asks for: the event's step, the schedule, the operator's rotation, migration.

The purge of a project, in this order, each step idempotent, each found again by what the store
holds and by nothing that is sent:

1. Mark: the project is `hard_deleting`, because its time has come or its owner asked for it. From
   here on nothing can be written in it, and nothing takes it back.
2. Shred: the second half of its key is destroyed in the key store, and read back as gone.
3. Sweep: its documents, a bounded batch an event.
4. Tombstone: when nothing is left, one commit ends the project and frees its slot and name.

The schedule marks what is due and wakes what stands still, so a lost event strands nothing. Only
this room destroys keys. It opens none but to seal anew what the operator vouches for, and shows no
value.
"""

from shared.upkeep import migration
from shared.upkeep.purge import advance
from shared.upkeep.rotation import rotate
from shared.upkeep.schedule import enforce, wake
