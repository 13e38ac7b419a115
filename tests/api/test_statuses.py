"""Every refusal that an operation can answer is listed in its description, and no other."""

from copy import deepcopy

import pytest

from tools.refusals import RULES, with_refusals

TOKEN = ["400", "401", "403"]
ALWAYS = ["406", "429", "500", "503"]
BODY = {"requestBody": {"content": {"application/json": {"schema": {}}}}}
ID = {"$ref": "#/components/parameters/id"}
PROJECT = {"name": "project_id", "in": "path", "required": True}
LIMIT = {"name": "limit", "in": "query"}
MATCH = {"name": "If-Match", "in": "header", "required": True}


def operation(permission=None, parameters=(), **more):
    """Give an operation as openapi.yaml writes it."""
    spec = {"x-permission": permission} if permission else {}
    responses = {
        "200": {"description": "It is done"},
        "default": {"$ref": "#/components/responses/error"},
    }
    return {**spec, "parameters": list(parameters), "responses": responses, **more}


def listed(spec, shared=(), method="get"):
    """Give the refusals of the operation, alone in a document."""
    document = {
        "openapi": "3.1.0",
        "paths": {"/x": {"parameters": list(shared), method: spec}},
        "components": {
            "parameters": {"id": {"name": "id", "in": "path", "required": True}},
            "responses": {"error": {"description": "A refusal"}, "own": {"description": "Own"}},
            "schemas": {"Error": {"type": "object"}},
        },
    }
    before = deepcopy(document)
    made = with_refusals(document)
    assert document == before
    assert list(made["components"]["responses"]) == ["own", *(rule.name for rule in RULES)]
    assert made["components"]["schemas"] == before["components"]["schemas"]
    assert made["paths"]["/x"]["parameters"] == list(shared)
    responses = made["paths"]["/x"][method]["responses"]
    assert list(responses) == sorted(responses)
    assert responses.pop("200") == {"description": "It is done"}
    return responses


@pytest.mark.parametrize(
    ("spec", "shared", "statuses"),
    [
        (operation(), [], ALWAYS),
        (operation(parameters=[LIMIT]), [], ["400", *ALWAYS, "414"]),
        (operation(**BODY), [], ["400", *ALWAYS, "413", "415"]),
        (operation("project.view"), [], ["401", "403", *ALWAYS]),
        (operation("project.view", [LIMIT]), [], [*TOKEN, *ALWAYS, "414"]),
        (operation("project.view"), [ID], [*TOKEN, "404", *ALWAYS, "414"]),
        (operation("project.view"), [PROJECT], [*TOKEN, "404", *ALWAYS, "414"]),
        (operation("project.manage"), [ID], [*TOKEN, "404", *ALWAYS, "409", "414"]),
        (operation("project.create", **BODY), [], [*TOKEN, *ALWAYS, "409", "413", "415"]),
        (operation("entity.view"), [], ["401", "403", *ALWAYS]),
        (operation("entity.view", [LIMIT]), [PROJECT], [*TOKEN, "404", *ALWAYS, "409", "414"]),
        (
            operation("entity.manage", [MATCH], **BODY),
            [PROJECT],
            [*TOKEN, "404", *ALWAYS, "409", "412", "413", "414", "415"],
        ),
        (operation("apikey.manage", [MATCH]), [], [*TOKEN, *ALWAYS, "412"]),
    ],
)
def test_statuses(spec, shared, statuses):
    """What an operation takes says what it may refuse; `default` is no more."""
    found = listed(spec, shared)
    assert sorted(found) == sorted(statuses)
    names = {rule.status: rule.name for rule in RULES}
    for status, said in found.items():
        assert said == {"$ref": f"#/components/responses/{names[status]}"}


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_own_responses_stay(method):
    """What the document says of a status itself is kept, even where no rule would give it."""
    own = {"$ref": "#/components/responses/own"}
    spec = operation(**BODY)
    spec["responses"] |= {"400": own, "404": own}
    found = listed(spec, method=method)
    assert (found["400"], found["404"]) == (own, own)
    assert found.keys() == {"400", "404", "406", "413", "415", "429", "500", "503"}


def test_responses_are_described():
    """Each refusal has a sentence, the envelope of an error, and the header that goes with it."""
    document = {"paths": {}, "components": {"responses": {}}}
    responses = with_refusals(document)["components"]["responses"]
    headers = {name: list(said.get("headers", ())) for name, said in responses.items()}
    waits = {"TooManyRequests", "Unavailable"}
    assert {name for name, found in headers.items() if found} == {"Unauthorized", *waits}
    assert headers["Unauthorized"] == ["WWW-Authenticate"]
    assert all(headers[name] == ["Retry-After"] for name in waits)
    schema = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    assert all(said["content"] == schema for said in responses.values())
    assert len({said["description"] for said in responses.values()}) == len(RULES)
