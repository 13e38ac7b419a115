"""What happens around each request of a fuzzing run, in schemathesis' own process.

schemathesis loads this file as its hooks. A valid request is aimed at what exists, mended where a
rule across fields would refuse it, and counted by its operation and status. Invalid requests go
out as they were made: what schemathesis made wrong is never touched.
"""

import atexit
import json
import os
import uuid
from collections import Counter, defaultdict
from pathlib import Path
from zlib import crc32

import requests
import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase

from shared import quotas
from tools.fuzz_mending import mended, shortened

PLAN = json.loads(Path(os.environ["REPRIEVE_FUZZ"]).read_text())
HOMES = PLAN["homes"]  # projects that stay: what is held in projects is asked for there
# Operations on a project of its own for each call, and what is done to it before.
MOVED = {
    "delete_project": (),
    "delete_resource_instance": (),
    "reclaim_project": ("DELETE",),
    "restore_project": ("DELETE",),
}
READ = {"get_project", "get_resource_instance"}
LASTING = {  # what is of the log, or of a project that is gone
    **{name: {"epoch": "1"} for name in ("get_log_checkpoint", "get_log_keys")},
    "get_log_tile": {"epoch": "1", "tile": "0/000.p/1"},
    **{
        name: {"id": PLAN["gone"]}
        for name in ("get_certificate", "get_certificate_proof", "delete_certificate_name")
    },
    "get_audit_entry_proof": {"id": f"{PLAN['gone']}.erase"},
}
VERSIONS = [quotas.FIRST_VERSION, quotas.NEWEST_VERSION]
DAYS = ["2024-02-29", "2030-01-01"]
STARTED = {"list_audit_entries", "list_certificates"}
UNKEPT = {"signin_codes", "audit_exports"}  # what is made, and lies below no project
TIMES = [f"{day}T12:00:00Z" for day in DAYS]
DATES = {"version": VERSIONS, "updated_from": DAYS, "updated_to": DAYS}
DATES |= {"since": TIMES, "until": TIMES}
KEYED_BY_ID = {"apikeys", "bindings"}
MOST = 100  # of what has no limit of its own

answers: Counter[str] = Counter()  # "operation status" -> requests
held: dict[tuple[str, str], list[str]] = defaultdict(list)  # (project, collection) -> keys
for home, collection, key in PLAN["held"]:
    held[home, collection].append(key)
ours = set(HOMES)  # projects that were there at some time
names: set[str] = set()  # of all that was made
unmended: set[str] = set()  # cases
session = requests.Session()
session.headers["Authorization"] = f"Bearer {PLAN['token']}"
atexit.register(lambda: Path(PLAN["tally"]).write_text(json.dumps(answers)))


class Sent:
    """A case that is about to be sent, and the choices made for it: each time the same ones."""

    def __init__(self, case):
        self.case = case
        self.spec = case.operation.definition.raw
        self.name = self.spec["operationId"]
        self.by_name = "x-path" in self.spec
        *_, self.parent, self.last = self.spec.get("x-path", case.path).split("/")
        self.text, self.choices = repr(case), 0

    def one_of(self, options):
        """Choose."""
        self.choices += 1
        return options[crc32(f"{self.choices} {self.text}".encode()) % len(options)]

    def often(self):
        """Say yes three times out of four."""
        return self.one_of([True, True, True, False])

    def valid(self, place):
        """Tell whether a part is as its schema wants it."""
        meta = self.case.meta
        if meta is None:
            return False
        part = meta.components.get(ParameterLocation(place))  # none in an example, which is valid
        return part.mode.is_positive if part else meta.generation.mode.is_positive

    def naming(self):
        """Give the part that says what is meant, if it is valid: the path, or by name the body."""
        if self.by_name:
            found = self.valid("body") and isinstance(self.case.body, dict)
            return self.case.body if found else None
        return self.case.path_parameters if self.valid("path") else None


@schemathesis.hook
def before_call(context, case, kwargs):  # noqa: ARG001 - schemathesis' signature
    """Aim at what exists, and mend what only a rule across fields would refuse."""
    sent = Sent(case)
    if part := sent.naming():
        aim(sent, part)
    if sent.valid("query"):
        date(sent, case.query)
        started(sent, case.query)
    if sent.valid("header") and "Idempotency-Key" in case.headers:  # each request has its own
        case.headers["Idempotency-Key"] = uuid.uuid4().hex
    if sent.valid("header") and "If-Match" in case.headers and sent.often():
        case.headers["If-Match"] = "*"
    if sent.valid("body") and isinstance(case.body, dict):
        case.body = shortened(sent.name, case.body)
        body = better(sent)
        if body != case.body and not sent.often() and not sent.often():
            unmended.add(case.id)
        else:
            case.body = body


