"""The log on one machine: sealed by the host's own schedule, kept with its data and its key."""

import pytest

from emulator import commands
from emulator.state import State
from tests.emulator.test_exports import begin, first
from tests.support import WEEK, until
from tests.support.sealed import Seen, whole

pytestmark = pytest.mark.slow


def vkey(host):
    """Give the key of a host's log."""
    return host.inside.document("log/checkpoint")["keys"][0]


def sealed(host):
    """Tell whether nothing waits, and all is signed."""
    log = whole(host.inside)
    return not log.waiting and log.checkpoint and log.checkpoint.size == len(log.entries)


@pytest.mark.claim("L4", "the host's own schedule seals, wherever its clock is moved")
def test_moved_clocks_stop_nothing(tmp_path):
    """A week ahead and back: the next minute of the clock seals, and idle runs say nothing."""
    host = begin(tmp_path / "one")
    try:
        account, seen = first(host), Seen(host.inside)
        host.hub("PUT", "/schedules", {"paused": False})
        for offset in (0, WEEK, 0, -WEEK, 3600, 0):
            host.set_clock(offset)
            account.project(f"p-{seen.count}")
            # It notices within half a second that the clock went back, and waits for the minute.
            until(lambda: host.advance(61) or sealed(host))
            seen.look()
        assert seen.count == 6
        host.hub("PUT", "/schedules", {"paused": True})
        told = host.log().count("sealAudit")
        assert host.hub("POST", "/schedules/sealAudit/run")["status"] == 204
        assert host.log().count("sealAudit") == told > 0
    finally:
        host.stop()


@pytest.mark.claim(
    "I18", "a host that is started anew goes on with the log of its data, or begins one"
)
def test_exported_and_imported(tmp_path):
    """With an export goes the log, and its key; without its data a log is gone, key and all."""
    host, folder = begin(tmp_path / "one"), tmp_path / "saved"
    try:
        first(host).project("kept")
        host.hub("POST", "/schedules/sealAudit/run")
        key, size = vkey(host), len(whole(host.inside).entries)
        assert commands.export(State(host.state), folder) == 0
        assert (folder / "log.key").stat().st_mode & 0o777 == 0o600
        host.hub("POST", "/reset")
        assert not (host.state / "log.key").exists()
        first(host).project("another")
        host.hub("POST", "/schedules/sealAudit/run")
        assert vkey(host) != key
    finally:
        host.stop()
    again = begin(tmp_path / "two", "--import", str(folder))
    try:
        first(again).project("more")
        again.hub("POST", "/schedules/sealAudit/run")
        assert vkey(again) == key
        assert sealed(again)
        assert len(whole(again.inside).entries) > size
    finally:
        again.stop()
    fresh = begin(tmp_path / "two")
    try:
        assert not (fresh.state / "log.key").exists()
        fresh.hub("POST", "/schedules/sealAudit/run")
        assert vkey(fresh) != key
    finally:
        fresh.stop()
