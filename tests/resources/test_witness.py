"""What a delete requires of a kind that the project holds none of yet."""

from shared import projects, resources
from shared.kinds import APPS, BINDINGS, JOBS
from tests.faults.faulty import COMMIT, Rule, troubled
from tests.support import call

BODY = {"name": "a", "image_reference": "icr.io/codeengine/hello"}


def test_the_first_to_require_it(app):
    """Of two deletes at once that note that nothing is bound, one comes second, and repeats."""
    on = {"project_id": projects.create(app, call(body={"name": "p"})).body["id"]}
    for kind in (APPS, JOBS):
        resources.create(kind, app, call(body=BODY, **on))
    usage = f"projects/{on['project_id']}/usage/{BINDINGS.collection}"
    assert app.store.read(usage)[usage].fields is None

    def other():
        resources.delete(JOBS, app, call(name="a", **on))

    there, script = troubled(app, Rule(COMMIT, "meanwhile", about=usage, last=1, other=other))
    resources.delete(APPS, there, call(name="a", **on))
    assert [method for method, _ in script.calls].count(COMMIT) == 2
    assert app.store.read(usage)[usage].fields.items() > {"count": 0, "claims": {}}.items()
    for kind in (APPS, JOBS):
        assert resources.listing(kind, app, call(**on)).page.entries == []
    resources.create(JOBS, app, call(body=BODY, **on))
    other()  # what is there is verified
    assert app.store.read(usage)[usage].fields.items() > {"count": 0, "claims": {}}.items()
