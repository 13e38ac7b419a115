"""Each guard of the sequencer, taken out once: the day that it is for then ends badly."""

from contextlib import ExitStack, suppress
from typing import NamedTuple

import pytest

from shared import audit, quotas
from shared.audit import batch, sequencer, signing
from shared.store import NAME, Write
from tests.faults.faulty import COMMIT, Rule, troubled
from tests.faults.mutants import Mutant, broken
from tests.support.sealed import START, Seen, whole, write


class Break(NamedTuple):
    """Guards that are taken out together, and the day that shows it."""

    day: str
    mutants: tuple[Mutant, ...]


PARTS = Mutant(
    "head_tiles_and_chains_have_no_precondition",
    batch._kept,
    "return Write.replace(read[path], fields)",
    "return Write(path, fields)",
)
ENTRIES = Mutant(
    "entries_have_no_precondition",
    batch.writes,
    'Write.update(document, sealed, without=("pending",))',
    'Write(document.path, sealed, (*sealed, "pending"))',
)
GROWTH = Mutant(
    "growth_is_not_asked_for", signing.publish, "_require_growth(app, head, before, key)", ""
)
EARLY = Mutant(
    "signed_before_it_is_committed",
    sequencer._sealed,
    "app.store.commit(_writes(app, Head.of(found.read[STATE]), sound))",
    """made = _writes(app, Head.of(found.read[STATE]), sound)
        read = {**found.read.documents, STATE: Document(STATE, made[-1].fields)}
        signing.publish(app, Read(found.read.time, read))
        app.store.commit(made)""",
)
BACK = Mutant(
    "nothing_is_read_back",
    sequencer.seal,
    "found = _waiting(app, after)  # after the commit",
    "found = found._replace(entries=_waiting(app, after).entries)  #",
)
LESS = Mutant(
    "less_is_published_too",
    signing.publish,
    "if size <= (before.size if before else 0):",
    "if not size:",
)
SIGNERS = Mutant(
    "the_checkpoint_has_no_precondition",
    signing.publish,
    "Write.replace(read[CHECKPOINT], fields)",
    "Write(CHECKPOINT, fields)",
)
STAYS = Mutant("it_waits_on", batch.writes, ', without=("pending",)', "")
ANYBODY = Mutant(
    "what_others_wrote_is_sealed", sequencer._sealed, "batch.sound(app, entry)", "True"
)
SHORT = Mutant(
    "a_shorter_log_is_gone_on_with",
    sequencer._waiting,
    "signed.size <= Head.of(found.read[STATE]).tree.size",
    "signed",
)
BREAKS = {
    "signed before it is committed": Break("killed", (EARLY, GROWTH)),
    "no precondition at all": Break("others", (PARTS, ENTRIES)),
    "no precondition of entries": Break("entries", (ENTRIES,)),
    "nothing is read back": Break("published", (BACK,)),
    "less is published": Break("idle", (LESS,)),
    "no precondition of the checkpoint": Break("signers", (SIGNERS,)),
    "growth is not asked for": Break("forked", (GROWTH,)),
    "what is sealed waits on": Break("idle", (STAYS,)),
    "what others wrote is sealed": Break("planted", (ANYBODY,)),
    "a shorter log is gone on with": Break("shorter", (SHORT,)),
}


def killed(app):
    """A run dies before one of its commits; what it signed must have been committed."""
    for number in (1, 2):
        write(app, 3)
        rule = Rule(COMMIT, "before", first=number, last=number, error="crash")
        with suppress(RuntimeError):
            audit.seal(troubled(app, rule)[0])
        whole(app)


def others(app):
    """Another run comes first, with entries that this one has not seen."""
    write(app, 3)
    audit.seal(app)
    write(app, 3)

    def other():
        # Those of this run are out of the way for as long as the other one goes.
        found = app.store.query("audit", ("pending", "==", True), order=NAME, limit=9)[1]
        app.store.commit(map(Write.delete, found))
        write(app, 2)
        audit.seal(app)
        app.store.commit([Write.create(one.path, one.contents) for one in found])

    once = Rule(COMMIT, "meanwhile", first=1, last=1, other=other)
    audit.seal(troubled(app, once)[0])
    audit.seal(app)
    whole(app)


