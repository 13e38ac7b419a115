"""A change that may be sent again: what its first answer leaves, and who finds it (ADR 24).

A request with an `Idempotency-Key` leaves a record in the commit of its change, and one that is
sent again finds it there: it is read along with all else. A record says what was answered, never a
value, and of what was asked a digest alone. What is refused leaves none, and is tried again.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from shared import forms, quotas
from shared.app import App
from shared.calls import Call
from shared.errors import Error, Target
from shared.store import Read, Write

HEADER, KEY = "Idempotency-Key", "idempotency_key"
Mark = Callable[[bytes], bytes]  # of the digest of a request: what is kept of it


class Once:
    """One change, by whoever asks for it under a key; without a key it is nothing."""

    def __init__(self, app: App, call: Call | None, within: str = "") -> None:
        """Say whose change it is; `within` is the path of the project that the record goes with."""
        self.paths: list[str] = []  # to be read along with all else
        if call and (key := call.parameters.get(KEY)):
            who = call.principal.account, call.principal.subject, app.settings.region
            id_ = hashlib.sha256(forms.canonical([*who, call.operation, key])).hexdigest()
            self.paths = [f"{within}/operations/{id_}".removeprefix("/")]
            asked = {name: value for name, value in call.parameters.items() if name != KEY}
            self._said = hashlib.sha256(forms.canonical([key, asked, call.body])).digest()
            self._trace = call.trace

    def told(self, read: Read, now: datetime, mark: Mark = bytes) -> dict[str, Any] | None:
        """Give what the first answer left, None where there is none yet, or no more.

        Raises Error `idempotency_key_reused` where the first request was another one.
        """
        for path in self.paths:
            record = read[path].fields
            if record and record["expires_at"] > now:
                if record["request"] != mark(self._said):
                    again = "This key was sent with another request: give each its own."
                    raise Error("idempotency_key_reused", again, Target("header", HEADER))
                return dict(record["told"])
        return None

    def left(
        self, read: Read, now: datetime, told: Mapping[str, Any], mark: Mark = bytes
    ) -> list[Write]:
        """Give the write that leaves what is `told`, if nobody has left anything meanwhile."""
        written = json.dumps(told, sort_keys=True, default=str).encode()
        return [
            Write.replace(
                read[path],
                {
                    "request": (request := mark(self._said)),
                    "told": told,
                    "correlation_id": self._trace,
                    "expires_at": now + quotas.REPEATED,
                    "size": len(written),
                    "sha256": hashlib.sha256(request + written).digest(),
                },
            )
            for path in self.paths
        ]
