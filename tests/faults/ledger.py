"""What must be true of an account's projects after each step: a model in dictionaries.

It says the rules once more and takes none from the code. A change happened, and a secret was told,
if and only if its audit entry is there; each new entry is held against the rules at the time it
tells, then done to the model; then the model and the store must agree to the last document. Who was
denied something has an entry that says so, and nothing is done.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tests.faults.drivers import CAP, Reply, Snapshot
from tests.support import dump, traces_of
from tests.support.entries import said

WEEK = timedelta(days=7)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ACTIVE, SOFT, HARD = "active", "soft_deleted", "hard_deleting"
FAILED, GONE = "hard_deletion_failed", "hard_deleted"
REGISTERED = "codeengine.account.create"  # of the key of a host that starts
CANARY = re.compile(rb"canary-[0-9a-f]{32}")
# Who asks for what in which status gets it; and the refusal of everybody else.
MOVES = {
    "delete": ({ACTIVE}, SOFT, "project_not_active"),
    "restore": ({SOFT}, ACTIVE, "project_not_restorable"),
    "reclaim": ({SOFT, FAILED}, HARD, "project_not_deletable"),
}
BY_ITSELF = {  # what happens without a caller: from which status, to which
    "expire": (SOFT, HARD),
    "fail": (HARD, FAILED),
    "retry": (FAILED, HARD),
    "erase": (HARD, GONE),
}
KINDS = {"secrets": "secret", "config_maps": "configmap", "jobs": "job"}  # and as entries have them
TOLD = {"secrets"}  # whose readings have an entry


class Act(NamedTuple):
    """One request: what is asked, of which project, on which resource of it.

    A restore or a reclaim is asked of a reclamation: of the project's last deletion, or not.
    """

    verb: str  # of MOVES, or `create`; of resources: post, put, get, remove
    project: str = ""
    collection: str = ""
    name: str = ""
    body: Any = None
    tag: str = "*"
    reclamation: str = ""

    @property
    def request(self) -> tuple[str, str, Any, dict[str, str]]:
        """Give the method, the path, the body and the headers."""
        home = f"/v2/projects/{self.project}"
        things, ended = f"{home}/{self.collection}", f"/v1/reclamations/{self.reclamation}"
        thing, headers = f"{things}/{self.name}", {"If-Match": self.tag}
        merge = {**headers, "Content-Type": "application/merge-patch+json"}
        update = ("PATCH", merge) if self.collection == "jobs" else ("PUT", headers)
        named = {**(self.body or {}), "name": self.name}
        return {
            "create": ("POST", "/v2/projects", named, {}),
            "delete": ("DELETE", home, None, {}),
            "restore": ("POST", f"{ended}/actions/restore", {}, {}),
            "reclaim": ("POST", f"{ended}/actions/reclaim", {}, {}),
            "post": ("POST", things, named, {}),
            "put": (update[0], thing, self.body, update[1]),
            "get": ("GET", thing, None, {}),
            "remove": ("DELETE", thing, None, {}),
        }[self.verb]

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.verb == "get"

    @property
    def told(self) -> bool:
        """Whether it leaves an entry where it is granted."""
        return not self.reads or self.collection in TOLD

    def entries(self) -> set[str]:
        """Give the actions under which it may be audited."""
        words = {"post": "create", "put": "update", "remove": "delete"}
        words |= {"get": "read"} if self.told else {}
        if self.collection:
            return {f"codeengine.{KINDS[self.collection]}.{words.get(self.verb)}"}
        names = {self.verb, "retry"} if self.verb == "reclaim" else {self.verb}
        return {f"codeengine.project.{name}" for name in names}


@dataclass
class Thing:
    """A resource: what was sent of it, its entity tag, and its answer if one was seen."""

    sent: dict[str, Any]
    tag: str
    shown: dict[str, Any] | None = None


@dataclass
class Project:
    """A project as it must be."""

    id: str
    name: str
    status: str = ACTIVE
    purge_at: datetime | None = None
    moved_at: datetime | None = None
    progress_at: datetime | None = None  # of its purge, as last seen in the store
    things: dict[tuple[str, str], Thing] = field(default_factory=dict)
    below: dict[str, Any] = field(default_factory=dict)  # documents, as last seen
    marked: int | None = None  # how many documents its purge found
    half: bytes = b""
    reclamation: str | None = None  # of its last deletion; "" until the store has told it
    former: list[str] = field(default_factory=list)  # of the deletions before

    def after(self, verb: str, at: datetime, *, caller: bool) -> str:
        """Give the status that a move would lead to at a time; nothing where it is refused."""
        sources, target, _ = MOVES.get(verb, ({}, "", ""))
        if not caller:
            source, target = BY_ITSELF[verb]
            sources = {source}
        early = verb == "expire" and (self.purge_at is None or at < self.purge_at)
        late = verb == "restore" and (self.purge_at is None or at >= self.purge_at)
        if not caller and verb == "fail":
            early = self.progress_at is None or at - DAY < self.progress_at
        if not caller and verb == "retry":
            early = self.moved_at is None or at - HOUR < self.moved_at
        return target if self.status in sources and not early and not late else ""


class Ledger:
    """The model of one account."""

    def __init__(self, account: str, first: Snapshot) -> None:
        self.account, self.seen = account, first
        self.projects: dict[str, Project] = {}
        self.written: set[str] = set()  # projects in which a step changed a resource
        self.values: dict[str, set[bytes]] = {}  # the secrets that were ever in a project

    def held(self) -> dict[str, str]:
        """Give the slots that must be held."""
        return {p.id: p.name for p in self.projects.values() if p.status != GONE}

    def verdict(self, act: Act, at: datetime) -> str:
        """Give the code with which a request decided at a time is refused; nothing for none."""
        if act.verb == "create":
            names = [*self.held().values()]
            return "name_taken" if act.name in names else "quota_exceeded" * (len(names) >= CAP)
        project = self.projects.get(act.project)
        if project is None or project.status == GONE:
            return "resource_not_found"
        if act.verb in ("restore", "reclaim") and act.reclamation != project.reclamation:
            return "resource_not_found"
        if act.verb in MOVES:
            return "" if project.after(act.verb, at, caller=True) else MOVES[act.verb][2]
        if project.status != ACTIVE:
            return "project_not_active"
        return self._verdict_of(act, project.things.get((act.collection, act.name)))

    def _verdict_of(self, act: Act, thing: Thing | None) -> str:
        """Give the code with which a request for a resource is refused."""
        if act.verb == "post":
            return "name_taken" if thing else ""
        if thing is None:
            return "resource_not_found"
        stale = act.verb == "put" and act.tag not in ("*", thing.tag)
        return "precondition_failed" * stale

    def absorb(
        self,
        now: Snapshot,
        asked: list[tuple[Act, Reply]],
        by_itself: set[str],
        denied: frozenset[str] = frozenset(),
    ) -> list[set[str]]:
        """Do to the model what the new audit entries say; give each request's possible refusals.

        `denied` are the requests of whoever may not do what they ask for.
        """
        before, after = self.seen.of("audit"), now.of("audit")
        kept = {name: after.get(name) for name in before}
        assert kept == before, "I16: an audit entry is lost, or has changed"
        self.seen, self.written = now, set()
        new = [(name, fields) for name, fields in after.items() if name not in before]
        verdicts = [self._verdicts(*pair) for pair in asked]
        by_trace = {reply.trace: (act, reply) for act, reply in asked}
        for name, entry in sorted(new, key=lambda pair: now.times[f"audit/{pair[0]}"]):
            if name in denied:
                assert entry["outcome"] == "denied", "I15: what is denied was done"
                assert entry["account_id"] == self.account
                continue
            assert entry["outcome"] == "success"
            if entry["action"] == REGISTERED:
                assert REGISTERED in by_itself, "I15: nobody made an account"
                assert entry["account_id"] != self.account
                continue
            assert entry["account_id"] == self.account
            if name in by_trace:
                self._asked(entry, *by_trace[name])
            else:
                self._by_itself(entry, by_itself)
            for possible, pair in zip(verdicts, asked, strict=True):
                possible.update(self._verdicts(*pair))
        self._learn(now)
        return verdicts

    def _learn(self, now: Snapshot) -> None:
        """Note the reclamations of new deletions: each has an id that was never one before."""
        stored = now.of("tombstones") | now.of("projects")
        known = {one for p in self.projects.values() for one in (p.id, p.reclamation, *p.former)}
        for project in self.projects.values():
            if project.reclamation == "":
                project.reclamation = stored[project.id]["reclamation_id"]
                assert project.reclamation not in known, "I24: a reclamation's id is used again"

    def _verdicts(self, act: Act, reply: Reply) -> set[str]:
        return {self.verdict(act, reply.since), self.verdict(act, reply.until)}

    def _asked(self, entry: dict[str, Any], act: Act, reply: Reply) -> None:
        """Do what a request was granted, at the time that its entry tells."""
        at = entry["at"]
        assert entry["action"] in act.entries(), "I15: a request has another's entry"
        assert reply.since <= at <= reply.until, "an entry tells another time than its request's"
        why = self.verdict(act, at)
        assert not why, f"{act.verb} was done at {at}, and had to be refused: {why}"
        if act.verb == "create":
            new = Project(entry["project_id"], act.name)
            assert new.id not in self.projects, "I5: an id is used again"
            self.projects[new.id] = new
            return
        assert entry["project_id"] == act.project, "I15: a request's entry is of another project"
        project = self.projects[act.project]
        if act.verb in MOVES:
            self._move(project, act.verb, at, caller=True)
            return
        assert said(entry)["names"] == [act.name]
        if act.reads:
            return
        self.written.add(project.id)
        key = act.collection, act.name
        if act.verb == "remove":
            del project.things[key]
            return
        fields = self.seen.documents.get(f"projects/{project.id}/{act.collection}/{act.name}")
        tag = (fields or {}).get("entity_tag", "")  # another may have removed it since
        old = project.things.get(key)
        sent = {**(old.sent if old and act.collection == "jobs" else {}), **act.body}
        fresh = reply.status < 400
        project.things[key] = Thing(
            sent, reply.tag if fresh else tag, reply.body(200, 201) if fresh else None
        )
        found = {value for text in dump(sent) for value in CANARY.findall(text)}
        self.values.setdefault(project.id, set()).update(found)

    def _by_itself(self, entry: dict[str, Any], allowed: set[str]) -> None:
        """Do what happened without a caller, which must have been due."""
        verb = entry["action"].removeprefix("codeengine.project.")
        assert entry["initiator"] == "retention", f"I15: nobody asked for {entry['action']}"
        assert verb in allowed, f"{verb} happened, and no such thing was run"
        self._move(self.projects[entry["project_id"]], verb, entry["at"], caller=False)

    def _move(self, project: Project, verb: str, at: datetime, *, caller: bool) -> None:
        target = project.after(verb, at, caller=caller)
        assert target, f"I14: {verb} of a project that is {project.status}, at {at}"
        project.status, project.moved_at = target, at
        if verb in ("delete", "restore"):
            project.purge_at = at + WEEK if verb == "delete" else None
        if verb == "delete":
            project.former += [project.reclamation] if project.reclamation else []
            project.reclamation = ""
        if target == HARD:
            project.progress_at = at

    def due(self, at: datetime) -> dict[str, str]:
        """Give what the schedule has to do at a time, by project."""
        verbs = ("expire", "fail", "retry")
        return {
            project.id: verb
            for project in self.projects.values()
            for verb in verbs
            if project.after(verb, at, caller=False)
        }

    def values_of(self, project: str) -> set[bytes]:
        """Give the secrets that an answer about a project may show."""
        found = self.projects.get(project)
        shown = found is not None and found.status == ACTIVE
        sent = [thing.sent for thing in found.things.values()] if shown else []
        return {value for one in sent for text in dump(one) for value in CANARY.findall(text)}


def leaks(snapshot: Snapshot, values: set[bytes]) -> list[str]:
    """Give the paths of documents in which a value shows, in whatever form."""
    forms = [form for value in values for form in traces_of(value.decode())]
    return [
        path
        for path, fields in snapshot.documents.items()
        if any(form in text for text in dump(fields) for form in forms)
    ]
