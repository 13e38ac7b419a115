"""Round trips of every kind: get 1, list 1, create, update and delete 2, and what costs more.

A reading of secrets is one more: its entry is committed before it is answered (ADR 29).
"""

import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial

import grpc
import pytest

from shared import projects, quotas, resources
from shared.kinds import KINDS, SECRETS, table
from shared.store import Store
from tests.support import call
from tests.support.kinds import BY_KIND, called
from tests.support.kinds_examples import filled

READ, QUERY, COMMIT = "batch_get_documents", "run_query", "commit"
PINNED = {
    "get": (READ,),
    "list": (READ, QUERY),  # sent at once: see below
    "list filtered": (READ, QUERY),
    "create": (READ, COMMIT),
    "update": (READ, COMMIT),
    "delete": (READ, COMMIT),
    "list metadata": (READ, QUERY),  # sent at once too
    "patch": (READ, COMMIT),
}


@pytest.fixture
def on(app):
    """The parameters of a call on what a project holds."""
    return {"project_id": projects.create(app, call(body={"name": "p"})).body["id"]}


def make(app, on, kind, number=1, **members):
    """Make an example of a kind, and give its key."""
    example = BY_KIND[kind]
    body = example.body(number, example.full) | members
    return resources.create(kind, app, call(body=body, **on)).body[kind.key]


def rows(kind):
    """Give the operations of a kind that are pinned."""
    left_out = {"update": not kind.update, "list filtered": not kind.filters}
    left_out["patch"] = not kind.keyed
    return [operation for operation in PINNED if not left_out.get(operation)]


@pytest.mark.parametrize(
    ("kind", "operation"),
    [(kind, operation) for kind in KINDS for operation in rows(kind)],
    ids=lambda value: getattr(value, "collection", value),
)
def test_round_trips_are_pinned(counted, on, kind, operation):
    """Each operation of each kind makes exactly the round trips that are its minimum."""
    app, api = counted
    key = make(app, on, kind)
    which, body = {kind.key: key, **on}, BY_KIND[kind].body(2, BY_KIND[kind].full)
    change = filled(BY_KIND[kind].change, 1, "")
    act = {
        "get": partial(resources.get, kind, app, call(**which)),
        "list": partial(resources.listing, kind, app, call(**on)),
        "list filtered": partial(
            resources.listing, kind, app, call(**on, **dict.fromkeys(kind.filters, "generic"))
        ),
        "create": partial(resources.create, kind, app, call(body=body, **on)),
        "update": partial(resources.update, kind, app, call(body=change, if_match="*", **which)),
        "delete": partial(resources.delete, kind, app, call(**which)),
        "list metadata": partial(resources.metadata.listing, kind, app, call(**on)),
        "patch": partial(
            resources.keyed.patch,
            *(kind, app, call(body={"data": {"k": "v"}}, if_match="*", **which)),
        ),
    }[operation]
    api.calls.clear()
    act()
    told = (COMMIT,) * (kind is SECRETS and operation in ("get", "list", "list filtered"))
    assert tuple(api.calls) == PINNED[operation] + told


@pytest.mark.parametrize("kind", KINDS, ids=called)
def test_readings_that_are_all_told(counted, on, kind):
    """With `CE_AUDIT_READS=all` a reading of any sealed kind costs one more; a list of none not."""
    app, api = counted
    there = replace(app, settings=replace(app.settings, audit_reads="all"))
    api.calls.clear()
    resources.listing(kind, there, call(**on))
    key = make(app, on, kind)
    told = (COMMIT,) * bool(kind.sealed)
    for act in ("get", "listing"):
        getattr(resources, act)(kind, there, call(**{kind.key: key}, **on))
    due = (*PINNED["list"], READ, COMMIT, *PINNED["get"], *told, *PINNED["list"], *told)
    assert tuple(api.calls) == due


