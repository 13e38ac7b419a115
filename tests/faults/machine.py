"""The lifecycle as a Hypothesis machine: real functions, drawn steps, every invariant after each.

A driver (`drivers`) does the steps, a ledger (`ledger`) knows what they must come to. The clock is
a step, biased to the deadline of a project and a second, or a moment, around it; so are held,
repeated, reordered and lost events, requests at once, refusals, faults, and a restart.
"""

import sys
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from tests.faults.agreement import agree
from tests.faults.drawn import (
    bad,
    collections,
    content,
    moments,
    names,
    numbers,
    slow,
    tags,
    there,
    things,
    which,
)
from tests.faults.drivers import Reply, days
from tests.faults.ledger import (
    ACTIVE,
    CANARY,
    FAILED,
    GONE,
    HARD,
    MOVES,
    REGISTERED,
    SOFT,
    Act,
    Ledger,
    leaks,
)
from tests.support.entries import said

REGION = "us-south"
SCHEDULE = {"expire", "fail", "retry"}
DENIALS = 10  # that have an entry in any case
ROUNDS = 12  # of the schedule, an hour and more apart: what is due must have ended by then
COUNTED = Counter()  # examples and steps, to be told
SLOW = 0.25  # seconds: long enough for another request, on a busy machine too
OPERATIONS = ("commit", "batch_get_documents", "run_query", "put", "get", "destroy", "confirm")


