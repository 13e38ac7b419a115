"""What the lifecycle's machine draws: names, moments, requests that have to be refused."""

import uuid

from hypothesis import strategies as st

from tests.faults.ledger import KINDS

names = st.sampled_from(["a", "b", "c", "d", "e", "f"])
collections = st.sampled_from([*KINDS, "secrets", "secrets"])
things = st.sampled_from(["s", "s", "t"])
tags = st.sampled_from(["*", "current", "current", "wrong"])
moments = st.sampled_from([-1.0, -0.02, 0.0, 0.0, 1.0])
slow, there = st.booleans(), st.sampled_from([True, True, False])
which = st.sampled_from(["last", "last", "last", "former", "project"])  # reclamation is asked of
numbers = st.lists(st.integers(0, 50), min_size=1, max_size=6)
bad = st.sampled_from(
    [
        ("POST", "/v2/projects", {"name": "Not A Name!"}, {}),
        ("POST", "/v2/projects", {"name": 7}, {}),
        ("POST", "/v2/projects/{}/secrets", {"name": "s", "format": "tls", "data": {}}, {}),
        ("POST", "/v2/projects/{}/secrets", {"name": "s", "format": "none", "data": {}}, {}),
        ("PUT", "/v2/projects/{}/secrets/s", {"format": "generic", "data": {"k": "v"}}, {}),
        ("PUT", "/v2/projects/{}/config_maps/s", {"data": {"k": 7}}, {"If-Match": "*"}),
        ("POST", "/v2/projects/{}/jobs", {"name": "s"}, {}),
        ("POST", "/v1/reclamations/{}/actions/undo", {}, {}),
        ("PATCH", "/v2/projects/{}", {"name": "z"}, {}),
    ]
)


def content(collection):
    """Give what a new resource holds; a secret's value is one of a kind."""
    word = uuid.uuid4().hex
    return {
        "secrets": {"format": "generic", "data": {"k": f"canary-{word}"}},
        "config_maps": {"data": {"k": word}},
        "jobs": {"image_reference": f"icr.io/space/image:{word}"},
    }[collection]
