"""`ce` on what a project holds, against the running host: transcripts, changes, what is refused."""

import json
import shlex
import subprocess
import sys

import pytest

from shared.api import operations, route
from tests.support import ROOT
from tests.support.cli import asked, matches
from tests.support.cli_examples import (
    APP,
    BINDING,
    BUILD,
    BUILDRUN,
    DOMAIN,
    EXAMPLES,
    FUNCTION,
    IMAGE,
    JOB,
    JOBRUN,
    PRIVATE,
    RANGE,
    SOURCE,
    STORE,
)
from tests.support.cli_examples import CONFIGMAP as MAP

VALUE = "v4lue-nobody-may-see"


@pytest.fixture
def type_in(mine):
    """Type a line, as in a shell, in a project of one's own; `@` is the id of its one binding."""

    def run(line, **rest):
        words = shlex.split(line)
        if "@" in words:
            bound = mine("binding", "list", "-o", "jsonpath={.bindings[*].id}").strip()
            words = [bound if word == "@" else word for word in words]
        return mine(*words, **rest)

    return run


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: f"{one.noun}-{one.words[:24]}")
def test_transcripts(type_in, host, example):
    """A command says what it did, and asks for it with the operation that is there for it."""
    for line in example.before:
        type_in(line)
    before = len(host.log())
    said = type_in(f"{example.noun} {example.words}")
    matches(example.says, said)
    reached = {route(operations(), *request)[0].id for request in asked(host.log()[before:])}
    assert example.operation in reached


def test_nothing_but_what_was_asked_for(type_in, host):
    """With -o there is the document alone, with -q no progress, whatever the command."""
    for line in (MAP, JOB, JOBRUN, APP, FUNCTION, BUILD, BUILDRUN, BINDING):
        assert isinstance(json.loads(type_in(f"{line} -o json")), dict)
    for line in (DOMAIN, PRIVATE, STORE):
        assert type_in(f"{line} -q") == ""
    host.advance(36 * 3600)  # so that all ages are the same
    looked = [one for one in EXAMPLES if one.verb in {"get", "list"} and one.before != (RANGE,)]
    for one in looked:
        line = f"{one.noun} {one.words}"
        assert isinstance(json.loads(type_in(f"{line} -o json")), dict)
        quiet = type_in(f"{line} -q")
        assert type_in(line).endswith(quiet)
        assert "..." not in quiet
        assert "OK\n" not in quiet
    assert len(looked) > 20


