"""What is clear beside sealed values, edited by who has the database: an image, a server's name."""

import pytest

from shared import projects, resources
from shared.keys import Undecryptable
from shared.kinds import APPS, BINDINGS, KINDS
from shared.resources import revisions
from tests.resources.test_chunks import put, secret
from tests.support import call
from tests.support.former import in_form
from tests.support.kinds import BY_KIND

CANARY = "canary-beside-an-edit"


@pytest.mark.slow
@pytest.mark.claim("T8", "what is clear beside sealed values cannot be changed in the database")
def test_an_edited_body(app, subtests):
    """Of every kind with sealed members each clear one counts: an image replaced is not served."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    on = {"project_id": project}
    for number, kind in enumerate((kind for kind in KINDS if kind.sealed), 1):
        resources.create(kind, app, call(body=BY_KIND[kind].body(number, BY_KIND[kind].full), **on))
        made = resources.listing(kind, app, call(**on)).page.entries[0]
        path = f"projects/{project}/{kind.collection}/{made['name']}"
        body = app.store.read(path)[path].fields["body"]
        edits = {name: body | {name: changed(value)} for name, value in body.items()}
        edits |= {f"without {name}": {k: body[k] for k in body if k != name} for name in body}
        for name, edited in (edits | {"one more": body | {"more": 1}}).items():
            with subtests.test(f"{kind.noun} {name}"):
                put(app, path, body=edited)
                for form in (1, 2):  # in the former one too, for it was sealed in the newest
                    with pytest.raises(Undecryptable):
                        resources.get(kind, in_form(app, form), call(name=made["name"], **on))
        put(app, path, body=body)
        assert resources.get(kind, app, call(name=made["name"], **on)).body == made


def changed(value):
    """Give another value of the same type."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value}x"
        case list():
            return [*value, "x"]
        case _:
            return value | {"x": 1}


@pytest.mark.claim("T8", "each write that changes what is clear seals anew, and opens")
def test_every_write_seals_anew(app):
    """An app patched without its values, bound, its revisions: all open, and an edit of one not."""
    on = {"project_id": projects.create(app, call(body={"name": "p"})).body["id"]}
    path = f"projects/{on['project_id']}/apps/a"
    secret(app, on["project_id"], "s", {"k": "v"})
    variables = [{"type": "literal", "name": "V", "value": CANARY}]
    body = {"name": "a", "image_reference": "one", "run_env_variables": variables}
    resources.create(APPS, app, call(body=body, **on))

    def patch():
        asked = call(body={"image_reference": "two"}, name="a", if_match="*", **on)
        return resources.update(APPS, app, asked)

    patch()
    bound = {"component": {"name": "a", "resource_type": "app_v2"}, "prefix": "P"}
    bound["secret_name"] = "s"
    resources.create(BINDINGS, app, call(body=bound, **on))
    got = resources.get(APPS, app, call(name="a", **on)).body
    assert (got["image_reference"], got["run_env_variables"][0]["value"]) == ("two", CANARY)
    told = revisions.listing(app, call(app_name="a", **on)).page.entries
    assert [one["image_reference"] for one in told] == ["two", "two"]
    patch()
    one = revisions.listing(app, call(app_name="a", **on)).page.entries[0]
    revision = f"{path}/revisions/{one['name']}"
    stored = app.store.read(revision)[revision].fields["body"]
    put(app, revision, body=stored | {"image_reference": "evil"})
    with pytest.raises(Undecryptable):
        revisions.get(app, call(app_name="a", name=one["name"], **on))
    assert resources.get(APPS, app, call(name="a", **on)).body["image_reference"] == "two"
