"""The one error type of the domain, and the one table from its codes to HTTP statuses.

Domain code raises `Error` with a code from `STATUS` and never speaks of HTTP.
A message names fields and states, in backticks; it never repeats a value a caller sent.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

# Contract section 6: only `resource_not_found` is attested, the others follow IBM's API handbook.
STATUS = {
    "malformed_request": 400,
    "missing_field": 400,
    "invalid_field": 400,
    "apikey_not_found": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "quota_exceeded": 403,
    "resource_not_found": 404,
    "method_not_allowed": 405,
    "not_acceptable": 406,
    "name_taken": 409,
    "conflict": 409,
    "project_not_active": 409,
    "project_not_restorable": 409,
    "project_not_deletable": 409,
    "format_mismatch": 409,
    "already_made": 409,
    "not_sealed": 409,
    "precondition_failed": 412,
    "payload_too_large": 413,
    "uri_too_long": 414,
    "unsupported_media_type": 415,
    "idempotency_key_reused": 422,
    "too_many_requests": 429,
    "internal": 500,
    "unavailable": 503,
}


@dataclass(frozen=True, slots=True)
class Target:
    """Where the fault lies: a body field, a query or path parameter, or a header."""

    type: Literal["field", "parameter", "header"]
    name: str

    def __str__(self) -> str:
        return self.name


class Error(Exception):
    """A refusal, or a failure, that the caller may be told about.

    `code` is a key of STATUS, `message` a sentence free of caller's values, `target` where the
    fault lies: a text names a body field, dotted. `others` are further errors of the same request,
    told with it. `headers` go with the answer (`Allow`, `WWW-Authenticate`, `Retry-After`).
    """

    def __init__(
        self,
        code: str,
        message: str,
        target: Target | str | None = None,
        *,
        others: tuple["Error", ...] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.target = Target("field", target) if isinstance(target, str) else target
        self.others = others
        self.headers = headers or {}

    def again(self) -> "Error":
        """Give a new error of the same content, to keep or to raise again.

        One that was raised keeps its frames alive, and all that these hold.
        """
        said = self.code, self.message, self.target
        return Error(*said, others=self.others, headers=dict(self.headers))

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        return STATUS[self.code]

    def entries(self) -> list[dict[str, Any]]:
        """Give the `errors` list of the answer (contract section 6)."""
        entry: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.target:
            entry["target"] = {"type": self.target.type, "name": self.target.name}
        return [entry, *(item for other in self.others for item in other.entries())]


def missing() -> Error:
    """Give the one error for what does not exist and for what belongs to another account."""
    return Error("resource_not_found", "Resource not found.")


def unavailable(what: str, kind: type[Error] = Error) -> Error:
    """Give the error, of this kind, for what may succeed when it is tried again."""
    return kind("unavailable", f"{what}: try again.", headers={"Retry-After": "1"})


def required(field: Target | str) -> Error:
    """Give the error for what is needed and not there: a body field by its dotted name, or else."""
    return Error("missing_field", f"`{field}` is required.", field)


def invalid(field: Target | str, says: str) -> Error:
    """Give the error for a body field, by its dotted name, or else: `says` goes on after it."""
    return Error("invalid_field", f"`{field}` {says}.", field)


def raise_all(errors: Iterable[Error]) -> None:
    """Raise the first of these errors with the rest attached; return when there are none."""
    found = list(errors)
    if found:
        found[0].others = tuple(found[1:])
        raise found[0]
