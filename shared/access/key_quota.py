"""How many API keys an account has: one document that names them all, apart from all other work.

Whoever makes or deletes a key writes `accounts/{account}` as it was read, in the same commit; so
the count is the number of names in it, and exact. It is made when it is first needed, out of one
query, which is also how it is put right before a key is refused: a key that was deleted beside it,
by a former version, holds no place. Nothing else reads or writes that document.
"""

from collections.abc import Collection

from shared import quotas
from shared.access import records
from shared.app import App
from shared.calls import Call
from shared.errors import Error
from shared.store import NAME, Document, Read, Write


def path_of(account: str) -> str:
    """Give the path of the document that names an account's keys."""
    return f"accounts/{account}"


def added(app: App, call: Call, read: Read, key_id: str) -> Write:
    """Give the write that names one more key, if the caller's account's are as they were read.

    Raises Error `quota_exceeded` when the account has quotas.KEYS_PER_ACCOUNT of them.
    """
    account = call.principal.account
    document = read[path_of(account)]
    named = _named(document)
    if named is None or len(named) >= quotas.KEYS_PER_ACCOUNT:
        named = _found(app, account)
    if len(named) >= quotas.KEYS_PER_ACCOUNT:
        most = f"The account has {quotas.KEYS_PER_ACCOUNT} API keys or more"
        raise Error("quota_exceeded", f"{most}, and no more fit in: delete one.")
    return Write.replace(document, {"keys": sorted({*named, key_id})})


def removed(app: App, call: Call, read: Read, key_id: str) -> Write:
    """Give the write that names a key no more, if the account's are as they were read."""
    account = call.principal.account
    document = read[path_of(account)]
    named = _named(document)
    if named is None:
        named = _found(app, account)
    if len(named) > quotas.KEYS_PER_ACCOUNT:  # too many to name: they are counted at each change
        return uncounted(account, call)
    return Write.replace(document, {"keys": sorted({*named} - {key_id})})


def uncounted(account: str, call: Call) -> Write:
    """Give the write after which an account's keys are counted anew, whatever was read before.

    It names the call: to Firestore a write that changes nothing is none, and hinders nobody's.
    """
    return Write(path_of(account), {"keys": None, "changed": call.trace})


def _named(document: Document) -> Collection[str] | None:
    """Give the ids that are named; None where they have to be found."""
    return (document.fields or {}).get("keys")


def _found(app: App, account: str) -> Collection[str]:
    """Give the ids of the keys that there are, of too many one more than may be.

    What does not hold is none: nobody can use it, see it in a list, or delete it.
    """
    most, ids, after = quotas.KEYS_PER_ACCOUNT + 1, list[str](), None
    while len(ids) < most:
        own = ("account_id", "==", account)
        _, page = app.store.query("api_keys", own, order=NAME, after=after, limit=most)
        ids += [document.id for document in page if records.of(app, document)]
        if len(page) < most:
            break
        after = page[-1].id
    return ids[:most]
