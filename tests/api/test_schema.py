"""What openapi.yaml says is what is checked, and no refusal repeats a value."""

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import is_valid

from shared import api
from shared.access import CODE_GRANT
from shared.api import document, operations
from shared.errors import Error
from shared.kinds import secrets
from tests.support import GRANT
from tools.openapi import compiled

ID = "4e49b3e0-27a8-48d2-a784-c7ee48bb863b"
CANARY = "C4n4ry/ value"
BODIES = {
    "create_project": {"name": "p"},
    "create_secret": {"name": "s", "format": "generic"},
    "replace_secret": {"format": "generic", "data": {}},
    "issue_token": {"grant_type": GRANT, "apikey": "k"},
    "create_api_key": {"name": "k"},
    "preview_signin_code": {"code": "c"},
}
ACCESS = {"name": "s", "format": "service_access"}
QUERY = ("project_id", "limit", "format", "version", "start")
SECRET = {"name": "s", "format": "generic"}
SAMPLES = (ID, "0123456789abcdef", "s", "a.b", "*")
# What each operation requires besides a body: of each parameter, the first sample it takes.
GIVEN = {
    operation.id: {
        parameter.key: next(text for text in SAMPLES if is_valid(parameter.schema, text))
        for parameter in operation.parameters
        if parameter.required
    }
    for operation in operations().values()
}
# The operations that need no body, or have one above.
LEAST = [name for name in GIVEN if name in BODIES or not operations()[name].body_required]


def data(**values):
    """Give the body of a generic secret."""
    return SECRET | {"data": values}


MANY_TAGS = ["a"] * 101


def everything():
    """Give every operation, private ones too."""
    return list(operations().values())


def faults(operation, given=None, body=None):
    """Give the errors of a request that is refused, as (code, target type, target name)."""
    given = GIVEN[operation] if given is None else given
    body = BODIES.get(operation, {}) if body is None else body
    with pytest.raises(Error) as refused:
        operations()[operation].checked(given, body)
    assert refused.value.status == 400
    entries = refused.value.entries()
    assert not any(CANARY in str(entry) for entry in entries)
    return [(entry["code"], entry["target"]["type"], entry["target"]["name"]) for entry in entries]


def test_compiled():
    """What is made of openapi.yaml and the kinds is committed as it is made now."""
    for file, text in compiled().items():
        assert file.read_text() == text


def test_defaults():
    """What is left out gets its default, and what has none stays out."""
    assert operations()["list_projects"].checked({}, {}) == ({"limit": 100}, {})
    checked, _ = operations()["list_secrets"].checked({"project_id": ID, "start": "a"}, {})
    assert checked == {"project_id": ID, "limit": 100, "start": "a"}


def test_least_request(subtests):
    """Every operation takes a request with what it requires and nothing more."""
    for name in LEAST:
        with subtests.test(name):
            checked, _ = operations()[name].checked(GIVEN[name], BODIES.get(name, {}))
            assert GIVEN[name].items() <= checked.items()


def test_unknown_members_are_ignored(subtests):
    """Members and parameters nobody knows are ignored, as real clients send them."""
    for name in LEAST:
        with subtests.test(name):
            body = {**BODIES.get(name, {}), "unheard": {"of": [1]}}
            checked, _ = operations()[name].checked({**GIVEN[name], "unheard": "x"}, body)
            assert "unheard" not in checked


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), ("100", 100), ("200", 200), ("01", 1), ("007", 7), (1, 1), (1.0, 1)],
)
def test_numbers(text, number):
    """A number in a query is digits; leading zeros change nothing."""
    checked, _ = operations()["list_projects"].checked({"limit": text}, {})
    assert checked["limit"] == number
    assert type(checked["limit"]) is int


NO_NUMBERS = [
    "0",
    "201",
    "-1",
    "+5",
    "1_0",
    "\uff15",
    "1.0",
    "1e2",
    "0x1",
    "\u0663",
    "null",
    "true",
]


