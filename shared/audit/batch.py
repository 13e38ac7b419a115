"""One batch of the sequencer: which entries may be sealed, and all that their commit holds."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from shared import evidence
from shared.app import App
from shared.audit import stored
from shared.audit.stored import STATE, Chain, Head
from shared.log import SALT, Place, Refused, Tile, chained, entry, leaf, tiles
from shared.store import Document, Read, Write


def sound(app: App, document: Document) -> bool:
    """Tell whether this code wrote an entry, under this id, for this account.

    Raises Error `unavailable` where the state key is out of reach.
    """
    said, fields = evidence.said(app, document), document.contents
    if said is None or len(fields["salt"]) != SALT or not isinstance(fields.get("at"), datetime):
        return False
    here = fields.get("account_id"), evidence.moment(fields["at"])
    return here == (said["account_id"], said["at"])


def edge(head: Head) -> dict[Tile, str]:
    """Give the tiles that go on with the next entry, and where they are."""
    found = stored.edge(head.tree.size)
    beside = [one._replace(level=tiles.BUNDLE) for one in found if one.level == 0]
    return {tile: stored.tile_path(head.epoch, tile) for tile in (*found, *beside)}


def writes(head: Head, entries: Iterable[Document], read: Read) -> list[Write]:
    """Give the writes that put entries at the end of the log; `read` has what they go on from.

    Raises Refused where the tiles are not those of the head.
    """
    epoch, tree = head
    held = stored.held(read, epoch)
    if stored.frontier(tree.size, held) != tree:
        raise Refused("the tiles are not those of the log's state")
    chains: dict[str, Chain] = {}
    made: list[bytes] = []
    found: list[Write] = []
    for document in sorted(entries, key=_order):
        fields = document.contents
        path = stored.account(fields["account_id"])
        seq, prev = chains[path] if path in chains else Chain.of(read[path])
        one = entry(Place(fields["salt"], seq + 1, prev), fields["record"])
        place = {"n": tree.size + len(made), "seq": seq + 1, "prev": prev}
        sealed = {"epoch": epoch, **place, "entry": one}
        found.append(Write.update(document, sealed, without=("pending",)))
        chains[path] = Chain(seq + 1, chained(prev, one))
        made.append(one)
    leaves = [leaf(one) for one in made]
    grown = tiles.grown(tree.size, leaves, held) | stored.bundles(tree.size, made, held)
    for tile, data in grown.items():
        found.append(_kept(read, stored.tile_path(epoch, tile), {"bytes": data}))
    for path, chain in chains.items():
        found.append(_kept(read, path, chain._asdict()))
    return [*found, _kept(read, STATE, Head(epoch, tree.append(leaves)).fields)]


def _order(entry: Document) -> tuple[datetime, str]:
    return entry.contents["at"], entry.id


def _kept(read: Read, path: str, fields: Mapping[str, Any]) -> Write:
    """Write what was read, as it was; or what was not, for nothing was there yet."""
    if path in read.documents:
        return Write.replace(read[path], fields)
    return Write.create(path, fields)
