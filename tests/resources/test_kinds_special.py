"""What only some kinds have: outbound rules of a project, references, and values kept sealed."""

import pytest

from shared.kinds import KINDS, table
from tests.support import dump, traces_of
from tests.support.entries import said
from tests.support.kinds import BY_KIND, UPDATED, Home, called, refused
from tests.support.kinds_examples import CANARY, filled

OUTBOUND = table.ALLOWED_OUTBOUND_DESTINATIONS
CRN = "crn:v1:bluemix:public:is:us-south:a/1::private-path-service-gateway:r"


@pytest.fixture
def fresh(estate):
    """A project as it begins, permanently deleted afterwards."""
    home = Home(estate.account)
    yield home
    home.account.destroy(home.project)


def allow(home, name, block):
    """Allow a range."""
    return home.ask("POST", home.at(OUTBOUND), {"name": name, "cidr_block": block})


def test_what_a_project_begins_with(fresh):
    """All is allowed at first; that rule makes no other redundant, and can be deleted."""
    (rule,) = fresh.entries(OUTBOUND)
    assert (rule["name"], rule["type"], rule["cidr_block"]) == (
        "allow-all",
        "cidr_block",
        "0.0.0.0/0",
    )
    assert fresh.get(OUTBOUND, "allow-all").headers["ETag"] == rule["entity_tag"]
    assert allow(fresh, "mine", "192.68.3.0/24").status_code == 201
    assert fresh.keys(OUTBOUND) == ["allow-all", "mine"]
    assert fresh.delete(OUTBOUND, "allow-all").status_code == 202
    assert fresh.keys(OUTBOUND) == ["mine"]
    assert fresh.usage(OUTBOUND)["count"] == 1


def test_ranges(fresh):
    """A range that is there, is covered, or is reserved is refused; everything replaces all."""
    assert allow(fresh, "a", "10.0.0.0/8").status_code == 201
    for block in ("10.0.0.0/8", "10.1.0.0/16", "10.255.255.255/32", "10.9.9.9/8"):
        refused(allow(fresh, "b", block), 409, "conflict", "cidr_block")
    for block in ("127.0.0.0/8", "169.254.1.0/24", "224.0.0.0/8", "0.1.0.0/16", "240.0.0.0/4"):
        refused(allow(fresh, "b", block), 400, "invalid_field", "cidr_block")
    assert allow(fresh, "b", "11.0.0.0/8").status_code == 201
    refused(
        fresh.update(OUTBOUND, "b", {"cidr_block": "10.2.0.0/16"}), 409, "conflict", "cidr_block"
    )
    assert fresh.update(OUTBOUND, "b", {"cidr_block": "11.2.0.0/16"}).status_code == 200
    assert fresh.update(OUTBOUND, "b", {"cidr_block": "11.0.0.0/8"}).status_code == 200
    assert fresh.delete(OUTBOUND, "a").status_code == 202
    assert allow(fresh, "c", "10.1.0.0/16").status_code == 201
    assert fresh.keys(OUTBOUND) == ["allow-all", "b", "c"]
    path = {"type": "private_path_service_gateway", "private_path_service_gateway_crn": CRN}
    assert fresh.ask("POST", fresh.at(OUTBOUND), {"name": "p", **path}).status_code == 201
    assert allow(fresh, "everything", "0.0.0.0/0").status_code == 201
    assert fresh.keys(OUTBOUND) == ["everything", "p"]  # a private path is no range
    assert set(fresh.usage(OUTBOUND)["claims"]) == {"everything", "p"}
    assert fresh.usage(OUTBOUND)["count"] == 2
    refused(allow(fresh, "d", "10.1.0.0/16"), 409, "conflict", "cidr_block")
    assert fresh.update(OUTBOUND, "everything", {"cidr_block": "9.0.0.0/8"}).status_code == 200
    assert allow(fresh, "d", "10.1.0.0/16").status_code == 201
    changed = fresh.update(OUTBOUND, "d", {"cidr_block": "0.0.0.0/0"})
    assert changed.status_code == 200
    assert fresh.keys(OUTBOUND) == ["d", "p"]


def test_what_is_replaced_is_in_the_audit_trail(host, fresh):
    """A rule for all addresses takes the place of the others: each has an entry of its own."""
    assert allow(fresh, "a", "10.0.0.0/8").status_code == 201
    assert allow(fresh, "b", "0.0.0.0/0").status_code == 201
    assert allow(fresh, "c", "0.0.0.0/0").status_code == 201
    everything = {"cidr_block": "0.0.0.0/0"}
    assert fresh.delete(OUTBOUND, "c").status_code == 202
    assert allow(fresh, "d", "10.0.0.0/8").status_code == 201
    assert allow(fresh, "e", "11.0.0.0/8").status_code == 201
    assert fresh.update(OUTBOUND, "d", everything).status_code == 200
    assert fresh.keys(OUTBOUND) == ["d"]
    deleted = [
        said(entry)["names"][0]
        for path, entry in host.inside.everything().items()
        if path.startswith("audit/")
        and entry["project_id"] == fresh.project["id"]
        and entry["action"] == "codeengine.allowedoutbounddestination.delete"
    ]
    assert sorted(deleted) == ["a", "allow-all", "b", "c", "e"]


