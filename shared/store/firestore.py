"""The store: documents in Firestore, and nothing else of Google's.

Reads, queries and commits are one round trip each. A commit is all or nothing, and every write in
it may carry a precondition; there are no transactions, hence no locks (ADR 3). Instead of the
client's own retries there are at most quotas.STORE_TRIES tries and quotas.STORE_DEADLINE seconds,
with Error `unavailable` at worst (ADR 15).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar, cast

import grpc
import grpc.experimental
from google.api_core import exceptions as failures
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport

from shared import quotas
from shared.errors import Error, unavailable
from shared.store import values
from shared.store.tries import Attempts, left
from shared.store.turns import Turns
from shared.store.values import Filter
from shared.store.writes import Document, Read, Write, said

T = TypeVar("T")
NAME = "__name__"  # as an order: documents by their own ids, whatever is in them
EVERYWHERE = "**"  # before a collection's name: all collections of this name, below whatever
# A stream is read by the thread that asked for it, not by one of its own: half the cost of a read.
OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    (grpc.experimental.ChannelOptions.SingleThreadedUnaryStream, 1),
]
UNMET = failures.Aborted, failures.AlreadyExists, failures.FailedPrecondition, failures.NotFound
UNREACHABLE = (
    failures.DeadlineExceeded,
    failures.InternalServerError,
    failures.ResourceExhausted,
    failures.ServiceUnavailable,
)


class Conflict(Exception):
    """A precondition of a commit did not hold; nothing of it was written."""


class Unanswered(Error):
    """Firestore did not answer; what it was asked to commit it may have committed."""


class Store:
    """Documents of one Firestore database.

    `api` is the client of Firestore's gRPC interface, `jitter` gives random floats in [0, 1).
    Every method raises Error `unavailable` when Firestore does not answer in time.
    """

    def __init__(
        self, api: Any, database: str, jitter: Callable[[], float], token: str = ""
    ) -> None:
        self._api = api
        self._root = f"{database}/documents"
        self._database = database
        self._jitter = jitter
        self._turns = Turns()
        self._metadata = [("google-cloud-resource-prefix", database)]
        if token:
            self._metadata.append(("authorization", f"Bearer {token}"))

    @classmethod
    def connect(
        cls, project: str, emulator: str | None, jitter: Callable[[], float], database: str
    ) -> "Store":
        """Connect to a Google Cloud project's database, or to the emulator at `host:port`."""
        name = f"projects/{project}/databases/{database}"
        if emulator:
            channel = grpc.insecure_channel(emulator, OPTIONS)
        else:
            channel = FirestoreGrpcTransport.create_channel(options=OPTIONS)
        transport = FirestoreGrpcTransport(channel=channel)
        # A read is on its way when it is asked for, and not when its first answer is there.
        cast("Any", transport.batch_get_documents)._prefetch_first_result_ = False
        api = FirestoreClient(transport=transport)
        return cls(api, name, jitter, token="owner" if emulator else "")  # its word for all

    def read(self, *paths: str) -> Read:
        """Read documents at one instant."""
        return self._tried(lambda within: self._collected(self._asked(paths, within)))

    def query(
        self,
        collection: str,
        *filters: Filter,
        order: str,
        after: str | datetime | tuple[datetime, str] | None = None,
        limit: int,
        weigh: Callable[[Document], int] = lambda _: 0,
        fields: Sequence[str] = (),
    ) -> tuple[datetime, list[Document]]:
        """Give the read time and up to `limit` documents of a collection that match all `filters`.

        They come in the order of the field `order`, or of their ids (NAME), from beyond `after`: a
        value of it, or a value and the id of the one that has it.
        What `weigh` gives for them is added up: none follows the first beyond quotas.PAGE_BYTES.
        Where `fields` are named, no other leaves the store.
        """
        parent, _, name = collection.rpartition("/")
        query = values.Query(limit={"value": limit})
        query.from_.add(collection_id=name, all_descendants=parent == EVERYWHERE)
        values.restrict(query, filters, fields)
        query.order_by.add(field={"field_path": order}, direction=1)
        if after is not None:
            by_id = (None, after) if order == NAME else (after, "")
            value, id_ = after if isinstance(after, tuple) else by_id
            values.begin(query, value, self._name(f"{collection}/{id_}") if id_ else "")
        return self._tried(lambda within: self._run(parent.strip("*"), query, within, weigh))

    def read_beside(
        self, paths: Sequence[str], collection: str, *filters: Filter, **how: Any
    ) -> tuple[Read, list[Document]]:
        """Read documents and query at once: two requests in the time of one round trip.

        `how` is as for `query`. The two see the store at instants of their own.
        """

        def both(within: float) -> tuple[Read, list[Document]]:
            answers = self._asked(paths, within)
            try:
                _, found = self.query(collection, *filters, **how)
            except Exception:
                answers.cancel()
                raise
            return self._collected(answers), found

        return self._tried(both)

    def below(
        self,
        path: str,
        limit: int,
        *fields: str,
        after: str = "",
        weigh: Callable[[Document], int] = lambda _: 0,
    ) -> list[Document]:
        """Give up to `limit` documents below one, in any collection, in the order of their paths.

        With only these `fields` of each, or all; from the first beyond the path `after`. `weigh`
        is as for `query`.
        """
        query = values.Query(limit={"value": limit})
        query.from_.add(all_descendants=True)
        values.restrict(query, (), fields)
        query.order_by.add(field={"field_path": NAME}, direction=1)
        if after:
            query.start_at.values.add(reference_value=self._name(after))
        return self._tried(lambda within: self._run(path, query, within, weigh)[1])

    def commit(self, writes: Iterable[Write], within: float | None = None) -> None:
        """Apply all writes or none; raises Conflict when a precondition does not hold.

        One try: after Error `unavailable` the writes may have been applied, or may yet be.
        """
        request = values.Commit(database=self._database)
        for write in writes:
            values.encode_write(self._name(write.path), write, request.writes.add())
        try:
            with _reachable():
                self._api.commit(request, **self._call(within))
        except UNMET as error:
            raise Conflict from error

    def transact(
        self,
        operation: str,
        paths: Sequence[str],
        decide: Callable[[Read], tuple[list[Write], T]],
        first: Read | None = None,
        alone: Sequence[str] = (),
    ) -> T:
        """Read, let `decide` give the writes and the result, and commit; again if that fails.

        `operation` is the path of a document that the writes create, whose id no other call has:
        where it exists, this call's commit was applied, whatever became of the answer. `decide`
        may run several times, each on a fresh snapshot: ids and values are made before. `first` is
        one that was read already. Its turn at the documents `alone` it has from the start. What
        `decide` raises is not retried, but for a Conflict; without writes nothing is committed.
        Raises Error `unavailable` when others kept coming first, or the store did not answer.
        """
        attempts = Attempts(self._jitter)
        sent: list[tuple[list[Write], T]] = []
        with self._turns.one() as turn:
            if not turn.take(fought := {*alone, *self._turns.fought(paths)}, 0.0):
                attempts.wait(turn, fought)
                first = None  # it has grown old
            for within in attempts:
                try:
                    wanted = [*paths, operation] if sent else paths
                    read, first = first or self._collected(self._asked(wanted, within)), None
                    if sent and read[operation].fields is not None:
                        return _applied(sent, read[operation])
                    writes, result = decide(read)
                    if not writes:
                        return result
                    sent.append((writes, result))
                    self.commit(writes, within=attempts.left())
                except Conflict:
                    attempts.wait(turn, _fought(paths, sent), overtaken=True)
                except Unanswered:
                    attempts.failed("fault")
                else:
                    return result
        if sent and (found := self._collected(self._asked([operation], 1.0))[operation]).fields:
            return _applied(sent, found)
        raise attempts.refusal()

    def _tried(self, ask: Callable[[float], T]) -> T:
        attempts = Attempts(self._jitter)
        for within in attempts:
            try:
                return ask(within)
            except Unanswered:
                attempts.failed("fault")
        raise attempts.refusal()

    def _asked(self, paths: Sequence[str], within: float | None = None) -> Any:
        """Send the request for documents; its answers come as they are iterated."""
        request = values.BatchGet(database=self._database, documents=[*map(self._name, paths)])
        with _reachable():
            return self._api.batch_get_documents(request, **self._call(within))

    def _collected(self, answers: Iterable[Any]) -> Read:
        found: dict[str, Document] = {}
        with _reachable():
            for answer in map(values.plain, answers):
                if answer.WhichOneof("result") == "found":
                    document = self._document(answer.found)
                else:
                    document = Document(self._path(answer.missing), None)
                found[document.path] = document
                read_time = values.moment(answer.read_time)
        return Read(read_time, found)

    def _call(self, within: float | None = None) -> dict[str, Any]:
        timeout = max(left() if within is None else within, 0.1)
        return {"retry": None, "timeout": timeout, "metadata": self._metadata}

    def _run(
        self, parent: str, query: Any, within: float, weigh: Callable[[Document], int] = lambda _: 0
    ) -> tuple[datetime, list[Document]]:
        request = values.RunQuery(parent=self._name(parent), structured_query=query)
        found, weight = [], 0
        with _reachable():
            answers = self._api.run_query(request, **self._call(within))
            for answer in map(values.plain, answers):
                read_time = values.moment(answer.read_time)
                if answer.HasField("document"):
                    found.append(self._document(answer.document))
                    if weight > quotas.PAGE_BYTES:
                        answers.cancel()
                        break
                    weight += weigh(found[-1])
        return read_time, found

    def _name(self, path: str) -> str:
        return f"{self._root}/{path}" if path else self._root

    def _path(self, name: str) -> str:
        return name.removeprefix(f"{self._root}/")

    def _document(self, found: Any) -> Document:
        return Document(self._path(found.name), values.decode(found.fields), found.update_time)


def _fought(paths: Sequence[str], sent: list[tuple[list[Write], T]]) -> set[str]:
    """Give the documents that the last try read and would have changed."""
    writes = sent[-1][0] if sent else []
    return {write.path for write in writes if write.changes} & set(paths)


def _applied(sent: list[tuple[list[Write], T]], operation: Document) -> T:
    """Give the result of the try whose commit was applied: the one that wrote this document."""
    tries = ((write, result) for writes, result in sent for write in writes)
    wanted = operation.path, said(operation.contents)
    return next(result for write, result in tries if (write.path, said(write.fields)) == wanted)


@contextmanager
def _reachable() -> Iterator[None]:
    """Tell a store that does not answer as Error `unavailable`; its own words stay inside."""
    try:
        yield
    except UNREACHABLE as error:
        raise unavailable("The store does not answer", Unanswered) from error
