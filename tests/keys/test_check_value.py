"""The check value damaged in the database: no key is made or used on its word."""

import pytest

from shared.keys import check_value
from shared.keys.local import MARKER
from shared.store import Write
from tests.keys.test_identity import critical, refused, stored
from tests.support import wired, with_key
from tests.upkeep.test_key_rotation import DATA, again, make, value


@pytest.fixture
def app(host, tmp_path):
    """The domain with the checks of a start, to a database and a key store of its own."""
    return again(with_key(wired(host.info["firestore"], tmp_path)))


@pytest.mark.claim("F51", "a damaged check value: no key is used or made, and no marker made again")
def test_a_damaged_check_value(app, caplog, subtests):
    """Whatever is missing of it or of another type: 503 and CRITICAL; put back, it serves."""
    project = make(app)
    right, keys = stored(app), app.settings.key_store
    for name in ("kek", "wrapped", "sha256", "made"):
        for value_ in (None, 7, {"a": 1}):
            changed = {k: v for k, v in right.items() if k != name}
            changed |= {} if value_ is None else {name: value_}
            app.store.commit([Write(check_value.PATH, changed)])
            marker = (keys / MARKER).rename(keys.with_name("marker"))
            with subtests.test(f"{name} {value_}"):
                caplog.clear()
                there = again(app)
                for act in (lambda p=there: make(p, "q"), lambda p=there: value(p, project)):
                    refused(act)
                assert critical(caplog)
                assert not (keys / MARKER).exists()
            marker.rename(keys / MARKER)
    app.store.commit([Write(check_value.PATH, right)])
    assert value(again(app), project) == DATA
