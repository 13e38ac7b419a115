"""What a failing check says of an answer: enough to find it in the log, and nothing it holds."""

import json

import flask
import pytest
import requests

from tests.faults.drivers import Reply
from tests.support import told

TRACE = "codeengine-api-" + "a" * 32
CANARY = "canary-in-an-answer"
REFUSAL = {"errors": [{"code": "unavailable", "message": CANARY}], "trace": TRACE}
HEADERS = {told.TRACE: TRACE, told.RETRY: "1"}


def answered(status, text, **headers):
    """Give the same answer of each sort."""
    first = requests.Response()
    first.status_code, first._content = status, text.encode()
    first.headers.update(headers)
    return first, flask.Response(text, status, headers=headers)


@pytest.mark.parametrize("sort", [0, 1], ids=["requests", "flask"])
def test_a_status_that_is_not_due(sort):
    """It fails with status, code and trace."""
    answer = answered(503, json.dumps(REFUSAL), **HEADERS)[sort]
    with pytest.raises(AssertionError, match="due is 200 or 404") as failed:
        told.body(answer, 200, 404)
    shown = str(failed.value)
    assert f"answered 503, unavailable, trace {TRACE}" in shown
    assert CANARY not in shown


@pytest.mark.parametrize("sort", [0, 1], ids=["requests", "flask"])
def test_a_success_that_is_not_due(sort):
    """It may hold a secret, and is not shown."""
    answer = answered(200, json.dumps({"data": {"k": CANARY}}))[sort]
    with pytest.raises(AssertionError, match="answered 200, no refusal, trace none") as failed:
        told.body(answer, 404)
    assert CANARY not in str(failed.value)


@pytest.mark.parametrize("sort", [0, 1], ids=["requests", "flask"])
def test_what_is_due(sort):
    """It gives what the answer holds; nothing of one that holds nothing."""
    assert told.body(answered(200, '{"k": 1}')[sort], 200) == {"k": 1}
    assert told.body(answered(202, "")[sort], 200, 202) is None


@pytest.mark.parametrize("text", ["", "<html>", "[]", "{}", '{"errors": []}', '{"errors": 7}'])
def test_no_refusal_of_ours(text):
    """Whatever else answers, its code is none."""
    assert told.code_of(text) == ""
    assert "answered 502, no code" in told.said(502, text, {})


def test_who_has_to_try_again():
    """Who is told when; not who is refused for another reason, or with no word of when."""
    text = json.dumps(REFUSAL)
    assert told.busy(503, text, HEADERS)
    assert not told.busy(503, text, {})
    assert not told.busy(503, text, {told.RETRY: "soon"})
    assert not told.busy(503, "", HEADERS)
    assert not told.busy(429, text, HEADERS)


def test_a_reply():
    """The machine's shows neither its text nor its headers, however it is shown."""
    reply = Reply(200, json.dumps({"k": CANARY}), {told.TRACE: TRACE, "ETag": CANARY}, None, None)
    assert repr(reply) == str(reply) == f"answered 200, no refusal, trace {TRACE}"
    with pytest.raises(AssertionError, match="due is 404") as failed:
        reply.body(404)
    assert CANARY not in str(failed.value)
    with pytest.raises(AssertionError, match="a refusal without a code"):
        _ = Reply(502, CANARY, {}, None, None).code
