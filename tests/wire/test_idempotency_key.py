"""The header `Idempotency-Key` as it is read: what is one, and where it may stand."""

import pytest

from tests.evidence.test_repeats import seen, under
from tests.support.kinds import refused


@pytest.mark.parametrize("key", ["", "a b", "x" * 65, "\u00fc", 7, "a\n"], ids=ascii)
def test_no_key(account, key):
    """What is no key is refused by its name, in a header and in a call by name."""
    answers = [account.function("createProject", name="p", idempotency_key=key)]
    if key not in (7, "a\n"):  # which no header is
        headers = {"Idempotency-Key": key.encode("latin-1")}
        answers.append(account.call("POST", "/v2/projects", {"name": "p"}, headers=headers))
    for answer in answers:
        (entry,) = refused(answer, 400, "invalid_field", "Idempotency-Key")
        assert entry["target"]["type"] == "header"
    assert account.host.inside.slots(account.id) == {}


def test_by_name(account):
    """By name it is a member, and the same change as under REST; who reads it is not asked."""
    key = "!" + 63 * "~"
    made = account.function("createProject", name="p", idempotency_key=key)
    again = account.call("POST", "/v2/projects", {"name": "p"}, headers=under(key))
    assert (made.status_code, seen(again)) == (202, seen(made))
    assert account.call("GET", "/v2/projects", headers=under("a b")).status_code == 200
