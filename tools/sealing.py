"""Measures a log: how fast it is sealed, how large it is, and what checking it takes.

`python -m tools.sealing --entries 100000`, against a Firestore emulator of its own. Sizes and
counts are exact and asserted; the seconds are those of the emulator and of this machine. The
emulator has no indexes and would look at every entry in search of those that wait, where Firestore
looks at these alone: so what is sealed is taken out of it.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared import audit
from shared.log import Frontier, Key, Place, Proof, entry, leaf, verified
from shared.store import NAME, Write
from tests.support import Host, stand_alone, wired
from tests.support.sealed import write

STEP = 2000  # entries that wait at once
PROOFS = 200


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long something took."""
    began = time.monotonic()
    yield
    print(f"{what:44}{time.monotonic() - began:9.2f} s", flush=True)


def sealed(app, count: int) -> tuple[float, list[dict]]:
    """Write entries and seal them, in turn; give the seconds that sealing took, and all of them."""
    spent, entries = 0.0, []
    while len(entries) < count:
        wanted, done = min(STEP, count - len(entries)), 0
        write(app, wanted)
        began = time.monotonic()
        while done < wanted:
            done += audit.seal(app)["sealed"]
        spent += time.monotonic() - began
        found = app.store.query("audit", order="n", limit=wanted)[1]
        entries += [one.contents for one in found]
        for start in range(0, wanted, 400):
            app.store.commit(map(Write.delete, found[start : start + 400]))
        print(f"{len(entries):>8} sealed in {spent:.0f} s", flush=True)
    return spent, entries


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000)
    count = parser.parse_args().entries
    stand_alone()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        host = Host(home / "ce", "--firestore-port", "0", "--hub-port", "0").start()
        try:
            (home / "own").mkdir()
            measured(wired(host.info["firestore"], home / "own"), count)
        finally:
            host.stop()


def measured(app, count: int) -> None:
    """Print what a log of so many entries costs."""
    spent, fields = sealed(app, count)
    print(f"{'sealed, in batches of 200':44}{spent:9.2f} s ({count / spent:.0f} entries/s)")
    with timed("tiles read anew"):
        tiles = app.store.query("log_tiles", order=NAME, limit=count)[1]
        found = app.store.read("log/state", "log/checkpoint")
    state, checkpoint = found["log/state"].contents, found["log/checkpoint"].contents
    with timed("entries and root computed anew"):
        made = [entry(Place(one["salt"], one["seq"], one["prev"]), one["record"]) for one in fields]
        assert made == [one["entry"] for one in fields]
        assert Frontier().append(map(leaf, made)).root == state["root"]
    assert (len(fields), checkpoint["size"]) == (count, count)
    of_hashes = sum(len(one.contents["bytes"]) for one in tiles if ".e." not in one.id)
    of_entries = sum(len(one.contents["bytes"]) for one in tiles if ".e." in one.id)
    assert of_entries == 34 * count
    print(
        f"{len(tiles)} documents of tiles: {of_hashes:,} B of hashes, {of_entries:,} B of entries"
    )
    key, step = Key.parse(checkpoint["keys"][0]), max(1, count // PROOFS)
    with timed(f"{len(fields[::step])} proofs made and verified"):
        proofs = [(one, audit.proof_of(app, one)) for one in fields[::step]]
        for one, data in proofs:
            verified(Proof.parse(data), one["entry"], key)
    largest = max(len(data) for _, data in proofs)
    hashes = max(len(Proof.parse(data).path) for _, data in proofs)
    assert largest < 2048
    assert hashes <= (count - 1).bit_length()
    print(f"a proof has at most {hashes} hashes and {largest} B")


if __name__ == "__main__":
    main()
