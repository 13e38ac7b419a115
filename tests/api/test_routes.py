"""Where a path leads: split before it is decoded, and nowhere if two could read it differently."""

import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.api import operations, route
from shared.errors import Error

ID = "4e49b3e0-27a8-48d2-a784-c7ee48bb863b"
HOME = "/v2/projects"
SECRETS = f"{HOME}/{ID}/secrets"
ALL = operations().keys()


def refused(method, path, among=ALL):
    """Give the error of a request that leads nowhere."""
    with pytest.raises(Error) as caught:
        route(among, method, path)
    return caught.value


def test_route(subtests):
    """Every operation is found under its path, with the parameters in it."""
    for name in ALL:
        with subtests.test(name):
            operation = operations()[name]
            rest = any(p.rest for p in operation.parameters)  # it has no escapes, but slashes
            of_path = [p.name for p in operation.parameters if p.place == "path"]
            wanted = {key: f"{key}/x1/.p" if key == "tile" else f"{key}/1%" for key in of_path}
            wanted |= {"epoch": "1"} if rest else {}
            written = {key: quote(text, "/" if rest else "") for key, text in wanted.items()}
            path = operation.path.format_map(written)
            assert route(ALL, operation.method, path) == (operation, wanted)
            assert route([name], operation.method, path) == (operation, wanted)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (HOME, "GET, HEAD, POST"),
        (f"{HOME}/{ID}", "DELETE, GET, HEAD"),
        (f"{SECRETS}/s", "DELETE, GET, HEAD, PUT"),
        (f"/v1/reclamations/{ID}/actions/restore", "POST"),
        ("/identity/token", "POST"),
        ("/openapi.json", "GET, HEAD"),
    ],
)
def test_method_not_allowed(path, allowed, subtests):
    """A path answers another method with the methods that it takes."""
    for method in ("PATCH", "OPTIONS", "TRACE", "get", ""):
        with subtests.test(method):
            error = refused(method, path)
            assert (error.code, error.status) == ("method_not_allowed", 405)
            assert error.headers == {"Allow": allowed}
            assert error.message == f"The path takes only {allowed}."


@pytest.mark.parametrize(
    "path",
    ["0%2F000", "0/%30%30%30", "0//000", "/0/000", "0/000/", "0/./000", "0/../000", "", "%"],
)
def test_a_rest_has_one_form(path):
    """What is left of a path is as it was sent: no escapes, no empty segments, no dots."""
    found = route(ALL, "GET", "/v1/log/1/tile/0/x001/234.p/7")
    assert (found[0].id, found[1]) == ("get_log_tile", {"epoch": "1", "tile": "0/x001/234.p/7"})
    assert refused("GET", f"/v1/log/1/tile/{path}").code == "resource_not_found"


def test_head():
    """HEAD goes where GET goes, and where there is no GET, nowhere."""
    assert route(ALL, "HEAD", HOME)[0].id == "list_projects"
    assert refused("HEAD", "/identity/token").headers == {"Allow": "POST"}


ODD = [
    "",
    "/",
    "/v2",
    "/v2/",
    "/v1/projects",
    f"x{HOME}",
    "/V2/projects",
    f"{HOME}\n",
    "v2/projects",
]
ODD += [f"{HOME}/{ID}/unheard", f"{SECRETS}x", f"{SECRETS}/a/b", f"/v1/reclamations/{ID}/actions/x"]
EMPTY = [
    f"{HOME}/",
    f"{HOME}//secrets",
    f"{SECRETS}/",
    f"{SECRETS}/a/",
    f"/{HOME}",
    "/v2//projects",
]
DOTS = [f"/v2/.{HOME[3:]}", f"/v2/..{HOME}", f"{SECRETS}/.", f"{SECRETS}/..", f"{SECRETS}/%2e"]
DOTS += [f"{SECRETS}/%2E%2e", f"{SECRETS}/.%2e", f"{HOME}/%2e/secrets"]
SLASHES = [
    "/v2%2fprojects",
    "/v2%2Fprojects",
    f"{HOME}%2f{ID}",
    "%2fv2/projects",
]
ESCAPES = [f"{SECRETS}/{bad}" for bad in ("%", "%4", "%zz", "a%", "%%41", "%u0041", "%+1", "%-1")]
NO_UTF_8 = [f"{SECRETS}/{bad}" for bad in ("%ff", "%c0%af", "%ed%a0%80", "%c3", "\xff", "\u20ac")]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_route(method, subtests):
    """Any other path does not exist, nor does what is not one way of writing one."""
    for path in (*ODD, *EMPTY, *DOTS, *SLASHES, *ESCAPES, *NO_UTF_8):
        with subtests.test(path):
            error = refused(method, path)
            assert (error.code, error.status, error.headers) == ("resource_not_found", 404, {})


@pytest.mark.parametrize(
    ("segment", "value"),
    [
        ("a%2Fb", "a/b"),
        ("a%2f..%2fb", "a/../b"),
        ("%2e%2e%2e", "..."),
        ("a%252Fb", "a%2Fb"),
        ("a+b", "a+b"),
        ("a%0A", "a\n"),
        ("%00", "\0"),
        ("%3F%23", "?#"),
        ("%C3%A9%f0%9f%98%80", "é😀"),
        ("\xc3\xa9", "é"),
        ("crn%3Av1%3A%3A%3Aa%2Fb%3A%3A", "crn:v1:::a/b::"),
    ],
)
def test_parameters_are_decoded_once(segment, value):
    """A parameter may hold whatever can be written; its schema says what it should."""
    assert route(ALL, "GET", f"{SECRETS}/{segment}")[1] == {"project_id": ID, "name": value}


def test_literals_are_decoded():
    """An escape changes nothing about what a segment says."""
    assert route(ALL, "GET", "/v%32/%70rojects")[0].id == "list_projects"


def test_route_among_few():
    """A function that serves some operations knows nothing of the others' methods, nor paths."""
    assert refused("DELETE", f"{SECRETS}/s", ["get_secret"]).headers == {"Allow": "GET, HEAD"}
    assert refused("GET", HOME, ["get_secret"]).code == "resource_not_found"
    assert refused("GET", HOME, []).code == "resource_not_found"


@given(st.text(st.characters(max_codepoint=255), max_size=40))
def test_any_path(path):
    """Any path leads to an operation that is written like it, or to a refusal."""
    try:
        operation, found = route(ALL, "GET", f"/v2/{path}")
    except Error as error:
        assert error.status in {404, 405}  # noqa: PT017 - both ends are right
    else:
        pattern = re.sub(r"\{\w+\}", "[^/]+", operation.path)
        assert re.fullmatch(pattern, quote(operation.path.format_map(found)))
