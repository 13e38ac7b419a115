"""Resources as they are read: whole, one or a page, however their values are stored.

A value in parts takes a second read, and may have been replaced between the two: then all is read
anew, a bounded number of times.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from shared import evidence, quotas
from shared.access import own_key, owned
from shared.app import App
from shared.calls import Answer, Call, Page, Principal
from shared.errors import Error, missing, unavailable
from shared.kinds import Fields
from shared.lifecycle import Project, require_active
from shared.resources import readers, sealing
from shared.resources.place import Place
from shared.resources.weight import answered, fitting
from shared.store import Document, Filter, Read

T = TypeVar("T")
Show = Callable[[Project, Fields], dict[str, Any]]


def home_of(app: App, principal: Principal, place: Place, read: Read) -> tuple[Project, datetime]:
    """Give the caller's active project, and the time of the decision.

    The batch holds the caller's own key; it is judged first. Then the project must be what this
    code made it: else Error `unavailable`.
    """
    project = owned(app, principal, read, place.home)
    evidence.require_ours(app, read[place.home])
    require_active(project)
    return project, app.now(read)


def one(app: App, call: Call, place: Place, path: str) -> tuple[Project, datetime, Fields]:
    """Give the project, the time, and the whole resource at a path of the place.

    Raises Error `resource_not_found`, also when the place's own resource is not there.
    """

    def attempt() -> tuple[Project, datetime, Fields]:
        read = app.store.read(own_key(call.principal), *place.context, place.path, path)
        project, now = home_of(app, call.principal, place, read)
        stored = read[path].fields
        if read[place.path].fields is None or stored is None:
            raise missing()
        (body,) = whole(app, place, project, read, [read[path]])
        return project, now, {**stored, **body}

    return _patiently(attempt)


def page(
    app: App,
    call: Call,
    place: Place,
    collection: str,
    show: Show,
    *filters: Filter,
    order: str,
    noun: str = "",
) -> Answer:
    """Give a page of a collection, in the order of a field that is each document's name.

    `show` gives the answer's form of a whole resource. The page ends at `limit` entries, or early
    where the next would take the answer over quotas.PAGE_BYTES: so only what is opened says whom
    its entry names. `noun` is the entry's, where it is not the kind's own. Raises Error
    `resource_not_found` if the place's own resource is not there.
    """
    paths = [own_key(call.principal), *place.context, *([place.path] if place.key else [])]
    limit, after = call.parameters["limit"], call.parameters.get("start")
    how = {"order": order, "after": after, "limit": limit + 1, "weigh": _size}

    def attempt() -> Answer:
        read, found = app.store.read_beside(paths, collection, *filters, **how)
        project, now = home_of(app, call.principal, place, read)
        if place.key and read[place.path].fields is None:
            raise missing()
        chosen = list(fitting(found[:limit], _size))
        pairs = zip(chosen, _whole(app, place, project, read, chosen), strict=True)
        shown = (show(project, {**document.contents, **body}) for document, body in pairs)
        entries = list(fitting(shown, answered))
        following = found[len(entries) - 1].id if len(found) > len(entries) else None
        names = [document.id for document in chosen[: len(entries)]]
        readers.noted(app, call, place, project, now, names, noun)
        return Answer(page=Page(collection.rpartition("/")[2], entries, following), now=now)

    return _patiently(attempt)


def _patiently(attempt: Callable[[], T]) -> T:
    """Try again where a value was replaced between two reads.

    Raises Error `internal` where it is the same quotas.PART_READS times in a row, for then a part
    is lost, and `unavailable` where others replaced it quotas.PART_TRIES times.
    """
    seen: list[list[Any]] = []
    while len(seen) < quotas.PART_TRIES:
        try:
            return attempt()
        except sealing.Replaced as replaced:
            seen.append(replaced.versions)
        if seen[-quotas.PART_READS :] == [seen[-1]] * quotas.PART_READS:
            raise Error("internal", "A part of a stored value is missing.")
    raise unavailable("Too many changes at once")


def whole(
    app: App, place: Place, project: Project, read: Read, found: Sequence[Document]
) -> list[dict[str, Any]]:
    """Give the whole bodies of stored resources; raises Replaced if a part or key is gone."""
    return list(_whole(app, place, project, read, found))


def _whole(
    app: App, place: Place, project: Project, read: Read, found: Sequence[Document]
) -> Iterator[dict[str, Any]]:
    """Give them one by one: each is opened when it is asked for."""
    if not place.kind.sealed:
        yield from (document.contents["body"] for document in found)
        return
    parts = [sealing.part_paths(document.path, document.fields) for document in found]
    wanted = [part for paths in parts for part in paths]
    more = app.store.read(*wanted).documents if wanted else {}
    if any(document.fields is None for document in more.values()):
        raise sealing.Replaced(found)
    record = read[place.data_key].fields or {}
    with sealing.under_key(app, place, read, found):
        for document, paths in zip(found, parts, strict=True):
            form = document.contents
            chunks = [more[part].contents["bytes"] for part in paths] or [form["sealed"] or b""]
            opened = app.keyring, project, record, place.kind, form, chunks
            yield sealing.unlock(*opened, app.settings.store_form)


def _size(document: Document) -> int:
    return int(document.contents.get("size", 0))