@pytest.mark.parametrize(
    "text",
    [
        *NO_NUMBERS,
        "",
        " 1",
        "1 ",
        "1\n",
        "9" * 9,
        "9" * 10,
        "9" * 5000,
        True,
        1.5,
        None,
        [1],
        {},
        0,
    ],
)
def test_no_numbers(text):
    """Nothing else is a number, and a number has its bounds."""
    assert faults("list_projects", {"limit": text}) == [("invalid_field", "parameter", "limit")]


NO_NAMES = ["A", "a_b", "-a", "a-", ".a", "a.", "a..b", "a.-b", "a/b", "é", "\uff41"]


@pytest.mark.parametrize("name", [*NO_NAMES, "", "a b", "a\n", "\na", "a\0", "a" * 254, "a\u2028"])
def test_secret_names(name):
    """A secret's name is a DNS name in lower case, in path and body alike."""
    path = {"project_id": ID, "name": name}
    assert faults("get_secret", path)[0] == ("invalid_field", "parameter", "name")
    body = {"name": name, "format": "generic"}
    assert faults("create_secret", None, body)[0] == ("invalid_field", "field", "name")


@pytest.mark.parametrize("name", ["a", "0", "a-b", "a.b", "a--b", "a-1.b-2", "a" * 253])
def test_good_secret_names(name):
    """Every DNS name of up to 253 characters is taken."""
    assert (
        operations()["get_secret"].checked({"project_id": ID, "name": name}, {})[0]["name"] == name
    )


@pytest.mark.parametrize(
    "name",
    [*(f"a{c}b" for c in "\t\n\0\x7f/\\@+#?%&=,;'\"<>()[]{}|~`!$^*"), "", "\n", "a\n"]
    + [character * 129 for character in "aé😀"],
)
def test_project_names(name):
    """A project's name has up to 128 characters, of ASCII only some."""
    assert faults("create_project", {}, {"name": name})[0] == ("invalid_field", "field", "name")


@pytest.mark.parametrize("name", ["a", " ", "A-b._: 9", "é", "項目", "😀" * 128, "a" * 128])
def test_good_project_names(name):
    """Every character beyond ASCII is taken, and counted as one."""
    assert operations()["create_project"].checked({}, {"name": name}) == ({}, {"name": name})


@pytest.mark.parametrize(
    "bad", ["", ID.upper(), ID[:-1], ID + "0", ID + "\n", ID.replace("-", ""), "..", CANARY]
)
@pytest.mark.parametrize(
    ("operation", "key"), [("get_project", "id"), ("get_secret", "project_id")]
)
def test_ids(operation, key, bad):
    """An id has its form, or the request is refused."""
    given = {**GIVEN[operation], key: bad}
    assert faults(operation, given) == [("invalid_field", "parameter", key)]


@pytest.mark.parametrize("tag", ["", "A", '"a"', "a b", "a\n", "a" * 64, CANARY])
def test_entity_tags(tag):
    """If-Match is an entity tag or a star, and the fault lies in the header."""
    given = {**GIVEN["replace_secret"], "if_match": tag}
    assert set(faults("replace_secret", given)) == {("invalid_field", "header", "If-Match")}


