"""What a neighbour gets while others attack, at production's rates: the attacks of tools.attacks.

Attackers and neighbours are real clients, at addresses of their own.
"""

from collections import Counter
from contextlib import ExitStack

import pytest

from shared import quotas
from tests.support import Host
from tools import attackers, attacks

pytestmark = [pytest.mark.slow, pytest.mark.alone]

ENOUGH = 0.95  # of a neighbour's requests, within attacks.WITHIN seconds
SECONDS = 4.0  # of an attack


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    """A host with production's rates."""
    home = tmp_path_factory.mktemp("busy")
    host = Host(home, "--firestore-port", "0", "--hub-port", "0").start(**attacks.RATES)
    yield host
    host.stop()


@pytest.mark.claim("F46", "64 logins that begin and stall: logins and writes elsewhere go on")
def test_stalled_logins(busy):
    """They have a gate of their own, and their address a share of it."""
    assert attacks.stalled_logins(busy, SECONDS).share >= ENOUGH


@pytest.mark.claim("F46", "100 logins that stall, each from elsewhere: who has a token goes on")
def test_stalled_everywhere(busy):
    """No share helps against so many; that they have a gate apart does."""
    assert attacks.stalled_everywhere(busy, SECONDS).share >= ENOUGH


@pytest.mark.claim("F46", "64 bodies of one account that stall: other accounts write")
def test_stalled_writes(busy):
    """A few places are kept for accounts that hold none."""
    assert attacks.stalled_writes(busy, SECONDS).share >= ENOUGH


@pytest.mark.claim("F46", "64 bodies of 13 MiB, half with a token: the worker keeps to 512 MiB")
def test_large_bodies(busy):
    """What they hold is bounded before it is read, and others write meanwhile."""
    told = attacks.large_bodies(busy, SECONDS)
    assert told.share >= ENOUGH
    assert told.memory < 512 * quotas.MIB


@pytest.mark.claim("F46", "stalled logins and bodies: who has a token and the same address goes on")
def test_the_same_address(busy):
    """Behind one address with them a neighbour who has a token reads and writes."""
    tenant, account = attacks.Tenant.at(busy), busy.account()
    with ExitStack() as last:
        for begun in (attacks.LOGIN, attacks.write_begun(account.token)):
            last.enter_context(attackers.Stalled(busy.url, begun, attacks.BODIES))
        assert tenant.told(SECONDS, attackers.ATTACKER, logs_in=False).share >= ENOUGH


@pytest.mark.claim("F35", "100 threads at one secret: another account reads, writes and logs in")
def test_a_secret_that_is_fought_for(busy):
    """They wait for their turns outside the gate; some are written, and nothing fails."""
    told = attacks.fought_secret(busy, SECONDS)
    assert told.share >= ENOUGH
    assert set(told.attackers) <= {200, 429, 503}
    assert told.attackers[200] > 20


@pytest.mark.claim("F35", "20 keys of one account have the rate of two")
def test_many_keys(busy):
    """What they get together is the account's rate and its burst."""
    told = attacks.many_keys(busy, SECONDS)
    assert told.share >= ENOUGH
    rate = quotas.ACCOUNT_KEYS * quotas.KEY_RATE
    most = rate * (SECONDS + 1 + 1 + quotas.KEY_BURST)  # a second for the last of each thread
    assert 0 < told.attackers[200] <= most
    assert told.attackers[429] > 0
    assert set(told.attackers) == {200, 429}


@pytest.mark.claim(
    "F35", "tokens that do not hold are counted for their address; who logs in is not"
)
def test_false_tokens(busy):
    """Over the rate they are told to wait; a login from the same address is answered."""
    told = attacks.false_tokens(busy, SECONDS)
    assert told.share >= ENOUGH
    assert set(told.attackers) == {401, 429}
    assert told.attackers[401] <= quotas.KEY_RATE * (SECONDS + 2 + quotas.KEY_BURST)
    tenant = attacks.Tenant.at(busy)
    with attackers.connected(busy.url, attackers.ATTACKER) as to:
        false = ("GET", "/v2/projects", b"", attacks.bearer("no token"))
        codes = Counter(attackers.answered(to, false) for _ in range(200))
        assert codes[429] > 0
    assert (
        attackers.timed(busy.url, attacks.login(tenant.apikey), attackers.ATTACKER) < attacks.WITHIN
    )
