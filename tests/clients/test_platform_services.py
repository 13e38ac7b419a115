"""IBM's own SDK of the resource controller, from PyPI, against the running host."""

from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest
from ibm_cloud_sdk_core import ApiException
from ibm_cloud_sdk_core.authenticators import IAMAuthenticator
from ibm_platform_services import ResourceControllerV2
from ibm_platform_services.resource_controller_v2 import (
    Reclamation,
    ReclamationsList,
    ResourceInstance,
    ResourceInstancesList,
    ResourceInstancesPager,
)

from shared import projects, quotas
from shared.api import operations
from shared.errors import Error
from shared.projects import instances
from shared.store import Write
from tests.support import WEEK, call

GROUP = "5c49eabcf5e85881a37e2d100a33b3df"
NOWHERE = "00000000-0000-4000-8000-000000000000"


def client(account):
    """Give the SDK's client as an account, which fetches its own tokens."""
    service = ResourceControllerV2(IAMAuthenticator(account.apikey, url=account.host.url))
    service.set_service_url(account.host.url)
    return service


@pytest.fixture
def service(account):
    """The SDK's client as a fresh account."""
    return client(account)


@contextmanager
def refused(status, code):
    """Require that the SDK raises its exception, with our status and code."""
    with pytest.raises(ApiException) as caught:
        yield
    error = caught.value
    assert (error.status_code, error.http_response.json()["errors"][0]["code"]) == (status, code)
    assert error.message == error.http_response.json()["errors"][0]["message"]
    assert error.global_transaction_id.startswith("codeengine-api-")


def listed(service, **filters):
    """Give the reclamations, as the SDK's model of them reads the answer."""
    answer = service.list_reclamations(**filters).get_result()
    return ReclamationsList.from_dict(answer).resources


def instance(service, project):
    """Give a project's instance, as the SDK's model reads the answer."""
    return ResourceInstance.from_dict(service.get_resource_instance(project["id"]).get_result())


def last(found):
    """Give what the contract (2.2) says of the last operation."""
    operation = found.last_operation
    return operation.type, operation.async_, operation.state


def names(service, **filters):
    """Give the names of a list of instances, as the SDK's model reads the answer."""
    answer = service.list_resource_instances(**filters).get_result()
    page = ResourceInstancesList.from_dict(answer)
    assert page.rows_count == len(page.resources)
    assert all(ResourceInstance.from_dict(one).to_dict() for one in answer["resources"])
    return [one.name for one in page.resources]


def test_restore(account, service):
    """A deleted project is listed, restored by its reclamation's id, and whole again."""
    project = account.project("p")
    secret = account.secret(project, "s", {"k": "v"})
    account.delete(project)
    (found,) = listed(service, resource_instance_id=project["id"])
    assert (found.state, found.entity_crn) == ("SCHEDULED", project["crn"])
    assert (found.account_id, found.resource_group_id) == (
        account.id,
        project["resource_group_id"],
    )
    assert (found.updated_at - found.created_at).total_seconds() == 0
    state = instance(service, project)
    assert (state.state, *last(state)) == ("pending_reclamation", "reclamation", False, "succeeded")
    answer = service.run_reclamation_action(found.id, "restore", request_by="me", comment="oops")
    assert answer.get_status_code() == 200
    restored = Reclamation.from_dict(answer.get_result())
    assert (restored.id, restored.state) == (found.id, "RESTORING")
    state = instance(service, project)
    assert (state.state, *last(state)) == ("active", "reclamation", False, "succeeded")
    assert state.restored_at is not None
    assert (state.deleted_at, state.scheduled_reclaim_at) == (None, None)
    assert listed(service) == []
    again = account.got(f"/v2/projects/{project['id']}/secrets/s")
    assert again == secret


