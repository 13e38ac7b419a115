"""What a project may be called; what it may not is refused in `wire/test_bad_input.py`."""

import json

import pytest

from tests.support.wire import send

P = "/v2/projects"


@pytest.mark.parametrize(
    "body",
    [
        {"name": "A-b._: 9"},
        {"name": "a" * 128},
        {"name": "é" * 128},
        {"name": "😀" * 128},
        {"name": "項目 ½ Prüfung €"},
        {"name": "new", "resource_group_id": "a1" * 16},
        {"name": "new", "tags": ["a b.c:d_e-f"] * 99 + ["x" * 128]},
        {"name": "new", "unheard": {"of": 1}},
    ],
    ids=lambda value: ascii(value)[:60],
)
def test_good_project(host, body):
    """A project is made under every name, group and tag that is allowed."""
    answer = send(host.account(), "POST", P, body)
    assert answer[0] == 202
    made = json.loads(answer[2])
    assert made["name"] == body["name"]
    assert made["resource_group_id"] == body.get("resource_group_id", "default" + "0" * 25)
    assert "tags" not in made
