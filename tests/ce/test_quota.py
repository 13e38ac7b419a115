"""The quota that explains itself: what holds each slot, when it frees itself, how to free it now.

Against a host of few slots in a region of its own: both figures are the server's, never built in.
"""

import json
import re
from dataclasses import replace

import pytest

from ce.server import profiles, target
from tests.support import Host
from tests.support.cli import matches, run

SLOTS, REGION = 4, "localhost"  # a region that stands for the host in an address with {region}
HEAD = "Getting project slots...\nOK\n\n"
COLUMNS = "Name  Status  Held Since  Frees Itself  To Free It  To Keep It\n"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A host with few slots, in a region of its own."""
    home = tmp_path_factory.mktemp("small")
    host = Host(home, "--firestore-port", "0", "--hub-port", "0")
    host.start(CE_PROJECTS_PER_REGION=str(SLOTS), CE_REGION=REGION)
    yield host
    host.stop()


@pytest.fixture
def owner(small):
    """A fresh account on it; time runs as it does outside."""
    small.set_clock(0)
    small.release()
    return small.account()


@pytest.fixture
def there(small, owner, nobody):
    """Be logged in there, by an address with the region's place in it."""
    url = small.url.replace("127.0.0.1", "{region}")
    args = ("login", "--url", url, "-r", REGION, "--apikey", "-")
    done = run(*args, text=owner.apikey)
    assert done.returncode == 0, done
    assert json.loads((nobody / "profiles" / "default.json").read_text())["url"] == f"{url}/v2"
    return owner


def quota(*args, code=0):
    """Give what `ce quota` wrote."""
    done = run("quota", *args)
    assert done.returncode == code, done
    return done.stderr if code else done.stdout


def test_what_holds_the_slots(small, there):
    """Each slot has its project, its end, and the command that frees it; the next to be free first.

    Time is the server's: when its clock is moved, what is left moves with it.
    """
    assert quota() == f"{HEAD}Slots held in region {REGION}: 0 of {SLOTS}.\n"
    kept, late, soon, dying = (there.project(name) for name in ("kept", "late", "soon", "dying"))
    there.delete(soon)
    small.advance(86400)
    there.delete(late)
    small.hold()
    there.destroy(dying)
    small.advance(3600)
    rows = (
        "dying  hard deleting  {STAMP}  soon: it is being destroyed\n"
        "soon  soft deleted  {STAMP}  in 5d22h, at {STAMP}  "
        "ce reclamation delete --name soon  ce project restore --name soon\n"
        "late  soft deleted  {STAMP}  in 6d22h, at {STAMP}  "
        "ce reclamation delete --name late  ce project restore --name late\n"
        "kept  active  {STAMP}  never: it is in use  ce project delete --name kept\n"
    )
    said = quota()
    matches(f"{HEAD}Slots held in region {REGION}: 4 of {SLOTS}.\n\n{COLUMNS}{rows}", said)
    small.release()
    there.gone(dying)
    document = json.loads(quota("-o", "json"))
    assert (document["held"], document["limit"], document["free"]) == (3, SLOTS, 1)
    assert [slot["name"] for slot in document["slots"]] == ["soon", "late", "kept"]
    assert document["slots"][0]["frees_at"].startswith("20")
    assert document["slots"][2]["id"] == kept["id"]
    assert document["slots"][2]["command"] == "ce project delete --name kept"
    assert document["slots"][1]["restore"] == "ce project restore --name late"
    assert "--hard" not in said
    assert "frees_at" not in document["slots"][2]


def test_the_refusal_tells_the_same(there):
    """A create that finds no slot shows what holds them, and a command that it shows frees one."""
    made = [there.project(f"p{number}") for number in range(SLOTS)]
    there.delete(made[2])
    done = run("project", "create", "-n", "one-more")
    assert (done.returncode, done.stdout) == (1, "Creating project 'one-more'...\n")
    head, said, first, blank, *table = done.stderr.splitlines()
    assert (head, blank) == ("FAILED", "")
    assert said == f"No slot is free for a project in region {REGION}: free one, or wait."
    assert first == f"Slots held in region {REGION}: {SLOTS} of {SLOTS}."
    assert table == quota("-q").splitlines()[2:]
    for command in re.findall(r"  ce (\w+ delete --name \w+)", done.stderr)[:2]:
        assert run(*command.split(), "--force").returncode == 0
    assert run("project", "create", "-n", "one-more").returncode == 0


def test_who_may_not_look_is_told_what_the_server_said(there):
    """The refusal of a quota stands, whoever cannot ask for more."""
    for number in range(SLOTS):
        there.project(f"p{number}")
    key = there.another_key("editor")
    done = run("login", "--apikey", "-", text=key.apikey)
    assert done.returncode == 0
    assert f": {SLOTS} of {SLOTS}." in run("project", "create", "-n", "x").stderr
    purger = there.another_key("purge")
    assert run("login", "--apikey", "-", text=purger.apikey).returncode == 0
    said = quota(code=1)
    assert "Your roles do not include `project.view`." in said
    assert "It takes a key with the role administrator, editor, operator, viewer or auditor" in said


