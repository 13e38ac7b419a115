"""The log's word: a checkpoint of what is committed, signed, and published where it is larger.

It is signed only where the tiles show that it goes on from the last one, which is verified by the
log's own key: so the log contradicts itself under no hand that has the database alone.
"""

from hashlib import sha256
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.app import App
from shared.audit import stored
from shared.audit.stored import CHECKPOINT, STATE, Head, Published
from shared.failures import tell
from shared.log import Checkpoint, Key, Refused, consistent, opened, tiles
from shared.settings import TEST_HOST
from shared.store import Conflict, Read, Write

NO_KEY = "the log has no key: what is sealed is not signed"


def publish(app: App, read: Read) -> int:
    """Sign the head that was read back, and publish it if it is larger; give 1 if so.

    Raises Refused where it does not go on from what was published, or that was not signed by the
    log's key, or is given out without it. The same bytes, whoever signs the same head: what died
    here is gone on with.
    """
    head, before = Head.of(read[STATE]), Published.of(read[CHECKPOINT])
    size = head.tree.size
    if size <= (before.size if before else 0):
        return 0
    try:
        private = app.keyring.log_key(first=before is None)
    except OSError as error:
        tell("ERROR", NO_KEY, why=type(error).__name__)
        return 0
    key = Key.of(origin(app, private, head.epoch), private)
    _require_growth(app, head, before, key)
    text = Checkpoint(key.name, size, head.tree.root).signed(private).decode()
    keys = before.keys if before else [str(key)]
    if str(key) not in keys:
        raise Refused("the log's own key is not among those that are given out")
    try:
        fields = Published(head.epoch, size, text, keys)._asdict()
        app.store.commit([Write.replace(read[CHECKPOINT], fields)])
    except Conflict:  # another run published; if less than this, the next one goes on
        return 0
    return 1


def origin(app: App, private: Ed25519PrivateKey, epoch: int) -> str:
    """Give the name of the log and of its key, which is where it is read, without the scheme.

    Beside an emulator it is that of a test, by its key: 16 hex digits of the public one's SHA-256.
    """
    host = urlsplit(app.settings.endpoint).netloc
    if app.settings.emulator:
        public = private.public_key().public_bytes_raw()
        host = f"{TEST_HOST}/{sha256(public).hexdigest()[:16]}"
    return f"{host}/v1/log/{epoch}"


def _require_growth(app: App, head: Head, before: Published | None, key: Key) -> None:
    """Raise Refused, unless the tiles show the head, and that what was signed is its beginning."""
    old = opened(before.text.encode(), key).checkpoint if before else None
    new = head.tree.size

    def shown(held: tiles.Read) -> tuple[bytes, list[bytes]]:
        path = tiles.consistency(old.size, new, held) if old else []
        return tiles.root(new, held), path

    paths = {stored.tile_path(head.epoch, tile) for tile in stored.needed(shown)}
    root, path = shown(stored.held(app.store.read(*sorted(paths)), head.epoch))
    if root != head.tree.root:
        raise Refused("the tiles are not those of the log's state")
    if old:
        consistent(old.size, new, old.root, root, path)