def test_reclaim(account, service):
    """A reclaimed project is `removed` at once and for good; its entry is gone with it."""
    project = account.project("p")
    account.delete(project)
    (found,) = listed(service)
    answer = service.run_reclamation_action(found.id, "reclaim").get_result()
    assert answer["state"] == "RECLAIMING"
    account.gone(project)
    state = instance(service, project)
    assert (state.state, *last(state)) == ("removed", "reclamation", False, "succeeded")
    assert (state.guid, state.crn, state.name) == (project["id"], project["crn"], None)
    assert state.deleted_at is not None
    (removed,) = service.list_resource_instances(state="removed").get_result()["resources"]
    assert ResourceInstance.from_dict(removed) == state
    assert listed(service) == names(service) == []
    for action in ("restore", "reclaim"):
        with refused(404, "resource_not_found"):
            service.run_reclamation_action(found.id, action)
    with refused(404, "resource_not_found"):
        service.delete_resource_instance(project["id"])


def test_states_of_a_reclamation(host, account, service):
    """While a project is destroyed it is listed as such, and no action has a second success."""
    project = account.project("p")
    for action in ("restore", "reclaim"):
        with refused(404, "resource_not_found"):
            service.run_reclamation_action(project["id"], action)
    account.delete(project)
    (before,) = listed(service)
    host.hold()
    try:
        service.run_reclamation_action(before.id, "reclaim")
        (found,) = listed(service)
        assert found.id == before.id != project["id"]
        assert found.state == "RECLAIMING"
        assert instance(service, project).state == "removed"
        assert names(service, state="removed") == ["p"]
        with refused(409, "project_not_restorable"):
            service.run_reclamation_action(found.id, "restore")
        with refused(409, "project_not_deletable"):
            service.run_reclamation_action(found.id, "reclaim")
    finally:
        host.release()
    account.gone(project)
    with refused(404, "resource_not_found"):
        service.run_reclamation_action(NOWHERE, "restore")
    with refused(404, "resource_not_found"):
        service.run_reclamation_action(found.id, "destroy")


def test_deadline(host, account, service):
    """The target time is seven days after the deletion, and from then on a restore is refused."""
    project = account.project("p")
    account.delete(project)
    (found,) = listed(service)
    deleted = found.created_at.timestamp()
    end = datetime.fromtimestamp(deleted + WEEK, UTC)
    assert found.target_time == end.strftime("%Y-%m-%dT%H:%M:%SZ")
    host.set_clock(WEEK)
    with refused(409, "project_not_restorable"):
        service.run_reclamation_action(found.id, "restore")
    host.set_clock(0)
    service.run_reclamation_action(found.id, "restore")


def test_reclamation_filters(account, service):
    """Reclamations are found by account, instance and resource group, and by no other's."""
    body = {"name": "in a group", "resource_group_id": GROUP}
    grouped = account.call("POST", "/v2/projects", body).json()
    plain = account.project("plain")
    for project in (grouped, plain):
        account.delete(project)

    def found(**filters):
        return {entry.custom_properties["name"] for entry in listed(service, **filters)}

    assert found() == found(account_id=account.id) == {"in a group", "plain"}
    assert found(resource_group_id=GROUP) == {"in a group"}
    assert found(resource_instance_id=plain["id"]) == {"plain"}
    assert found(resource_instance_id=plain["id"], resource_group_id=GROUP) == set()
    assert found(account_id="0" * 32) == found(resource_instance_id=NOWHERE) == set()


def test_instance(account, service):
    """An instance is the project as the resource controller's model has it."""
    project = account.project("p")
    found = instance(service, project)
    assert (found.id, found.crn, found.guid) == (project["crn"], project["crn"], project["id"])
    assert (found.name, found.account_id, found.region_id) == ("p", account.id, project["region"])
    assert found.resource_group_id == project["resource_group_id"]
    assert (found.state, *last(found)) == ("active", "create", False, "succeeded")
    assert found.created_at == found.updated_at
    assert (found.deleted_at, found.scheduled_reclaim_at, found.restored_at) == (None, None, None)


def test_delete_instance(account, service):
    """Deleting an instance is a soft delete, which is answered 204; a second one is refused."""
    for recursive in (None, True, False):
        project = account.project()
        answer = service.delete_resource_instance(project["id"], recursive=recursive)
        assert answer.get_status_code() == 204
        assert answer.get_result() is None
        assert account.status(project) == "soft_deleted"
        found = instance(service, project)
        assert found.state == "pending_reclamation"
        assert found.deleted_at == found.scheduled_reclaim_at == found.updated_at
        with refused(409, "project_not_active"):
            service.delete_resource_instance(project["id"])


