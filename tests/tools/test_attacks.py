"""What the attacks tell: how many of a neighbour's requests were answered in time."""

from collections import Counter

import pytest

from tools import attacks


def test_what_a_neighbour_got():
    """One that failed took forever; the share is of all that were asked."""
    found = attacks.Told((0.1, 0.2, 3.0, float("inf")))
    assert found.share == 0.5
    assert str(found) == "4 requests, 50% within 2 s; median 3.00 s, slowest inf s"
    more = str(attacks.Told((0.1,), Counter({200: 2, 503: 1}), 2**20))
    assert more.endswith("; attackers: 2 times 200, 1 times 503; memory: 1 MiB")


def test_a_name_that_is_none(monkeypatch):
    """It says which there are, and starts nothing."""
    monkeypatch.setattr("sys.argv", ["attacks", "nope"])
    with pytest.raises(SystemExit, match=r"1 of these is no attack: choose from stalled-heads"):
        attacks.main()
