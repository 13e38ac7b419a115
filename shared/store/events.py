"""Firestore events: from a CloudEvent to what changed.

The event's body is a protobuf DocumentEventData; Google's emulator sends it as base64 text, the
real service as bytes. An event is a hint and never an authority: who acts on it reads the store.
"""

import base64
import binascii
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from cloudevents.http import CloudEvent
from google.cloud.firestore_v1.types.document import Document
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from shared.errors import Error
from shared.store.values import decode


def _document_event_data() -> Any:
    """Make google.events.cloud.firestore.v1.DocumentEventData, as far as we read it.

    A message of the plain library: the same one may be made again, when the local host loads this
    file anew, and one of proto-plus may not.
    """
    document = Document.pb().DESCRIPTOR
    file = FileDescriptorProto(name="reprieve/events.proto", package="reprieve", syntax="proto3")
    file.dependency.append(document.file.name)
    made = file.message_type.add(name="DocumentEventData")
    kind = {"type": "TYPE_MESSAGE", "type_name": f".{document.full_name}"}
    for number, name in enumerate(("value", "old_value"), start=1):
        made.field.add(name=name, number=number, label="LABEL_OPTIONAL", **kind)
    pool = descriptor_pool.Default()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(f"{file.package}.{made.name}"))


DocumentEventData = _document_event_data()


@dataclass(frozen=True, slots=True)
class Change:
    """A document before and after a write; None where it did not exist."""

    path: str
    before: dict[str, Any] | None = field(repr=False)
    after: dict[str, Any] | None = field(repr=False)


def change_of(event: CloudEvent) -> Change:
    """Read a Firestore event. Raises Error `malformed_request` when it is not one."""
    data = event.data.encode() if isinstance(event.data, str) else event.data
    if not isinstance(data, bytes) or not event.get("document"):
        raise Error("malformed_request", "This is no event of a Firestore document.")
    with suppress(binascii.Error):  # raw protobuf holds control characters, base64 none
        data = base64.b64decode(data, validate=True)
    try:
        message = DocumentEventData.FromString(data)
    except DecodeError:
        raise Error("malformed_request", "The event's body is no DocumentEventData.") from None
    return Change(event["document"], _fields(message, "old_value"), _fields(message, "value"))


def _fields(message: Any, name: str) -> dict[str, Any] | None:
    return decode(getattr(message, name).fields) if message.HasField(name) else None
