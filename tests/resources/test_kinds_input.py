"""Bad input of every kind: what is missing and what is of a wrong type, told by its place."""

import json

import pytest

from shared import quotas
from shared.kinds import KINDS, table
from tests.support.kinds import BY_KIND, UPDATED, called, refused
from tests.support.kinds_examples import CANARY, IMAGE, filled

every_kind = pytest.mark.parametrize("kind", KINDS, ids=called)
updated_kinds = pytest.mark.parametrize("kind", UPDATED, ids=called)
WRONG = {str: 7, int: CANARY, bool: CANARY, list: CANARY, dict: CANARY}


def places(value, path=()):
    """Give the path of every member within a body, however deep."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for name, item in items:
        yield (*path, name)
        if isinstance(item, dict | list):
            yield from places(item, (*path, name))


def at(value, path):
    """Give what is at a path."""
    for part in path:
        value = value[part]
    return value


def replaced(value, path, new):
    """Give a copy with something else at a path, or, for `...`, with nothing there."""
    if not path:
        return new
    first, *rest = path
    if isinstance(value, list):
        return [replaced(one, rest, new) if n == first else one for n, one in enumerate(value)]
    copy = {**value, first: replaced(value[first], rest, new)}
    return {name: item for name, item in copy.items() if item is not ...}


def bodies(home, kind, form):
    """Give a create's body, under a number of its own."""
    example = BY_KIND[kind]
    return example.body(next(home.numbers[kind]), getattr(example, form))


@every_kind
def test_missing(home, kind):
    """Each member that is required is missed by name, one by one and all at once."""
    body = bodies(home, kind, "least")
    count = home.usage(kind)
    needed = [path for path in places(body) if all(isinstance(part, str) for part in path)]
    if kind.named:
        needed.remove(("name",))
    for path in needed:
        answer = home.ask("POST", home.at(kind), replaced(body, path, ...))
        refused(answer, 400, "missing_field", ".".join(path))
    schema_needs = [path[0] for path in needed if len(path) == 1]
    entries = home.ask("POST", home.at(kind), {}).json()["errors"] if schema_needs else []
    told = {entry["target"]["name"] for entry in entries}
    assert told <= set(schema_needs)
    assert len(told) >= min(1, len(schema_needs))
    assert {entry["code"] for entry in entries} <= {"missing_field"}
    assert home.usage(kind) == count


@every_kind
def test_wrong_types(home, kind):
    """Each member of a wrong type is told by its place, whatever is sent; and never its value."""
    body = bodies(home, kind, "full")
    stored = home.stored()
    for path in places(body):
        target = ".".join(map(str, path))
        for wrong in (WRONG[type(at(body, path))], None):
            answer = home.ask("POST", home.at(kind), replaced(body, path, wrong))
            entries = refused(answer, 400, "invalid_field", target)
            assert CANARY not in str(entries)
    assert home.stored() == stored


@every_kind
def test_several_at_once(home, kind):
    """All members of a wrong type are told at once, up to a number; what is missing among them."""
    body = bodies(home, kind, "full")
    wrong = {name: WRONG[type(value)] for name, value in body.items()}
    answer = home.ask("POST", home.at(kind), wrong)
    assert answer.status_code == 400
    entries = answer.json()["errors"]
    assert len(entries) == min(len(body), quotas.FAULTS_TOLD)
    assert {entry["target"]["name"] for entry in entries} <= set(body)
    assert len({entry["target"]["name"] for entry in entries}) == len(entries)
    required = [name for name in BY_KIND[kind].least if name in wrong]
    if required and len(body) > 1:
        first, *_ = required
        del wrong[first]
        told = home.ask("POST", home.at(kind), wrong).json()["errors"]
        missed = [e["target"]["name"] for e in told if e["code"] == "missing_field"]
        assert missed in ([first], [])  # a rule across fields waits until the types are right
        assert len(told) == min(len(body) - 1 + len(missed), quotas.FAULTS_TOLD)