@pytest.mark.parametrize("kind", KINDS, ids=called)
def test_a_key_costs_no_round_trip(counted, on, kind):
    """Under an `Idempotency-Key` a change costs what it does without; sent again, one read."""
    app, api = counted
    example = BY_KIND[kind]
    body, which = example.body(1, example.full), {"if_match": "*", "idempotency_key": "k", **on}
    create = partial(resources.create, kind, app, call(body=body, operation="create", **which))
    key = {kind.key: create().body[kind.key]}
    change = call(body=filled(example.change, 1, ""), operation="update", **key, **which)
    acts = [partial(resources.delete, kind, app, call(operation="delete", **key, **which))]
    if kind.keyed:
        patch = call(body={"data": {"k": "v"}}, operation="patch", **key, **which)
        acts.insert(0, partial(resources.keyed.patch, kind, app, patch))
    if kind.update:
        acts.insert(0, partial(resources.update, kind, app, change))
    api.calls.clear()
    for act in (create, *acts, *acts[-1:]):
        act()
    assert api.calls == [READ, *[READ, COMMIT] * len(acts), READ]


def test_what_only_the_resource_knows(counted, on):
    """What neither the request nor the record says costs one read more, when it is sent again."""
    app, api = counted
    variables = [{"type": "literal", "name": "A", "value": "of the job"}]
    make(app, on, table.JOBS, name="j", run_env_variables=variables)
    once = {"idempotency_key": "k", "operation": "create_job_run", **on}
    run = partial(resources.create, table.JOB_RUNS, app, call(body={"job_name": "j"}, **once))
    api.calls.clear()
    assert run().body == run().body
    assert api.calls == [READ, COMMIT, READ, READ]


LARGE = "x" * quotas.SEALED_PART_BYTES  # a value that needs parts
SECRET = {"name": "large", "format": "generic", "data": {"k": LARGE}}
VARIABLES = [{"type": "literal", "name": "A", "value": LARGE}]
# What costs more, or might be thought to, and what it is tried on.
MORE = {
    "create a secret in parts": (READ, COMMIT),
    "get a secret in parts": (READ, READ, COMMIT),
    "list secrets in parts": (READ, QUERY, READ, COMMIT),
    "list no secrets": (READ, QUERY),
    "replace a secret in parts": (READ, COMMIT),
    "delete a secret in parts": (READ, COMMIT),
    "update an app in parts": (READ, READ, COMMIT),
    "delete an app with revisions in parts": (READ, COMMIT),
    "bind a secret to an app": (READ, COMMIT),
    "delete an app with bound secrets": (READ, READ, COMMIT),
    "delete an app with bound secrets to keep": (READ, COMMIT),
    "create a run of a job": (READ, COMMIT),
    "create a run of a build in parts": (READ, READ, COMMIT),
    "delete a job with runs": (READ, COMMIT),
    "allow every destination": (READ, COMMIT),
    "list revisions": (READ, QUERY),
    "get a revision": (READ,),
    "delete a revision": (READ, COMMIT),
    "list metadata of secrets in parts": (READ, QUERY),
    "list keys": (READ,),
    "list keys in parts": (READ, READ),
    "read one value": (READ, COMMIT),
    "read one value in parts": (READ, READ, COMMIT),
    "patch a secret in parts": (READ, READ, COMMIT),
    "list instances": (READ,),
    "list runtimes": (),
}


