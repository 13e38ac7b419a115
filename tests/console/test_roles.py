"""The console's table of roles is the server's: it greys out what would be refused, and no more."""

import pytest

from shared.access.roles import ACCOUNT_WIDE, ROLES

READ = """async () => {
  const { ROLES, SENTENCES, allows, gives } = await import('/app/roles.js');
  const verbs = [...new Set(Object.values(ROLES).flat())];
  const one = verbs.filter((verb) => !allows(Object.keys(ROLES), 'p', verb));
  return { roles: ROLES, sentences: SENTENCES, wide: one, gives: gives(['administrator']) };
}"""


@pytest.fixture
def told(page, console_url):
    """What the browser makes of the module."""
    page.goto(console_url)
    return page.evaluate(READ)


def test_roles(told):
    """Each role has the same verbs, each has its sentence, and the same verbs are of accounts."""
    assert {role: set(verbs) for role, verbs in told["roles"].items()} == ROLES
    assert set(told["sentences"]) == set(ROLES)
    assert set(told["wide"]) == ACCOUNT_WIDE
    own = ROLES["administrator"]
    assert set(told["gives"]) == {role for role, verbs in ROLES.items() if verbs <= own}
