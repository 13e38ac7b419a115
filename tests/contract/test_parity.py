"""The parts keep step: API, functions, deployment and docs."""

import json
import re

import pytest
import yaml

import functions.main
from ce.rows import NOUNS
from emulator import hosting
from functions import binding, http_api, http_resources
from shared import quotas
from shared.api import operations
from shared.api.document import COMPILED
from shared.errors import STATUS
from shared.kinds import KINDS
from tests.support import ROOT
from tests.support.cli_examples import EXAMPLES, ROWS

ENDPOINTS = yaml.safe_load((ROOT / "functions" / "functions.yaml").read_text())["endpoints"]
DOCUMENT = json.loads(COMPILED.read_text())
SERVED = {
    "get_api_document": http_api.OPERATIONS["get_api_document"],
    **binding.HANDLERS,
}
APIKEYS = {"list_api_keys", "create_api_key", "get_api_key", "get_own_api_key", "delete_api_key"}
CODES = {"create_signin_code", "preview_signin_code"}
ID = "4e49b3e0-27a8-48d2-a784-c7ee48bb863b"
# The limits of shared/quotas.py that a user can meet, as docs may write them.
LIMITS = {
    "PROJECTS_PER_REGION": ("20",),
    "RESOURCES_PER_PROJECT": ("100",),
    "KEYS_PER_ACCOUNT": ("100",),
    "SIGNIN_CODES": ("5",),
    "SIGNIN_LIFETIME": ("60 s",),
    "SIGNIN_KEPT": ("an hour",),
    "SECRET_BYTES": ("2 MiB",),
    "SERVICE_BYTES": ("64 KiB",),
    "TEMPLATE_BYTES": ("1 MiB",),
    "INLINE_CODE_BYTES": ("102,400",),
    "CLEAR_BYTES": ("512 KiB",),
    "JOB_BYTES": ("10 KiB",),
    "JOB_INDICES": ("1,000",),
    "DATA_STORE_MOUNTS": ("2",),
    "PRIVATE_PATHS": ("3",),
    "BODY_BYTES": ("13 MiB",),
    "PLAIN_BODY_BYTES": ("64 KiB",),
    "TEMPLATE_BODY_BYTES": ("10 MiB",),
    "FAULTS_TOLD": ("20",),
    "PART_READS": ("3",),
    "PART_TRIES": ("20",),
    "RECLAMATIONS": ("1,000",),
    "KEY_RATE": ("50 (`CE_RATE`)",),
    "KEY_BURST": ("twice that",),
    "TOKEN_RATE": ("5 (`CE_TOKEN_RATE`)",),
    "TOKEN_BURST": ("four times that",),
    "LOCAL_RATE": ("1000 beside an emulator",),
    "CREATE_RATE": ("0.5 (`CE_CREATE_RATE`)",),
    "CREATE_BURST": ("40 s of it",),
    "LOCAL_CREATES": ("20 beside an emulator",),
    "ACCOUNT_KEYS": ("twice what a key has",),
    "BUCKETS": ("10,000",),
    "DENIALS": ("10 in 60 s",),
    "DENIALS_WITHIN": ("10 in 60 s",),
    "DENIAL_TIME": ("1 s",),
    "DENYING": ("32 that wait for one",),
    "CONCURRENCY": ("64 (`CE_CONCURRENCY`)",),
    "BODIES": ("64 bodies",),
    "HELD_BYTES": ("32 MiB",),
    "BODY_WORK": ("1 s",),
    "STRANGERS": ("32 without a token",),
    "STRANGER_BODY": ("5 s",),
    "WAITING": ("64 that wait",),
    "GATE_KEPT": ("an eighth",),
    "GATE_SHARE": ("a sixteenth",),
    "JSON_DEPTH": ("32",),
    "JSON_STRINGS": ("4,096",),
    "JSON_STRUCTURE_BYTES": ("64 KiB",),
    "JSON_TEXT_BYTES": ("4 MiB",),
    "PAIRS": ("1,000",),
    "ADDRESS_BYTES": ("8,190",),
    "PAGE_BYTES": ("4 MiB",),
    "CLOCK_SKEW": ("60 s",),
    "TOKEN_LIFETIME": ("1 h", "one hour", "an hour", "60 minutes"),
    "KEY_CACHE_LIFETIME": ("60 s", "60 seconds", "a minute", "one minute"),
    "KEY_CALL": ("2 s",),
    "KEY_TRIES": ("three tries",),
    "KEY_CALLS": ("20",),
    "KEY_FAILURES": ("five failures",),
    "KEY_PAUSE": ("one call in 5 s",),
    "KMS_PRIMARY": ("three hours",),
    "STORE_DEADLINE": ("10 s", "10 seconds"),
    "STORE_TRY": ("5 s", "5 seconds"),
    "STORE_TRIES": ("5", "five"),
    "CONFLICT_TRIES": ("20",),
    "NUDGE_AFTER": ("15 min", "15 minutes"),
    "FAIL_AFTER": ("24 h", "24 hours"),
    "REPEATED": ("24 hours",),
    "RETRY_AFTER": ("1 h", "one hour", "an hour", "every hour", "hourly"),
    "SEAL_BATCH": ("200",),
    "SEAL_TIME": ("45 s",),
    "SEAL_PAUSE": ("1 s",),
    "SEAL_LATE": ("five minutes",),
    "FIRST_VERSION": ("2021-03-31",),
    "NEWEST_VERSION": ("2026-09-04",),
}
INNER = {  # of no user's concern
    "MIB",
    "SEALED_PART_BYTES",
    "DOCUMENT_BYTES",
    "KEY_CACHE_ENTRIES",
    "KEY_RECHECK",
    "KEY_SAMPLE",
    "EVIDENCE",
    "RESTORES",
    "KEY_CHECKS",
    "KMS_SPARE",
    "KMS_PAGES",
    "REWRAP_BATCH",
    "KEK_COUNTED",
    "KEK_REST",
    "KEK_ACT",
    "TOKEN_CACHE_ENTRIES",
    "MIGRATED_KEYS",
    "MIGRATED_VALUES",
    "LARGE_BYTES",
    "OPENED",
    "SWEEP_BATCH",
    "SWEEP_BYTES",
    "FAULTS_SOUGHT_BYTES",
    "DUE_BATCH",
    "DUE_PAGES",
    "REGIONS_CHECKED",
    "ORPHAN_AFTER",
    "ORPHANS",
    "ORPHAN_TIME",
    "ORPHANS_AT_ONCE",
    "KEPT_BYTES",
    "FORGET_TIME",
    "SECRETS_LISTED",
    "SECRET_PAGES",
    "SEAL_JITTER",
    "SEAL_LOOKS",
}