def test_a_process_of_its_own(type_in):
    """The same as a user starts it: standard output, standard error, exit code."""
    type_in(MAP)
    command = [sys.executable, "-m", "ce", "cm", "list", "-o", "jsonpath={.config_maps[*].name}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("cm", "")


def test_the_lines_of_the_readme(ce):
    """What README.md says to type works, typed as it stands there."""
    text = (ROOT / "README.md").read_text().partition("    ce project create --name shop\n")
    lines = [line for line in (text[1] + text[2].partition("\n\n")[0]).split("\n") if line]
    for line in lines:
        said = ce(*shlex.split(line, comments=True)[1:])
    assert len(lines) == 7
    assert "web-00002" in said


def document(type_in, line):
    """Read one as a document."""
    return json.loads(type_in(f"{line} -o json"))


def body(type_in, line, *members):
    """Give members of one."""
    found = document(type_in, line)
    return [found.get(member) for member in members]


def test_application_options(type_in):
    """Options become the members of the body that they are for."""
    type_in("secret create -n sec -l K=v")
    type_in(MAP)
    type_in(
        f"app create -n a -i {IMAGE} --force -a one -a two -c run -e A=1 -e B=x=y "
        "--env-cm cm --env-cm P_=cm --env-sec sec:K --env-sec sec:V=K "
        "--mount-cm /etc/cm=cm --mount-sec /etc/sec=sec --mount-ds /data=ds:inner --rs hub "
        "--cpu 2 -m 8G --es 1G --min 1 --max 5 --cn 50 --ct 40 --sdd 9 -t 30 --user 7 -p http1:81 "
        "--sa reader --tpe --visibility private --pl type=http --pl path=/live --pl interval=5 "
        "--pr type=tcp --pr initial-delay=3"
    )
    found = document(type_in, "app get -n a")
    expected = {
        "run_arguments": ["one", "two"],
        "run_commands": ["run"],
        "image_secret": "hub",
        "scale_cpu_limit": "2",
        "scale_memory_limit": "8G",
        "scale_ephemeral_storage_limit": "1G",
        "scale_min_instances": 1,
        "scale_max_instances": 5,
        "scale_concurrency": 50,
        "scale_concurrency_target": 40,
        "scale_down_delay": 9,
        "scale_request_timeout": 30,
        "run_as_user": 7,
        "image_port": 81,
        "run_service_account": "reader",
        "run_compute_resource_token_enabled": True,
        "managed_domain_mappings": "local_private",
    }
    assert {name: found[name] for name in expected} == expected
    assert found["run_env_variables"] == [
        {"type": "literal", "name": "A", "value": "1"},
        {"type": "literal", "name": "B", "value": "x=y"},
        {"type": "config_map_full_reference", "reference": "cm"},
        {"type": "config_map_full_reference", "reference": "cm", "prefix": "P_"},
        {"type": "secret_key_reference", "name": "K", "reference": "sec", "key": "K"},
        {"type": "secret_key_reference", "name": "V", "reference": "sec", "key": "K"},
    ]
    assert [mount["type"] for mount in found["run_volume_mounts"]] == [
        "config_map",
        "secret",
        "persistent_data_store",
    ]
    assert found["run_volume_mounts"][2]["sub_path"] == "inner"
    assert found["probe_liveness"].items() >= {"type": "http", "path": "/live"}.items()
    assert found["probe_readiness"]["initial_delay"] == 3


def test_update_puts_what_is_given_over_what_is_there(type_in):
    """A list keeps what was not named; what is removed must have been there."""
    type_in(MAP)
    type_in(
        f"job create -n j -i {IMAGE} -e A=1 -e B=2 --env-cm cm --mount-cm /a=cm --mount-cm /b=cm "
        "-a x --rs hub --sa reader -f"
    )
    type_in("job update -n j -e B=3 --env-rm A --env-from-configmap-rm cm -e C=4 --mount-rm /a")
    names = ("run_env_variables", "run_volume_mounts", "run_arguments", "image_secret")
    variables, mounts, arguments, secret = body(type_in, "job get -n j", *names)
    assert [(one["name"], one["value"]) for one in variables] == [("B", "3"), ("C", "4")]
    assert [mount["mount_path"] for mount in mounts] == ["/b"]
    assert (arguments, secret) == (["x"], "hub")
    type_in("job update -n j --ac --rsc --sac --ai 1-3")
    assert body(type_in, "job get -n j", *names[2:], "run_service_account", "scale_array_spec") == [
        *([], None),
        *("default", "1-3"),
    ]
    type_in("job update -n j --as 5")
    assert body(type_in, "job get -n j", "scale_array_spec") == ["0-4"]
    for line in ("--env-rm A", "--env-from-secret-rm s", "--mount-rm /a"):
        assert "FAILED" in type_in(f"job update -n j {line}", code=1)
    assert type_in("job update -n j", code=2).endswith("Nothing to update: give an option.\n")


def test_what_other_clients_left_stays(type_in, account):
    """Variables that no option could make are shown, and kept by an update that is not theirs."""
    made = [
        {"type": "literal", "name": "A", "value": "1", "key": "k", "prefix": "p", "reference": "r"},
        {"type": "literal"},
        {"type": "config_map_full_reference", "reference": "cm", "prefix": "A_"},
        {"type": "config_map_full_reference", "reference": "cm", "prefix": "B_"},
        {"type": "secret_key_reference", "name": "K"},
    ]
    where = f"/v2/projects/{type_in('project current -o jsonpath={.id}').strip()}/jobs"
    sent = {"name": "j", "image_reference": IMAGE, "run_env_variables": made}
    assert account.call("POST", where, sent).status_code == 201
    before = document(type_in, "job get -n j")["run_env_variables"]
    assert "ConfigMap full reference  cm    B_=\n" in type_in("job get -n j")
    type_in("job update -n j -e B=2")
    added = [{"type": "literal", "name": "B", "value": "2"}]
    assert document(type_in, "job get -n j")["run_env_variables"] == before + added
    type_in("job update -n j --env-cm-rm cm --env-rm K")
    left = document(type_in, "job get -n j")["run_env_variables"]
    assert left == [*before[:2], *added]


def test_an_application_can_be_updated_with_nothing(type_in):
    """That deploys it again: a revision more."""
    type_in(APP)
    type_in("app update -n myapp --pl type=http --pl path=/a")
    type_in("app update -n myapp --pl path=/b --ct 9")
    assert body(type_in, "app get -n myapp", "probe_liveness")[0]["type"] == "http"
    type_in("app update -n myapp --plr --ncl --ct 0")
    type_in("app update -n myapp")
    found = document(type_in, "app get -n myapp")
    assert "probe_liveness" not in found
    assert found["scale_concurrency_target"] == found["scale_concurrency"]  # the default
    shown = type_in("app get -n myapp -r")
    assert "  myapp-00005:\n" in shown
    assert "  myapp-00004:\n" in shown
    assert "myapp-00004" not in type_in("app get -n myapp")


@pytest.mark.parametrize(
    ("line", "form", "scheme"),
    [(APP, "url", "https"), (APP, "project-url", "http"), (FUNCTION, "url", "https")],
)
def test_addresses(type_in, line, form, scheme):
    """`-o url` and `-o project-url` give the address alone."""
    assert type_in(f"{line} -o {form}").startswith(f"{scheme}://")


def test_what_belongs_to_the_project_only(type_in):
    """With --cluster-local there is no public address, and the internal one is shown."""
    assert type_in(f"{APP} --cl -q").endswith(".svc.cluster.local\n")


def test_references_are_looked_for(type_in):
    """What is referred to must be there, unless --force; of an update only what is new."""
    for option in ("--env-cm no", "--env-sec no:K", "--mount-ds /d=no", "--rs no"):
        said = type_in(f"job create -n j -i {IMAGE} {option}", code=1)
        assert said.startswith("Acting in project 'myproject'.\nFAILED\n")
        assert "'no' was not found; with --force" in said
    type_in(f"job create -n j -i {IMAGE} --rs no -f")
    type_in("job update -n j -e A=1")
    assert "'more' was not found" in type_in("job update -n j --env-cm more", code=1)
    assert "'no' was not found" in type_in(
        f"build create -n b -i x/y --rs no --src {SOURCE}", code=1
    )


MISNAMED = {
    "mount_configmap": ("job create -n j -i {} --mount-configmap /m=My_Map", "--mount-configmap"),
    "mount_secret": ("job create -n j -i {} --mount-sec /m=My_Sec", "--mount-secret"),
    "registry_secret": ("job create -n j -i {} --registry-secret My_Sec", "--registry-secret"),
    "env_from_secret": ("app create -n a -i {} --env-from-secret X_Y", "--env-from-secret"),
    "a key of it": ("app create -n a -i {} --env-from-configmap X_Y:K", "--env-from-configmap"),
    "git_repo_secret": (
        "build create -n b -i {} --src https://example.com/a --grs X_Y",
        "--git-repo-secret",
    ),
    "update": ("job update -n j --env-from-secret X_Y", "--env-from-secret"),
}


@pytest.mark.parametrize("case", MISNAMED)
def test_no_name_to_refer_to(type_in, case):
    """A name that is none is told by the option that refers to it, not by --name."""
    line, option = MISNAMED[case]
    if case == "update":
        type_in(f"job create -n j -i {IMAGE}")
    said = type_in(line.format(IMAGE), code=1)
    assert f"\n{option} must be lower-case letters" in said
    assert "--name must" not in said


VALUES = {
    "job": f"create -n x -i {IMAGE} -e A={VALUE}",
    "application": f"create -n x -i {IMAGE} -e A={VALUE}",
    "function": f"create -n x -r nodejs --cb icr.io/ns/code -e A={VALUE}",
    "jobrun": f"submit -n x -i {IMAGE} -e A={VALUE}",
    "configmap": f"create -n x -l A={VALUE}",
}


@pytest.mark.parametrize("noun", VALUES)
def test_values_are_shown_by_get_alone(type_in, noun):
    """Neither a create, nor an update, nor a list repeats a value; nor do their documents."""
    for line in (VALUES[noun], "list", "delete -n x -f", VALUES[noun] + " -o json", "list -o yaml"):
        assert VALUE not in type_in(f"{noun} {line}")
    assert VALUE in type_in(f"{noun} get -n x")
    if noun != "jobrun":
        option = f"-l B={VALUE}" if noun == "configmap" else f"-e B={VALUE}"
        assert VALUE not in type_in(f"{noun} update -n x {option} -o json")
        assert VALUE in type_in(f"{noun} get -n x -o json")


def test_inline_code(type_in, tmp_path):
    """Code goes in from a file, is never printed but as a document, and comes out into a file."""
    source, saved = tmp_path / "main.js", tmp_path / "saved.js"
    source.write_text(f"// {VALUE}\n")
    type_in(f"fn create -n f -r python --inline-code {source}")
    assert VALUE not in type_in(f"fn get -n f --save {saved}")
    assert saved.read_text() == source.read_text()
    assert saved.stat().st_mode & 0o777 == 0o600
    assert "REDACTED" in type_in("fn list -o jsonpath={.functions[*].code_reference}")
    assert document(type_in, "fn get -n f")["runtime"] == "python-3.11"
    assert "Cannot write" in type_in(f"fn get -n f --save {tmp_path}", code=1)
    type_in("fn update -n f --cb cr://icr.io/ns/code -r nodejs-24")
    assert "no inline code" in type_in(f"fn get -n f --save {saved}", code=1)
    assert "--runtime" in type_in("fn update -n f -r cobol", code=1)


def test_waiting_ends_at_once(type_in):
    """Nothing runs: who waits for a run learns that, and who does not gets it stored."""
    for line in (JOB, BUILD):
        type_in(line)
    for line in (f"{JOBRUN} --wait", f"{BUILDRUN} -w"):
        said = type_in(line, code=1)
        assert said == (
            "Acting in project 'myproject'.\n"
            f"FAILED\n{line.split()[0].removesuffix('run').capitalize()} run 'run' stays "
            "'pending': it is stored, and no runtime is attached to run it.\n"
        )
    assert type_in("jobrun list -o jsonpath={.job_runs[*].name}") == "run"
    assert "stays" not in type_in(f"{APP} --no-wait")
    assert type_in("app delete -n myapp -f --wait") == "Deleted application 'myapp'\n"


def test_resubmit(type_in):
    """A run like another, of the same job; what it takes from there is not removed here."""
    type_in(JOB)
    type_in(f"{JOBRUN} -e A=1 --asvo 9")
    type_in("jr resubmit -j run -n again -e A=2 -m 8G --met 9 -q")
    members = ("job_name", "scale_memory_limit", "scale_array_size_variable_override")
    assert body(type_in, "jr get -n again", *members) == ["hello", "8G", 9]
    assert "remove them there" in type_in("jr resubmit -j run --env-rm A", code=1)
    type_in(f"jr submit -n own -i {IMAGE} -e A=1 -e B=2 --sa reader")
    said = type_in("jr resubmit -j own --env-rm A --sac")
    name = said.partition("Rerunning job run '")[2].partition("'")[0]
    assert [v["name"] for v in document(type_in, f"jr get -n {name}")["run_env_variables"]] == ["B"]
    assert body(type_in, f"jr get -n {name}", "run_service_account") == ["default"]


def test_runs_can_be_deleted_by_what_they_are_of(type_in):
    """All runs of a job or build at once; it asks once, and says which."""
    for line in (JOB, JOBRUN, "jr submit -n other -j hello", f"jr submit -n own -i {IMAGE}"):
        type_in(line)
    said = type_in("jr delete -j hello", text="y\n")
    assert said == (
        "Are you sure you want to delete all job runs of job 'hello'? [y/N]> \n"
        "Deleting job run 'other'...\nDeleting job run 'run'...\nOK\n"
    )
    assert type_in("jr list -o jsonpath={.job_runs[*].name}") == "own"
    assert "There is no job run of job 'hello'" in type_in("jr delete -j hello -f", code=1)
    type_in("jr delete -j hello -f --inf")


def test_outbound_everything(type_in):
    """All addresses at once take the place of the rest, so it asks first."""
    type_in("conn outbound create -n range -c 5.6.7.8/29")
    for verb, name in (("create", "all"), ("update", "range")):
        type_in(f"conn outbound {verb} -n {name} -c 0.0.0.0/0", text="n\n", code=1)
    said = type_in("conn outbound update -n range -c 0.0.0.0/0", text="y\n")
    assert said.startswith("Are you sure you want to update an allowed destination IP address ")
    shown = type_in("conn outbound list --format cidr_block -q")
    assert shown.split() == [
        *("CIDR", "ranges:", "Name", "IP", "address", "range"),
        *("range", "0.0.0.0/0"),
    ]


def test_lists(type_in):
    """By name or by age; revisions of all applications or of one; documents are the API's."""
    for name in ("b", "a"):
        type_in(f"app create -n {name} -i {IMAGE}")
    assert type_in("app list -o jsonpath={.apps[*].name}") == "a b"
    type_in("app update -n b --max 2")
    names = "rev list {} -o jsonpath={{.revisions[*].name}}"
    assert type_in(names.format("")) == "a-00001 b-00001 b-00002"
    assert type_in(names.format("--app b")) == "b-00001 b-00002"
    assert type_in("rev list --app none", code=1).startswith("FAILED\n")
    assert "latest" not in document(type_in, "rev list")["revisions"][0]
    assert "is no name of a revision" in type_in("rev get -n nothing", code=1)
    type_in(BINDING)
    type_in("dm create -n x.example.com -t a --type function --tls t")
    assert document(type_in, "dm list --all")["domain_mappings"][0]["component"] == {
        "name": "a",
        "resource_type": "function_v2",
    }


@pytest.mark.parametrize(
    ("line", "flag"),
    [
        (f"job create -n j -i {IMAGE} --cpu 3", "--memory does not go with --cpu"),
        ("job create -n j", "--image is required"),
        ("fn create -n f -r nodejs", "--inline-code or --code-bundle is required"),
        ("br submit -i x/y", "--source is required"),
        ("secret list --format sealed", "--format must be one of `generic`"),
        ("pds create -n p --cos-sec s --cos-bucket bucket", "--cos-bucket-location is required"),
    ],
)
def test_refusals_speak_of_options(type_in, line, flag):
    """What the API refuses is told in the words of the command line."""
    assert flag in type_in(line, code=1)


USAGE = {
    "built here": (f"job create -n j -i {IMAGE} --build-source .", "builds nothing"),
    "rebuilt": ("app update -n a --rebuild", "--rebuild is not supported"),
    "named revision": (f"app create -n a -i {IMAGE} --revision-name r", "not supported"),
    "orphans": ("job delete -n j --orphan-job-runs", "job runs go with their job"),
    "source from here": ("br submit -b b --source .", "takes no source from this machine"),
    "both sizes": (f"job create -n j -i {IMAGE} --ai 1 --as 2", "Give only one"),
    "no size": (f"job create -n j -i {IMAGE} --as 0", "at least 1"),
    "two views": (f"app create -n a -i {IMAGE} --cl --visibility public", "Give only one"),
    "no view": (f"app create -n a -i {IMAGE} --visibility {VALUE}", "choose public"),
    "two codes": ("fn create -n f -r n --cb a/b --inline-code -", "Give only one"),
    "no code": ("fn create -n f -r nodejs-22 --inline-code /nowhere", "cannot read"),
    "a bare value": (f"job create -n j -i {IMAGE} -e {VALUE}", "--env is not of the form"),
    "a bare mount": (f"job create -n j -i {IMAGE} --mount-cm {VALUE}", "--mount-configmap is not"),
    "no key": (f"job create -n j -i {IMAGE} --env-sec {VALUE}:", "--env-from-secret is not"),
    "no number": (f"job create -n j -i {IMAGE} -r {VALUE}", "not a whole number"),
    "h2c": (f"app create -n a -i {IMAGE} -p h2c:80", "h2c is not supported"),
    "no port": (f"app create -n a -i {IMAGE} -p {VALUE}", "--port is not"),
    "no probe": (f"app create -n a -i {IMAGE} --pl {VALUE}=1", "--probe-live: choose type"),
    "no interval": (f"app create -n a -i {IMAGE} --pl interval={VALUE}", "is not a number"),
    "no target": (f"dm create -n x.y -t a --type {VALUE} --tls t", "choose app"),
    "neither": ("jr delete", "Give exactly one of --name, --job"),
    "both": ("br delete -n r -b b", "Give exactly one of --name, --build"),
    "no value": ("cm create -n c", "Give --from-literal"),
    "nothing": ("cm update -n c", "Nothing to update"),
    "no destination": (
        "conn outbound create -n d -c 1.2.3.4/32 --format cidr",
        "choose cidr_block or private_path_service_gateway.",
    ),
    "no destinations": ("conn outbound list --format cidr_block,more", "choose cidr_block"),
    "no such address": ("job list -o url", "json, yaml"),
}


@pytest.mark.parametrize(("line", "said"), USAGE.values(), ids=USAGE)
def test_usage(ce, line, said):
    """What cannot work is refused in one line, before anything is asked, and quotes no value."""
    error = ce(*shlex.split(line), code=2)
    assert said in error.splitlines()[-1]
    assert VALUE not in error


def test_config_map_inputs(type_in, tmp_path):
    """Files, env files and literals; a key that is not there cannot be removed."""
    (tmp_path / "k.txt").write_text("text\n")
    (tmp_path / "env").write_text("# comment\n\nE=1\n")
    type_in(f"cm create -n c -f {tmp_path}/k.txt -f IN=- -e {tmp_path}/env -l L=", text="in")
    data = {"k.txt": "text\n", "IN": "in", "E": "1", "L": ""}
    assert document(type_in, "cm get -n c")["data"] == data
    assert "no key 'none'" in type_in("cm update -n c --rm none", code=1)
