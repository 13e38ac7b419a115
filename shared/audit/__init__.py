"""The trail as it is sealed and read: a log that anyone can check, and proofs from it.

What `evidence` wrote in the commits of changes is put into one order here, once a minute, beside
all requests: an entry gets its number in the log, its number and chain within its account, and its
place in tiles that only grow. Then what is committed is signed, and nothing else ever is.

An account reads its own entries, certificates and proofs of them, and nothing of another's; of a
certificate's project it can forget the name, which no record holds.

It must never change a record, seal what this code did not write, or sign what was not read back of
the store. No change and no purge waits for it. Only `seal` asks for the log key.
"""

from shared.audit import certificates, listing
from shared.audit.proofs import proof_of
from shared.audit.reading import checkpoint, keys, tile
from shared.audit.sequencer import seal