def docs():
    """Give all that users and operators can read."""
    files = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    return {file.name: file.read_text() for file in files}


def test_every_operation_has_its_function():
    """Every operation is served by the one function it names, which is deployed."""
    assert set(SERVED) == set(operations())
    for operation in operations().values():
        assert operation.function in ENDPOINTS
        assert callable(getattr(functions.main, operation.function))


def test_every_function_has_its_operation():
    """Every function called over HTTP serves an operation, `identity` those of others."""
    http = {name for name, endpoint in ENDPOINTS.items() if "httpsTrigger" in endpoint}
    assert http - {"identity"} == {operation.function for operation in operations().values()}


def test_endpoints(subtests):
    """Every deployed function is what main.py gives under its name, and says what it needs."""
    identities = {f"reprieve-{name}@" for name in ("manage", "reveal", "retain", "rotate", "seal")}
    triggers = {"httpsTrigger", "eventTrigger", "scheduleTrigger"}
    for name, endpoint in ENDPOINTS.items():
        with subtests.test(name):
            assert endpoint["entryPoint"] == name
            function = getattr(functions.main, name)
            assert function.__name__ == name
            assert function.__doc__
            assert endpoint["serviceAccount"] in identities
            assert len(triggers & set(endpoint)) == 1


def test_a_process_has_threads_for_all_that_is_sent():
    """As many requests as its gate lets in, and more threads; the bodies fit into its memory."""
    sent = quotas.CONCURRENCY + 2 * (quotas.CONCURRENCY // quotas.GATE_KEPT)
    for endpoint in ENDPOINTS.values():
        assert endpoint["concurrency"] == sent
        assert int(endpoint["environmentVariables"]["THREADS"]) > sent
        assert endpoint["availableMemoryMb"] * quotas.MIB >= 16 * quotas.HELD_BYTES


def test_main_gives_nothing_else():
    """What main.py gives is what is deployed: what is bound, and five that are no operation."""
    given = functions.main.__all__
    assert sorted(given) == sorted(ENDPOINTS)
    apart = {"api", "enforceRetention", "identity", "onProjectWritten", "sealAudit"}
    assert set(given) - set(binding.FUNCTIONS) == apart


def test_api_serves_all_that_is_public():
    """Two functions serve every operation but the private ones, with the same handlers."""
    public = {name for name, operation in operations().items() if not operation.private}
    served = http_api.OPERATIONS | http_api.SIGNING
    assert set(served) == public
    assert all(served[name] is SERVED[name] for name in public)
    assert set(http_api.SIGNING) == {"issue_token", *APIKEYS, *CODES}
    assert not set(http_api.OPERATIONS) & set(http_api.SIGNING)
    private = {operations()[name].function for name in set(operations()) - public}
    invokers = {
        n: e["httpsTrigger"].get("invoker") for n, e in ENDPOINTS.items() if "httpsTrigger" in e
    }
    assert {name for name, invoker in invokers.items() if invoker == ["private"]} == private


def test_only_what_is_sealed_may_be_unwrapped():
    """The identity that may unwrap keys is that of what says `x-opens`: it deals with values."""
    opening = {"list_app_revisions", "get_app_revision", "list_secret_keys", "get_secret_key"}
    for kind in KINDS:
        if kind.sealed:
            apart = {f"delete_{kind.noun}", f"list_{kind.noun}_metadata"}
            opening |= set(http_resources.operations_of(kind)) - apart
    specs = [spec for path in DOCUMENT["paths"].values() for spec in path.values()]
    said = {s["operationId"]: s["x-opens"] for s in specs if isinstance(s, dict) and "x-opens" in s}
    assert said == dict.fromkeys(opening, True)
    sealed = {operations()[name].function for name in opening}
    sealed |= {"api", "resealValues"}
    reveal = {n for n, e in ENDPOINTS.items() if e["serviceAccount"] == "reprieve-reveal@"}
    assert reveal == sealed
    # And what signs tokens and records of keys runs as the other one.
    signing = {operations()[name].function for name in ("create_account", *http_api.SIGNING)}
    manage = {n for n, e in ENDPOINTS.items() if e["serviceAccount"] == "reprieve-manage@"}
    assert signing | {"identity"} <= manage
    retain = {n for n, e in ENDPOINTS.items() if e["serviceAccount"] == "reprieve-retain@"}
    assert retain == {n for n, e in ENDPOINTS.items() if "httpsTrigger" not in e} - {"sealAudit"}
    # And what signs the log does nothing else, and nothing else signs it.
    seal = {n for n, e in ENDPOINTS.items() if e["serviceAccount"] == "reprieve-seal@"}
    assert seal == {"sealAudit"}


def test_rewrites(subtests):
    """Hosting's rewrites bring every public operation's path to the function that serves it."""
    rewrites = hosting.read(ROOT, ENDPOINTS.__contains__).rewrites
    for operation in (one for one in operations().values() if not one.private):
        with subtests.test(operation.id):
            path = re.sub(r"\{\w+\}", ID, operation.path)
            targets = [rewrite.function for rewrite in rewrites if rewrite.match.fullmatch(path)]
            assert targets[0] == ("identity" if operation.id in http_api.SIGNING else "api")


def test_rewrites_of_private_paths():
    """No rewrite reaches a private operation."""
    rewrites = hosting.read(ROOT, ENDPOINTS.__contains__).rewrites
    for operation in operations().values():
        found = [rewrite for rewrite in rewrites if rewrite.match.fullmatch(operation.path)]
        assert bool(found) != operation.private


def test_event_trigger_and_rules():
    """Events are of projects alone, and no client reads or writes past the functions."""
    event = ENDPOINTS["onProjectWritten"]["eventTrigger"]
    assert event["eventFilterPathPatterns"] == {"document": "projects/{projectId}"}
    assert event["retry"] is True
    rules = (ROOT / "firestore.rules").read_text()
    assert re.findall(r"allow .*;", rules) == ["allow read, write: if false;"]


def test_limits_are_all_known():
    """Every limit of quotas.py is either a user's concern, and documented, or ours alone."""
    names = {name for name in vars(quotas) if name.isupper()}
    assert names == set(LIMITS) | INNER


def test_error_codes_in_docs():
    """Every error code is named in README.md or docs/."""
    text = "\n".join(docs().values())
    assert [code for code in STATUS if f"`{code}`" not in text] == []


def test_limits_in_docs():
    """Every limit a user can meet is named in README.md or docs/, in number and unit."""
    text = "\n".join(docs().values())
    missing = [
        name
        for name, forms in LIMITS.items()
        if not any(re.search(rf"(?<![\d.,]){re.escape(form)}(?!\w)", text) for form in forms)
    ]
    assert missing == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.collection)