@updated_kinds
def test_wrong_types_of_a_change(home, kind):
    """A change is held against the same schema, member by member, and changes nothing."""
    number = next(home.numbers[kind])
    key = home.create(kind, "full", number).json()[kind.key]
    before = home.get(kind, key).content
    example = BY_KIND[kind]
    whole = filled(example.change if kind.update == "PUT" else example.full, number, "")
    whole = {name: value for name, value in whole.items() if name not in kind.lasting}
    for path in places(whole):
        target = ".".join(map(str, path))
        answer = home.update(kind, key, replaced(whole, path, WRONG[type(at(whole, path))]))
        refused(answer, 400, "invalid_field", target)
    assert home.get(kind, key).content == before


BODIES = ("[]", '"x"', "1", "null", "true")


@every_kind
def test_a_body_is_an_object(home, kind, subtests):
    """A body of any other type is refused."""
    headers = {"Content-Type": "application/json"}
    for text in BODIES:
        with subtests.test(text):
            answer = home.ask("POST", home.at(kind), data=text, headers=headers)
            refused(answer, 400, "invalid_field", "body")


# Names that a kind does not take.
APP_NAME, JOB_NAME, DNS = ("1a", "a.b", "a_b"), ("-a", "a-", "a.b"), ("a..b", ".a", "a_b")
BAD_NAMES = {
    table.SECRETS: (*DNS, "a" * 254),
    table.CONFIG_MAPS: (*DNS, "a" * 254),
    table.JOBS: (*JOB_NAME, "a" * 64),
    table.JOB_RUNS: (*JOB_NAME, "a" * 54),
    table.APPS: (*APP_NAME, "a" * 64),
    table.FUNCTIONS: (*APP_NAME, "a" * 64),
    table.BUILDS: (*JOB_NAME, "a" * 64),
    table.BUILD_RUNS: (*JOB_NAME, "a" * 64),
    table.DOMAIN_MAPPINGS: ("nodot", "a..b", "a_b.c", "a." + "b" * 252),
    table.ALLOWED_OUTBOUND_DESTINATIONS: ("-a", "a-", "a b", "a" * 254),
    table.PERSISTENT_DATA_STORES: (*DNS, "a" * 64),
}
EVERYONES = ("", "UPPER/", "a\n", "a b", "a\u202eb", "é", "a/b", "\u200ba", "a\0", "..")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.key == "name"], ids=called)
def test_names(home, kind):
    """A name that the kind does not take is refused, in body and path; the longest is not."""
    for name in (*BAD_NAMES[kind], *EVERYONES):
        body = bodies(home, kind, "least") | {"name": name}
        targets = ["name"] * (1 + (not name))  # nothing is too short, and has not the form
        refused(home.ask("POST", home.at(kind), body), 400, "invalid_field", *targets)
    longest = BAD_NAMES[kind][-1][:-1]
    assert home.made(kind, "least", name=longest)["name"] == longest
    assert home.get(kind, longest).status_code == 200
    answer = home.ask("GET", home.at(kind, "a%20b"))
    refused(answer, 400, "invalid_field", "name")


def sealed_of(kind):
    """Give bodies whose sealed members are too much, and what is told."""
    large = CANARY + "x" * 1_000_000
    return {
        table.JOBS: ({"run_commands": ["x" * 10_240]}, None),
        table.JOB_RUNS: ({"run_commands": ["x" * 10_240]}, None),
        table.APPS: (
            {"run_env_variables": [{"name": n, "value": large} for n in "ab"]},
            "run_env_variables",
        ),
        table.FUNCTIONS: (
            {"code_reference": "data:text/plain;base64," + "A" * quotas.INLINE_CODE_BYTES},
            "code_reference",
        ),
        table.BUILDS: (
            {"run_build_params": [{"name": n, "value": large} for n in "ab"]},
            "run_build_params",
        ),
        table.BUILD_RUNS: (
            {"run_build_params": [{"name": n, "value": large} for n in "ab"]},
            "run_build_params",
        ),
        table.SECRETS: ({"data": dict.fromkeys("abc", large)}, "data"),
        table.CONFIG_MAPS: ({"data": dict.fromkeys("abc", large)}, "data"),
    }[kind]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.sealed], ids=called)