@pytest.mark.parametrize(
    ("operation", "given", "body", "expected"),
    [
        ("create_project", {}, {}, [("missing_field", "field", "name")]),
        ("create_secret", None, {}, [
            ("missing_field", "field", "format"),
            ("missing_field", "field", "name"),
        ]),
        ("create_secret", None, {"name": 1, "format": "no", "data": {"k": 1}}, [
            ("invalid_field", "field", "data.k"),
            ("invalid_field", "field", "format"),
            ("invalid_field", "field", "name"),
        ]),
        ("create_secret", None, ACCESS | {"service_access": {}}, [
            ("missing_field", "field", "service_access.service_instance"),
        ]),
        ("create_secret", None, ACCESS | {"service_access": {"service_instance": {}}}, [
            ("missing_field", "field", "service_access.service_instance.id"),
        ]),
        ("create_project", {}, {"name": "p", "tags": ["ok", "n/o"]}, [
            ("invalid_field", "field", "tags.1"),
        ]),
        ("replace_secret", {}, {}, [
            ("missing_field", "field", "format"),
            ("missing_field", "header", "If-Match"),
            ("missing_field", "parameter", "name"),
            ("missing_field", "parameter", "project_id"),
        ]),
        ("list_secrets", dict.fromkeys(QUERY, "x" * 513), {}, [
            ("invalid_field", "parameter", "format"),
            ("invalid_field", "parameter", "limit"),
            ("invalid_field", "parameter", "project_id"),
            ("invalid_field", "parameter", "start"),
            ("invalid_field", "parameter", "version"),
        ]),
    ],
)  # fmt: skip
def test_every_fault_at_once(operation, given, body, expected):
    """All faults of a request are told at once, each with its target."""
    assert sorted(faults(operation, given, body)) == expected


@pytest.mark.parametrize("form", secrets.FORMATS)
def test_a_replacement_says_its_values(subtests, form):
    """What is left out would empty the secret: that takes an empty `data`. Null is no values."""
    has = secrets.FORMATS[form].made_from == "data"
    expected = [("missing_field", "field", "data")] if has else []
    given = GIVEN["replace_secret"]
    with subtests.test("left out"):
        if has:
            assert faults("replace_secret", given, {"format": form}) == expected
        else:  # refused later: it has none to replace
            assert operations()["replace_secret"].checked(given, {"format": form})[1]
    with subtests.test("null"):
        body = {"format": form, "data": None}
        assert faults("replace_secret", given, body) == [("invalid_field", "field", "data")]
    with subtests.test("empty"):
        body = {"format": form, "data": {}}
        assert operations()["replace_secret"].checked(given, body)[1] == body
    with subtests.test("of a config map"):
        assert operations()["replace_config_map"].checked(GIVEN["replace_config_map"], {})


@pytest.mark.parametrize("text", ["/a\nb", "/a\r", "\n", "/\u2028", "/\u2029b"])
def test_a_probes_path_is_a_line(subtests, text):
    """Other characters are taken, as blanks and escapes."""
    body = {"name": "a", "image_reference": "icr.io/a/b"}
    for probe in ("probe_liveness", "probe_readiness"):
        for operation in ("create_app", "update_app"):
            with subtests.test(f"{operation} {probe}"):
                bad = body | {probe: {"type": "http", "path": text}}
                told = [("invalid_field", "field", f"{probe}.path")]
                assert faults(operation, body=bad) == told
                good = body | {probe: {"type": "http", "path": "/a b%0a?c\t"}}
                checked = operations()[operation].checked(GIVEN[operation], good)[1]
                assert checked[probe] == good[probe]


@pytest.mark.parametrize("body", [None, [], "text", 1, True, 1.5, [{}]])
@pytest.mark.parametrize("operation", ["create_project", "create_secret", "replace_secret"])
def test_body_that_is_no_object(operation, body):
    """A body that is no object is refused as a whole."""
    with pytest.raises(Error) as refused:
        operations()[operation].checked(GIVEN[operation], body)
    assert [entry["target"]["name"] for entry in refused.value.entries()] == ["body"]
    assert refused.value.message == "`body` must be of type object."


def fields_of(properties, path=()):
    """Give the path of every field of a body, however deep, and of a key of its maps."""
    for name, spec in properties.items():
        spec = document.resolved(spec)  # noqa: PLW2901
        yield (*path, name)
        if "properties" in spec:
            yield from fields_of(spec["properties"], (*path, name))
        if "additionalProperties" in spec:
            yield (*path, name, "key")
            yield (*path, name, CANARY)
        if "items" in spec:
            yield (*path, name, 0)


