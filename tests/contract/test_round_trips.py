"""Round trips to Firestore per operation: an exact number, and the cost that matters most."""

from dataclasses import replace
from functools import partial

import pytest

from shared import access, audit, projects, resources
from shared.access import api_keys, signin
from shared.audit import certificates, listing
from shared.kinds import SECRETS
from shared.projects import account, instances, reclamations
from shared.upkeep import purge
from tests.support import call, principal_of, reclaim
from tests.support.kept import kept

ACCOUNT = "a" * 32


def secret(name, value="v", **more):
    """Give the body of a generic secret."""
    return {"name": name, "format": "generic", "data": {"k": value}, **more}


def only(app, project):
    """Give a call with a key for one project."""
    body = {"name": "k", "project_id": project}
    apikey = api_keys.create(app, call(body=body)).body["apikey"]
    return replace(call(), principal=principal_of(app, apikey))


LARGE = "x" * 1_048_576  # needs parts
PINNED = {
    # name: (round trips, what they are)
    "createProject": ("batch_get_documents", "commit"),
    "getProject": ("batch_get_documents",),
    "listProjects": ("run_query",),
    "listReclamations": ("run_query",),
    "getProjectEgressIps": ("batch_get_documents",),
    "getProjectStatusDetails": ("batch_get_documents",),
    "getProjectContents": ("batch_get_documents",),
    "getProjectContents, names": ("batch_get_documents", "run_query", "run_query"),  # a kind each
    "listResourceInstances": ("run_query",),
    "listResourceInstances, removed": ("run_query", "run_query"),
    "getResourceInstance": ("batch_get_documents",),
    "deleteResourceInstance": ("batch_get_documents", "commit"),
    "deleteProject": ("batch_get_documents", "commit"),
    "restoreProject": ("batch_get_documents", "run_query", "commit"),  # the first two at once
    "restoreProject by its project": ("batch_get_documents", "commit"),
    "reclaimProject": ("batch_get_documents", "run_query", "commit"),  # likewise
    "issueToken": ("batch_get_documents",),
    "createSigninCode": ("batch_get_documents", "commit"),
    "previewSigninCode": ("batch_get_documents", "batch_get_documents"),  # and the key
    "issueToken for a code": ("batch_get_documents", "batch_get_documents", "commit"),
    "createApiKey": ("batch_get_documents", "commit"),
    "createApiKey for a project": ("batch_get_documents", "commit"),
    "createApiKey, the first to be counted": ("batch_get_documents", "run_query", "commit"),
    "getApiKey": ("batch_get_documents",),
    "getOwnApiKey": ("batch_get_documents",),
    "listApiKeys": ("run_query",),
    "deleteApiKey": ("batch_get_documents", "commit"),
    "listProjects for one": ("batch_get_documents",),
    "listReclamations for one": ("batch_get_documents",),
    "listAuditEntries": ("batch_get_documents", "run_query"),  # at once
    "getAuditEntryProof": ("batch_get_documents",) * 3,  # itself, the checkpoint, tiles
    "getCertificateProof": ("batch_get_documents",) * 3,
    "createAuditExport": ("batch_get_documents", "commit"),
    "listCertificates": ("batch_get_documents", "run_query", "batch_get_documents"),  # two at once
    "getCertificate": ("batch_get_documents",),
    "deleteCertificateName": ("batch_get_documents", "commit"),
    "purge: begin": ("batch_get_documents", "commit"),
    "purge: shred": ("batch_get_documents", "commit"),
    "purge: sweep": ("batch_get_documents", "run_query", "commit"),
    "purge: tombstone": ("batch_get_documents", "run_query", "commit"),
}


