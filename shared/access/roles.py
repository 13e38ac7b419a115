"""What a role may do, and whose a project is. Pure.

Roles and scope travel in the token (contract 7.3); what a caller may not know of does not exist.
"""

from collections.abc import Iterable

from shared.calls import Principal
from shared.errors import Error, missing
from shared.lifecycle import Project
from shared.store import Document

EDITOR = frozenset({"project.view", "project.manage", "project.create"})
READER = frozenset({"entity.list", "entity.view"})
# Contract section 7.3: platform roles for projects, service roles for what they hold.
ROLES = {
    "administrator": EDITOR | {"project.purge", "apikey.view", "apikey.manage", "audit.view"},
    "editor": EDITOR,
    "operator": frozenset({"project.view"}),
    "viewer": frozenset({"project.view"}),
    "purge": frozenset({"project.purge"}),  # ours: to destroy before the deadline, and no more
    "manager": READER | {"entity.manage"},
    "writer": READER | {"entity.manage"},
    "reader": READER,
    # ours: what there is, and what was done, and no value
    "auditor": frozenset({"project.view", "entity.list", "audit.view"}),
}
OWNER = frozenset({"administrator", "manager"})
# What is about the caller's own key alone: every key may, for one project too, whatever its roles.
OWN = frozenset({"apikey.use"})
# What concerns a whole account: a key for one project may not, whatever its roles.
ACCOUNT_WIDE = frozenset({"project.create", "apikey.view", "apikey.manage"})


class Denied(Error):
    """A known caller may not do what it asks for; `verb` is the one permission that it lacks."""

    verb = ""

    @classmethod
    def of(cls, verb: str, why: str) -> "Denied":
        """Give the error `forbidden` for who lacks a permission."""
        error = cls("forbidden", why)
        error.verb = verb
        return error


def require(principal: Principal, verb: str) -> None:
    """Raise Denied unless a role of the principal's allows `verb`, such as `project.manage`."""
    if verb in OWN:
        return
    if principal.project is not None and verb in ACCOUNT_WIDE:
        raise Denied.of(verb, f"A key for one project does not allow `{verb}`.")
    if verb not in _verbs(principal.roles):
        raise Denied.of(verb, f"Your roles do not include `{verb}`.")


def lacking(principal: Principal, roles: Iterable[str]) -> set[str]:
    """Give the verbs that these roles have and the principal's have not."""
    return _verbs(roles) - _verbs(principal.roles)


def require_all(principal: Principal, roles: Iterable[str]) -> None:
    """Raise Error `forbidden` unless the principal's roles allow all that these do."""
    if more := sorted(lacking(principal, roles)):
        verbs = ", ".join(f"`{verb}`" for verb in more)
        message = f"Your roles do not include {verbs}: a key gives no more than it may."
        raise Error("forbidden", message, "roles")


def _verbs(roles: Iterable[str]) -> set[str]:
    return {verb for role in roles for verb in ROLES.get(role, ())}


def owned(document: Document, principal: Principal, region: str) -> Project:
    """Give a project of this region to who may know of it; else it does not exist (Error 404).

    Those are its account, and of the account's keys for one project only those for this one. What
    lies in the place of another project is none.
    """
    # The tombstone of a project that never came to be is nobody's.
    if document.fields is None or document.fields.get("account_id") != principal.account:
        raise missing()
    if document.fields.get("region") != region or document.fields.get("id") != document.id:
        raise missing()
    if principal.project not in (None, document.id):
        raise missing()
    return Project.of(document.fields)
