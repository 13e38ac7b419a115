"""What a delete requires of a kind that the project holds none of yet."""

from shared import projects, resources
from shared.kinds import APPS, BINDINGS, JOBS
from tests.faults.faulty import COMMIT, Rule, troubled
from tests.support import call

IMAGE = "icr.io/codeengine/hello"


def test_the_first_to_require_it(app):
    """Of two deletes at once that note that nothing is bound, one comes second, and repeats."""
    on = {"project_id": projects.create(app, call(body={"name": "p"})).body["id"]}
    for name in ("a", "b"):
        body = {"name": name, "image_reference": IMAGE}
        resources.create(APPS, app, call(body=body, **on))
    usage = f"projects/{on['project_id']}/usage/{BINDINGS.collection}"
    assert app.store.read(usage)[usage].fields is None

    def other():
        resources.delete(APPS, app, call(name="b", **on))

    first = Rule(COMMIT, "meanwhile", about=usage, last=1, other=other)
    there, script = troubled(app, first)
    resources.delete(APPS, there, call(name="a", **on))
    assert [method for method, _ in script.calls].count(COMMIT) == 2
    assert app.store.read(usage)[usage].fields == {"count": 0, "claims": {}}
    assert resources.listing(APPS, app, call(**on)).page.entries == []
    resources.create(JOBS, app, call(body={"name": "j", "image_reference": IMAGE}, **on))
    resources.delete(JOBS, app, call(name="j", **on))  # what is there is verified
    assert app.store.read(usage)[usage].fields == {"count": 0, "claims": {}}