def test_too_much(home, kind):
    """Values that are too much in all are refused, at a create and at a change; others are not."""
    much, target = sealed_of(kind)
    least = BY_KIND[kind].least | much
    targets = [target] if target else []
    refused(home.create(kind, "least", **much), 413, "payload_too_large", *targets)
    made = home.made(kind, "least")
    if kind.update:
        body = least if kind.update == "PUT" else much
        refused(home.update(kind, made["name"], body), 413, "payload_too_large", *targets)
    assert home.get(kind, made["name"]).json() == made


def test_a_job_of_ten_kib(home):
    """A job's JSON may have 10,240 bytes, defaults included, and not one more."""
    made = home.made(table.JOBS, "least")
    home.delete(table.JOBS, made["name"])
    fits, step = 0, 8192
    while step:  # the largest argument that is taken
        if home.create(table.JOBS, "least", name="j", run_arguments=["x" * (fits + step)]).ok:
            home.delete(table.JOBS, "j")
            fits += step
        step //= 2
    body = home.made(table.JOBS, "least", name="j", run_arguments=["é" * (fits // 2)])
    assert len(body["run_arguments"][0]) == fits // 2
    refused(
        home.create(table.JOBS, "least", name="k", run_arguments=["é" * (fits // 2 + 1)]),
        413,
        "payload_too_large",
    )
    assert quotas.JOB_BYTES - 1024 < fits < quotas.JOB_BYTES


def test_the_largest_template(home):
    """An app of 1 MiB of values beside 512 KiB, written as JSON is at its longest: six for one."""
    argument = "<" * (quotas.CLEAR_BYTES // 100 - 32)
    value = "\x01" * quotas.TEMPLATE_BYTES
    body = {
        "name": "largest",
        "image_reference": IMAGE,
        "run_arguments": [argument] * 100,
        "run_env_variables": [{"type": "literal", "name": "V", "value": value}],
    }
    raw = json.dumps(body).replace("<", "\\u003c")  # as Go's encoder has it
    assert len(raw) > 0.98 * 6 * (quotas.CLEAR_BYTES + quotas.TEMPLATE_BYTES)
    path, sent = home.at(table.APPS), {"Content-Type": "application/json"}
    made = home.account.call("POST", path, data=raw, headers=sent)
    assert made.status_code == 201, made.text[:1000]
    got = home.get(table.APPS, "largest").json()
    assert got["run_arguments"] == body["run_arguments"]
    assert got["run_env_variables"] == body["run_env_variables"]
    assert home.delete(table.APPS, "largest").status_code == 202


def test_inline_code(home):
    """Inline code has up to 102,400 characters, prefix and padding included; an image is none."""
    prefix = "data:text/plain;base64,"
    full = prefix + "A" * (quotas.INLINE_CODE_BYTES - len(prefix))
    assert home.made(table.FUNCTIONS, "least", code_reference=full)["code_reference"] == full
    refused(
        home.create(table.FUNCTIONS, "least", code_reference=full + "A"),
        413,
        "payload_too_large",
        "code_reference",
    )
    bundle = home.made(table.FUNCTIONS, "least", code_reference=IMAGE, code_binary=False)
    assert (bundle["code_reference"], bundle["code_binary"]) == (IMAGE, True)
    for image in ("data:image/png;base64,AAAA\n", "\x89PNG", "http://x/y.tar", "data:;base64"):
        answer = home.create(table.FUNCTIONS, "least", code_reference=image)
        refused(answer, 400, "invalid_field", "code_reference")


@pytest.mark.parametrize(
    "kind", [k for k in KINDS if "image_reference" in BY_KIND[k].full], ids=called
)
def test_images_are_only_referred_to(home, kind):
    """The bytes of an image are never taken: its member is a reference, and nothing else."""
    for image in (
        "data:application/x-tar;base64,AAAA",
        "\x1f\x8b",
        "A",
        "a b",
        "x" * 257,
        IMAGE + "\n",
    ):
        answer = home.create(kind, "least", image_reference=image)
        refused(answer, 400, "invalid_field", "image_reference")
