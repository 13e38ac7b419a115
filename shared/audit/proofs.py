"""A proof that can be handed on: an entry's path, from stored tiles, to the signed checkpoint."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from shared.app import App
from shared.audit import stored
from shared.audit.stored import CHECKPOINT
from shared.errors import Error
from shared.log import Place, Proof, Refused, tiles

SOON = "60"  # seconds: the log is sealed once a minute


def proof_of(app: App, fields: Mapping[str, Any]) -> bytes:
    """Give the proof (C2SP tlog-proof) of a stored entry, by its fields.

    Raises Error `not_sealed` where it waits, or no checkpoint covers it yet, `unavailable` where
    the log's documents are none. Two round trips.
    """
    index = fields.get("n")
    if index is None:
        raise _not_sealed()
    found = stored.published(app.store.read(CHECKPOINT)[CHECKPOINT])
    if found is None or found.epoch != fields["epoch"] or index >= found.size:
        raise _not_sealed()
    path = partial(tiles.inclusion, index, found.size)
    wanted = [stored.tile_path(found.epoch, tile) for tile in stored.needed(path)]
    try:
        hashes = path(stored.held(app.store.read(*wanted), found.epoch)) if wanted else []
    except Refused as damage:
        raise stored.unreadable(damage) from None
    place = Place(fields["salt"], fields["seq"], fields["prev"])
    return Proof(index, tuple(hashes), found.text.encode(), place.pack()).write()


def _not_sealed() -> Error:
    message = "The entry is not in the log yet: try again in a minute."
    return Error("not_sealed", message, headers={"Retry-After": SOON})