def prepared(app, on):
    """Make what the rows are tried on, and give what each does."""

    def act(verb, kind, body=None, **which):
        return partial(getattr(resources, verb), kind, app, call(body=body, **which, **on))

    def of(verb, **which):
        return partial(
            getattr(resources.revisions, verb), app, call(app_name="app-2", **which, **on)
        )

    def keyed(verb, **which):
        asked = replace(call(), parameters={**on, **which, "key": "k"})
        return partial(getattr(resources.keyed, verb), app, asked)

    make(app, on, table.APPS, name="app-1", run_env_variables=VARIABLES)
    make(app, on, table.APPS, name="app-2")
    make(app, on, table.BINDINGS)  # to app-1
    make(app, on, table.JOBS, name="j")
    make(app, on, table.BUILDS, name="b", run_build_params=VARIABLES)
    act("create", SECRETS, SECRET)()
    act("create", SECRETS, {"name": "small", "format": "generic", "data": {"k": "v"}})()
    act("create", table.JOB_RUNS, {"job_name": "j", "name": "r"})()
    component = {"name": "app-1", "resource_type": "app_v2"}
    binding = {"component": component, "prefix": "MY", "secret_name": "another"}
    every = {"name": "every", "type": "cidr_block", "cidr_block": "0.0.0.0/0"}
    outbound = table.ALLOWED_OUTBOUND_DESTINATIONS
    keep = act("delete", table.APPS, name="app-1", keep_service_access=True)
    return {
        "create a secret in parts": act("create", SECRETS, {**SECRET, "name": "again"}),
        "get a secret in parts": act("get", SECRETS, name="large"),
        "list secrets in parts": act("listing", SECRETS),
        "list no secrets": act("listing", SECRETS, format="tls"),
        "replace a secret in parts": act("update", SECRETS, SECRET, name="large", if_match="*"),
        "delete a secret in parts": act("delete", SECRETS, name="large"),
        "update an app in parts": act("update", table.APPS, {}, name="app-1", if_match="*"),
        "delete an app with revisions in parts": keep,
        "bind a secret to an app": act("create", table.BINDINGS, binding),
        "delete an app with bound secrets": act("delete", table.APPS, name="app-1"),
        "delete an app with bound secrets to keep": keep,
        "create a run of a job": act("create", table.JOB_RUNS, {"job_name": "j"}),
        "create a run of a build in parts": act("create", table.BUILD_RUNS, {"build_name": "b"}),
        "delete a job with runs": act("delete", table.JOBS, name="j"),
        "allow every destination": act("create", outbound, every),
        "list revisions": of("listing"),
        "get a revision": of("get", name="app-2-00001"),
        "delete a revision": of("delete", name="app-2-00001"),
        "list metadata of secrets in parts": partial(
            resources.metadata.listing, SECRETS, app, call(**on)
        ),
        "list keys": keyed("keys", name="small"),
        "list keys in parts": keyed("keys", name="large"),
        "read one value": keyed("value", name="small"),
        "read one value in parts": keyed("value", name="large"),
        "patch a secret in parts": partial(
            resources.keyed.patch,
            *(SECRETS, app, call(body={"data": {"l": "v"}}, name="large", if_match="*", **on)),
        ),
        "list instances": of("instances"),
        "list runtimes": of("runtimes"),
    }


@pytest.mark.parametrize("operation", MORE)
def test_what_costs_more(counted, on, operation):
    """Parts cost one more read where they are opened; so do secrets that go with a component."""
    app, api = counted
    acts = prepared(app, on)
    assert acts.keys() == MORE.keys()
    api.calls.clear()
    acts[operation]()
    assert tuple(api.calls) == MORE[operation]


class Relay(grpc.GenericRpcHandler):
    """Passes Firestore's calls on; a read and a query each wait until the other has come too."""

    def __init__(self, channel):
        self.channel = channel
        self.met = threading.Barrier(2)
        self.apart = deque()
        self.patience = 3.0

    def service(self, details):
        """Give what serves a call: the wire of one answer is that of a stream of one."""
        return grpc.unary_stream_rpc_method_handler(partial(self.forward, details.method))

    def forward(self, method, request, context):
        """Pass on a call, when both are there."""
        if method.endswith(("/BatchGetDocuments", "/RunQuery")):
            try:
                self.met.wait(self.patience)
            except threading.BrokenBarrierError:
                self.apart.append(method)
                context.abort(grpc.StatusCode.UNAVAILABLE, "it came alone")
        kept = ("authorization", "google-cloud-resource-prefix")
        metadata = [pair for pair in context.invocation_metadata() if pair[0] in kept]
        yield from self.channel.unary_stream(method)(request, metadata=metadata, timeout=10)


@contextmanager
def relayed(target):
    """Give the address of a relay to the emulator, and the relay."""
    with grpc.insecure_channel(target) as channel, ThreadPoolExecutor(8) as pool:
        relay = Relay(channel)
        server = grpc.server(pool, handlers=[relay])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}", relay
        finally:
            server.stop(0).wait(10)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [SECRETS, table.BINDINGS], ids=called)
def test_a_list_sends_its_read_and_its_query_at_once(app, host, on, kind):
    """Neither is answered before both are on their way: together they are one round trip."""
    key = make(app, on, kind)
    with relayed(host.info["firestore"]) as (address, relay):
        settings = app.settings
        store = Store.connect(settings.project, address, lambda: 0.5, settings.database)
        over = type(app)(settings, store, app.keyring)
        page = resources.listing(kind, over, call(**on)).page
        told = resources.metadata.listing(kind, over, call(**on)).page
        relay.patience = 0.3
        with suppress(Exception):
            store.read("none/alone")  # what comes alone is not answered: the relay does hold it
    assert [entry[kind.key] for entry in (*page.entries, *told.entries)] == [key, key]
    assert set(relay.apart) == {"/google.firestore.v1.Firestore/BatchGetDocuments"}