def test_kinds_in_docs(kind):
    """Each kind has its row in docs/api.md: functions, update, what is sealed, how many."""
    home = f"/v2/projects/{{project_id}}/{kind.collection}"
    specs = [
        *DOCUMENT["paths"][home].values(),
        *DOCUMENT["paths"][f"{home}/{{{kind.key}}}"].values(),
    ]
    names = dict.fromkeys(f"`{spec['x-function']}`" for spec in specs if "x-function" in spec)
    update = {"PUT": "replaced", "PATCH": "merged", "": "no"}[kind.update]
    sealed = ", ".join(f"`{name}`" for name in kind.sealed) or "-"
    limit = quotas.RESOURCES_PER_PROJECT[kind.collection]
    row = f"| `{kind.collection}` | {' '.join(names)} | {update} | {sealed} | {limit} |"
    assert row in docs()["api.md"].splitlines()


def test_every_kind_has_a_noun():
    """Each kind has a noun of the command line, which updates it as the kind is updated."""
    nouns = {noun.kind.collection: noun for noun in NOUNS if noun.kind}
    assert set(nouns) == {kind.collection for kind in KINDS} | {"revisions"}
    for kind in KINDS:
        noun = nouns[kind.collection]
        assert ("update" in noun.verbs) == bool(kind.update)
        assert noun.kind.update == kind.update or not kind.update
        assert noun.kind.key == kind.key
        assert {"get", "list", "delete"} < set(noun.verbs)


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.name)
def test_nouns_in_docs(noun):
    """Each noun has its row in docs/cli.md: aliases and commands."""
    lines = [line.split("|") for line in docs()["cli.md"].splitlines() if line.startswith("|")]
    aliases, verbs = next(row[2:4] for row in lines if f"`{noun.name}`" in row[1])
    assert re.findall(r"`(\w+)`", verbs) == [*noun.verbs]
    assert noun.parent or re.findall(r"`(\w+)`", aliases) == [*noun.aliases]


