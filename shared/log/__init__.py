"""The transparency log's formats: how anyone can check what was written, and that it stayed.

Pure: texts and hashes go in and come out. It must never read a store, a clock, chance or a
setting, and keeps no key: what signs is handed in. Each format has one form alone: what can be
written in another way, or exceeds a bound, is refused (`Refused`), so that nothing changes and
still means the same. The formats are public ones: RFC 6962 and 9162 (tree), C2SP tlog-tiles,
signed-note, tlog-checkpoint, tlog-cosignature and tlog-proof, RFC 8785 (canonical JSON).
"""

from shared.log import tiles
from shared.log.canonical import dump, load
from shared.log.checkpoints import Checkpoint, Opened, opened
from shared.log.entries import FIRST, SALT, Place, chained, entry
from shared.log.notes import ED25519, Key, Note, Signature, cosigned, parse_lines, sign
from shared.log.proofs import Proof, verified
from shared.log.texts import LARGEST, Refused
from shared.log.tiles import Tile
from shared.log.tree import EMPTY, HASH, Frontier, consistent, included, leaf, node, root