def test_instance_filters(account, service):
    """Without a state only active instances are listed; every filter of the SDK holds."""
    body = {"name": "in a group", "resource_group_id": GROUP, "tags": ["t"]}
    grouped = account.call("POST", "/v2/projects", body).json()
    plain, deleted = account.project("plain"), account.project("deleted")
    account.delete(deleted)
    every = ["in a group", "plain"]
    assert names(service) == names(service, state="active") == every
    assert names(service, state="pending_reclamation") == ["deleted"]
    assert names(service, state="removed") == names(service, state="provisioning") == []
    assert names(service, guid=plain["id"]) == names(service, name="plain") == ["plain"]
    assert names(service, guid=deleted["id"]) == []
    assert names(service, guid=deleted["id"], state="pending_reclamation") == ["deleted"]
    assert names(service, resource_group_id=GROUP) == ["in a group"]
    assert names(service, resource_group_id=GROUP, name="plain") == []
    assert names(service, resource_id="codeengine", type="service_instance") == every
    assert names(service, resource_id="kms") == names(service, type="x") == []
    assert names(service, sub_type="kms") == names(service, resource_plan_id="p") == []
    at = instance(service, grouped).updated_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert names(service, updated_from="2021-01-01", updated_to=at[:10]) == every
    assert "in a group" in names(service, updated_from=at, updated_to=at)
    assert (
        names(service, updated_from="2999-01-01") == names(service, updated_to="2021-01-01") == []
    )


