"""What each role may, in memory and over HTTP, and what each operation asks for."""

from itertools import product

import pytest

from shared import access
from shared.api import operations
from shared.calls import Principal
from shared.errors import Error
from shared.kinds import KINDS

NOWHERE = "00000000-0000-4000-8000-000000000000"
# Contract 7.3, written out: what each role may, and what each operation asks for.
KEYS = {"apikey.view", "apikey.manage"}
ANY = "apikey.use"  # what is about the caller's own key alone: whatever its roles
MAY = {
    "administrator": {
        *("project.view", "project.manage", "project.create", "project.purge", "audit.view", *KEYS),
    },
    "editor": {"project.view", "project.manage", "project.create"},
    "operator": {"project.view"},
    "viewer": {"project.view"},
    "manager": {"entity.list", "entity.view", "entity.manage"},
    "writer": {"entity.list", "entity.view", "entity.manage"},
    "reader": {"entity.list", "entity.view"},
    "auditor": {"project.view", "entity.list", "audit.view"},
    "purge": {"project.purge"},
    "unheard": set(),
}
ASKS = {
    "list_projects": "project.view",
    "create_project": "project.create",
    "get_project": "project.view",
    "delete_project": "project.manage",
    "get_project_egress_ips": "project.view",
    "get_project_status_details": "project.view",
    "get_project_contents": "project.view",
    "list_reclamations": "project.view",
    "restore_project": "project.manage",
    "reclaim_project": "project.purge",
    "list_resource_instances": "project.view",
    "get_resource_instance": "project.view",
    "delete_resource_instance": "project.manage",
    "issue_token": None,
    "preview_signin_code": None,
    "create_signin_code": ANY,
    "list_api_keys": "apikey.view",
    "get_own_api_key": ANY,
    "create_api_key": "apikey.manage",
    "get_api_key": "apikey.view",
    "delete_api_key": "apikey.manage",
    "list_audit_entries": "audit.view",
    "get_audit_entry_proof": "audit.view",
    "create_audit_export": "audit.view",
    "list_certificates": "audit.view",
    "get_certificate": "audit.view",
    "get_certificate_proof": "audit.view",
    "delete_certificate_name": "project.purge",
    "create_account": None,
    "rotate_keys": None,
    "sign_keys": None,
    "reseal_values": None,
    "vouch_projects": None,
    "get_api_document": None,
    "get_log_checkpoint": None,
    "get_log_keys": None,
    "get_log_tile": None,
    "list_app_revisions": "entity.view",
    "get_app_revision": "entity.view",
    "delete_app_revision": "entity.manage",
    "list_app_instances": "entity.view",
    "list_function_runtimes": "entity.view",
    "list_secret_keys": "entity.view",
    "get_secret_key": "entity.view",
    **{f"patch_{noun}": "entity.manage" for noun in ("secret", "config_map")},
    **{f"list_{kind.noun}_metadata": "entity.list" for kind in KINDS},
    **{f"list_{kind.collection}": "entity.view" for kind in KINDS},
    **{f"get_{kind.noun}": "entity.view" for kind in KINDS},
    **{f"create_{kind.noun}": "entity.manage" for kind in KINDS},
    **{f"replace_{kind.noun}": "entity.manage" for kind in KINDS if kind.update == "PUT"},
    **{f"update_{kind.noun}": "entity.manage" for kind in KINDS if kind.update == "PATCH"},
    **{f"delete_{kind.noun}": "entity.manage" for kind in KINDS},
}


def allows(caller, verb):
    """Tell whether a caller may do this."""
    try:
        access.require(caller, verb)
    except Error as error:
        return error.code != "forbidden"
    return True


def test_tables_are_whole():
    """The tables below name every role and every operation there is."""
    assert set(MAY) - {"unheard"} == set(access.ROLES)
    assert {name: operation.permission for name, operation in operations().items()} == ASKS


@pytest.mark.parametrize("role", MAY)
def test_role(role, subtests):
    """A role allows what contract 7.3 says, and no more; for one project, less."""
    verbs = sorted({verb for verb in ASKS.values() if verb})
    for asked, project in product(verbs, [None, NOWHERE, ""]):
        with subtests.test(asked=asked, project=project):
            caller = Principal("key", "a" * 32, frozenset({role}), project)
            narrow = asked in {"project.create", *KEYS} and project is not None
            may = asked == ANY or (asked in MAY[role] and not narrow)
            assert allows(caller, asked) == may


def test_no_role():
    """Without a role a key is itself and no more, and several allow what any of them does."""
    verbs = {verb for verb in ASKS.values() if verb}
    assert {verb for verb in verbs if allows(Principal("key", "a", frozenset()), verb)} == {ANY}
    assert all(allows(Principal("key", "a", access.OWNER), verb) for verb in verbs)
    both = Principal("key", "a", frozenset({"viewer", "reader"}))
    assert {verb for verb in verbs if allows(both, verb)} == {
        *(ANY, "project.view", "entity.list", "entity.view"),
    }


@pytest.mark.parametrize("role", [role for role in MAY if role != "unheard"])
def test_role_over_http(host, owner, role):
    """Over HTTP a role is asked before the body is looked at, for each of the permissions."""
    caller = host.account(role, account_id=owner.id)
    project = f"/v2/projects/{NOWHERE}"
    answers = {
        "project.view": caller.call("GET", "/v2/projects"),
        "project.manage": caller.call("DELETE", project),
        "project.create": caller.call("POST", "/v2/projects", {}),
        "project.purge": caller.call("POST", f"/v1/reclamations/{NOWHERE}/actions/reclaim", {}),
        "entity.list": caller.call("GET", f"/v1/projects/{NOWHERE}/secrets"),
        "entity.view": caller.call("GET", f"{project}/secrets"),
        "entity.manage": caller.call("POST", f"{project}/secrets", {}),
        "apikey.view": caller.call("GET", "/v1/apikeys"),
        "apikey.manage": caller.call("POST", "/v1/apikeys", {}),
        "audit.view": caller.call("GET", "/v1/audit_entries"),
        ANY: caller.call("POST", "/v1/signin_codes", {}),
    }
    allowed = {
        "project.view": 200,
        "project.manage": 404,
        "project.create": 400,
        "project.purge": 404,
        "entity.list": 404,
        "entity.view": 404,
        "entity.manage": 400,
        "apikey.view": 200,
        "apikey.manage": 400,
        "audit.view": 200,
        ANY: 201,
    }
    assert set(answers) == set(allowed) == {verb for verb in ASKS.values() if verb}
    for verb, answer in answers.items():
        assert answer.status_code == (allowed[verb] if verb in {*MAY[role], ANY} else 403)
        if answer.status_code == 403:
            (error,) = answer.json()["errors"]
            said = f"Your roles do not include `{verb}`."
            assert (error["code"], error["message"]) == ("forbidden", said)
