"""A project's key: made of two halves, opened, destroyed.

No key leaves this room but to `resources`, which seals and opens with it, and no error of it says
more than that a value cannot be opened. It must not import `cloud`: Google's libraries are slow
to load, and no part of a local start. What names the cloud's keys imports `shared.keys.cloud`.
"""

from shared.keys import check_value
from shared.keys.backends import Evidence, KeyStore, Wrapper, newest
from shared.keys.envelope import Undecryptable, binding, is_former, open_sealed, seal
from shared.keys.keyring import Keyring, commitment
from shared.keys.local import open_keyring as open_local
from shared.keys.state import LIFECYCLE, RECORD, State
