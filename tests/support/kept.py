"""A certificate as the end of a purge leaves it in the store, made without a purge."""

import hashlib
import uuid
from datetime import UTC, datetime

from shared.keys import RECORD
from shared.log import dump
from shared.store import Write
from tests.support.certificates import DIGEST, statement

SALT = bytes(range(16, 32))  # of a project's name


def name_digest(name):
    """Give the digest of a name, in hex, under the salt above."""
    return hashlib.sha256(b"reprieve/name/v1\n" + SALT + name.encode()).hexdigest()


def kept(app, account, name="shop", **index):
    """Store a tombstone and its certificate, as the end of a purge leaves them; give the id.

    `index` is what the entry's index says otherwise than its record.
    """
    id_, at = str(uuid.uuid4()), datetime(2026, 12, 7, 2, 30, 3, 500000, UTC)
    region = app.settings.region
    said = {"project__id": id_, "project__account": account, "project__region": region}
    said |= {"project__name_digest": name_digest(name)}
    subject = [{"name": f"project:{id_}", "digest": {"sha256": DIGEST}}]
    told = {f"predicate__{path}": value for path, value in said.items()}
    record, salt = dump(statement(subject=subject, **told)), app.new_salt()
    mac = app.keyring.state.mac(RECORD, salt + record)
    about = {"account_id": account, "project_id": id_, "action": "codeengine.project.erase"}
    about |= {"outcome": "success", "initiator": "retention", "at": at} | index
    tombstone = {"id": id_, "account_id": account, "region": region, "status": "hard_deleted"}
    beside = {"account_id": account, "region": region, "name_digest": name_digest(name)}
    beside |= {"name_salt": SALT, "erased_at": at, "test": False, "entry": f"{id_}.erase"}
    digest = hashlib.sha256(record).hexdigest()
    app.store.commit(
        [
            Write.create(f"tombstones/{id_}", tombstone | {"created_at": at, "erased_at": at}),
            Write.create(f"certificates/{id_}", beside | {"sha256": digest}),
            Write.create(
                f"audit/{id_}.erase",
                {"record": record, "salt": salt, "mac": mac, "pending": True, **about},
            ),
        ]
    )
    return id_