def aim(sent, part):
    """Put ids and names of what exists into a part of a case, but not over what links put there."""
    linked = ours if sent.case.meta.phase.name is TestPhase.STATEFUL else ()
    if "project_id" in part and part["project_id"] not in linked:
        part["project_id"] = sent.one_of(HOMES)
    if sent.name in MOVED and (part.get("id") not in linked or part["id"] in HOMES):
        made = fresh(MOVED[sent.name])
        part["id"] = reclamation(made) if MOVED[sent.name] else made
    if sent.name in READ and part.get("id") not in linked:
        part["id"] = sent.one_of(HOMES)
    if sent.often():
        part.update(LASTING.get(sent.name, {}))
    if part.get("id") == PLAN["key"]:  # the run goes on with it
        part["id"] = "0" * len(PLAN["key"])
    if "app_name" in part:
        choose(sent, part, "app_name", "apps")
        if "name" in part and sent.often():
            part["name"] = f"{part['app_name']}-00001"
    elif sent.last.startswith("{"):
        choose(sent, part, sent.last[1:-1], sent.parent)


def choose(sent, part, member, kind):
    """Put the key of something there is into a part, but for one time in four."""
    keys = held[(sent.naming() or {}).get("project_id", ""), kind]
    if keys and part.get(member) not in keys and sent.often():
        part[member] = sent.one_of(keys)


def fresh(moves):
    """Give a new project, moved as told."""
    answer = ask("POST", "/v2/projects", {"name": f"fresh-{uuid.uuid4().hex}"})
    assert answer.status_code == 202, answer.text
    project = answer.json()["id"]
    ours.add(project)
    for method in moves:
        assert ask(method, f"/v2/projects/{project}").status_code == 202
    return project


def reclamation(project):
    """Give the id of the reclamation of a deleted project."""
    answer = ask("GET", f"/v1/reclamations?resource_instance_id={project}")
    assert answer.status_code == 200, answer.text
    return answer.json()["resources"][0]["id"]


def ask(method, path, body=None):
    """Make a request of our own."""
    return session.request(method, PLAN["url"] + path, json=body, timeout=60)


def date(sent, part):
    """Put dates that there are into a part of a case: a pattern lets others through."""
    part.update({name: sent.one_of(DATES[name]) for name in DATES if name in part})


def started(sent, part):
    """Take out where a page is to start, of lists that refuse what no page gave."""
    if sent.name in STARTED:
        part.pop("start", None)


def better(sent):
    """Give a case's body as its rules want it, and new where it makes something."""
    body = mended(sent.name, sent.case.body, PLAN)
    if sent.by_name:
        date(sent, body)
        started(sent, body)
        if "idempotency_key" in body:
            body["idempotency_key"] = uuid.uuid4().hex
        if "if_match" in body and sent.often():
            body["if_match"] = "*"
    for member in {"job_name", "build_name"} & body.keys():
        choose(sent, body, member, member.replace("_name", "s"))
    if sent.name.startswith("create_") and body.get("name") in names and sent.often():
        body["name"] = f"n{len(names)}" + (".example.com" if "." in body["name"] else "")
    return body


@schemathesis.hook
def after_call(context, case, response):  # noqa: ARG001 - schemathesis' signature
    """Count the answer, and remember what is there now."""
    sent = Sent(case)
    answers[f"{sent.name} {response.status_code}"] += 1
    if not 200 <= response.status_code < 300 or case.method != case.operation.method.upper():
        return
    if sent.name.startswith("create_"):
        remember(sent, response.json())
    elif sent.name.startswith("delete_") and (part := sent.naming()):
        keys = held[part.get("project_id", ""), sent.parent]
        keys[:] = [key for key in keys if key != part.get(sent.last[1:-1])]


def remember(sent, made):
    """Remember what was made, and make room where it fills up."""
    names.update({made["name"]} if "name" in made else ())
    if sent.last == "projects":
        ours.add(made["id"])
        return
    if sent.last in UNKEPT:
        return
    home = "" if sent.last == "apikeys" else made["project_id"]
    keys = held[home, sent.last]
    keys.append(made["id" if sent.last in KEYED_BY_ID else "name"])
    # The oldest go, well before the limit: what a run of steps made is still there for its last.
    if len(keys) > quotas.RESOURCES_PER_PROJECT.get(sent.last, MOST) * 3 // 4:
        path = sent.spec.get("x-path", sent.case.path).format(project_id=home)
        ask("DELETE", f"{path}/{keys.pop(0)}")


@schemathesis.hook
def filter_failure(context, failure, case, response):  # noqa: ARG001 - schemathesis' signature
    """Drop the refusal of a valid body that was left as it was: a rule across fields forbids it."""
    if type(failure).__name__ != "RejectedPositiveData":
        return True
    if Sent(case).name == "preview_signin_code":  # nobody made such a code
        return response.status_code != 400
    return case.id not in unmended or response.status_code not in {400, 413}