def test_pages(account, service):
    """The SDK's pager comes to the end of a list of any page size, filters kept."""
    made = [account.project(f"p {number}: ü_ŷ") for number in range(5)]
    account.delete(made[3])
    kept = [project["name"] for number, project in enumerate(made) if number != 3]
    for limit in (1, 2, 3, 4, 5, None):
        pager = ResourceInstancesPager(client=service, limit=limit)
        pages = []
        while pager.has_next():
            assert len(pages) < 6
            pages.append([one["name"] for one in pager.get_next()])
        assert [name for page in pages for name in page] == kept
        assert len(pages) == (-(-len(kept) // limit) if limit else 1)
    pager = ResourceInstancesPager(client=service, limit=1, state="pending_reclamation")
    assert [one["guid"] for one in pager.get_all()] == [made[3]["id"]]


def test_pages_of_many(app, monkeypatch):
    """A page that was looked for among many ends early rather than missing one."""
    made = [projects.create(app, call(body={"name": f"p{n}"})).body["id"] for n in range(5)]
    for n in (0, 1, 3):
        projects.delete(app, call(id=made[n]))
    monkeypatch.setattr(quotas, "RECLAMATIONS", 2)
    pages, start = [], {}
    while start is not None:
        assert len(pages) < 4
        body = instances.listing(app, call(**start)).body
        pages.append([one["name"] for one in body["resources"]])
        query = dict(parse_qsl(urlsplit(body["next_url"]).query))
        start = {"start": query["start"]} if query else None
    assert pages == [[], ["p2"], ["p4"]]


def test_failed(app):
    """A project whose permanent deletion failed is a failed instance, even one never deleted."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    state = {"status": "hard_deletion_failed"}
    app.store.commit([Write(f"projects/{project}", state, mask=["status"])])
    found = instances.get(app, call(id=project)).body
    assert (found["state"], found["last_operation"]["state"]) == ("failed", "failed")
    assert found["deleted_at"] == found["updated_at"]


def test_next_url_leads_on(account):
    """The link to the next page is whole, and keeps the filters it was asked with."""
    for number in range(3):
        account.project(f"p{number}")
    path = f"/v2/resource_instances?limit=1&resource_id=codeengine&account={account.id}"
    seen = []
    while path:
        assert len(seen) < 4
        body = account.got(path)
        seen.extend(one["name"] for one in body["resources"])
        if link := body["next_url"]:
            assert link.startswith(f"{account.host.url}/v2/resource_instances?")
            assert "resource_id=codeengine" in link
        path = link.removeprefix(account.host.url)
    assert seen == ["p0", "p1", "p2"]
    past = account.got("/v2/resource_instances?start=testString")
    assert past == {"rows_count": 0, "next_url": "", "resources": []}


def test_others(host, account):
    """Another account's instance does not exist, even when it is gone for good."""
    project, other = account.project("p"), client(host.account())

    def unseen():
        with refused(404, "resource_not_found"):
            other.get_resource_instance(project["id"])
        with refused(404, "resource_not_found"):
            other.delete_resource_instance(project["id"])
        return other.list_resource_instances(guid=project["id"]).get_result()["resources"] == []

    assert unseen()
    account.delete(project)
    assert unseen()
    account.action(project, "reclaim")
    account.gone(project)
    assert unseen()


def test_crn(host, account, service):
    """A CRN is the project's own to the letter, or it names nothing; by path or by name."""
    project = account.project("p")
    crn = project["crn"]
    shown = service.get_resource_instance(project["id"]).get_result()
    assert service.get_resource_instance(crn).get_result() == shown
    assert account.function("getResourceInstance", id=crn).json() == shown
    assert account.got(shown["url"]) == shown
    others = (
        crn.replace(account.id, "f" * 32),
        crn.replace(project["region"], "eu-xx"),
        crn.replace(project["id"], NOWHERE),
        crn.replace("codeengine", "cloudantnosqldb"),
        crn.replace(":public:", ":staging:"),
        crn[:-1],
        crn + "app:x",
        crn.upper().replace("CRN", "crn", 1),
        "crn:",
        "crn:v1:bluemix:public:codeengine:us-south:a/x:../../api_keys/x::",
    )
    for wrong in others:
        assert wrong != crn
        for function in ("getResourceInstance", "deleteResourceInstance"):
            answer = account.function(function, id=wrong)
            assert answer.status_code == 404, wrong
        with refused(404, "resource_not_found"):
            service.get_resource_instance(wrong)
        with refused(404, "resource_not_found"):
            service.delete_resource_instance(wrong)
    foreign = client(host.account())
    with refused(404, "resource_not_found"):
        foreign.get_resource_instance(crn)
    with refused(404, "resource_not_found"):
        foreign.delete_resource_instance(crn)
    assert account.status(project) == "active"
    assert service.delete_resource_instance(crn, recursive=True).get_status_code() == 204
    assert account.status(project) == "soft_deleted"
    assert account.action(project, "reclaim").status_code == 200
    account.gone(project)
    assert service.get_resource_instance(crn).get_result()["state"] == "removed"


@pytest.mark.parametrize(
    ("operation", "given", "target"),
    [
        ("get_resource_instance", {"id": "x"}, "id"),
        ("get_resource_instance", {"id": "crn: "}, "id"),
        ("get_resource_instance", {"id": f"crn:{'x' * 509}"}, "id"),
        ("delete_resource_instance", {"id": NOWHERE, "recursive": "1"}, "recursive"),
        ("list_resource_instances", {"state": "gone"}, "state"),
        ("list_resource_instances", {"limit": "0"}, "limit"),
        ("list_resource_instances", {"name": "x" * 181}, "name"),
        ("list_resource_instances", {"guid": "x" * 65}, "guid"),
        ("list_resource_instances", {"updated_from": "yesterday"}, "updated_from"),
        ("list_resource_instances", {"updated_to": "2026-01-01T00:00:00.5Z"}, "updated_to"),
    ],
)
def test_bad_parameters(operation, given, target):
    """A parameter that breaks its rule is refused by its name."""
    with pytest.raises(Error) as caught:
        operations()[operation].checked(given, {})
    assert caught.value.code == "invalid_field"
    assert caught.value.target.name == target


def test_true_and_false():
    """A truth comes as text in a query, as itself in a call by name."""
    checked = operations()["delete_resource_instance"].checked
    for given, parsed in (("true", True), ("false", False), (True, True), (False, False)):
        values, _ = checked({"id": NOWHERE, "recursive": given}, {})
        assert values["recursive"] is parsed
    assert "recursive" not in checked({"id": NOWHERE}, {})[0]
