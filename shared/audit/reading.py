"""The log as anybody reads it: static bytes, as C2SP tlog-tiles has them; one BatchGet each.

Tiles tell how many entries there are, and nothing else. What the published checkpoint does not
cover does not exist yet, and a path has one form alone.
"""

import re

from shared.access import own_key, require_own
from shared.app import App
from shared.audit import stored
from shared.audit.stored import CHECKPOINT, Published
from shared.calls import ANYBODY, Answer, Call, Raw
from shared.errors import missing
from shared.log import Refused, Tile, tiles
from shared.store import Read

TEXT, BYTES = "text/plain; charset=utf-8", "application/octet-stream"
FRESH, LASTING = "max-age=5", "public, max-age=31536000, immutable"
EPOCH = re.compile(r"[1-9][0-9]{0,8}")


def checkpoint(app: App, call: Call) -> Answer:
    """Give the newest checkpoint that was signed.

    Raises Error `resource_not_found`, and `unavailable` where what is stored of it is none.
    """
    return _static(app, _read(app, call)[1].text.encode(), TEXT, FRESH)


def keys(app: App, call: Call) -> Answer:
    """Give the keys that the log's checkpoints are verified with, a vkey a line; as above."""
    lines = "".join(f"{key}\n" for key in _read(app, call)[1].keys)
    return _static(app, lines.encode(), TEXT, FRESH)


def tile(app: App, call: Call) -> Answer:
    """Give a tile or a bundle, as wide as it is asked for; as above.

    Also one that has grown since: whoever has an older checkpoint goes on.
    """
    try:
        wanted = Tile.parse(f"tile/{call.parameters['tile']}")
    except Refused:
        raise missing() from None
    read, found = _read(app, call, wanted)
    if wanted.width > tiles.width(wanted.level, wanted.number, found.size):
        raise missing()
    try:
        data = stored.part(read[stored.tile_path(found.epoch, wanted)], wanted)
    except Refused as damage:
        raise stored.unreadable(damage) from None
    return _static(app, data, BYTES, LASTING)


def _read(app: App, call: Call, *wanted: Tile) -> tuple[Read, Published]:
    """Read the checkpoint and a tile; who must show a token has a key that is read beside them."""
    epoch, who = call.parameters["epoch"], call.principal
    if not EPOCH.fullmatch(epoch):
        raise missing()
    paths = [stored.tile_path(int(epoch), one) for one in wanted]
    own = [] if who is ANYBODY else [own_key(who)]
    read = app.store.read(CHECKPOINT, *paths, *own)
    if own:
        require_own(app, who, read)
    found = stored.published(read[CHECKPOINT])
    if found is None or str(found.epoch) != epoch:
        raise missing()
    return read, found


def _static(app: App, data: bytes, kind: str, kept: str) -> Answer:
    """Answer with bytes; where they are not for everybody, for no cache that others share."""
    private = kept.replace("public", "private") if "public" in kept else f"private, {kept}"
    return Answer(raw=Raw(data, kind, kept if app.settings.log_public else private))