def test_private_paths(fresh):
    """A private path has its gateway once and for good; only its isolation can be changed."""
    body = {"type": "private_path_service_gateway", "private_path_service_gateway_crn": CRN}
    made = fresh.ask("POST", fresh.at(OUTBOUND), {"name": "p", **body}).json()
    assert (made["isolation_policy"], made["status"]) == ("shared", "failed")
    assert "cidr_block" not in made
    again = fresh.ask("POST", fresh.at(OUTBOUND), {"name": "q", **body})
    refused(again, 409, "conflict", "private_path_service_gateway_crn")
    lacks = fresh.ask("POST", fresh.at(OUTBOUND), {"name": "q", "type": body["type"]})
    refused(lacks, 400, "missing_field", "private_path_service_gateway_crn")
    strays = {"type": "cidr_block", "private_path_service_gateway_crn": CRN + "2"}
    now = fresh.update(OUTBOUND, "p", {**strays, "isolation_policy": "dedicated"}).json()
    assert now == {**made, "isolation_policy": "dedicated", "entity_tag": now["entity_tag"]}
    back = fresh.update(OUTBOUND, "p", {"isolation_policy": None}).json()
    assert back["isolation_policy"] == "shared"


def test_nothing_sealed_is_ever_in_clear(host, fresh):
    """No value that may be secret is stored or logged in clear, in whatever form it could show."""
    made = fresh.village()
    for kind in UPDATED:
        change = filled(BY_KIND[kind].change, 1, "")
        assert fresh.update(kind, made[kind][kind.key], change).status_code == 200
    app = made[table.APPS]["name"]
    large = [{"name": "BIG", "value": CANARY * 45_000}]
    for kind in (table.APPS, table.FUNCTIONS):
        body = {"run_env_variables": large}
        assert fresh.update(kind, made[kind]["name"], body).status_code == 200
    run = {"job_name": made[table.JOBS]["name"]}
    assert fresh.ask("POST", fresh.at(table.JOB_RUNS), run).status_code == 202
    bad = {"name": "bad", "image_reference": CANARY.upper(), "run_env_variables": CANARY}
    assert fresh.ask("POST", fresh.at(table.JOBS), bad).status_code == 400
    assert f"projects/{fresh.project['id']}/apps/{app}/revisions/{app}-00003" in fresh.stored()
    everything = [*dump(host.inside.everything()), host.log().encode()]
    everything += [file.read_bytes() for file in host.inside.keys.iterdir()]
    forms = traces_of(CANARY)
    assert not [form for form in forms for text in everything if form in text]
    assert len([text for text in everything if b"icr.io/codeengine" in text]) > 5  # they are there


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.sealed], ids=called)
def test_an_envelope_is_of_its_place(home, kind):
    """The sealed bytes of one, put in another's place, do not open: that is told as internal."""
    one, two = (home.made(kind)["name"] for _ in range(2))
    paths = [f"projects/{home.project['id']}/{kind.collection}/{name}" for name in (one, two)]
    stored = home.stored()
    from shared.store import Write

    fields = {**stored[paths[0]], "sealed": stored[paths[1]]["sealed"]}
    home.host.inside.store.commit([Write(paths[0], fields)])
    refused(home.get(kind, one), 500, "internal")
    assert home.get(kind, two).status_code == 200


REFERENCES = (
    "image_secret", "code_secret", "output_secret", "source_secret", "secret_name", "tls_secret",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=called)
def test_references_need_not_exist(home, kind):
    """What is referred to may come later, or never: the examples refer to nothing that is."""
    body = home.made(kind)
    named = [body[name] for name in REFERENCES if name in body]
    named += [item["reference"] for name in ("run_env_variables", "run_volume_mounts")
              for item in body.get(name, []) if "reference" in item]  # fmt: skip
    for name in named:
        refused(home.get(table.SECRETS, name), 404, "resource_not_found")
        assert home.get(kind, body[kind.key]).status_code == 200


def test_stray_members_of_variables_and_mounts(home):
    """What old clients send beside it is taken and not kept, or kept where it has a meaning."""
    variable = {"name": "A", "value": "v", "key": "k", "prefix": "", "reference": "r", "extra": 1}
    mount = {"mount_path": "/x", "reference": "r", "name": "legacy"}
    body = home.made(table.JOBS, "least", run_env_variables=[variable], run_volume_mounts=[mount])
    kept = {name: value for name, value in variable.items() if name != "extra"}
    assert body["run_env_variables"] == [{"type": "literal", **kept}]
    assert body["run_volume_mounts"] == [{"type": "secret", "mount_path": "/x", "reference": "r"}]