def test_every_verb_reaches_an_operation():
    """Each command is tried for the operation it is there for; no operation on a kind lacks one."""
    tried = {(example.noun, example.verb): example.operation for example in EXAMPLES}
    tried |= {row: operation for row, (_, operation) in ROWS.items()}
    rows = {(f"{noun.parent} {noun.name}".strip(), verb) for noun in NOUNS for verb in noun.verbs}
    assert set(tried) == rows
    offline = {("audit", "verify"), ("certificate", "verify")}
    assert {row for row in tried if tried[row] is None} == offline
    assert set(tried.values()) - {None} <= set(operations())
    homes = tuple(f"/v2/projects/{{project_id}}/{kind.collection}" for kind in KINDS)
    inside = {name for name, one in operations().items() if one.path.startswith(homes)}
    assert inside - set(tried.values()) == {"list_app_instances"}  # there is none, ever


def test_functions_in_docs():
    """Every deployed function is named in README.md or docs/."""
    text = "\n".join(docs().values())
    assert [name for name in ENDPOINTS if name not in text] == []


def test_descriptions_are_whole():
    """Every operation has a summary of its own, and every parameter a sentence."""
    specs = [
        spec
        for path in DOCUMENT["paths"].values()
        for method, spec in path.items()
        if method != "parameters"
    ]
    summaries = [spec["summary"] for spec in specs]
    assert len(set(summaries)) == len(summaries)
    told = [set(spec["responses"]) for spec in specs]
    assert all({"406", "500", "503"} <= statuses and "default" not in statuses for statuses in told)
    assert all(len(spec["tags"]) == 1 for spec in specs)
    assert all(
        parameter["description"] for parameter in DOCUMENT["components"]["parameters"].values()
    )