def planted(body, path, value):
    """Give a body with a value planted at a path."""
    if not path:
        return value
    head, *rest = path
    if head == 0:
        return [planted(None, rest, value)]
    inner = (body or {}).get(head)
    return {**(body or {}), head: planted(inner if isinstance(inner, dict) else None, rest, value)}


VALUES = {
    "text": CANARY,
    "long": CANARY * 200_000,
    "array": [CANARY],
    "object": {CANARY: CANARY},
    "deep": {"id": {CANARY: [CANARY]}},
    "arrays": [[CANARY]],
}
WITH_BODY = [operation.id for operation in everything() if operation.media_types]


@pytest.mark.parametrize("operation", WITH_BODY)
def test_values_never_show(operation, subtests):
    """No refusal repeats a value or a key, wherever in a body it stands."""
    form = document.resolved(operations()[operation].body_schema)["properties"]
    for path, sort in product(fields_of(form), VALUES):
        with subtests.test(path=path, sort=sort):
            body = planted(BODIES.get(operation, {}), path, VALUES[sort])
            try:
                operations()[operation].checked(GIVEN[operation], body)
            except Error as error:
                told = str(error.entries())
                assert "C4n4ry" not in told  # many of them are legal
                assert len(told) < 4000


@pytest.mark.parametrize("name", sorted({p.key for op in everything() for p in op.parameters}))
def test_parameters_never_show(name):
    """No refusal repeats a parameter."""
    for operation in everything():
        if name in {parameter.key for parameter in operation.parameters}:
            given = {**GIVEN[operation.id], name: CANARY * 100}
            told = faults(operation.id, given)
            assert (
                {"invalid_field"}
                <= {code for code, *_ in told}
                <= {"invalid_field", "missing_field"}
            )


OTHER_GRANT = BODIES["issue_token"] | {"grant_type": "password"}
OF_KEYS = "letters, digits, `-`, `_` and `.`"
BAD_KEY = "`data` has a key that is not allowed: it"
MANY = data(**{f"k{n}": "" for n in range(1001)})


@pytest.mark.parametrize(
    ("operation", "body", "message"),
    [
        ("create_project", {}, "`name` is required."),
        ("create_project", {"name": 1}, "`name` must be of type string."),
        ("create_project", {"name": ""}, "`name` is below its minimum of 1."),
        ("create_project", {"name": "a" * 129}, "`name` is above its maximum of 128."),
        ("create_project", {"name": "p", "tags": MANY_TAGS}, "`tags` is above its maximum of 100."),
        ("create_secret", data(k=None), "`data.k` must be of type string."),
        ("create_secret", data(k="x" * 1048577), "`data.k` is above its maximum of 1048576."),
        ("create_secret", data(**{"a b": ""}), f"{BAD_KEY} must be {OF_KEYS}."),
        ("create_secret", data(**{"a" * 254: ""}), f"{BAD_KEY} is above its maximum of 253."),
        ("create_secret", MANY, "`data` is above its maximum of 1000."),
        ("issue_token", OTHER_GRANT, f"`grant_type` must be one of `{GRANT}`, `{CODE_GRANT}`."),
        ("issue_token", OTHER_GRANT | {"grant_type": CODE_GRANT}, "`code` is required."),
        ("issue_token", {"grant_type": GRANT, "code": "c"}, "`apikey` is required."),
    ],
)  # fmt: skip
def test_wording(operation, body, message):
    """A refusal names the field and the rule, in a sentence."""
    with pytest.raises(Error) as refused:
        operations()[operation].checked(GIVEN[operation], body)
    assert message in [entry["message"] for entry in refused.value.entries()]


def test_pattern_wording():
    """A broken pattern is told in words where the document has them, else by itself."""
    with pytest.raises(Error) as refused:
        operations()["get_project"].checked({"id": CANARY}, {})
    assert refused.value.message == "`id` must be a UUID in lower case."
    with pytest.raises(Error) as refused:
        operations()["create_account"].checked({}, {"account_id": CANARY})
    assert refused.value.message == "`account_id` must match `^[0-9a-f]{32}$`."