def entries(app):
    """An entry is changed between its reading and the commit."""
    (id_,) = write(app, 1)

    def other():
        app.store.commit([Write(f"audit/{id_}", {"salt": bytes(16)}, ("salt",))])

    done = audit.seal(troubled(app, Rule(COMMIT, "meanwhile", first=1, last=1, other=other))[0])
    assert (done["sealed"], done["refused"]) == (0, 1)


def published(app):
    """What a run has sealed it has signed, too."""
    write(app, 3)
    audit.seal(app)
    write(app, 3)
    assert audit.seal(app)["published"] == 1
    assert whole(app).checkpoint.size == 6


def idle(app):
    """Where nothing waits, nothing is written."""
    write(app, 3)
    audit.seal(app)
    assert not any(audit.seal(app).values())


def signers(app):
    """Another run publishes more, between this one's reading and its signature."""
    seen = Seen(app)
    write(app, 3)

    def other():
        write(app, 3)
        audit.seal(app)
        seen.look()

    # The second commit publishes.
    audit.seal(troubled(app, Rule(COMMIT, "meanwhile", first=2, last=2, other=other))[0])
    seen.look()


def forked(app):
    """Who has the database makes another log of it, but for the checkpoint."""
    write(app, 5)
    audit.seal(app)
    signed = app.store.read("log/checkpoint")["log/checkpoint"].contents
    for collection in ("log", "log_tiles", "log_accounts", "audit"):
        found = app.store.query(collection, order=NAME, limit=99)[1]
        app.store.commit(map(Write.delete, found))
    write(app, 6)
    audit.seal(app)
    app.store.commit([Write("log/checkpoint", signed)])
    write(app, 1)
    audit.seal(app)
    assert app.store.read("log/checkpoint")["log/checkpoint"].contents == signed


def shorter(app):
    """Who has the database puts an older log back, but for the checkpoint."""
    write(app, 2)
    audit.seal(app)
    paths = [one.path for one in app.store.below("", 99) if one.path.startswith("log")]
    old = app.store.read(*paths).documents
    write(app, 2)
    audit.seal(app)
    signed = app.store.read("log/checkpoint")["log/checkpoint"].contents
    kept = [Write(path, one.contents) for path, one in old.items() if path != "log/checkpoint"]
    app.store.commit(kept)
    (id_,) = write(app, 1)
    audit.seal(app)
    stored = app.store.read("log/checkpoint", f"audit/{id_}")
    assert stored["log/checkpoint"].contents == signed
    assert stored[f"audit/{id_}"].contents.get("pending") is True


def planted(app):
    """An entry without a MAC waits for nothing."""
    app.store.commit([Write.create("audit/x", {"pending": True, "at": START, "account_id": "a"})])
    with suppress(KeyError):
        audit.seal(app)
    assert app.store.read("audit/x")["audit/x"].contents["pending"] == "refused"


DAYS = {
    day.__name__: day
    for day in (killed, others, entries, published, idle, signers, forked, shorter, planted)
}


@pytest.mark.parametrize("day", DAYS.values(), ids=DAYS)
def test_what_guards_hold(app, day):
    """With every guard in place each of these days ends well."""
    day(app)


@pytest.mark.claim("I18", "each guard of the sequencer is needed: without it the log can lie")
@pytest.mark.parametrize("name", BREAKS)
def test_each_guard_is_needed(app, monkeypatch, name):
    """With one guard taken out, the day that it is for ends badly."""
    monkeypatch.setattr(quotas, "SEAL_TIME", 1.0)  # where it would go on for ever
    with ExitStack() as last:
        for mutant in BREAKS[name].mutants:
            last.enter_context(broken(mutant))
        with pytest.raises(AssertionError):
            DAYS[BREAKS[name].day](app)
