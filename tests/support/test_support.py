"""What the tests stand on, where a mistake in it would reach beyond them."""

import json
import os
import subprocess
import sys

import pytest

from tests.support import ROOT

SHOW = "import json, os, tests.conftest; print(json.dumps(dict(os.environ)))"


@pytest.mark.slow
def test_the_hosts_environment_is_left_alone(host):
    """In a shell that was given a host's environment nothing of a test leads to that host."""
    given = {**host.info["env"], "CE_HOME": "/home", "GCLOUD_PROJECT": "mine"}
    assert {"FIRESTORE_EMULATOR_HOST", "CODE_ENGINE_URL"} <= given.keys()
    done = subprocess.run(
        [sys.executable, "-c", SHOW],
        cwd=ROOT,
        env={**os.environ, **given},
        capture_output=True,
        check=True,
    )
    left = json.loads(done.stdout)
    assert left["PATH"] == os.environ["PATH"]
    assert given.keys() & left.keys() == set()