@pytest.mark.parametrize(("faulty", "told"), [(3, 3), (100, 20), (10_000, 1)])
def test_a_body_full_of_faults(faulty, told):
    """Many faults are told up to a number; of a large body only the first is looked for."""
    body = {"name": "p", "tags": [1] * faulty}
    with pytest.raises(Error) as refused:
        operations()["create_project"].checked({}, body, size=8 * faulty)
    assert len(refused.value.entries()) == told


def test_undeclared_members_go():
    """What a schema does not declare is dropped at every depth, and what it does stays."""
    instance = {"id": ID, "apikey": CANARY}
    body = {"format": "service_access", "name": "s", "x": 1, "service_access": {"x": [1]}}
    body["service_access"]["service_instance"] = instance
    _, kept = operations()["create_secret"].checked({"project_id": ID}, body)
    access = {"service_instance": {"id": ID}}
    assert kept == {"format": "service_access", "name": "s", "service_access": access}


@pytest.mark.parametrize(
    "key", ["", "a b", "a/b", "a\n", "é", "a:b", "a\0", CANARY, "k" * 254, "a\u2028b"]
)
def test_data_keys(key):
    """A key of data is letters, digits, dash, dot and underscore, and is not repeated when bad."""
    body = SECRET | {"data": {key: "value"}}
    assert faults("create_secret", None, body) == [("invalid_field", "field", "data")]


@given(st.text(max_size=30))
def test_any_name(name):
    """A name is taken exactly if the documented pattern, read by Python, takes it whole."""
    pattern = r"[a-z0-9]([\-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([\-a-z0-9]*[a-z0-9])?)*"
    body = {"name": name, "format": "generic"}
    try:
        operations()["create_secret"].checked(GIVEN["create_secret"], body)
        taken = True
    except Error:
        taken = False
    assert taken == bool(re.fullmatch(pattern, name))


@pytest.mark.parametrize(
    "text", ["a" * 252 + "!", "a-" * 126 + "!", "a." * 126 + "!", "a" * 100_000]
)
def test_patterns_take_no_time(text):
    """No text makes a pattern search for ever."""
    body = {"name": text, "format": "generic"}
    assert ("invalid_field", "field", "name") in faults("create_secret", None, body)


@pytest.mark.parametrize(
    ("given", "expected"), [(8081.0, 8081), (8e3, 8000), (-0.0, 0), (0, 0), (8081, 8081)]
)
def test_an_integer_is_one_however_it_is_written(given, expected):
    """`8081.0` is an integer in JSON Schema, and is kept and shown as what every client reads."""
    body = {"name": "a", "image_reference": "icr.io/a/b", "image_port": given}
    body["probe_liveness"] = {"port": given}
    path = {"project_id": ID}
    _, checked = operations()["create_app"].checked(path, body)
    _, patch = operations()["update_app"].checked({**path, "name": "a", "if_match": "*"}, body)
    for found in (checked, patch, api.shown("App", body)):
        assert repr(found["image_port"]) == repr(found["probe_liveness"]["port"]) == repr(expected)


@pytest.mark.parametrize(
    ("operation", "patch", "field"),
    [
        ("update_job", {"image_reference": None}, "image_reference"),
        ("update_function", {"runtime": None}, "runtime"),
        ("update_build", {"strategy_type": None}, "strategy_type"),
        ("update_domain_mapping", {"component": None}, "component"),
        ("update_domain_mapping", {"component": {"name": None}}, "component.name"),
    ],
)
def test_what_is_required_is_not_patched_away(operation, patch, field):
    """The schema of a patch says so itself; what is not required may go."""
    assert faults(operation, body=patch) == [("invalid_field", "field", field)]
    gone = {"scale_cpu_limit": None, "run_build_params": None}
    assert operations()[operation].checked(GIVEN[operation], gone)[1].items() <= gone.items()
