"""Sign-in codes and an export of the local host: what was used stays used, what was not is once."""

import json
import time
from datetime import datetime

import pytest
import requests

from emulator import commands
from emulator.state import State
from shared.access import CODE_GRANT
from tests.support import Account, Host, told

pytestmark = pytest.mark.slow


def begin(folder, *options):
    """Start a host on a state folder of its own."""
    return Host(folder, "--firestore-port", "0", "--hub-port", "0", *options).start()


def exchange(host, code):
    """Exchange a code; give the status."""
    form = {"grant_type": CODE_GRANT, "code": code}
    return requests.post(f"{host.url}/identity/token", data=form, timeout=30).status_code


def test_codes_that_were_exported(tmp_path):
    """They are in it as they are stored, never their texts; a minute is a minute there too."""
    host, saved = begin(tmp_path / "one"), tmp_path / "saved"
    try:
        made = json.loads((host.state / "credentials.json").read_text())
        key = Account(host, made["account_id"], made["apikey"]).another_key()
        answers = [key.call("POST", "/v1/signin_codes", {}) for _ in "12"]
        used, kept = (told.body(answer, 201) for answer in answers)
        assert exchange(host, used["code"]) == 200
        assert commands.export(State(host.state), saved) == 0
    finally:
        host.stop()
    whole = b"".join(path.read_bytes() for path in saved.rglob("*") if path.is_file())
    assert key.key_id.encode() in whole
    assert not [code for code in (used, kept) if code["code"].encode() in whole]
    host = begin(tmp_path / "two", "--import", str(saved))
    try:
        stored = [path for path in host.inside.everything() if path.startswith("signin_")]
        assert len(stored) == 2
        assert exchange(host, used["code"]) == 400
        ends, before = datetime.fromisoformat(kept["expires_at"]).timestamp(), time.time()
        answers = [exchange(host, kept["code"]) for _ in "12"]
        if time.time() < ends:
            assert answers == [200, 400]
        elif before >= ends:
            assert answers == [400, 400]
    finally:
        host.stop()
