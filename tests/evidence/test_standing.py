"""The MAC of what decides a project's life: over what it is, and what it tells apart."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared import evidence, projects
from shared.evidence import standing
from shared.keys import LIFECYCLE, RECORD
from shared.lifecycle import NAMES
from shared.projects import reclamations
from shared.store import Document
from tests.support import call
from tests.support.standing import stored

ID = "15314cc3-85b4-4338-903f-c28cdee6d005"
NOW = datetime(2026, 11, 23, 12, 0, 0, 5, tzinfo=UTC)
# What of a project decides nothing of its life; all else is under the MAC.
OUTSIDE = {"updated_at", "resource_group_id", "tags", "subdomain", "progress_at", "nudged_at"}


def meaning(**fields):
    """Give what the MAC is over, of a project with these fields."""
    return evidence.meaning(Document(f"projects/{ID}", {"id": ID, **fields}))


def test_what_it_is_over():
    """Each field of a project is under the MAC, or is known here to decide nothing."""
    assert set(standing.FIELDS) - {standing.MOVES} == NAMES - OUTSIDE
    assert len(set(standing.FIELDS)) == len(standing.FIELDS)


def test_the_form():
    """The form does not change: a MAC made today must hold under every later version."""
    fields = {"account_id": "a" * 32, "region": "eu-de", "name": "Köln", "status": "soft_deleted"}
    fields |= {"created_at": NOW, "purge_at": NOW + timedelta(days=7), "deleted_at": None}
    fields |= {"swept": 0, "moves": 2, "other": "x"}
    assert (
        meaning(**fields)
        == (
            '{"account_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",'
            '"created_at":{"time":"2026-11-23T12:00:00.000005Z"},'
            '"id":"15314cc3-85b4-4338-903f-c28cdee6d005","moves":2,"name":"Köln",'
            '"purge_at":{"time":"2026-11-30T12:00:00.000005Z"},"region":"eu-de",'
            '"status":"soft_deleted","swept":0}'
        ).encode()
    )


def test_what_is_not_there_says_nothing():
    """A field that is None is one that is not there: a name that comes later breaks no MAC."""
    assert meaning(cause=None, moves=1) == meaning(moves=1)


def test_one_time_one_form():
    """A time means the same in whatever zone it is told."""
    assert meaning(purge_at=NOW.astimezone(timezone(timedelta(hours=3)))) == meaning(purge_at=NOW)


ALIKE = [
    (NOW, "2026-11-23T12:00:00.000005Z"),
    (NOW, {"time": "2026-11-23T12:00:00.000005Z"}),
    (b"\x00", "00"),
    (b"\x00", {"bytes": "00"}),
    (1, True),
    (0, False),
    (1, "1"),
    ([1], [[1]]),
    ({"a": 1}, {"map": {"a": 1}}),
    ("", 0),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_no_two_types_are_alike(one, other):
    """What reads alike and is of another type is another thing."""
    assert meaning(purge_at=one) != meaning(purge_at=other)


@pytest.mark.parametrize("odd", [1.0, 2**53, {"é": 1}, [2.5]])
def test_what_no_project_has(app, odd):
    """A value that canonical JSON has no one form of is under no MAC."""
    document = Document(f"projects/{ID}", {"id": ID, "swept": odd, "mac": bytes(32)})
    assert not evidence.holds(app, document)


def test_another_place(app):
    """A project is one in its own place alone."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    fields = stored(app, project)
    assert evidence.holds(app, Document(f"projects/{project}", fields))
    assert not evidence.holds(app, Document(f"projects/{ID}", fields))
    assert not evidence.holds(app, Document(f"projects/{ID}", fields | {"id": ID}))


def test_another_purpose(app):
    """A MAC that was made for something else, over the same bytes, holds for nothing here."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    fields, state = stored(app, project), app.keyring.state
    message = evidence.meaning(Document(f"projects/{project}", fields))
    assert fields["mac"] == state.mac(LIFECYCLE, message)
    other = Document(f"projects/{project}", fields | {"mac": state.mac(RECORD, message)})
    assert not evidence.holds(app, other)


def test_moves_are_counted(app):
    """Each commit that changes one of them counts one more, and a write in the project none."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    assert stored(app, project)["moves"] == 1
    for number in (2, 4):
        projects.delete(app, call(id=project))
        assert stored(app, project)["moves"] == number
        reclamations.restore(app, call(project_id=project))
        assert stored(app, project)["moves"] == number + 1