class Machine(RuleBasedStateMachine):
    """All rules; a subclass says how to get a driver."""

    projects = Bundle("projects")

    def open(self):
        """Give a driver over an empty store."""
        raise NotImplementedError

    @initialize()
    def begin(self):
        """Two accounts, and nothing else."""
        self.driver = self.open()
        self.me, self.other = self.driver.account(), self.driver.account()
        self.restarts, self.labels, self.denied = 0, {}, 0
        listed = self.driver.send(self.me, "GET", "/v2/projects")
        assert listed.body(200)["projects"] == []
        keys = self.driver.send(self.me, "GET", "/v1/apikeys").body(200)["apikeys"]
        account = keys[0]["account_id"]
        self.weak = self.driver.account("purge", account_id=account)
        self.ledger = Ledger(account, self.driver.snapshot())
        COUNTED["examples"] += 1

    # What is asked.

    def ask(self, *acts):
        """Make requests at once, and hold answers and store against the ledger."""
        with ThreadPoolExecutor(len(acts)) as pool:
            sent = [pool.submit(self.driver.send, self.me, *act.request) for act in acts]
        replies = [one.result() for one in sent]
        met = self.driver.disarm()
        before = self.ledger.seen
        now = self.driver.snapshot()
        pairs = [*zip(acts, replies, strict=True)]
        verdicts = self.ledger.absorb(now, pairs, set())
        agree(self.ledger, now, REGION)
        for (act, reply), possible in zip(pairs, verdicts, strict=True):
            self.judge(act, reply, possible, done=reply.trace in now.of("audit"), met=met)
        told = {f"audit/{reply.trace}" for act, reply in pairs if act.reads}
        if all(act.reads or reply.trace not in now.of("audit") for act, reply in pairs):
            left = {path: fields for path, fields in now.documents.items() if path not in told}
            assert left == before.documents, "I22: a refusal, or a reading, has an effect"
            new = now.halves.keys() - before.halves.keys()
            orphan = met and any(act.verb == "create" for act in acts)  # the schedule's to destroy
            assert now.halves.keys() >= before.halves.keys()
            assert not new or orphan, "I22: a refusal makes a key"
        return replies

    def at_once(self, slow, *acts, about=""):
        """Make requests at once; the first to commit may be slow, so that another overtakes it."""
        if slow:
            self.driver.arm(on="commit", do="delay", last=1, seconds=SLOW, about=about)
        self.ask(*acts)

    def judge(self, act, reply: Reply, possible, *, done, met):
        """An answer says what happened; and a refusal was due at a time it can be of."""
        COUNTED["requests"] += 1
        assert reply.status < 500 or (met and reply.busy), f"{act.verb}: {reply}"
        if not act.told:
            assert not done, "I15: what is not to be told is"
            done = reply.status < 400
        if reply.busy:
            return
        assert done == (reply.status < 400), f"I15: {act.verb} is done: {done}, {reply}"
        assert reply.code in possible, f"{act.verb}: {reply}, due is {possible}"
        shown = set(CANARY.findall(reply.text.encode()))
        own = set(CANARY.findall(str(act.body).encode()))
        allowed = self.ledger.values_of(act.project)
        assert shown <= allowed | own, "I9: an answer shows a secret that it must not"
        if act.verb == "get" and done:
            self.compare(act, reply)

    def compare(self, act, reply):
        """What is read is what was written, to the byte, under the same id and entity tag."""
        thing = self.ledger.projects[act.project].things[act.collection, act.name]
        body = reply.body(200)
        kept = {name: body[name] for name in thing.sent}
        assert (kept, reply.tag) == (thing.sent, thing.tag), "I8: what is read is not what is kept"
        before = thing.shown or body
        differ = {name for name in body | before if before.get(name) != body.get(name)}
        assert not differ, f"I8: {differ} of an answer are not what they were"
        thing.shown = body

    @rule(target=projects, name=names)
    def create(self, name):
        """A project, of a name that may be taken."""
        self.ask(Act("create", name=name))
        label = self.label(name)
        self.ask(Act("post", self.home(label), "secrets", "s", content("secrets")))
        return label

    @rule(target=projects, name=names, other=names, slow=slow)
    def create_two(self, name, other, slow):
        """Two at once: perhaps of one name, perhaps for the last slot."""
        self.at_once(slow, Act("create", name=name), Act("create", name=other))
        return multiple(self.label(name), self.label(other))

    def label(self, name):
        """Give a word for the project of a name, or for another that holds its slot.

        Every create gives one: what is drawn later must not depend on who came first in a race.
        """
        held = {project: of for project, of in self.ledger.held().items() if of == name}
        found = [*(held or self.ledger.held()), str(uuid.uuid4())][0]
        label = f"p{len(self.labels)}"
        self.labels[label] = found
        return label

    def home(self, label):
        """Give the id of a labelled project; half of the labels leave one that is gone."""
        found, held = self.labels[label], self.ledger.held()
        if found not in held and held and len(self.labels) % 2:
            self.labels[label] = found = [*held][-1]
        return found

    @rule(
        project=projects,
        verb=st.sampled_from(["post", "put", "put", "get", "remove"]),
        collection=collections,
        name=things,
        tag=tags,
        there=there,
    )
    def touch(self, project, verb, collection, name, tag, there):
        """A request for a resource; of reads two, for the second finds the key in memory."""
        home = self.active(project) if there else self.home(project)
        if there and home in self.ledger.projects:
            things = self.ledger.projects[home].things
            collection, name = next(iter(things), (collection, name))
        act = self.act(verb, home, collection, name, tag)
        self.ask(act)
        if verb == "get":
            self.ask(act)

    def act(self, verb, home, collection="secrets", name="s", tag="current"):
        """Give a request for a resource, at the entity tag that it has."""
        if tag == "current":
            found = self.ledger.projects.get(home)
            thing = found and found.things.get((collection, name))
            tag = thing.tag if thing else "none"
        return Act(verb, home, collection, name, content(collection), tag)

    @rule(
        project=projects,
        verb=st.sampled_from(["delete", "delete", "restore", "reclaim"]),
        which=which,
    )
    def move(self, project, verb, which="last"):
        """Delete, restore, reclaim; after a restore all is read again."""
        self.ask(self.moving(verb, self.home(project), which))
        if verb == "restore":
            self.read_all(self.home(project))

    @rule(project=projects)
    def destroy(self, project):
        """Delete and reclaim, one after the other."""
        home = self.living(project)
        self.ask(Act("delete", home))
        self.ask(self.moving("reclaim", home))

    def moving(self, verb, home, which="last"):
        """Give a request for a move, by the reclamation of the last deletion or by another.

        By a former one, or by the project's own id, where there is none such.
        """
        found = self.ledger.projects.get(home)
        known = {"project": [home], "former": found.former if found else []}
        last = [found.reclamation] if found and found.reclamation else []
        reclamation = [*known.get(which, []), *last, home][0]
        return Act(verb, home, reclamation=reclamation if verb != "delete" else "")

    def living(self, label):
        """Give the id of a labelled project that can still be had back, or of another."""
        home, living = self.home(label), [p.id for p in self.of(ACTIVE, SOFT)]
        return home if home in living or not living else living[0]

    def active(self, label):
        """Give the id of an active project, of a label if it is; of any if there is none."""
        home, active = self.home(label), [p.id for p in self.of(ACTIVE)]
        return home if home in active or not active else active[-1]

    def read_all(self, project):
        """Read all that a project holds."""
        found = self.ledger.projects.get(project)
        for collection, name in [*found.things] if found else ():
            self.ask(Act("get", project, collection, name))

    @rule(
        project=projects,
        verbs=st.lists(st.sampled_from([*MOVES]), min_size=2, max_size=3),
        which=which,
        slow=slow,
    )
    def race(self, project, verbs, which, slow):
        """Moves of one project at once."""
        home = self.living(project)
        self.at_once(slow, *(self.moving(verb, home, which) for verb in verbs))

    @rule(
        project=projects,
        collection=collections,
        writes=st.lists(st.sampled_from(["post", "put", "remove"]), min_size=1, max_size=2),
        verb=st.sampled_from(["", *MOVES]),
        slow=slow,
    )
    def race_with_a_write(self, project, collection, writes, verb, slow):
        """A move and writes of one resource at once, or writes alone."""
        home = self.active(project)
        acts = [self.act(write, home, collection) for write in writes]
        moves = [self.moving(verb, home)] if verb else []
        self.at_once(slow, *acts, *moves, about=f"/{collection}/")

    @rule(project=projects, asked=bad)
    def refuse(self, project, asked):
        """A bad request has no effect."""
        method, path, body, headers = asked
        reply = self.driver.send(self.me, method, path.format(self.home(project)), body, headers)
        assert 400 <= reply.status < 500, f"a bad request: {reply}"
        self.unmoved()

    @rule(
        project=projects,
        verb=st.sampled_from(["create", "delete", "restore", "post", "put", "get", "remove"]),
        collection=collections,
    )
    def deny(self, project, verb, collection):
        """Who may destroy and no more is denied all else: an entry, and no other effect."""
        home, before = self.home(project), self.ledger.seen
        moved = self.moving(verb, home)._replace(name="a")
        act = moved if verb in (*MOVES, "create") else self.act(verb, home, collection, tag="*")
        reply = self.driver.send(self.weak, *act.request)
        met, now = self.driver.disarm(), self.driver.snapshot()
        assert (reply.status, reply.code) == (403, "forbidden"), f"a {verb} by nobody: {reply}"
        path = f"audit/{reply.trace}"
        self.denied += 1
        told = path in now.documents
        assert told or met or self.denied > DENIALS, "I15: a denied attempt has no entry"
        left = {name: fields for name, fields in now.documents.items() if name != path}
        assert left == before.documents, "I22: what is denied has an effect"
        assert now.halves == before.halves, "I22: what is denied makes a key"
        self.ledger.absorb(now, [], set(), frozenset({reply.trace}))

    def unmoved(self):
        """Nothing at all is other than it was."""
        now = self.driver.snapshot()
        assert now == self.ledger.seen, "I22: a refusal has an effect"

    @rule(project=projects, collection=collections, name=things)
    def stranger(self, project, collection, name):
        """Another account is told the same of a project as of none, and changes nothing."""
        nobody = str(uuid.uuid4())
        home, verbs = self.home(project), ("post", "put", "get", "remove")
        acts = [self.moving(verb, home) for verb in MOVES]
        acts += [Act(verb, home, collection, name, content(collection)) for verb in verbs]
        for act in acts:
            missing = act._replace(project=nobody, reclamation=nobody)
            mine, none = self.told_alike(act.request, missing.request)
            assert mine.status == none.status == 404, f"I21: a stranger is {mine}; {none}"
            errors = [reply.body(404)["errors"] for reply in (mine, none)]
            assert errors[0] == errors[1], "I21: a stranger is told more"
        (listed,) = self.told_alike(("GET", "/v2/projects"))
        assert listed.body(200)["projects"] == [], "I21: a stranger is shown projects"
        self.unmoved()

    def told_alike(self, *requests):
        """Send another account's requests; give their answers.

        While a fault is in force all of them may be told to try again, but not some: that would
        show which project there is. They do so when it has passed.
        """
        replies = [self.driver.send(self.other, *request) for request in requests]
        if all(reply.busy for reply in replies):
            assert self.driver.disarm(), f"nothing had failed, and a stranger is {replies[0]}"
            replies = [self.driver.send(self.other, *request) for request in requests]
        return replies

    # What happens.

    @rule(span=st.sampled_from([0, 1 / 1440, 1 / 96, 1 / 24, 1, 1.5, 6.99, 7, 10]))
    def advance(self, span):
        """Time goes on."""
        self.driver.aim(self.driver.now() + days(span))

    @rule(project=projects, seconds=moments)
    def restore_at_the_deadline(self, project, seconds):
        """A restore a moment before, at, or after the last at which it can be had."""
        self.wait_for(project, seconds)
        self.move(project, "restore")

    @rule(project=projects, seconds=moments)
    def expire_at_the_deadline(self, project, seconds):
        """The schedule runs then; a restore that comes after it is late, or is not."""
        self.wait_for(project, seconds)
        self.schedule(1)
        self.move(project, "restore")

    def wait_for(self, project, seconds):
        """Let time go on to a deadline, or a moment around it."""
        home = self.labels[project] = self.living(project)
        self.ask(Act("delete", home))
        found = self.ledger.projects.get(home)
        if found is not None and found.purge_at is not None:
            self.driver.aim(found.purge_at + timedelta(seconds=seconds))

    @rule(times=st.sampled_from([1, 1, 2]))
    def schedule(self, times):
        """The schedule runs; all that was due before it has been done, by it or its twin."""
        since, due = self.driver.now(), self.ledger.due(self.driver.now())
        whole = self.driver.enforce(times)
        met = self.driver.disarm()
        assert whole or met, "the schedule failed, and nothing else had"
        before = {p.id: p.status for p in self.ledger.projects.values()}
        self.happened(SCHEDULE)
        for project, verb in due.items():
            moved = self.ledger.projects[project].status != before[project]
            assert moved or met, f"L2: {verb} was due at {since}, and was not done"

    def happened(self, allowed):
        """Something may have happened without a request."""
        self.ledger.absorb(self.driver.snapshot(), [], allowed)
        agree(self.ledger, self.ledger.seen, REGION)

    @rule(chosen=numbers, copies=st.sampled_from([1, 1, 2]))
    def deliver(self, chosen, copies):
        """Some events come, in any order, perhaps twice and at once."""
        self.driver.deliver(chosen, copies)
        self.driver.disarm()
        self.happened({"erase"})

    @rule(last=st.sampled_from([0, 1, 5]))
    def repeat_or_drop(self, last):
        """Events come again, or those that wait are lost."""
        if last:
            self.driver.repeat(last)
        else:
            self.driver.drop()

    @rule(
        on=st.sampled_from(OPERATIONS),
        how=st.sampled_from(["before", "after", "twice"]),
        last=st.sampled_from([1, 2, 10**9]),
        error=st.sampled_from(["DeadlineExceeded", "ServiceUnavailable", "Aborted"]),
    )
    def fail_next(self, on, how, last, error):
        """What comes next fails: unsent, or applied with its answer lost; once, twice, always."""
        if on in ("put", "get", "destroy", "confirm"):
            how, error = "after" if how == "twice" else how, "down"
        elif error == "Aborted" and on != "commit":
            error = "ServiceUnavailable"
        self.driver.arm(on=on, do=how, last=last, error=error)

    @rule(
        project=projects,
        verb=st.sampled_from([*MOVES, "post", "put", "remove"]),
        error=st.sampled_from(["DeadlineExceeded", "ServiceUnavailable"]),
    )
    def lose_an_answer(self, project, verb, error):
        """A change is applied and its answer lost: what comes of it is answered all the same."""
        home = self.active(project)
        act = self.moving(verb, home) if verb in MOVES else self.act(verb, home)
        self.driver.arm(on="commit", do="after", last=1, error=error)
        self.ask(act)

    @precondition(lambda self: self.restarts < 1)
    @rule()
    def restart(self):
        """The process is killed, and another starts: it writes what is its own, and no more."""
        self.driver.disarm()
        self.restarts += 1
        before = self.ledger.seen
        self.driver.restart()
        self.happened({REGISTERED})
        now = self.ledger.seen
        assert now.halves == before.halves, "a restart changes the key store"
        paths = before.documents.keys() | now.documents.keys()
        both = {path: (before.documents.get(path), now.documents.get(path)) for path in paths}
        changed = {path: pair for path, pair in both.items() if pair[0] != pair[1]}
        told = [path for path in changed if path.startswith("audit/")]
        keys = [f"api_keys/{said(changed.pop(path)[1])['granted']['id']}" for path in told]
        assert len(keys) <= 1, "I15: a restart registers its key once"
        assert set(keys) <= self.driver.own, "a restart registers what is not its own"
        assert changed.keys() <= self.driver.own, "a restart changes what is not its own"
        for old, new in changed.values():  # the store was reset: `old` may be none
            differ = {name for name in new if old and old.get(name) != new[name]}
            again = {"created_at", "signature"}, {"changed", "keys"}  # the key; what counts keys
            assert any(differ <= names for names in again), "a restart changes what is kept"

    def of(self, *statuses):
        """Give the projects in some status."""
        return [p for p in self.ledger.projects.values() if p.status in statuses]

    @invariant()
    def agrees(self):
        """The store is what the ledger says, also after a step that is not to change it."""
        COUNTED["steps"] += 1
        agree(self.ledger, self.driver.snapshot(), REGION)

    def teardown(self):
        """Time goes on, the schedule runs, events come: all that was deleted is gone for good."""
        try:
            if sys.exc_info()[0] is None:  # else a step failed, and what follows would only hide it
                self.end()
        finally:
            self.driver.close()

    def end(self):
        """Let everything come to its end, and look at what is left."""
        self.driver.disarm()
        begun = [project.id for project in self.of(HARD)]
        for _ in range(3):  # what was lost is noticed within a quarter of an hour
            self.driver.aim(self.driver.now() + days(1 / 90))
            self.schedule(1)
            self.driver.flush()
            self.happened({"erase"})
        stuck = [project.id for project in self.of(HARD) if project.id in begun]
        assert not stuck, "L1: a purge that has begun stands still"
        self.driver.aim(self.driver.now() + days(8))
        for _ in range(ROUNDS):
            self.schedule(1)
            self.driver.flush()
            self.happened({"erase"})
            if not self.of(SOFT, HARD, FAILED):
                break
            self.driver.aim(self.driver.now() + days(1 / 20))
        assert not self.of(SOFT, HARD, FAILED), "L1/L2: a deletion never ends"
        self.schedule(1)
        kept = self.of(ACTIVE)
        for project in kept:
            self.read_all(project.id)
        left = set(self.ledger.seen.halves)
        assert left == {project.id for project in kept}, "I23: a key half is left over"
        values = {value for found in self.ledger.values.values() for value in found}
        assert not leaks(self.ledger.seen, values), "I9: a secret is stored in clear"
        COUNTED["erased"] += len(self.of(GONE))