@pytest.mark.parametrize("operation", PINNED)
def test_round_trips_are_pinned(counted, operation):
    """Each operation makes exactly the round trips that are its minimum."""
    app, api = counted
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    on = {"project_id": project}
    resources.create(SECRETS, app, call(body=secret("small"), **on))
    if "parts" in operation or "purge" in operation:
        resources.create(SECRETS, app, call(body=secret("large", LARGE), **on))
    key = api_keys.create_account(app, call(body={"account_id": ACCOUNT})).body["apikey"]
    key_id, for_one = access.key_id(key), {"name": "k", "project_id": project}
    code = signin.create(app, call()).body["code"]
    for_code = {"grant_type": access.CODE_GRANT, "code": code}
    gone = kept(app, ACCOUNT) if "Certificate" in operation else ""
    first = listing.listing(app, call(limit=1)).page.entries[0]["id"]
    if "Proof" in operation:
        audit.seal(app)
    reclamation = ""
    if operation.startswith("re") or operation == "listReclamations":
        projects.delete(app, call(id=project))
        reclamation = reclamations.listing(app, call()).body["resources"][0]["id"]
    if "purge" in operation:
        reclaim(app, project)
        steps = ("begin", "shred", "sweep", "tombstone")
        for step in steps[: steps.index(operation.split()[1])]:
            assert purge.advance(app, project) == step
    act = {
        "createProject": partial(projects.create, app, call(body={"name": "q"})),
        "getProject": partial(projects.get, app, call(id=project)),
        "listProjects": partial(projects.listing, app, call()),
        "listReclamations": partial(reclamations.listing, app, call()),
        "getProjectEgressIps": partial(account.egress_ips, app, call(**on)),
        "getProjectStatusDetails": partial(account.status_details, app, call(**on)),
        "getProjectContents": partial(account.contents, app, call(**on)),
        "getProjectContents, names": partial(account.contents, app, call(names=True, **on)),
        "listResourceInstances": partial(instances.listing, app, call()),
        "listResourceInstances, removed": partial(instances.listing, app, call(state="removed")),
        "getResourceInstance": partial(instances.get, app, call(id=project)),
        "deleteResourceInstance": partial(instances.delete, app, call(id=project)),
        "deleteProject": partial(projects.delete, app, call(id=project)),
        "restoreProject": partial(reclamations.restore, app, call(id=reclamation)),
        "restoreProject by its project": partial(reclamations.restore, app, call(**on)),
        "reclaimProject": partial(reclamations.reclaim, app, call(id=reclamation)),
        "issueToken": partial(access.issue_token, app, call(body={"apikey": key})),
        "createSigninCode": partial(signin.create, app, call()),
        "previewSigninCode": partial(signin.preview, app, call(body={"code": code})),
        "issueToken for a code": partial(access.issue_token, app, call(body=for_code)),
        "createApiKey": partial(api_keys.create, app, call(body={"name": "k"})),
        "createApiKey, the first to be counted": partial(
            api_keys.create, app, call(body={"name": "k"})
        ),
        "createApiKey for a project": partial(api_keys.create, app, call(body=for_one)),
        "getApiKey": partial(api_keys.get, app, call(id=key_id)),
        "getOwnApiKey": partial(api_keys.own, app, call()),
        "listApiKeys": partial(api_keys.listing, app, call()),
        "deleteApiKey": partial(api_keys.delete, app, call(id=key_id)),
        "listProjects for one": partial(projects.listing, app, only(app, project)),
        "listReclamations for one": partial(reclamations.listing, app, only(app, project)),
        "listAuditEntries": partial(listing.listing, app, call(**on)),
        "getAuditEntryProof": partial(listing.proof, app, call(id=first)),
        "getCertificateProof": partial(certificates.proof, app, call(id=gone)),
        "createAuditExport": partial(listing.export, app, call()),
        "listCertificates": partial(certificates.listing, app, call()),
        "getCertificate": partial(certificates.get, app, call(id=gone)),
        "deleteCertificateName": partial(certificates.forget_name, app, call(id=gone)),
    }.get(operation, partial(purge.advance, app, project))
    if "first to be counted" in operation:  # after a key of the operator's they are counted anew
        api_keys.create_account(app, call(body={"account_id": ACCOUNT}))
    api.calls.clear()
    act()
    assert tuple(api.calls) == PINNED[operation]


@pytest.mark.parametrize("under", [{}, {"idempotency_key": "k"}], ids=["no key", "a key"])
def test_a_key_costs_no_round_trip(counted, under):
    """Under an `Idempotency-Key` a change costs what it does without; sent again, its reading."""
    app, api = counted

    def asked(operation, body=None, **which):
        return call(body=body, operation=operation, **under, **which)

    id_ = projects.create(app, call(body={"name": "p"})).body["id"]
    key = api_keys.create(app, call(body={"name": "k"})).body["id"]
    twice, api.calls[:] = ("batch_get_documents", "commit"), []
    create = partial(projects.create, app, asked("create_project", {"name": "q"}))
    acts = {
        create: twice,
        partial(projects.delete, app, asked("delete_project", id=id_)): twice,
        partial(api_keys.delete, app, asked("delete_api_key", id=key)): twice,
        partial(api_keys.create, app, asked("create_api_key", {"name": "n"})): twice,
    }
    for act, calls in acts.items():
        api.calls.clear()
        act()
        assert tuple(api.calls) == calls
    reclamation = reclamations.listing(app, call()).body["resources"][0]["id"]
    reclaim = partial(reclamations.reclaim, app, asked("reclaim_project", id=reclamation))
    api.calls.clear()
    reclaim()
    assert tuple(api.calls) == PINNED["reclaimProject"]
    if under:
        api.calls.clear()
        for act in (create, reclaim):
            act()
        assert api.calls == ["batch_get_documents", *PINNED["reclaimProject"][:2]]
