"""What the tests of the store begin with."""

import pytest

from tests.support import wired


@pytest.fixture
def db(host, tmp_path):
    """A store with a database of its own, and nothing in it."""
    return wired(host.info["firestore"], tmp_path).store