def test_a_key_for_one_project_does_not_see_the_others(there):
    """It is not told of how many slots, which would make those of the others look free."""
    mine, _ = there.project("mine"), there.project("other")
    key = there.another_key("viewer", project_id=mine["id"])
    assert run("login", "--apikey", "-", text=key.apikey).returncode == 0
    said = quota("-q")
    assert said.startswith(f"Slots held in region {REGION} that this key sees: 1. How many")
    assert "other" not in said
    assert not {"limit", "free"} & set(json.loads(quota("-o", "json")))


@pytest.mark.usefixtures("there")
def test_another_region():
    """An address with {region} is asked for the region named; what serves another says so."""
    assert f"in region {REGION}: " in quota("--region", REGION)
    assert "http to us-south would send the key in clear" in quota("-r", "us-south", code=2)
    assert "is not the name of a region" in quota("-r", "elsewhere.example.com/", code=2)


def test_one_address_serves_one_region(ce):
    """An address without {region} is no other region's, and the refusal says what to do."""
    assert "Slots held in region us-south: 0 of 20." in ce("quota", "-r", "us-south")
    said = ce("quota", "-r", "eu-de", code=1)
    assert "serves us-south, not eu-de: 'ce profile use NAME'" in said


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize(
    ("region", "code", "said"),
    [("us-south", 1, "Cannot reach us-south.invalid:https ("), ("us/south", 2, "not the name")],
)
def test_target_moves_to_another_region_only_if_it_is_there(region, code, said):
    """A region is tried before it is kept."""
    assert f"\nRegion:          {REGION}\n" in run("target", "-r", REGION).stdout
    profile = replace(profiles.load("default"), url="https://{region}.invalid/v2")
    profiles.save("default", profile)
    done = run("target", "-r", region)
    assert done.returncode == code
    assert said in done.stderr
    assert profiles.load("default") == profile


def project(number, status="active"):
    """Give a project as another server tells of it."""
    made = "2026-01-01T00:00:00Z"
    return {"id": f"i{number}", "name": f"p{number}", "status": status, "created_at": made}


TOKEN = (200, '{"access_token": "t"}')


def test_a_server_that_tells_no_limit(other):
    """What is held is told, and that the number of slots was not; states of theirs are shown."""
    answers, _ = other
    found = [project(1, "hard_deletion_failed"), project(2, "soft_deleted"), project(3, "creating")]
    answers += [TOKEN, (200, json.dumps({"projects": found})), (200, '{"resources": []}')]
    said = quota("-q")
    assert said.startswith("Slots held in this region that this key sees: 3. How many")
    assert "soon: its destruction is tried again  ce reclamation delete --name p1\n" in said
    assert "at its deadline" in said
    answers += [TOKEN, (200, '{"projects": []}')]
    assert "serves one region, and does not say which, not eu-de" in quota("-r", "eu-de", code=1)


def test_a_refusal_leaves_in_sight_what_failed(other):
    """Of many slots it shows the five that are free next, and what shows the others."""
    answers, _ = other
    body = json.dumps({"errors": [{"code": "quota_exceeded", "message": "Full."}]})
    found = [project(1), *(project(number, "hard_deletion_failed") for number in range(2, 9))]
    answers += [TOKEN, (403, body), (200, json.dumps({"projects": found}))]
    *_, last = said = run("project", "create", "-n", "x").stderr.splitlines()
    names = [line.split()[0] for line in said if "tried again" in line]
    assert names == ["p2", "p3", "p4", "p5", "p6"]
    assert not any(line.startswith("p1") for line in said)
    assert last == "'ce quota' shows all 8."


NAMED = {
    "a b": "--name 'a b'",
    "it's": """--name 'it'"'"'s'""",
    "$(x)": "--name '$(x)'",
    "twice": "--id i",
    "\x1b[2J": "--id i",
}


@pytest.mark.parametrize("name", NAMED)
def test_a_command_that_frees_a_slot_can_be_pasted(other, name):
    """A name is quoted for the shell; the ID stands for one that is not its alone, or not shown."""
    answers, _ = other
    found = [project(1) | {"name": name, "id": "i"}, project(2) | {"name": "twice"}]
    answers += [TOKEN, (200, json.dumps({"projects": found}))]
    slots = json.loads(quota("-o", "json"))["slots"]
    assert f"ce project delete {NAMED[name]}" in [slot["command"] for slot in slots]


def test_a_slot_that_was_freed_since(other):
    """Between the refusal and the list one may have been freed: then it says to try again."""
    answers, _ = other
    body = json.dumps({"errors": [{"code": "quota_exceeded", "message": "Full."}]})
    told = (("X-Reprieve-Region", "r"), ("X-Reprieve-Project-Slots", "2"))
    listed = (200, json.dumps({"projects": [project(1)]}), *told)
    answers += [TOKEN, (403, body), listed]
    done = run("project", "create", "-n", "x", "-q")
    assert (done.returncode, answers) == (1, [])
    assert "one has been freed since: run it again." in done.stderr
    answers += [TOKEN, (403, body), (503, "")]
    done = run("project", "create", "-n", "x", "-q")
    assert done.stderr.startswith("FAILED\nFull.\nDelete what is no longer needed")
    assert target.selected(target.current()) is None
