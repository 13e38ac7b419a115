"""The values of a secret one by one: their keys, one value, a change of some.

So a person can look at a secret, and change one key of it, without all its values on the way.
"""

from shared import api
from shared.app import App
from shared.calls import Answer, Call
from shared.errors import missing
from shared.kinds import SECRETS, Fields, Kind
from shared.resources import metadata, reading
from shared.resources.change import Change, commit
from shared.resources.place import Place
from shared.resources.verbs import Bodies, changed, merged


def keys(app: App, call: Call) -> Answer:
    """Give the keys of a secret and the bytes of each value in UTF-8, and no value.

    Raises Error `project_not_active`.
    """
    place = _place(call)
    _, now, secret = reading.one(app, call, place, place.path)
    sizes = [
        {"name": key, "size": len(value.encode())} for key, value in secret.get("data", {}).items()
    ]
    body = metadata.told(secret, "SecretKeys", keys=sizes)
    return Answer(body, entity_tag=secret["entity_tag"], now=now)


def value(app: App, call: Call) -> Answer:
    """Give one value of a secret, once an audit entry says who read which key.

    The entry is committed first, while the project is active: without it there is no answer.
    Raises Error `resource_not_found` where there is no such secret or key, and then leaves none.
    """
    place, key = _place(call), call.parameters["key"]

    def decide(change: Change) -> Answer:
        tag = change.resource()["entity_tag"]
        data = change.opened(place, change.read[place.path]).get("data", {})
        if key not in data:
            raise missing()
        body = {"name": key, "value": data[key], "entity_tag": tag}
        return Answer(body, entity_tag=tag, now=change.now)

    return commit(app, call, place, "secret.read", [*place.context, place.path], decide, key=key)


def patch(kind: Kind, app: App, call: Call) -> Answer:
    """Merge some keys into a resource's `data` (RFC 7396), and give its metadata alone.

    What comes of it is held against all that a replacement is. Raises as `changed` does, and
    Error `invalid_field` or `missing_field` where it is not whole.
    """

    def whole(change: Change, _stored: Fields) -> Bodies:
        before = change.opened(change.place, change.read[change.place.path])
        data = merged(before.get("data"), call.body["data"])
        return before, api.whole(kind.schema, {**before, "data": data}, change.place.key)

    return changed(kind, app, call, whole, metadata.answer)


def _place(call: Call) -> Place:
    return Place(SECRETS, call.parameters["project_id"], call.parameters["name"])
